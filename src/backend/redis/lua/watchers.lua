-- The list of what is watched, kept by all who watch: a sorted set of members by when they expire.
-- KEYS: the list. ARGV: what the names begin with under which additions are told, for how many milliseconds, then members
-- that still watch, '-' and members that do not. Answers which members were not on the list, and the list.

local list, told, lives = KEYS[1], ARGV[1], tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', list, '-inf', '(' .. now)

local added, adding = {}, true
for i = 3, #ARGV do
  local member = ARGV[i]
  if adding and member == '-' then
    adding = false
  elseif adding then
    if redis.call('ZADD', list, now + lives, member) == 1 then
      added[#added + 1] = member
      -- Tells those who listen to the name; it leaves nothing behind.
      redis.call('SET', told .. member, '')
      redis.call('DEL', told .. member)
    end
  else
    redis.call('ZREM', list, member)
  end
end
return {added, redis.call('ZRANGE', list, 0, -1)}
