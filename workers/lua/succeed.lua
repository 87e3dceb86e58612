#!lua flags=allow-oom
-- Free what a dead owner held, to be taken at once; the locks of others stay.
-- KEYS ready   ARGV owner, now   Returns the conversations that are free now.
local freed = {}
for _, conversation in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local lock = 'lock:' .. conversation
  local token = redis.call('GET', lock)
  if token and string.match(token, ':(.*)') == ARGV[1] then
    redis.call('DEL', lock)
    redis.call('ZADD', KEYS[1], ARGV[2], conversation)
    freed[#freed + 1] = conversation
  end
end
return freed
