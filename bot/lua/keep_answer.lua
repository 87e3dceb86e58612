-- Keep an answer for its conversation's next reply token, once for each name, whoever asks for it again after a crash.
-- KEYS kept, kept_once, keeping   ARGV answer, conversation, room, life_s, now
if not redis.call('SET', KEYS[2], '1', 'NX', 'EX', ARGV[4]) then
  return 0
end
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('LTRIM', KEYS[1], -ARGV[3], -1)
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', ARGV[5])
redis.call('ZADD', KEYS[3], ARGV[5] + ARGV[4], ARGV[2])
return 1
