#!lua flags=allow-oom
-- Erase from one conversation what a person said, and every answer to it; waiting, being answered, remembered or given up.
-- KEYS inbox, messages, turns, batch, dead, ready, attempts, over, letters, controls, erased, gaps, the conversation's gaps,
--   files, their passages, the threads that read them too
-- ARGV conversation, person ('' anybody), message ids (JSON; [] all of that person), now, how long an erasure is known,
--   how long that something was read in is
-- Returns how many turns and messages went.
local ids, gone = {}, 0
local only = cjson.decode(ARGV[3])
for _, id in ipairs(only) do
  ids[id] = true
end
local function meant(id, speaker)
  return (#only == 0 or ids[id]) and (ARGV[2] == '' or speaker == ARGV[2])
end

local begun = {}  -- message id -> the journal that may hold an answer to it
local function covers(journal)
  for _, id in ipairs(cjson.decode(redis.call('HGET', journal, 'ids') or '[]')) do
    begun[id] = journal
  end
end

-- What is left of a batch is begun anew, in the round that it is in.
local function begin_anew(journal)
  local ids, round = unpack(redis.call('HMGET', journal, 'ids', 'journal:round'))
  redis.call('DEL', journal)
  if round or journal ~= KEYS[4] then
    redis.call('HSET', journal, 'ids', ids, 'journal:round', round or '0')
  end
end

local function drop(letter)
  redis.call('HDEL', KEYS[5], letter)
  redis.call('ZREM', KEYS[5] .. ':since', letter)
  redis.call('SREM', KEYS[5] .. ':silent', letter)
  redis.call('ZREM', KEYS[9], letter)
  redis.call('DEL', 'letter:' .. letter)
end

-- The message that an order speaks of: an edit or a deletion by itself, a message that was chosen by where it stands.
local function about(control)
  local stands = type(control['reply_to']) == 'table' and control['reply_to'] or {}
  return control['message_id'] or stands['message_id']
end

local function is_of(letter)
  local control = letter['control'] or {}
  local is_meant = meant(about(control), control['user_id'])
  for _, message in ipairs(letter['messages'] or {}) do
    is_meant = is_meant or meant(message['id'], message['user_id'])
  end
  return is_meant
end

covers(KEYS[4])
for _, letter in ipairs(redis.call('ZRANGE', KEYS[9], 0, -1)) do
  local dead = redis.call('HGET', KEYS[5], letter)
  if not dead then  -- it is asked again, and its messages wait in the inbox
    covers('letter:' .. letter)
  elseif is_of(cjson.decode(dead)) then
    drop(letter)
    gone = gone + 1
  end
end
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local payload = redis.call('HGET', KEYS[2], id)
  if payload and meant(id, cjson.decode(payload)['user_id']) then
    redis.call('ZREM', KEYS[1], id)
    redis.call('HDEL', KEYS[2], id)
    redis.call('SREM', KEYS[8], id)
    if begun[id] == KEYS[4] then  -- the attempts were its own
      redis.call('SREM', 'answering:' .. (redis.call('HGET', KEYS[4], 'lane') or ''), ARGV[1])
      redis.call('DEL', KEYS[7])
    end
    if begun[id] then
      begin_anew(begun[id])
    end
    gone = gone + 1
  end
end

-- Files that came with it go, or that are meant themselves (`file:{key}` among the ids), and an answer that nobody has seen yet and that quotes them.
local gone_files = {}
local files = redis.call('HGETALL', KEYS[14])
for at = 1, #files, 2 do
  local file = cjson.decode(files[at + 1])
  if ids['file:' .. files[at]] or meant(file['message_id'], file['user_id']) then
    redis.call('HDEL', KEYS[14], files[at])
    redis.call('HDEL', KEYS[15], files[at])
    redis.call('SET', 'file_gone:' .. files[at], '1', 'EX', 24 * ARGV[5])  -- for what is under way: finish.lua
    gone_files[#gone_files + 1] = 'file:' .. files[at] .. ':'
    gone = gone + 1
  end
end
local function quotes_them(text)
  for _, mark in ipairs(gone_files) do
    if string.find(text, mark, 1, true) then
      return true
    end
  end
  return false
end
local function outdate(journal)
  local is_shown = redis.call('HEXISTS', journal, 'journal:on_its_way') == 1
  if not is_shown and quotes_them(redis.call('HGET', journal, 'journal:answer') or '') then
    redis.call('HDEL', journal, 'journal:answer')
  end
end
-- What was given up is asked again without them, whatever of it was on its way.
local function outdate_letters(letters)
  for _, letter in ipairs(#gone_files > 0 and redis.call('ZRANGE', letters, 0, -1) or {}) do
    if quotes_them(redis.call('HGET', 'letter:' .. letter, 'journal:answer') or '') then
      begin_anew('letter:' .. letter)
    end
  end
end
outdate(KEYS[4])
outdate_letters(KEYS[9])

-- The exchanges in a thread that quote them go as well.
for _, reader in ipairs(#gone_files > 0 and redis.call('SMEMBERS', KEYS[16]) or {}) do
  local said, quoting, stays = redis.call('LRANGE', 'turns:' .. reader, 0, -1), {}, {}
  for _, text in ipairs(said) do
    for _, id in ipairs(quotes_them(text) and cjson.decode(text)['message_ids'] or {}) do
      quoting[id] = true
    end
  end
  for _, text in ipairs(said) do
    local drop = false
    for _, id in ipairs(cjson.decode(text)['message_ids']) do
      drop = drop or quoting[id]
    end
    stays[#stays + 1] = not drop and text or nil
  end
  if #stays < #said then
    local life = redis.call('TTL', 'turns:' .. reader)
    redis.call('DEL', 'turns:' .. reader)
    for _, text in ipairs(stays) do
      redis.call('RPUSH', 'turns:' .. reader, text)
    end
    if #stays > 0 and life > 0 then
      redis.call('EXPIRE', 'turns:' .. reader, life)
    end
    gone = gone + #said - #stays
  end
  outdate('batch:' .. reader)
  outdate_letters('letters:' .. reader)
  redis.call('ZADD', KEYS[11], ARGV[4], reader)
end

local answered, kept, dropped = {}, {}, false
local turns = redis.call('LRANGE', KEYS[3], 0, -1)
for _, text in ipairs(turns) do
  for _, id in ipairs(quotes_them(text) and cjson.decode(text)['message_ids'] or {}) do
    answered[id] = true
  end
end
for _, text in ipairs(turns) do
  local turn = cjson.decode(text)
  if turn['role'] == 'user' then
    for _, id in ipairs(turn['message_ids']) do
      answered[id] = answered[id] or meant(id, turn['speaker'])
    end
  end
end
for _, text in ipairs(turns) do
  local drop = false
  for _, id in ipairs(cjson.decode(text)['message_ids']) do
    drop = drop or answered[id]
  end
  if drop then
    gone, dropped = gone + 1, true
  else
    local turn, stays, forgets = cjson.decode(text), {}, false
    for _, stated in ipairs(turn['recalled'] or {}) do
      if meant(stated['message_id'], stated['speaker']) then
        gone, dropped, forgets = gone + 1, true, true
      else
        stays[#stays + 1] = stated
      end
    end
    turn['recalled'] = stays
    kept[#kept + 1] = forgets and cjson.encode(turn) or text
  end
end
if dropped then
  local life = redis.call('TTL', KEYS[3])
  redis.call('DEL', KEYS[3])
  for _, text in ipairs(kept) do
    redis.call('RPUSH', KEYS[3], text)
  end
  if #kept > 0 and life > 0 then
    redis.call('EXPIRE', KEYS[3], life)
  end
end

for id, _ in pairs(answered) do
  if answered[id] then
    redis.call('DEL', 'about:' .. id)
  end
end

for _, id in ipairs(redis.call('ZRANGE', KEYS[13], 0, -1)) do
  local gap = cjson.decode(redis.call('HGET', KEYS[12], id) or '{}')
  local is_meant = false
  for _, message in ipairs(gap['message_ids'] or {}) do
    is_meant = is_meant or meant(message, gap['user_id'])
  end
  if is_meant then
    redis.call('HDEL', KEYS[12], id)
    redis.call('HDEL', KEYS[12] .. ':topics', id)
    redis.call('ZREM', KEYS[12] .. ':since', id)
    redis.call('ZREM', KEYS[13], id)
    redis.call('DEL', 'telling:' .. id)
    gone = gone + 1
  end
end

-- An edit that was not carried out yet has the words too, and a message that somebody chose to ask about.
local controls = redis.call('HGETALL', KEYS[10])
for at = 1, #controls, 2 do
  local readable, control = pcall(cjson.decode, controls[at + 1])
  local is_control = readable and type(control) == 'table'
  local has_words = is_control and (control['kind'] == 'Edit' or control['name'] == 'ask_about')
  if has_words and control['conversation_id'] == ARGV[1] and meant(about(control), control['user_id']) then
    redis.call('HDEL', KEYS[10], controls[at])
    redis.call('ZREM', KEYS[10] .. ':due', controls[at])
    redis.call('DEL', 'attempts:' .. controls[at])
  end
end

if redis.call('ZCARD', KEYS[1]) == 0 then
  redis.call('ZREM', KEYS[6], ARGV[1])
  redis.call('DEL', KEYS[4])
  for id, journal in pairs(begun) do
    if journal == 'letter:' .. id then
      drop(id)
    end
  end
end
-- Workers look here for what their models have to forget.
redis.call('ZADD', KEYS[11], ARGV[4], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[11], '-inf', ARGV[4] - ARGV[5])
if ARGV[2] ~= '' then  -- nor is it read in again, where the platform has it still
  redis.call('SET', 'read:' .. ARGV[1], '1', 'EX', ARGV[6])
end
return gone
