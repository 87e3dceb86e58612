#!lua flags=allow-oom
-- Count a push that is about to be made, if what is left of the month's quota allows it. The same key counts once.
-- KEYS quota, push of this key, pushes
-- ARGV recipients (0: not known), reserve, now, remembered_s, retry key
-- Returns 1: it may be made; 0: not.
if redis.call('EXISTS', KEYS[2]) == 1 then
  return 1
end
local left, recipients = redis.call('GET', KEYS[1]), tonumber(ARGV[1])
if not left or left == 'unknown' then
  return 0
end
if left ~= 'unlimited' then
  if recipients <= 0 or tonumber(left) - recipients < tonumber(ARGV[2]) then
    return 0
  end
  redis.call('DECRBY', KEYS[1], ARGV[1])
end
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[4])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1] .. ':' .. ARGV[5])
redis.call('EXPIRE', KEYS[3], ARGV[4])
return 1
