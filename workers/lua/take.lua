-- Take a conversation's lock and its next batch: the one begun before, else the longest run of one person's messages at
-- the head. The batch's ids are written down before any work starts.
-- KEYS lock, inbox, messages, batch, attempts, fence, ready, epoch   ARGV owner, life_ms, most, conversation
-- Returns nothing, or {token, attempt, epoch, payload, payload, …}.
if redis.call('EXISTS', KEYS[1]) == 1 then
  return nil
end

local ids = {}
local begun = redis.call('HGET', KEYS[4], 'ids')
if begun then
  for _, id in ipairs(cjson.decode(begun)) do
    if redis.call('HEXISTS', KEYS[3], id) == 1 then
      ids[#ids + 1] = id
    end
  end
  if #ids == 0 then  -- all of it was deleted meanwhile
    redis.call('DEL', KEYS[4], KEYS[5])
  end
end
if #ids == 0 then
  local speaker
  for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, tonumber(ARGV[3]) - 1)) do
    local payload = redis.call('HGET', KEYS[3], id)
    local who = payload and cjson.decode(payload)['user_id']
    if speaker and who ~= speaker then
      break
    end
    speaker = who
    ids[#ids + 1] = id
  end
end
if #ids == 0 then
  redis.call('ZREM', KEYS[7], ARGV[4])
  return nil
end

local fence = redis.call('INCR', KEYS[6])
local token = fence .. ':' .. ARGV[1]
redis.call('SET', KEYS[1], token, 'PX', ARGV[2])
redis.call('HSET', KEYS[4], 'ids', cjson.encode(ids), 'token', token)
local attempt = redis.call('INCR', KEYS[5])
local taken = {token, attempt, redis.call('GET', KEYS[8]) or '0'}
for _, id in ipairs(ids) do
  taken[#taken + 1] = redis.call('HGET', KEYS[3], id)
end
return taken
