-- Removes old entries, but none that a group has not acknowledged, nor more than some thousands at once. Stands behind
-- groups.lua.
-- KEYS: the log. ARGV: 'entries' and how many are kept, 'age' and how many milliseconds old they may be, or 'needed'.
-- Answers how many were removed; 0 when there is nothing left to do.

if kind == 'none' then
  return 0
end
local log, at_once = KEYS[1], 10000

local function behind(id)
  local millis, number = string.match(id, '^(%d+)-(%d+)$')
  return millis .. '-' .. string.format('%.0f', tonumber(number) + 1)
end

local groups = groups_of(log)
if ARGV[1] == 'entries' and #groups == 0 then
  local removed = redis.call('XTRIM', log, 'MAXLEN', '~', ARGV[2], 'LIMIT', at_once)
  return removed > 0 and removed or redis.call('XTRIM', log, 'MAXLEN', ARGV[2])
end

-- What is before this goes.
local border
if ARGV[1] == 'age' then
  local now = redis.call('TIME')
  local millis = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000) - tonumber(ARGV[2])
  border = string.format('%.0f', math.max(millis, 0)) .. '-0'
elseif ARGV[1] == 'needed' then
  -- Without a group all is needed.
  local last = #groups > 0 and redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
  border = last and behind(last[1])
else
  local left = math.min(redis.call('XLEN', log) - tonumber(ARGV[2]), at_once)
  local from = '-'
  while left > 0 do
    local page = redis.call('XRANGE', log, from, '+', 'COUNT', math.min(left, 1000))
    border = behind(page[#page][1])
    from, left = border, left - #page
  end
end
if not border then
  return 0
end

for _, group in ipairs(groups) do
  local pending = redis.call('XPENDING', log, group.name, '-', '+', 1)[1]
  local needed = pending and pending[1] or behind(group['last-delivered-id'])
  if before(needed, border) then
    border = needed
  end
end

-- Whole blocks cost nothing; only what is left of the last one is taken out piece by piece.
local removed = redis.call('XTRIM', log, 'MINID', '~', border, 'LIMIT', at_once)
if removed == 0 then
  removed = redis.call('XTRIM', log, 'MINID', border)
end
return removed
