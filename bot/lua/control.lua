-- Take in a control event once: claim its deduplication key and queue it for the clerk. A message that is deleted before
-- it was taken in never is: it may come late, or have been chosen to be asked about.
-- An edit counts as a message of its person does; beyond the limit it is marked, and so gets no answer of the model's.
-- KEYS seen:delivery, controls, controls:due, seen:message, rate, over
-- ARGV id, JSON, now, seen_s, what it does to a message ('delete', 'edit', ''), messages a minute (0: no limit), message
-- Returns 1 taken in, 0 known already.
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[4]) then
  return 0
end
if ARGV[5] == 'delete' then
  redis.call('SET', KEYS[4], 'gone', 'NX', 'EX', ARGV[4])
end
local limit = tonumber(ARGV[6])
if ARGV[5] == 'edit' and limit > 0 then
  local within_the_minute = redis.call('INCR', KEYS[5])
  if within_the_minute == 1 then
    redis.call('EXPIRE', KEYS[5], 60)
  end
  if within_the_minute > limit then
    redis.call('SADD', KEYS[6], ARGV[7])
  end
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
return 1
