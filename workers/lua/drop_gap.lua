#!lua flags=allow-oom
-- Drop a gap, with what was written down about telling its asker.
-- KEYS gaps, the conversation's gaps   ARGV id
-- Returns how many went.
redis.call('HDEL', KEYS[1] .. ':topics', ARGV[1])
redis.call('ZREM', KEYS[1] .. ':since', ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('DEL', 'telling:' .. ARGV[1])
return redis.call('HDEL', KEYS[1], ARGV[1])
