#!lua flags=allow-oom
-- What is to be hinted at now: ready conversations that nobody holds. Who never began waits for its first hint to be
-- read until it is overdue; what was begun (its worker died, or it was put off) has no hint that is still unread.
-- What is hinted at or held is put off, so that the next sweep finds others.
-- KEYS ready   ARGV now, again_at, most, overdue since
local due = {}
local ready = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[3], 'WITHSCORES')
for at = 1, #ready, 2 do
  local conversation, since = ready[at], tonumber(ready[at + 1])
  local held = redis.call('EXISTS', 'lock:' .. conversation) == 1
  local hinted = not held and (since <= tonumber(ARGV[4]) or redis.call('EXISTS', 'batch:' .. conversation) == 1)
  if hinted then
    due[#due + 1] = conversation
  end
  if hinted or held then
    redis.call('ZADD', KEYS[1], 'XX', ARGV[2], conversation)
  end
end
return due
