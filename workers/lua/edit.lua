#!lua flags=allow-oom
-- Change a message that waits; an answer to its old words that is not on its way yet is dropped.
-- KEYS messages, batch   ARGV id, JSON   Returns 1, or 0 when it does not wait.
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if redis.call('HEXISTS', KEYS[2], 'journal:on_its_way') == 0 then
  redis.call('HDEL', KEYS[2], 'journal:answer')
end
return 1
