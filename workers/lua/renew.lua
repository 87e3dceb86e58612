#!lua flags=allow-oom
-- Give a lock new life, if lock and batch are still ours: of a batch that was erased nothing may be sent.
-- KEYS lock, batch   ARGV token, life_ms   Returns 1, or 0.
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('HGET', KEYS[2], 'token') ~= ARGV[1] then
  return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
