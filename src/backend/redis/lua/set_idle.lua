-- Sets how long entries have been idle, as far as they are pending for this consumer.
-- KEYS: the log. ARGV: group, consumer, milliseconds, how many of their deliveries do not count, ids. Answers the ids of
-- those that are.

local log, group, consumer, idle, uncounted = KEYS[1], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local set = {}
for i = 5, #ARGV do
  local id = ARGV[i]
  local held = redis.pcall('XPENDING', log, group, id, id, 1, consumer)
  if held.err then
    return held
  end
  if held[1] then
    local count = math.max(held[1][4] - uncounted, 0)
    -- Answers nothing for what was deleted while it was pending.
    local touched =
      redis.call('XCLAIM', log, group, consumer, 0, id, 'IDLE', idle, 'RETRYCOUNT', count, 'JUSTID')
    set[#set + 1] = touched[1] or nil
  end
end
return set
