#!lua flags=allow-oom
-- Add facts to a batch's journal, if lock and batch are still ours: of a batch that was erased nothing may come back.
-- KEYS lock, batch   ARGV token, name, JSON, name, JSON, …
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('HGET', KEYS[2], 'token') ~= ARGV[1] then
  return 0
end
for at = 2, #ARGV, 2 do
  redis.call('HSET', KEYS[2], 'journal:' .. ARGV[at], ARGV[at + 1])
end
return 1
