-- Takes a consumer that has nothing pending off its group's list.
-- KEYS: the log. ARGV: group, consumer.

local held = redis.pcall('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2])
if held.err then
  return held
end
return held[1] and 0 or redis.pcall('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
