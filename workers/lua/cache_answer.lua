#!lua
-- Keep an answer for who asks the same, as long as the conversation has the question's turn word for word: what was
-- erased, edited or begun anew meanwhile is not brought back by it.
-- KEYS turns, answer, answers   ARGV the question's turn, name, answer (JSON), life_s, now, most
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
    redis.call('DEL', 'answer:' .. oldest[at])
  end
end
return 1
