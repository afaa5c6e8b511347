-- Deletes entries that every group has acknowledged. Stands behind groups.lua.
-- KEYS: the log. ARGV: ids. Answers those that were deleted.

local deleted = {}
if kind == 'none' then
  return deleted
end
local log, groups = KEYS[1], groups_of(KEYS[1])

local function needed(id)
  for _, group in ipairs(groups) do
    if before(group['last-delivered-id'], id) or redis.call('XPENDING', log, group.name, id, id, 1)[1] then
      return true
    end
  end
  return false
end

for _, id in ipairs(ARGV) do
  if not needed(id) and redis.call('XDEL', log, id) == 1 then
    deleted[#deleted + 1] = id
  end
end
return deleted
