-- Carries out a command once: what it answers is kept in one with it, and given to whoever comes again.
--
-- KEYS: the hash in which it is kept, then the keys of the command. ARGV: the field, then the command.

-- A nil among what it answers would end the list in the newer protocol.
redis.setresp(string.upper(ARGV[2]) == 'BITFIELD' and 2 or 3)
local kept = redis.call('HGET', KEYS[1], ARGV[1])
if kept then
  return cmsgpack.unpack(kept).reply
end
local command = {}
for i = 2, #ARGV do
  command[i - 1] = ARGV[i]
end
local reply = redis.pcall(unpack(command))
if type(reply) == 'table' and reply.err then
  return reply
end
-- Lua's numbers are not exact beyond that.
if type(reply) == 'number' and (reply >= 2 ^ 53 or reply <= -2 ^ 53) then
  local name = string.upper(command[1])
  if name == 'HINCRBY' then
    reply = {big_number = redis.call('HGET', KEYS[2], command[3])}
  elseif name == 'INCR' or name == 'DECR' or name == 'INCRBY' or name == 'DECRBY' then
    reply = {big_number = redis.call('GET', KEYS[2])}
  end
end
redis.call('HSET', KEYS[1], ARGV[1], cmsgpack.pack({reply = reply}))
return reply
