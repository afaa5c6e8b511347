-- Takes over what has been pending without a sign of life, and forgets consumers that are gone.
-- KEYS: the log. ARGV: group, consumer, for how many milliseconds no sign of life, how many at most, for how many
-- milliseconds a consumer with nothing pending was last seen. Answers id, fields and attempts of each entry.

local log, group, consumer, idle = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local most, gone = tonumber(ARGV[4]), tonumber(ARGV[5])

local claimed, from = {}, '-'
while #claimed < most do
  local asked = math.min(most - #claimed, 1000)
  local held = redis.pcall('XPENDING', log, group, 'IDLE', idle, from, '+', asked)
  if held.err then
    return held
  end
  for _, pending in ipairs(held) do
    local id = pending[1]
    from = '(' .. id
    local entry = redis.call('XCLAIM', log, group, consumer, idle, id)[1]
    if entry then
      claimed[#claimed + 1] = {id, entry[2], pending[4] + 1}
    else
      -- It was deleted while it was pending.
      redis.call('XACK', log, group, id)
    end
  end
  if #held < asked then
    break
  end
end

for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', log, group)) do
  local other = {}
  for i = 1, #flat, 2 do
    other[flat[i]] = flat[i + 1]
  end
  if other.pending == 0 and other.idle > gone and other.name ~= consumer then
    redis.call('XGROUP', 'DELCONSUMER', log, group, other.name)
  end
end
return claimed
