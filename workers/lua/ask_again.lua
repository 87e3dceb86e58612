#!lua flags=allow-oom
-- Ask a dead question again: its messages wait in their inbox once more, and its journal until they are taken (take.lua).
-- KEYS dead, letters, inbox, messages, ready, over
-- ARGV letter, the letter as it was read, conversation, now, id, sent_at, JSON, id, sent_at, JSON, …
-- Returns 1, or 0 when the letter is not what it was (gone, asked again, a message of it edited).
local letter, journal = ARGV[1], 'letter:' .. ARGV[1]
if redis.call('HGET', KEYS[1], letter) ~= ARGV[2] then
  return 0
end
redis.call('HDEL', KEYS[1], letter)
redis.call('ZREM', KEYS[1] .. ':since', letter)
redis.call('SREM', KEYS[1] .. ':silent', letter)

-- After an apology that is, or may be, shown the answer is made anew, in a round of its own: it must not be taken for the
-- apology. Else it goes on where its delivery ended.
if redis.call('HEXISTS', journal, 'journal:apology') == 1 then
  local round = (redis.call('HGET', journal, 'journal:round') or 0) + 1
  for _, name in ipairs(redis.call('HKEYS', journal)) do
    if name ~= 'lane' then
      redis.call('HDEL', journal, name)
    end
  end
  redis.call('HSET', journal, 'journal:round', round)
end
redis.call('HDEL', journal, 'journal:tries')

local ids, over = {}, string.sub(redis.call('HGET', journal, 'lane') or '', 1, 5) == 'over:'
for at = 5, #ARGV, 3 do
  ids[#ids + 1] = ARGV[at]
  redis.call('ZADD', KEYS[3], ARGV[at + 1], ARGV[at])
  redis.call('HSET', KEYS[4], ARGV[at], ARGV[at + 2])
  if over then
    redis.call('SADD', KEYS[6], ARGV[at])
  end
end
redis.call('HSET', journal, 'ids', cjson.encode(ids))
redis.call('ZADD', KEYS[5], 'NX', ARGV[4], ARGV[3])
return 1
