#!lua flags=allow-oom
-- Change a message that waits; an answer to its old words that is not on its way yet is dropped.
-- KEYS messages, batch, letters   ARGV id, JSON   Returns 1, or 0 when it does not wait.
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
local function outdate(journal)
  if redis.call('HEXISTS', journal, 'journal:on_its_way') == 0 then
    redis.call('HDEL', journal, 'journal:answer')
  end
end
outdate(KEYS[2])
for _, letter in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  outdate('letter:' .. letter)
end
return 1
