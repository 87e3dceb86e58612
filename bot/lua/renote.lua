#!lua flags=allow-oom
-- Note something anew, unless the note was taken away.
-- KEYS hash   ARGV field, value
-- Returns 1 noted, 0 there is no note any more.
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
