#!lua flags=allow-oom
-- Change a message that waits; an answer to its old words that is not on its way yet is dropped.
-- One that was edited beyond its person's limit is beyond it now, with the batch that it is in.
-- KEYS messages, batch, letters, over   ARGV id, JSON   Returns 1, or 0 when it does not wait.
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
if redis.call('SISMEMBER', KEYS[4], ARGV[1]) == 1 then
  local ids = cjson.decode(redis.call('HGET', KEYS[2], 'ids') or '[]')
  if string.find(' ' .. table.concat(ids, ' ') .. ' ', ' ' .. ARGV[1] .. ' ', 1, true) then
    redis.call('SADD', KEYS[4], unpack(ids))
  end
end
for _, letter in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  outdate('letter:' .. letter)
end
return 1
