#!lua flags=allow-oom
-- Put a dead control event back where the clerk finds it.
-- KEYS dead, letters, controls, controls:due   ARGV letter, the letter as it was read, JSON, now
-- Returns 1, or 0 when the letter is not what it was.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[1] .. ':since', ARGV[1])
redis.call('SREM', KEYS[1] .. ':silent', ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[3], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[4], ARGV[4], ARGV[1])
return 1
