#!lua flags=allow-oom
-- Finish a batch, if the fencing token still holds: append the turns, mark the messages answered, drop the batch (a dead
-- letter keeps its journal), and release the lock in the same step that sees whether more waits.
-- KEYS lock, inbox, messages, batch, attempts, ready, turns, epoch, interrupt, dead, over, letters, rewrite, gaps,
--   the conversation's gaps
-- ARGV token, conversation, now, turns_life_s, seen_s, epoch, cut, whether that is to leave the file too (1 or 0), ids (JSON),
--   dead letter (JSON without its messages, or ''), gap (JSON, or ''), turn, …
-- Returns -1 the lock is lost, else how many messages wait.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return -1
end

-- What the remembered turns say, by message: what was erased or edited meanwhile is not recalled.
local said = {}
for _, text in ipairs(redis.call('LRANGE', KEYS[7], 0, -1)) do
  local turn = cjson.decode(text)
  for at, id in ipairs(turn['role'] == 'user' and turn['message_ids'] or {}) do
    said[id] = (said[id] or '') .. turn['texts'][at]
  end
  for _, stated in ipairs(turn['recalled'] or {}) do
    said[stated['message_id']] = (said[stated['message_id']] or '') .. stated['text']
  end
end

-- A turn, or a gap, as it is remembered: of a message that was edited while its answer was on the way, the new words.
local function as_it_says_now(text)
  local turn, changed = cjson.decode(text), false
  for at, id in ipairs(turn['role'] ~= 'assistant' and turn['message_ids'] or {}) do
    local words = cjson.decode(redis.call('HGET', KEYS[3], id))['text']
    changed = changed or words ~= turn['texts'][at]
    turn['texts'][at] = words
  end
  local recalled = {}
  for _, stated in ipairs(turn['recalled'] or {}) do
    if string.find(said[stated['message_id']] or '', stated['text'], 1, true) then
      recalled[#recalled + 1] = stated
    else
      changed = true
    end
  end
  turn['recalled'] = recalled
  return changed and cjson.encode(turn) or text
end

local ids, messages = cjson.decode(ARGV[9]), {}
for _, id in ipairs(ids) do
  messages[#messages + 1] = redis.call('HGET', KEYS[3], id) or nil
end
local whole = #messages == #ids  -- nothing of it was deleted while it was answered
if ARGV[10] ~= '' and not whole then  -- no letter may hold what was deleted; what is left of the batch is begun anew
  return -1
end
local same = (redis.call('GET', KEYS[8]) or '0') == ARGV[6]  -- no reset since it was begun
local quotes_what_went = false  -- a file that its sender has deleted since
for at = 12, #ARGV do
  for key in string.gmatch(ARGV[at], 'file:(%x+):') do
    quotes_what_went = quotes_what_went or redis.call('EXISTS', 'file_gone:' .. key) == 1
  end
end
if whole and same and not quotes_what_went and #ARGV > 11 then
  redis.call('LTRIM', KEYS[7], tonumber(ARGV[7]), -1)
  if ARGV[8] == '1' then
    redis.call('SADD', KEYS[13], ARGV[2])
  end
  for at = 12, #ARGV do
    redis.call('RPUSH', KEYS[7], as_it_says_now(ARGV[at]))
  end
  redis.call('EXPIRE', KEYS[7], ARGV[4])
end
if whole and ARGV[11] ~= '' then
  redis.call('HSET', KEYS[14], ids[#ids], as_it_says_now(ARGV[11]))
  redis.call('ZADD', KEYS[14] .. ':since', ARGV[3], ids[#ids])
  redis.call('ZADD', KEYS[15], ARGV[3], ids[#ids])
end
redis.call('SREM', 'answering:' .. (redis.call('HGET', KEYS[4], 'lane') or ''), ARGV[2])
if ARGV[10] ~= '' then
  local letter = ids[#ids]
  local text = string.sub(ARGV[10], 1, -2) .. ', "messages": [' .. table.concat(messages, ', ') .. ']}'
  redis.call('HSET', KEYS[10], letter, text)
  redis.call('ZADD', KEYS[10] .. ':since', ARGV[3], letter)
  if not cjson.decode(ARGV[10])['apologised'] then
    redis.call('SADD', KEYS[10] .. ':silent', letter)
  end
  redis.call('ZADD', KEYS[12], redis.call('ZSCORE', KEYS[2], letter), letter)
  redis.call('HDEL', KEYS[4], 'token')  -- nobody's: who held it may not hand it back when it is asked again
  redis.call('RENAME', KEYS[4], 'letter:' .. letter)
end
for _, id in ipairs(ids) do
  redis.call('ZREM', KEYS[2], id)
  redis.call('HDEL', KEYS[3], id)
  redis.call('SREM', KEYS[11], id)
  redis.call('SET', 'seen:' .. id, 'answered', 'EX', ARGV[5])
  redis.call('SET', 'about:' .. id, ARGV[2], 'EX', ARGV[4])
end
for _, happened in ipairs(redis.call('HKEYS', KEYS[9])) do
  if happened ~= 'stop' then  -- a stop holds for all that was asked before it
    redis.call('HDEL', KEYS[9], happened)
  end
end
redis.call('DEL', KEYS[4], KEYS[5], KEYS[1])
local waiting = redis.call('ZCARD', KEYS[2])
if waiting > 0 then
  redis.call('ZADD', KEYS[6], ARGV[3], ARGV[2])
else
  redis.call('ZREM', KEYS[6], ARGV[2])
end
return waiting
