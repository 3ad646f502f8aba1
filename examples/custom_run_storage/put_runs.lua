-- Stores or removes rows whose version is still the one that the caller saw, with all by which they are found.
--
-- KEYS[1]: the prefix of all keys. ARGV[1]: the announced change that is settled if no row is refused, or "". Then four
-- for each row: its id, the version seen, the row ("" to remove it), and the JSON list of its places: {index, score}, or
-- {index, score, tag key, tag value} where the index is that of a tag.
-- Gives the ids of the rows whose version was another.

local prefix = KEYS[1]
local KEPT_AFTER_REMOVAL = 86400
local refused = {}

local function leave(place, id)
  local index = prefix .. place[1]
  redis.call('ZREM', index, id)
  if place[3] and redis.call('EXISTS', index) == 0 then
    local values = prefix .. 'values:' .. place[3]
    redis.call('ZREM', values, place[4])
    if redis.call('EXISTS', values) == 0 then
      redis.call('ZREM', prefix .. 'keys', place[3])
    end
  end
end

local function enter(place, id)
  redis.call('ZADD', prefix .. place[1], place[2], id)
  if place[3] then
    redis.call('ZADD', prefix .. 'values:' .. place[3], 0, place[4])
    redis.call('ZADD', prefix .. 'keys', 0, place[3])
  end
end

for each = 2, #ARGV, 4 do
  local id, seen, row, places = ARGV[each], ARGV[each + 1], ARGV[each + 2], ARGV[each + 3]
  local key = prefix .. 'run:' .. id
  local kept = redis.call('HMGET', key, 'version', 'places')
  if (kept[1] or '0') ~= seen then
    refused[#refused + 1] = id
  else
    for _, place in ipairs(cjson.decode(kept[2] or '[]')) do
      leave(place, id)
    end
    redis.call('HINCRBY', key, 'version', 1)
    if row == '' then
      redis.call('HDEL', key, 'row', 'places')
      redis.call('EXPIRE', key, KEPT_AFTER_REMOVAL)
    else
      redis.call('HSET', key, 'row', row, 'places', places)
      redis.call('PERSIST', key)
      for _, place in ipairs(cjson.decode(places)) do
        enter(place, id)
      end
    end
  end
end

if #refused == 0 and ARGV[1] ~= '' then
  redis.call('HDEL', prefix .. 'announced', ARGV[1])
end

return refused
