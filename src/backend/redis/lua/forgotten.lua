-- Delivers again what is pending for a consumer that does not know of it.
-- KEYS: the log. ARGV: group, consumer, ids that it knows of. Answers id, fields and attempts of each entry.

local log, group, consumer = KEYS[1], ARGV[1], ARGV[2]
local known = {}
for i = 3, #ARGV do
  known[ARGV[i]] = true
end

local given, from, page = {}, '-', 1000
repeat
  local held = redis.pcall('XPENDING', log, group, from, '+', page, consumer)
  if held.err then
    return held
  end
  for _, pending in ipairs(held) do
    local id = pending[1]
    from = '(' .. id
    if not known[id] then
      local entry = redis.call('XCLAIM', log, group, consumer, 0, id)[1]
      if entry then
        given[#given + 1] = {id, entry[2], pending[4] + 1}
      else
        -- It was deleted while it was pending.
        redis.call('XACK', log, group, id)
      end
    end
  end
until #held < page
return given
