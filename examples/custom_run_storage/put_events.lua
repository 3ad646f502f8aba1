-- Stores events that are not there, but for those of forgotten runs, and then notes how far the log is here.
--
-- KEYS[1]: the prefix of all keys. ARGV[1]: the id up to which all events are here now. Then four for each event: its
-- id, its run's id ("" for none), its type, and the event.

local prefix = KEYS[1]
local forgotten = {}

local function is_forgotten(run)
  if forgotten[run] == nil then
    forgotten[run] = redis.call('EXISTS', prefix .. 'forgotten:' .. run) == 1
  end
  return forgotten[run]
end

for each = 2, #ARGV, 4 do
  local id, run, kind, body = ARGV[each], ARGV[each + 1], ARGV[each + 2], ARGV[each + 3]
  if run == '' or not is_forgotten(run) then
    redis.call('SET', prefix .. 'event:' .. id, body)
    redis.call('ZADD', prefix .. 'type:' .. kind, id, id)
    if run ~= '' then
      redis.call('ZADD', prefix .. 'run:' .. run, id, id)
    end
  end
end

if tonumber(ARGV[1]) > tonumber(redis.call('GET', prefix .. 'reached') or '0') then
  redis.call('SET', prefix .. 'reached', ARGV[1])
end
