-- Add facts to a batch's journal, if the lock is still ours. KEYS lock, batch   ARGV token, name, JSON, name, JSON, …
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
for at = 2, #ARGV, 2 do
  redis.call('HSET', KEYS[2], 'journal:' .. ARGV[at], ARGV[at + 1])
end
return 1
