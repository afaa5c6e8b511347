-- What the scripts that remove entries have to know of the groups of a log; stands before them.

-- Ids are compared as text, for numbers of Lua are not exact beyond 2^53.
local function before(a, b)
  local a_millis, a_number = string.match(a, '^(%d+)-(%d+)$')
  local b_millis, b_number = string.match(b, '^(%d+)-(%d+)$')
  if a_millis == b_millis then
    a_millis, b_millis = a_number, b_number
  end
  if #a_millis ~= #b_millis then
    return #a_millis < #b_millis
  end
  return a_millis < b_millis
end

-- The groups of the log: name, consumers, pending, last-delivered-id, and on newer servers lag. None if there is no log.
local function groups_of(log)
  local groups = {}
  for i, flat in ipairs(redis.call('XINFO', 'GROUPS', log)) do
    groups[i] = {}
    for j = 1, #flat, 2 do
      groups[i][flat[j]] = flat[j + 1]
    end
  end
  return groups
end

local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'none' and kind ~= 'stream' then
  return {err = 'WRONGTYPE this key holds a ' .. kind}
end
