#!lua
-- Keep what a file says, if the batch that its message is in is held and the conversation was not begun anew since.
-- Beyond what a conversation may have, its oldest files go; beyond so many conversations, those read longest ago.
-- KEYS lock, messages, epoch, files, passages, the conversations with files
-- ARGV token, message id, epoch, key, file (JSON), passages (JSON), life_s, conversation, now, most files, most passages,
--   most conversations
-- Returns 1 kept, 0 begun anew, -1 the lock is lost or the message was erased.
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('HEXISTS', KEYS[2], ARGV[2]) == 0 then
  return -1
end
if (redis.call('GET', KEYS[3]) or '0') ~= ARGV[3] then
  return 0
end
redis.call('HSET', KEYS[4], ARGV[4], ARGV[5])
redis.call('HSET', KEYS[5], ARGV[4], ARGV[6])

local files, passages = {}, 0
local stored = redis.call('HGETALL', KEYS[4])
for at = 1, #stored, 2 do
  local file = cjson.decode(stored[at + 1])
  files[#files + 1] = {key = stored[at], at = file['at'], passages = file['passages']}
  passages = passages + file['passages']
end
table.sort(files, function(one, other) return one.at < other.at end)
local left = #files
for _, file in ipairs(files) do
  if file.key == ARGV[4] or (left <= tonumber(ARGV[10]) and passages <= tonumber(ARGV[11])) then
    break
  end
  redis.call('HDEL', KEYS[4], file.key)
  redis.call('HDEL', KEYS[5], file.key)
  left, passages = left - 1, passages - file.passages
end
redis.call('EXPIRE', KEYS[4], ARGV[7])
redis.call('EXPIRE', KEYS[5], ARGV[7])

redis.call('ZADD', KEYS[6], ARGV[9], ARGV[8])
redis.call('ZREMRANGEBYSCORE', KEYS[6], '-inf', ARGV[9] - ARGV[7])
local beyond = redis.call('ZCARD', KEYS[6]) - ARGV[12]
if beyond > 0 then
  local oldest = redis.call('ZPOPMIN', KEYS[6], beyond)
  for at = 1, #oldest, 2 do
    redis.call('DEL', 'files:' .. oldest[at], 'file_passages:' .. oldest[at], 'file_readers:' .. oldest[at])
  end
end
return 1
