-- Carries out a transaction: all of it, or nothing. Stands behind telling.lua or unwatched.lua.
--
-- KEYS: every key it speaks of. ARGV, one behind the other, with keys by their number in KEYS:
--   if told: 1 if watchers want to know where it begins and ends; the number of watched keys, and for each: key, channel
--   the number of conditions, and for each: what, key, and what belongs to it
--   the number of commands, and for each: name, key, kind the key has to be of (or ''), 1 if it may have to be undone,
--     number of arguments, arguments
--   the number of keys whose version is asked for, keys
--   the number of steps on logs, and for each: XADD or XACK, key, number of arguments, arguments
-- Answers {'done', replies, versions, ids}, or why nothing was done.

local function take_number()
  return tonumber(take())
end

local function take_list()
  local list = {}
  for i = 1, take_number() do
    list[i] = take()
  end
  return list
end

-- What stands for the contents of a key. The order of a large hash or set changes when it is read, so the digests of its
-- parts are added up.
local function contents_of(key, kind)
  if kind == 'string' then
    return redis.call('GET', key)
  end
  if kind ~= 'hash' and kind ~= 'set' or redis.call('OBJECT', 'ENCODING', key) ~= 'hashtable' then
    return redis.call('DUMP', key)
  end
  local parts = redis.call(kind == 'hash' and 'HGETALL' or 'SMEMBERS', key)
  local step, low, high, range = kind == 'hash' and 2 or 1, 0, 0, 2 ^ 48
  for i = 1, #parts, step do
    local part = step == 2 and (#parts[i] .. ':' .. parts[i] .. parts[i + 1]) or parts[i]
    local digest = redis.sha1hex(part)
    low = (low + tonumber(string.sub(digest, 1, 12), 16)) % range
    high = (high + tonumber(string.sub(digest, 13, 24), 16)) % range
  end
  return string.format('%d:%.0f:%.0f', #parts, low, high)
end

-- The first 64 bits of a digest as hexadecimal; 0 stands for no key.
local function version_of(key)
  local kind = kind_of(key)
  if kind == 'none' then
    return '0000000000000000'
  end
  local version = string.sub(redis.sha1hex(kind .. contents_of(key, kind)), 1, 16)
  return version == '0000000000000000' and '0000000000000001' or version
end

local holds = {}

function holds.version(key)
  return version_of(key) == take()
end

function holds.exists(key)
  return redis.call('EXISTS', key) == take_number()
end

function holds.value(key)
  local value = take()
  return kind_of(key) == 'string' and redis.call('GET', key) == value
end

-- These three need a kind; the wrong one is an error and no conflict.
function holds.field(key)
  local field, there, value = take(), take() == '1', take()
  local held = redis.pcall('HGET', key, field)
  if type(held) == 'table' then
    return nil, 'hash', held.err
  end
  return held == (there and value)
end

function holds.member(key)
  local member, there = take(), take_number()
  local held = redis.pcall('SISMEMBER', key, member)
  if type(held) == 'table' then
    return nil, 'set', held.err
  end
  return held == there
end

function holds.length(key)
  local length = take_number()
  local held = redis.pcall('LLEN', key)
  if type(held) == 'table' then
    return nil, 'list', held.err
  end
  return held == length
end

function holds.pending(key)
  local group, consumer, id = take(), take(), take()
  local held = redis.pcall('XPENDING', key, group, id, id, 1)
  return not held.err and held[1] ~= nil and held[1][2] == consumer
end

for i = 1, take_number() do
  local what, number = take(), take_number()
  local held, asked, refusal = holds[what](KEYS[number])
  if asked then
    local kind = kind_of(KEYS[number])
    if kind ~= asked and kind ~= 'none' then
      return {'kind', number, asked, kind}
    end
    return {'refused', number, refusal}
  end
  if not held then
    return {'conflict', i - 1}
  end
end

-- Rights are asked for before anything is done, where the server can say.
local function forbidden(name, key)
  if redis.acl_check_cmd and not redis.acl_check_cmd(name, key) then
    return 'NOPERM this user has no permissions to run ' .. name .. ' on this key'
  end
end

-- Every command is read and its key looked at before any is done.
local commands, kinds = {}, {}
for i = 1, take_number() do
  local name, number, asked, undo = take(), take_number(), take(), take() == '1'
  local key = KEYS[number]
  commands[i] = {name = name, number = number, undo = undo, args = take_list()}
  local held = kinds[key] or kind_of(key)
  if asked ~= '' then
    if held ~= 'none' and held ~= asked then
      return {'kind', number, asked, held}
    end
    held = asked
  elseif name == 'DEL' then
    held = 'none'
  elseif name == 'SET' then
    held = 'string'
  end
  kinds[key] = held
  local refusal = name ~= 'VERSION' and forbidden(name, key)
  if refusal then
    return {'refused', number, refusal}
  end
end

local asked_versions = take_list()

local log_steps = {}
for i = 1, take_number() do
  local name, number = take(), take_number()
  log_steps[i] = {name = name, number = number, args = take_list()}
  local kind = kind_of(KEYS[number])
  if kind ~= 'none' and kind ~= 'stream' then
    return {'refused', number, 'WRONGTYPE this key holds a ' .. kind .. ' and is no log'}
  end
  local refusal = forbidden(name, KEYS[number])
  if refusal then
    return {'refused', number, refusal}
  end
end

publish_edge('b')

-- Keys as they were, by key.
local before = {}

local function undo()
  local trouble
  for key, entry in pairs(before) do
    redis.pcall('DEL', key)
    if entry.dump then
      local lives = entry.lives == -1 and 0 or math.max(entry.lives, 1)
      local restored = redis.pcall('RESTORE', key, lives, entry.dump)
      trouble = trouble or (restored.err and ' (and ' .. key .. ' could not be put back: ' .. restored.err .. ')')
    end
  end
  publish_edge('e')
  return trouble or ''
end

local function do_command(command)
  local name, key, args = command.name, KEYS[command.number], command.args
  if name == 'VERSION' then
    return version_of(key)
  end
  if command.undo and not before[key] then
    before[key] = {dump = redis.call('DUMP', key), lives = redis.call('PTTL', key)}
  end
  local function run()
    local reply = redis.pcall(name, key, unpack(args))
    if type(reply) == 'table' and reply.err then
      error(reply, 0)
    end
    return reply
  end
  local reply
  if is_told(name, key) then
    reply = tell(name, key, args, run)
  else
    reply = run()
  end
  -- Numbers of Lua are not exact beyond 2^53.
  if name == 'INCRBY' then
    return redis.call('GET', key)
  elseif name == 'HINCRBY' then
    return redis.call('HGET', key, args[1])
  end
  return reply
end

-- What says why a command failed.
local function held_by(name, key, args)
  if name == 'INCRBY' then
    return redis.call('GET', key)
  elseif name == 'HINCRBY' then
    return redis.call('HGET', key, args[1])
  elseif name == 'LSET' then
    return redis.call('LLEN', key)
  end
  return false
end

-- What another server can do, or this one later, is the error of the script itself: nothing was done then.
local function passing(words)
  for _, code in ipairs({'READONLY', 'NOREPLICAS'}) do
    local at = string.find(words, code, 1, true)
    if at and at < 60 then
      return redis.error_reply(string.sub(words, at))
    end
  end
end

local replies = {}
for i, command in ipairs(commands) do
  local done, reply = pcall(do_command, command)
  if not done then
    local why = type(reply) == 'table' and reply.err or tostring(reply)
    local held = held_by(command.name, KEYS[command.number], command.args)
    local words = why .. undo()
    return passing(words) or {'failed', i - 1, words, held}
  end
  replies[i] = reply
end

local versions = {}
for i, number in ipairs(asked_versions) do
  versions[i] = version_of(KEYS[tonumber(number)])
end

local ids = {}
for _, step in ipairs(log_steps) do
  local reply = redis.pcall(step.name, KEYS[step.number], unpack(step.args))
  if type(reply) == 'table' and reply.err then
    local words = reply.err .. undo()
    return passing(words) or {'refused', step.number, words}
  end
  if step.name == 'XADD' then
    ids[#ids + 1] = reply
  end
end

publish_told()
publish_edge('e')
return {'done', replies, versions, ids}
