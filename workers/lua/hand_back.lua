-- Hand a batch back unanswered, to be taken again from `due` on. It keeps its ids and its journal.
-- KEYS lock, batch, attempts, ready   ARGV token, conversation, due, forgive ('1': the attempt does not count)
-- Returns 1, or 0 when somebody else has taken it meanwhile.
local holder = redis.call('HGET', KEYS[2], 'token')
if holder and holder ~= ARGV[1] then  -- none: all of it was erased meanwhile
  return 0
end
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
if ARGV[4] == '1' and redis.call('DECR', KEYS[3]) <= 0 then
  redis.call('DEL', KEYS[3])
end
redis.call('ZADD', KEYS[4], ARGV[3], ARGV[2])
return 1
