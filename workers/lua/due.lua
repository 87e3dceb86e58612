-- What may be begun now: ready conversations that nobody holds, each put off so that the next sweep finds others.
-- KEYS ready   ARGV now, again_at, most
local due = {}
for _, conversation in ipairs(redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[3])) do
  redis.call('ZADD', KEYS[1], 'XX', ARGV[2], conversation)
  if redis.call('EXISTS', 'lock:' .. conversation) == 0 then
    due[#due + 1] = conversation
  end
end
return due
