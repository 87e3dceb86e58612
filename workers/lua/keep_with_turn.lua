#!lua
-- Keep something that came of a question for a while, as long as the conversation has the question's turn word for word:
-- what was erased, edited or begun anew meanwhile is not brought back by it.
-- KEYS turns, what is kept, the names of all that is kept so by the time they end
-- ARGV the question's turn, name, what is kept (JSON), life_s, now, most, what stands before a name in its key
if not redis.call('LPOS', KEYS[1], ARGV[1]) then
  return 0
end
redis.call('SET', KEYS[2], ARGV[3], 'EX', ARGV[4])
redis.call('ZADD', KEYS[3], ARGV[5] + ARGV[4], ARGV[2])
redis.call('EXPIRE', KEYS[3], ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', ARGV[5])
local beyond = redis.call('ZCARD', KEYS[3]) - ARGV[6]
if beyond > 0 then
  local oldest = redis.call('ZPOPMIN', KEYS[3], beyond)
  for at = 1, #oldest, 2 do
    redis.call('DEL', ARGV[7] .. oldest[at])
  end
end
return 1
