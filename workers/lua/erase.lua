#!lua flags=allow-oom
-- Erase from one conversation what a person said, and every answer to it; waiting, being answered, remembered or given up.
-- KEYS inbox, messages, turns, batch, dead, ready, attempts, over   ARGV conversation, person ('' anybody), message ids (JSON; [] all of that person)
-- Returns how many turns and messages went.
local ids, gone = {}, 0
local only = cjson.decode(ARGV[3])
for _, id in ipairs(only) do
  ids[id] = true
end
local function meant(id, speaker)
  return (#only == 0 or ids[id]) and (ARGV[2] == '' or speaker == ARGV[2])
end

local begun = {}
for _, id in ipairs(cjson.decode(redis.call('HGET', KEYS[4], 'ids') or '[]')) do
  begun[id] = true
end
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local payload = redis.call('HGET', KEYS[2], id)
  if payload and meant(id, cjson.decode(payload)['user_id']) then
    redis.call('ZREM', KEYS[1], id)
    redis.call('HDEL', KEYS[2], id)
    redis.call('SREM', KEYS[8], id)
    if begun[id] then  -- the journal may hold an answer to it, and the attempts were its own
      redis.call('SREM', 'answering:' .. (redis.call('HGET', KEYS[4], 'lane') or ''), ARGV[1])
      redis.call('DEL', KEYS[4], KEYS[7])
    end
    gone = gone + 1
  end
end

local answered, kept, dropped = {}, {}, false
local turns = redis.call('LRANGE', KEYS[3], 0, -1)
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
    kept[#kept + 1] = text
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
    redis.call('HDEL', KEYS[5], id)
    redis.call('DEL', 'about:' .. id)
  end
end
for id, _ in pairs(ids) do
  redis.call('HDEL', KEYS[5], id)
end
if redis.call('ZCARD', KEYS[1]) == 0 then
  redis.call('ZREM', KEYS[6], ARGV[1])
end
return gone
