#!lua flags=allow-oom
-- Have a conversation begin with what people said in its thread before the desk was called, once: remembered as turns, so
-- that it goes as every turn goes, with its message or with its speaker.
-- KEYS lock, turns, read, epoch, erased
-- ARGV token, conversation, when it was read, turns_life_s, remembered_s, turn, …
-- Returns 1, or 0 when it may not: the lock is lost, there are turns, it was read before, begun anew or forgotten, or
-- something was erased since it was read.
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('EXISTS', KEYS[2], KEYS[3], KEYS[4]) > 0 then
  return 0
end
local erased_at = redis.call('ZSCORE', KEYS[5], ARGV[2])
if erased_at and tonumber(erased_at) >= tonumber(ARGV[3]) then
  return 0
end
for at = 6, #ARGV do
  local turn = cjson.decode(ARGV[at])
  redis.call('RPUSH', KEYS[2], ARGV[at])
  for _, id in ipairs(turn['message_ids']) do
    redis.call('SET', 'about:' .. id, ARGV[2], 'EX', ARGV[4])
  end
  redis.call('SADD', 'spoke:' .. turn['speaker'], ARGV[2])
  redis.call('EXPIRE', 'spoke:' .. turn['speaker'], ARGV[5])
end
redis.call('EXPIRE', KEYS[2], ARGV[4])
redis.call('SET', KEYS[3], '1', 'EX', ARGV[5])
return 1
