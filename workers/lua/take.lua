#!lua flags=allow-oom
-- Take a conversation's lock and its next batch: the one begun before, else a dead letter that the operator asks again
-- (with its journal), else the longest run at the head of one person's messages that are all within the limit of
-- messages a minute, or all over it. Its ids are written down before any work starts. Of one person only so many batches
-- are held at once, over all conversations; the next one waits.
-- KEYS lock, inbox, messages, batch, attempts, fence, ready, epoch, over
-- ARGV owner, life_ms, conversation, most, most over the limit, now, held at once, pause_s, held_s, looks ('1': neither
--   an attempt nor held: somebody only wants to see to its due time)
-- Returns nothing, or {token, attempt, epoch, over ('1', '0'), lane, payload, payload, …}.
if redis.call('EXISTS', KEYS[1]) == 1 then
  return nil
end
local conversation, looks = ARGV[3], ARGV[10] == '1'

local function is_over(id)
  return redis.call('SISMEMBER', KEYS[9], id) == 1
end

local function speaker(id)
  local payload = redis.call('HGET', KEYS[3], id)
  return payload and cjson.decode(payload)['user_id']
end

local function begun_before()
  local ids, begun = {}, redis.call('HGET', KEYS[4], 'ids')
  for _, id in ipairs(cjson.decode(begun or '[]')) do
    if redis.call('HEXISTS', KEYS[3], id) == 1 then
      ids[#ids + 1] = id
    end
  end
  if begun and #ids == 0 then  -- all of it was deleted meanwhile
    redis.call('DEL', KEYS[4], KEYS[5])
  end
  return ids
end

local function asked_again()
  local letters = 'letters:' .. conversation
  for _, letter in ipairs(redis.call('ZRANGE', letters, 0, -1)) do
    if redis.call('HEXISTS', 'dead', letter) == 0 then
      redis.call('ZREM', letters, letter)
      redis.call('RENAME', 'letter:' .. letter, KEYS[4])
      return begun_before()
    end
  end
  return {}
end

local function head()
  local first = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
  if not first then
    return {}
  end
  local ids, who, over = {}, speaker(first), is_over(first)
  for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, tonumber(over and ARGV[5] or ARGV[4]) - 1)) do
    if speaker(id) ~= who or is_over(id) ~= over then
      break
    end
    ids[#ids + 1] = id
  end
  return ids
end

local ids = begun_before()
if #ids == 0 then
  ids = asked_again()
end
if #ids == 0 then
  ids = head()
end
if #ids == 0 then
  redis.call('ZREM', KEYS[7], conversation)
  return nil
end

-- Notices to who writes too much need no model: they do not wait behind the same person's answers.
local over = is_over(ids[1])
local lane = (over and 'over:' or '') .. (speaker(ids[1]) or '')
local answering, held_up = 'answering:' .. lane, 'held_up:' .. lane
if not looks then
  local held = 0
  for _, other in ipairs(redis.call('SMEMBERS', answering)) do
    if redis.call('EXISTS', 'lock:' .. other) == 1 then
      held = held + 1
    else  -- its worker was killed
      redis.call('SREM', answering, other)
    end
  end
  if held >= tonumber(ARGV[7]) then
    redis.call('ZADD', KEYS[7], 'XX', ARGV[6] + ARGV[8], conversation)
    redis.call('ZADD', held_up, 'NX', ARGV[6], conversation)
    redis.call('EXPIRE', held_up, ARGV[9])
    return nil
  end
  redis.call('SADD', answering, conversation)
  redis.call('EXPIRE', answering, ARGV[9])
  redis.call('ZREM', held_up, conversation)
end

local token = redis.call('INCR', KEYS[6]) .. ':' .. ARGV[1]
redis.call('SET', KEYS[1], token, 'PX', ARGV[2])
redis.call('HSET', KEYS[4], 'ids', cjson.encode(ids), 'token', token, 'lane', lane)
redis.call('HSETNX', KEYS[4], 'epoch', redis.call('GET', KEYS[8]) or '0')  -- a reset after this is one since it began
local attempt = looks and (redis.call('GET', KEYS[5]) or '0') or redis.call('INCR', KEYS[5])
local taken = {token, attempt, redis.call('HGET', KEYS[4], 'epoch'), over and '1' or '0', lane}
for _, id in ipairs(ids) do
  taken[#taken + 1] = redis.call('HGET', KEYS[3], id)
end
return taken
