#!lua flags=allow-oom
-- Take a control event for a while: nobody else takes it before `again_at`.
-- KEYS controls, controls:due   ARGV id, now, again_at
local due = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not due or tonumber(due) > tonumber(ARGV[2]) then
  return nil
end
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
return redis.call('HGET', KEYS[1], ARGV[1])
