-- Acknowledges an entry and appends events, if the entry is still pending for this consumer.
-- KEYS: the log, then the log of each event. ARGV: group, consumer, id, then for each event the number of arguments,
-- names and values. Answers 1 if it was pending, 0 if not, -n if the n-th key is no log.

local log, group, consumer, id = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local held = redis.pcall('XPENDING', log, group, id, id, 1)
if held.err then
  return held
end
if not held[1] or held[1][2] ~= consumer then
  return 0
end
for i = 2, #KEYS do
  local kind = redis.call('TYPE', KEYS[i]).ok
  if kind ~= 'none' and kind ~= 'stream' then
    return -i
  end
end
-- Appended first: what a full or read-only server refuses, it refuses before anything is done.
local place = 4
for i = 2, #KEYS do
  local last = place + tonumber(ARGV[place])
  local appended = redis.pcall('XADD', KEYS[i], '*', unpack(ARGV, place + 1, last))
  if type(appended) == 'table' then
    return appended
  end
  place = last + 1
end
return redis.call('XACK', log, group, id)
