-- Take in a control event once: claim its deduplication key and queue it for the clerk.
-- KEYS seen:delivery, controls, controls:due   ARGV id, JSON, now, seen_s
-- Returns 1 taken in, 0 known already.
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[4]) then
  return 0
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
return 1
