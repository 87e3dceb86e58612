-- Let a method of Slack rest for as long as Slack said, or longer where it rests already.
-- KEYS the rest
-- ARGV ms
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
end
