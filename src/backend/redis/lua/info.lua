-- The state of a log. Stands behind groups.lua.
-- KEYS: the log. Answers its length, the last id, and for each group: name, last id delivered, lag (-1 if the server
-- does not know it), how many are pending, how many consumers there are.

if kind == 'none' then
  return {0, '0-0', {}}
end
local log = KEYS[1]
local stream = {}
local flat = redis.call('XINFO', 'STREAM', log)
for i = 1, #flat, 2 do
  stream[flat[i]] = flat[i + 1]
end

local groups = {}
for i, group in ipairs(groups_of(log)) do
  -- Servers have counted entries that were deleted before anyone read them.
  local lag = group.lag and math.min(group.lag, stream.length) or -1
  groups[i] = {group.name, group['last-delivered-id'], lag, group.pending, group.consumers}
end
return {stream.length, stream['last-generated-id'], groups}
