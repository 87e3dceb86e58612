-- Decide whether a message of a thread is for us, and remember who spoke. The same message is decided once: what comes
-- again (the second event of a mention, a redelivery) is told what was decided.
-- KEYS listening, heard   ARGV message id, user, at, addressed (us, others, nobody), order (1: answered at once), followed_s,
--   seen_s
-- Returns 1 for us, 0 not.
local decided = redis.call('GET', KEYS[2])
if decided then
  return tonumber(decided)
end
local with, asked, at, quiet, answered = unpack(redis.call('HMGET', KEYS[1], 'with', 'asked', 'at', 'quiet', 'answered'))
local calls = ARGV[4] == 'us'
if not with and not calls then  -- nobody called us into this thread
  return 0
end

-- As long as it is not quiet, the last thing that a person said was said to us.
local function our_turn_is_over()
  return answered == '1' or redis.call('GET', 'seen:' .. asked) ~= 'accepted'
end
local ours = calls or (ARGV[4] == 'nobody' and quiet ~= '1' and (with == ARGV[2] or our_turn_is_over()))

redis.call('SET', KEYS[2], ours and '1' or '0', 'EX', ARGV[7])
if at and tonumber(ARGV[3]) < tonumber(at) then  -- it comes late: what was said after it is known
  return ours and 1 or 0
end
redis.call('HSET', KEYS[1], 'at', ARGV[3], 'quiet', ours and '0' or '1')
if ours then
  redis.call('HSET', KEYS[1], 'with', ARGV[2], 'asked', ARGV[1], 'answered', ARGV[5])
end
redis.call('EXPIRE', KEYS[1], ARGV[6])
return ours and 1 or 0
