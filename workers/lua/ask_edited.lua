#!lua flags=allow-oom
-- Have the last question of a conversation answered again, in its new words: its turns go, and its messages wait in the
-- inbox once more, as one batch, in a round of its own (its answer must not be taken for the old one).
-- Where one of them was edited beyond its person's limit, all are beyond it.
-- KEYS inbox, messages, batch, ready, turns, erased, over
-- ARGV conversation, now, round, seen_s, id, JSON, sent_at, id, JSON, sent_at, …
-- Returns 1, or 0 when it is not the last question: something waits or is being answered, or other turns came after it.
if redis.call('EXISTS', KEYS[1], KEYS[3]) > 0 then
  return 0
end
local ids = {}
for at = 5, #ARGV, 3 do
  ids[#ids + 1] = ARGV[at]
end
local last = redis.call('LRANGE', KEYS[5], -2, -1)
for at, role in ipairs({'user', 'assistant'}) do
  local turn = last[at] and cjson.decode(last[at])
  if not turn or turn['role'] ~= role or table.concat(turn['message_ids'], ' ') ~= table.concat(ids, ' ') then
    return 0
  end
end

-- What was stated in turns that were cut for it goes on with the question before: nothing else knows it any more.
local stated = cjson.decode(last[1])['recalled'] or {}
local earlier = redis.call('LRANGE', KEYS[5], 0, -3)
for at = #earlier, 1, -1 do
  local turn = cjson.decode(earlier[at])
  if #stated > 0 and turn['role'] == 'user' then
    local recalled = turn['recalled'] or {}
    for _, one in ipairs(stated) do
      recalled[#recalled + 1] = one
    end
    turn['recalled'] = recalled
    redis.call('LSET', KEYS[5], at - 1, cjson.encode(turn))
    break
  end
end
redis.call('RPOP', KEYS[5], 2)
for at = 5, #ARGV, 3 do
  redis.call('ZADD', KEYS[1], ARGV[at + 2], ARGV[at])
  redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
  redis.call('SET', 'seen:' .. ARGV[at], 'accepted', 'EX', ARGV[4])
end
for _, id in ipairs(ids) do
  if redis.call('SISMEMBER', KEYS[7], id) == 1 then
    redis.call('SADD', KEYS[7], unpack(ids))
    break
  end
end
redis.call('HSET', KEYS[3], 'ids', cjson.encode(ids), 'journal:round', ARGV[3])
redis.call('ZADD', KEYS[4], ARGV[2], ARGV[1])
redis.call('ZADD', KEYS[6], ARGV[2], ARGV[1])  -- workers look here for what their models have to forget
return 1
