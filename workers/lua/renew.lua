-- Give a lock new life, if it is still ours. KEYS lock   ARGV token, life_ms
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
