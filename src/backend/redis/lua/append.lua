-- Appends events to a log, one right behind the other.
-- KEYS: the log. ARGV: for each event the number of arguments, then names and values. Answers their ids.

local ids, place = {}, 1
while place <= #ARGV do
  local last = place + tonumber(ARGV[place])
  local id = redis.pcall('XADD', KEYS[1], '*', unpack(ARGV, place + 1, last))
  if type(id) == 'table' then
    return id
  end
  ids[#ids + 1] = id
  place = last + 1
end
return ids
