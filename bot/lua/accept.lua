-- Accept a message once: claim both deduplication keys, append it by platform time, mark the conversation ready.
-- KEYS seen:delivery, seen:message, inbox, messages, ready, spoke
-- ARGV id, JSON, sent_at, now, seen_s, conversation, room, spoke_s
-- Returns 1 accepted, 0 known already, -1 the conversation's inbox is full.
if redis.call('EXISTS', KEYS[1]) == 1 or redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('SET', KEYS[1], '1', 'EX', ARGV[5])
  return 0
end
if redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[7]) then
  return -1
end
redis.call('SET', KEYS[1], '1', 'EX', ARGV[5])
redis.call('SET', KEYS[2], 'accepted', 'EX', ARGV[5])
redis.call('HSET', KEYS[4], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
redis.call('ZADD', KEYS[5], 'NX', ARGV[4], ARGV[6])
redis.call('SADD', KEYS[6], ARGV[6])
redis.call('EXPIRE', KEYS[6], ARGV[8])
return 1
