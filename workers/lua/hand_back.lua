#!lua flags=allow-oom
-- Hand a batch back unanswered, to be taken again from `due` on. It keeps its ids and its journal.
-- KEYS lock, batch, attempts, ready   ARGV token, conversation, due, forgive ('1': the attempt does not count)
-- Returns 1, or 0 when it is not ours: somebody else has taken it, or we have handed it back already.
local locked = redis.call('GET', KEYS[1]) == ARGV[1]
if not locked and redis.call('HGET', KEYS[2], 'token') ~= ARGV[1] then
  return 0
end
if locked then
  redis.call('DEL', KEYS[1])
end
redis.call('HDEL', KEYS[2], 'token')
redis.call('SREM', 'answering:' .. (redis.call('HGET', KEYS[2], 'lane') or ''), ARGV[2])
if ARGV[4] == '1' and redis.call('DECR', KEYS[3]) <= 0 then
  redis.call('DEL', KEYS[3])
end
redis.call('ZADD', KEYS[4], ARGV[3], ARGV[2])
return 1
