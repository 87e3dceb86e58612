-- Take in a control event once: claim its deduplication key and queue it for the clerk. A message that is deleted before
-- it was taken in never is: it may come late, or have been chosen to be asked about.
-- KEYS seen:delivery, controls, controls:due, and of a deletion seen:message   ARGV id, JSON, now, seen_s
-- Returns 1 taken in, 0 known already.
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[4]) then
  return 0
end
if KEYS[4] then
  redis.call('SET', KEYS[4], 'gone', 'NX', 'EX', ARGV[4])
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
return 1
