-- Sets how long entries have been idle, as far as they are pending for this consumer.
-- KEYS: the log. ARGV: group, consumer, milliseconds, ids. Answers the ids of those that are.

local log, group, consumer, idle = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local set = {}
for i = 4, #ARGV do
  local id = ARGV[i]
  local held = redis.pcall('XPENDING', log, group, id, id, 1, consumer)
  if held.err then
    return held
  end
  if held[1] then
    -- Answers nothing for what was deleted while it was pending.
    local touched = redis.call('XCLAIM', log, group, consumer, 0, id, 'IDLE', idle, 'JUSTID')
    set[#set + 1] = touched[1] or nil
  end
end
return set
