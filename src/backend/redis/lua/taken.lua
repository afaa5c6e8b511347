-- Tells those who watch a key what somebody took from it who had waited for it.
-- KEYS: the key. ARGV: its channel, the message.

local message = ARGV[2]
if redis.call('EXISTS', KEYS[1]) == 0 then
  message = message .. 'del ---'
end
redis.call('PUBLISH', ARGV[1], message)
