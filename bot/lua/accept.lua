-- Accept a message once: claim both deduplication keys, append it by platform time, mark the conversation ready. Beyond
-- a person's limit of messages a minute it is marked: it gets a notice and never reaches the model.
-- A full store refuses the first write and with it all of them; what was known before stays known.
-- KEYS seen:delivery, seen:message, inbox, messages, ready, spoke, rate, over
-- ARGV id, JSON, sent_at, now, seen_s, conversation, room, spoke_s, most ready, messages a minute (0: no limit)
-- Returns {outcome, due}: 1 accepted, 0 known already, -1 the conversation's inbox is full, -2 too many conversations
-- wait; due is 0 while the conversation is put off (a platform has asked for patience), or hinted at already.
local function with(outcome)
  local since = redis.call('ZSCORE', KEYS[5], ARGV[6])
  return {outcome, (not since or tonumber(since) <= tonumber(ARGV[4])) and 1 or 0}
end

if redis.call('EXISTS', KEYS[1]) == 1 or redis.call('EXISTS', KEYS[2]) == 1 then
  redis.pcall('SET', KEYS[1], '1', 'EX', ARGV[5])
  return with(0)
end
local waiting = redis.call('ZCARD', KEYS[3])
if waiting >= tonumber(ARGV[7]) then
  return with(-1)
end
if waiting == 0 and redis.call('ZCARD', KEYS[5]) >= tonumber(ARGV[9]) then
  return with(-2)
end
local limit = tonumber(ARGV[10])
if limit > 0 then
  local within_the_minute = redis.call('INCR', KEYS[7])
  if within_the_minute == 1 then
    redis.call('EXPIRE', KEYS[7], 60)
  end
  if within_the_minute > limit then
    redis.call('SADD', KEYS[8], ARGV[1])
  end
end
redis.call('SET', KEYS[1], '1', 'EX', ARGV[5])
redis.call('SET', KEYS[2], 'accepted', 'EX', ARGV[5])
redis.call('HSET', KEYS[4], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
redis.call('ZADD', KEYS[5], 'NX', ARGV[4], ARGV[6])
redis.call('SADD', KEYS[6], ARGV[6])
redis.call('EXPIRE', KEYS[6], ARGV[8])
return with(1)
