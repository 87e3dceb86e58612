#!lua flags=allow-oom
-- Drop a dead letter with its journal; one that was asked for again is none any more.
-- KEYS dead, letters   ARGV letter   Returns 1, or 0 when there is no such letter.
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then
  return 0
end
redis.call('ZREM', KEYS[1] .. ':since', ARGV[1])
redis.call('SREM', KEYS[1] .. ':silent', ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('DEL', 'letter:' .. ARGV[1])
return 1
