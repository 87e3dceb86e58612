#!lua flags=allow-oom
-- Note a question that was not answered well, as long as it is remembered that its message was answered.
-- KEYS gaps, the conversation's gaps   ARGV id, at, gap (JSON)
-- Returns 1, or 0 when the message was erased.
if redis.call('EXISTS', 'about:' .. ARGV[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[1] .. ':since', ARGV[2], ARGV[1])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
return 1
