#!lua flags=allow-oom
-- Note what LINE says is left of the month's quota, without the pushes that its count may not have yet.
-- KEYS quota, pushes
-- ARGV left (a number, 'unlimited', 'unknown'), since when a push may be missing, life_s
-- Returns what was noted.
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[2])
local left = ARGV[1]
if tonumber(left) then
  local uncounted = 0
  for _, push in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
    uncounted = uncounted + tonumber(string.match(push, '^%d+'))
  end
  left = string.format('%.0f', math.max(0, tonumber(left) - uncounted))
end
redis.call('SET', KEYS[1], left, 'EX', ARGV[3])
return left
