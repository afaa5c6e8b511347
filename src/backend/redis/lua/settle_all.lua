-- Acknowledges entries of a consumer that are still pending for it, each with the events that are appended with that.
-- KEYS: the log, then every log that is appended to. ARGV: group, consumer, then for each entry its id and the number of
-- events, and for each event the number of its log in KEYS, the number of arguments, names and values. Answers a list of
-- 1 (it was pending) and 0, or -n if the n-th key is no log.

local log, group, consumer = KEYS[1], ARGV[1], ARGV[2]
for i = 2, #KEYS do
  local kind = redis.call('TYPE', KEYS[i]).ok
  if kind ~= 'none' and kind ~= 'stream' then
    return -i
  end
end
local answers, done, is_done = {}, {}, {}
local place = 3
while place <= #ARGV do
  local id, events = ARGV[place], tonumber(ARGV[place + 1])
  local held = redis.pcall('XPENDING', log, group, id, id, 1)
  if held.err then
    return held
  end
  -- What is acknowledged is so at the end; nothing is settled twice before.
  local is_held = held[1] and held[1][2] == consumer and not is_done[id]
  place = place + 2
  for _ = 1, events do
    local key, last = KEYS[tonumber(ARGV[place])], place + 1 + tonumber(ARGV[place + 1])
    if is_held then
      local appended = redis.pcall('XADD', key, '*', unpack(ARGV, place + 2, last))
      if type(appended) == 'table' then
        -- What was appended before is acknowledged with its entry.
        if #done > 0 then
          redis.call('XACK', log, group, unpack(done))
        end
        return appended
      end
    end
    place = last + 1
  end
  answers[#answers + 1] = is_held and 1 or 0
  if is_held then
    done[#done + 1] = id
    is_done[id] = true
  end
end
if #done > 0 then
  redis.call('XACK', log, group, unpack(done))
end
return answers
