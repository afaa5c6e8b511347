-- Removes a log. Stands behind groups.lua.
-- KEYS: the log. Answers 1 if there was one.

return redis.call('DEL', KEYS[1])
