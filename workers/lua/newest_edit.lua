#!lua flags=allow-oom
-- Note when a message was edited, by the platform's time.
-- KEYS edited   ARGV at, life_s   Returns 1 when a later edit of it is known, else 0.
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then
  return 1
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 0
