#!lua flags=allow-oom
-- Make a dead letter of a control event that cannot be carried out, unless it was erased meanwhile.
-- KEYS controls, controls:due, attempts, dead, letters   ARGV id, letter (JSON), now, sent_at
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then
  return 0
end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[3])
redis.call('HSET', KEYS[4], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[4] .. ':since', ARGV[3], ARGV[1])
redis.call('SADD', KEYS[4] .. ':silent', ARGV[1])
redis.call('ZADD', KEYS[5], ARGV[4], ARGV[1])
return 1
