#!lua flags=allow-oom
-- Keep a person's vote on an answer as long as the conversation still has both turns word for word: what was erased,
-- edited or begun anew meanwhile is not brought back by it. Of a person's votes on one answer the newest stands.
-- KEYS turns, votes, votes:since, votes:new   ARGV the question's turn, the answer's turn, name, vote (JSON), at, most
-- Returns the vote that stands and the one that stood before, if there was one; nothing when the turns are not there
-- any more.
if not redis.call('LPOS', KEYS[1], ARGV[1]) or not redis.call('LPOS', KEYS[1], ARGV[2]) then
  return false
end
local before = redis.call('HGET', KEYS[2], ARGV[3])
if before and cjson.decode(before)['at'] > tonumber(ARGV[5]) then
  return {before, before}
end
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
redis.call('ZADD', KEYS[3], ARGV[5], ARGV[3])
redis.call('SADD', KEYS[4], ARGV[3])
local beyond = redis.call('ZCARD', KEYS[3]) - ARGV[6]
if beyond > 0 then
  for _, name in ipairs(redis.call('ZPOPMIN', KEYS[3], beyond)) do
    redis.call('HDEL', KEYS[2], name)
    redis.call('SREM', KEYS[4], name)
  end
end
return {ARGV[4], before}
