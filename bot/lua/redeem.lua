-- Redeem an invitation, all or nothing: count the try, spend the code, let its bearer in.
-- KEYS tries, invite, admitted   ARGV who, tries allowed, window_s
-- Returns 1 let in, 0 no open code, -1 too many tries.
local tries = redis.call('INCR', KEYS[1])
if tries == 1 then
  redis.call('EXPIRE', KEYS[1], ARGV[3])
end
if tries > tonumber(ARGV[2]) then
  return -1
end
if redis.call('DEL', KEYS[2]) == 0 then
  return 0
end
redis.call('SADD', KEYS[3], ARGV[1])
return 1
