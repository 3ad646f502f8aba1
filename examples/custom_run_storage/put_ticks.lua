-- Stores ticks that are further than those of their ids which are there, and then notes how far the history is here.
--
-- KEYS[1]: the prefix of all keys. ARGV[1]: the id up to which all ticks are here now. Then five for each tick: its id,
-- its schedule or sensor, its status, a number that grows with how far it is, and the tick.

local prefix = KEYS[1]

for each = 2, #ARGV, 5 do
  local id, owner, status = ARGV[each], ARGV[each + 1], ARGV[each + 2]
  local place, body = ARGV[each + 3], ARGV[each + 4]
  local key = prefix .. 'tick:' .. id
  local kept = redis.call('HMGET', key, 'place', 'status')
  if not kept[1] or tonumber(place) > tonumber(kept[1]) then
    if kept[2] then
      redis.call('ZREM', prefix .. 'status:' .. kept[2] .. ':' .. owner, id)
    end
    redis.call('HSET', key, 'place', place, 'status', status, 'body', body)
    redis.call('ZADD', prefix .. 'ticks:' .. owner, id, id)
    redis.call('ZADD', prefix .. 'status:' .. status .. ':' .. owner, id, id)
    redis.call(status == 'STARTED' and 'SADD' or 'SREM', prefix .. 'open', id)
  end
end

if tonumber(ARGV[1]) > tonumber(redis.call('GET', prefix .. 'reached') or '0') then
  redis.call('SET', prefix .. 'reached', ARGV[1])
end
