-- Counts entries.
-- KEYS: the log. ARGV: behind which id, how many at most. Answers how many, and the last one.

local count, last, most = 0, ARGV[1], tonumber(ARGV[2])
repeat
  local asked = math.min(most - count, 1000)
  local page = redis.call('XRANGE', KEYS[1], '(' .. last, '+', 'COUNT', asked)
  count = count + #page
  last = #page > 0 and page[#page][1] or last
until #page < asked or count >= most
return {count, last}
