#!lua flags=allow-oom
-- Put what is left of kept answers in their place, in front of what came meanwhile: of one that was erased or withdrawn
-- meanwhile nothing comes back. Safe to repeat.
-- KEYS kept, keeping   ARGV conversation, life_s, until, JSON {changed: [[answer, what is left or ""]…], gone, own}
local changes, left = cjson.decode(ARGV[4]), {}
for _, change in ipairs(changes.changed) do
  if redis.call('LREM', KEYS[1], 0, change[1]) > 0 and change[2] ~= '' then
    left[#left + 1] = change[2]
  end
end
for _, answer in ipairs(changes.gone) do
  redis.call('LREM', KEYS[1], 0, answer)
end
for _, answer in ipairs(changes.own) do
  redis.call('LREM', KEYS[1], 0, answer)
  left[#left + 1] = answer
end
for at = #left, 1, -1 do
  redis.call('LPUSH', KEYS[1], left[at])
end
if #left > 0 then
  redis.call('EXPIRE', KEYS[1], ARGV[2])
  redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
end
return #left
