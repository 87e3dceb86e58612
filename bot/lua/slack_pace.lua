-- Count one call to a method of Slack, unless the method rests (Slack asked for that) or has had its calls.
-- KEYS the calls of the last while (by the time they were made), the rest
-- ARGV most calls, within ms, a name for this call
-- Returns 0 when it may be made, else after how many milliseconds it may be asked again.
local rest_ms = redis.call('PTTL', KEYS[2])
if rest_ms > 0 then
  return rest_ms
end
local time = redis.call('TIME')
local now_ms, within_ms = time[1] * 1000 + math.floor(time[2] / 1000), tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now_ms - within_ms)
local made = redis.call('ZCARD', KEYS[1])
if made >= tonumber(ARGV[1]) then
  local oldest_ms = redis.call('ZRANGE', KEYS[1], made - tonumber(ARGV[1]), -1, 'WITHSCORES')[2]
  return math.max(1, oldest_ms + within_ms - now_ms)
end
redis.call('ZADD', KEYS[1], now_ms, ARGV[3])
redis.call('PEXPIRE', KEYS[1], within_ms)
return 0
