-- What the commands of a transaction change, told to those who watch; stands before transaction.lua.

-- The name of its channel for every key that is watched, and whether watchers want to know where a transaction begins
-- and ends.
local watched, edges = {}, false
-- What is to be published when all is done: pairs of channel and message.
local told = {}

local function kind_of(key)
  return redis.call('TYPE', key).ok
end

local function part(text)
  return text and (#text .. ':' .. text) or '-'
end

-- By command: does it, and calls `change(operation, field, old, new)` for all that it changes.
local telling = {}

function telling.SET(run, change, key, args)
  local old = kind_of(key) == 'string' and redis.call('GET', key)
  local reply = run()
  change('set', nil, old, args[1])
  if args[2] then
    change('expire', nil, args[1], args[3])
  end
  return reply
end

function telling.DEL(run, change, key)
  local old = kind_of(key) == 'string' and redis.call('GET', key)
  local reply = run()
  if reply == 1 then
    change('del', nil, old)
  end
  return reply
end

function telling.GETDEL(run, change)
  local reply = run()
  if reply then
    change('del', nil, reply)
  end
  return reply
end

function telling.PEXPIRE(run, change, key, args)
  local old = kind_of(key) == 'string' and redis.call('GET', key)
  local reply = run()
  if reply == 1 then
    change('expire', nil, old, args[1])
  end
  return reply
end

function telling.PERSIST(run, change)
  local reply = run()
  if reply == 1 then
    change('persist')
  end
  return reply
end

function telling.INCRBY(run, change, key)
  local old = redis.call('GET', key)
  local reply = run()
  change('incrby', nil, old, redis.call('GET', key))
  return reply
end

function telling.HINCRBY(run, change, key, args)
  local old = redis.call('HGET', key, args[1])
  local reply = run()
  change('hincrby', args[1], old, redis.call('HGET', key, args[1]))
  return reply
end

function telling.HSET(_, change, key, args)
  local added = 0
  for i = 1, #args, 2 do
    local old = redis.call('HGET', key, args[i])
    added = added + redis.call('HSET', key, args[i], args[i + 1])
    change('hset', args[i], old, args[i + 1])
  end
  return added
end

function telling.HDEL(_, change, key, args)
  local removed = 0
  for _, field in ipairs(args) do
    local old = redis.call('HGET', key, field)
    if redis.call('HDEL', key, field) == 1 then
      removed = removed + 1
      change('hdel', field, old)
    end
  end
  return removed
end

function telling.SADD(_, change, key, args)
  local added = 0
  for _, member in ipairs(args) do
    if redis.call('SADD', key, member) == 1 then
      added = added + 1
      change('sadd', nil, nil, member)
    end
  end
  return added
end

function telling.SREM(_, change, key, args)
  local removed = 0
  for _, member in ipairs(args) do
    if redis.call('SREM', key, member) == 1 then
      removed = removed + 1
      change('srem', nil, member)
    end
  end
  return removed
end

local function pushing(run, change, args, operation)
  local reply = run()
  for _, item in ipairs(args) do
    change(operation, nil, nil, item)
  end
  return reply
end

function telling.LPUSH(run, change, _, args)
  return pushing(run, change, args, 'lpush')
end

function telling.RPUSH(run, change, _, args)
  return pushing(run, change, args, 'rpush')
end

local function popping(run, change, operation)
  local reply = run()
  if reply then
    change(operation, nil, reply)
  end
  return reply
end

function telling.LPOP(run, change)
  return popping(run, change, 'lpop')
end

function telling.RPOP(run, change)
  return popping(run, change, 'rpop')
end

function telling.SPOP(run, change)
  return popping(run, change, 'spop')
end

function telling.LSET(run, change, key, args)
  local old = redis.call('LINDEX', key, args[1])
  local reply = run()
  change('lset', nil, old, args[2])
  return reply
end

function telling.LTRIM(run, change, key)
  local before = redis.call('LLEN', key)
  local reply = run()
  if redis.call('LLEN', key) < before then
    change('ltrim')
  end
  return reply
end

function telling.LREM(run, change, _, args)
  local reply = run()
  if reply > 0 then
    change('lrem', nil, args[2])
  end
  return reply
end

function telling.ZADD(_, change, key, args)
  local added = 0
  for i = 1, #args, 2 do
    local member = args[i + 1]
    local old = redis.call('ZSCORE', key, member)
    added = added + redis.call('ZADD', key, args[i], member)
    local new = redis.call('ZSCORE', key, member)
    if old ~= new then
      change('zadd', member, old, new)
    end
  end
  return added
end

function telling.ZINCRBY(run, change, key, args)
  local old = redis.call('ZSCORE', key, args[2])
  local reply = run()
  if old ~= reply then
    change('zincr', args[2], old, reply)
  end
  return reply
end

function telling.ZREM(_, change, key, args)
  local removed = 0
  for _, member in ipairs(args) do
    local old = redis.call('ZSCORE', key, member)
    if redis.call('ZREM', key, member) == 1 then
      removed = removed + 1
      change('zrem', member, old)
    end
  end
  return removed
end

local function popping_scored(run, change, operation)
  local reply = run()
  if reply[1] then
    change(operation, reply[1], reply[2])
  end
  return reply
end

function telling.ZPOPMIN(run, change)
  return popping_scored(run, change, 'zpopmin')
end

function telling.ZPOPMAX(run, change)
  return popping_scored(run, change, 'zpopmax')
end

-- Commands that leave a collection with less, so that it may cease.
local lessening = {
  HDEL = true, SREM = true, SPOP = true, LPOP = true, RPOP = true, LTRIM = true, LREM = true, ZREM = true,
  ZPOPMIN = true, ZPOPMAX = true,
}

-- Does a command on a watched key.
local function tell(name, key, args, run)
  local was = redis.call('EXISTS', key)
  local message = {}
  local reply = telling[name](run, function(operation, field, old, new)
    message[#message + 1] = operation .. ' ' .. part(field) .. part(old) .. part(new)
  end, key, args)
  if #message > 0 then
    if lessening[name] and redis.call('EXISTS', key) == 0 then
      message[#message + 1] = 'del ---'
    end
    told[#told + 1] = {watched[key], 'c' .. was .. table.concat(message)}
  end
  return reply
end

local function is_told(name, key)
  return watched[key] and telling[name]
end

local function publish_edge(edge)
  if edges then
    for _, channel in pairs(watched) do
      redis.call('PUBLISH', channel, edge)
    end
  end
end

local function publish_told()
  for _, message in ipairs(told) do
    redis.call('PUBLISH', message[1], message[2])
  end
end

local place = 0
local function take()
  place = place + 1
  return ARGV[place]
end

edges = take() == '1'
for _ = 1, tonumber(take()) do
  local key = KEYS[tonumber(take())]
  watched[key] = take()
end
