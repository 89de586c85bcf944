-- desk.lua: the verbs of the store, assembled from queue/lua/*.lua in the order
-- of their names.
--
--     EVALSHA sha 1 {desk}: VERB now_us DAEMON args...
--
-- Every verb first reads, touches and checks everything, then finish() writes
-- everything: no read after the first write, and nothing there that can fail.
-- That is so by construction: nobody writes but finish(), which looks at the
-- type of every key it is about to write before it writes the first.
-- Whatever raises an error before leaves nothing changed.
--
-- Answers are arrays: a status word, hintseq, the list of hints ("c:<class>:<v of its
-- head>", "a:<agent>"), and then what the verb says. Times: now in microseconds, `at` in
-- milliseconds. Numbers go in and out as strings; '..' and tostring cut long ones,
-- so what is computed is written by num().

local P = KEYS[1]
local verb = ARGV[1]
local daemon = ARGV[3]
local call = redis.call

-- A file defines its verbs only when one of them is asked for: what is not defined costs
-- nothing (Lua makes every function anew at each call of the script).
local changing, reading = {}, {}

local now_us, now_ms

local function refuse(code, text)
        error(code .. ' ' .. text, 0)
end

local function num(n)
        return string.format('%d', n)
end

local function int(s, what)
        local n = tonumber(s)
        if not n or n ~= math.floor(n) then
                refuse('BADKEY', what .. ' is no whole number: run helpline fsck')
        end
        return n
end

-- Members of queues are padded, because ties in a sorted set compare as text.
local function pad(id)
        return string.rep('0', 12 - #id) .. id
end

local function unpad(member)
        return (string.gsub(member, '^0+', ''))
end

-- ---- hashes: read through, changed in memory, written by finish() ----

local hashes = {}
local known = {} -- key -> its type, of what was read by a command of that type

local function hash(k)
        local h = hashes[k]
        if not h then
                h = {old = {}, new = {}}
                hashes[k] = h
        end
        return h
end

-- Read it whole, once.
local function load_hash(k)
        local h = hash(k)
        if not h.full then
                local flat = call('HGETALL', P .. k)
                known[k] = 'hash'
                for i = 1, #flat, 2 do
                        h.old[flat[i]] = flat[i + 1]
                end
                h.full = true
                h.exists = #flat > 0
        end
        return h
end

local function hget(k, f)
        local h = hash(k)
        local v = h.new[f]
        if v == nil then
                v = h.old[f]
                if v == nil and not h.full then
                        v = call('HGET', P .. k, f)
                        known[k] = 'hash'
                        h.old[f] = v
                end
        end
        return v or nil
end

local function hset(k, f, v)
        hash(k).new[f] = v
end

local function hdel(k, f)
        hash(k).new[f] = false
end

local function hnum(k, f)
        return int(hget(k, f) or '0', k .. ' ' .. f)
end

local function hadd(k, f, d)
        local n = hnum(k, f) + d
        hset(k, f, num(n))
        return n
end

-- ---- what finish() will write ----

local writes = {}     -- commands, in order
local queues = {}     -- class -> what enters and leaves it
local dues = {}       -- member of `due` -> at, or false
local hints = {}
local hinted = {}
local tickets = {}    -- ids of tickets touched: their states are counted
local entries = {}    -- ids of outbox entries touched: theirs too

local function write(...)
        writes[#writes + 1] = {...}
end

local function queue(class)
        local q = queues[class]
        if not q then
                q = {add = {}, rem = {}, n_rem = 0}
                queues[class] = q
        end
        return q
end

local function hint(h)
        if not hinted[h] then
                hinted[h] = true
                hints[#hints + 1] = h
        end
end

local function queue_add(class, id, v)
        queue(class).add[pad(id)] = v
end

local function queue_remove(class, id)
        local q = queue(class)
        local m = pad(id)
        q.add[m] = nil
        if not q.rem[m] then
                q.rem[m] = true
                q.n_rem = q.n_rem + 1
        end
end

local function due(kind, id, at)
        dues[kind .. ':' .. id] = at or false
end

-- When the daemon is to look at a ticket's clocks (queue/ticket_clock.c); 0: never.
local function clock_set(id, at)
        hset('t:' .. id, 'clock', num(at))
        if at > 0 then
                write('ZADD', 'clock', num(at), id)
        else
                write('ZREM', 'clock', id)
        end
end

local function journal(event, id, line, agent, who, why)
        write('XADD', 'journal', 'MAXLEN', '~', '1000000', '*', 'at', num(now_ms), 'event', event,
              'ticket', id, 'line', line, 'agent', agent, 'who', who, 'why', why)
end

-- ---- time ----

local function begin()
        load_hash('meta')
        local t = call('TIME')
        local clock = tonumber(t[1]) * 1000000 + tonumber(t[2])
        now_us = int(ARGV[2], 'now')
        if now_us > clock + 60000000 and hget('meta', 'sim') ~= '1' then
                refuse('CLOCK', 'the time given is more than 60 s ahead of the store')
        end
        local last = hnum('meta', 'now')
        if now_us < last then
                now_us = last
        end
        now_ms = math.floor(now_us / 1000)
end

-- RFC 3339 in UTC with milliseconds (days to civil date: the usual 400 year eras).
local function rfc3339(ms)
        local s = math.floor(ms / 1000)
        local days = math.floor(s / 86400)
        local z = days + 719468
        local era = math.floor(z / 146097)
        local doe = z - era * 146097
        local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) -
            math.floor(doe / 146096)) / 365)
        local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
        local mp = math.floor((5 * doy + 2) / 153)
        local month = mp < 10 and mp + 3 or mp - 9
        local year = yoe + era * 400 + (month <= 2 and 1 or 0)
        local r = s - days * 86400
        return string.format('%04d-%02d-%02dT%02d:%02d:%02d.%03dZ', year, month,
            doy - math.floor((153 * mp + 2) / 5) + 1, math.floor(r / 3600),
            math.floor(r / 60) % 60, r % 60, ms % 1000)
end

local function quote(s)
        return '"' .. string.gsub(s, '[%c"\\]', function(c)
                return string.format('\\u%04x', string.byte(c))
        end) .. '"'
end

local function log(id, event, agent)
        write('RPUSH', 't:' .. id .. ':log', '{"at":"' .. rfc3339(now_ms) .. '","who":"helpline","event":' ..
            quote(event) .. ',"from":' .. quote(agent) .. '}')
        write('LTRIM', 't:' .. id .. ':log', '-500', '-1')
end

-- ---- the end of every verb that changes something ----

local key_type = {
        HSET = 'hash', HDEL = 'hash', ZADD = 'zset', ZREM = 'zset', SADD = 'set', SREM = 'set',
        RPUSH = 'list', LTRIM = 'list', XADD = 'stream', SET = 'string', INCR = 'string',
        ZREMRANGEBYSCORE = 'zset', ZREMRANGEBYRANK = 'zset', PEXPIRE = 'zset',
}

-- The head of a class after what enters and leaves it: v, or nil.
local function head_of(class, q)
        local best
        for _, v in pairs(q.add) do
                if not best or v < best then
                        best = v
                end
        end
        local flat = call('ZRANGE', P .. 'q:' .. class, '0', num(q.n_rem), 'WITHSCORES')
        known['q:' .. class] = 'zset'
        for i = 1, #flat, 2 do
                if not q.rem[flat[i]] then
                        local v = int(flat[i + 1], 'q:' .. class)
                        if not best or v < best then
                                best = v
                        end
                        break
                end
        end
        return best
end

local function finish_queues()
        for class, q in pairs(queues) do
                local best = head_of(class, q)
                for m in pairs(q.rem) do
                        if not q.add[m] then
                                write('ZREM', 'q:' .. class, m)
                        end
                end
                for m, v in pairs(q.add) do
                        write('ZADD', 'q:' .. class, num(v), m)
                end
                if next(q.add) then
                        hint('c:' .. class .. ':' .. num(best))
                end
                if best then
                        hset('head', class, num(best))
                else
                        hdel('head', class)
                end
        end
        for m, at in pairs(dues) do
                if at then
                        write('ZADD', 'due', num(at), m)
                else
                        write('ZREM', 'due', m)
                end
        end
end

-- STATS without a scan: `n` counts tickets by state and line, outbox entries by state.
local function finish_counts()
        for id in pairs(tickets) do
                local k = 't:' .. id
                local h = hashes[k]
                local s0, s1 = h.old.state, hget(k, 'state')
                local l0, l1 = h.old.line, hget(k, 'line')
                if s0 ~= s1 or l0 ~= l1 then
                        if s0 then
                                hadd('n', 's:' .. s0, -1)
                                hadd('n', 'l:' .. s0 .. ':' .. (l0 or ''), -1)
                        end
                        if s1 then
                                hadd('n', 's:' .. s1, 1)
                                hadd('n', 'l:' .. s1 .. ':' .. (l1 or ''), 1)
                        end
                end
        end
        for n in pairs(entries) do
                local h = hashes['ob:' .. n]
                local s0 = h.old.state
                local s1 = not h.gone and hget('ob:' .. n, 'state') or nil
                if s0 ~= s1 then
                        if s0 then
                                hadd('n', 'o:' .. s0, -1)
                        end
                        if s1 then
                                hadd('n', 'o:' .. s1, 1)
                        end
                end
        end
end

local function finish_hints()
        if #hints == 0 then
                return
        end
        local seq = num(hadd('meta', 'hintseq', 1))
        for i = 1, #hints do
                write('XADD', 'hints', 'MAXLEN', '~', '10000', '*', 's', seq, 'd', daemon, 'h', hints[i])
        end
end

local function finish_hashes(list)
        for k, h in pairs(hashes) do
                if h.gone then
                        list[#list + 1] = {'DEL', k, 'hash'}
                else
                        local set, del = {'HSET', k}, {'HDEL', k}
                        for f, v in pairs(h.new) do
                                if v then
                                        if v ~= h.old[f] then
                                                set[#set + 1] = f
                                                set[#set + 1] = v
                                        end
                                elseif h.old[f] or not h.full then
                                        del[#del + 1] = f
                                end
                        end
                        if #set > 2 then
                                list[#list + 1] = set
                        end
                        if #del > 2 then
                                list[#list + 1] = del
                        end
                end
        end
end

-- Out of memory Redis refuses a script at its first write unless that frees: `put`
-- begins with HSET and is refused as a whole, all others go on.
local function finish(is_put)
        finish_queues()
        finish_counts()
        finish_hints()
        local list = {}
        finish_hashes(list)
        if #list + #writes == 0 then
                return
        end
        local first = {'HSET', 'meta', 'now', num(now_us)}
        if not is_put then
                writes[#writes + 1] = first
                first = {'ZREM', 'due', ''}
        end
        for i = 1, #writes do
                list[#list + 1] = writes[i]
        end
        for i = 0, #list do
                local c = list[i] or first
                local want = key_type[c[1]] or c[3]
                local is = known[c[2]]
                if not is then
                        is = call('TYPE', P .. c[2]).ok
                        known[c[2]] = is
                end
                if is ~= 'none' and is ~= want then
                        refuse('BADKEY', c[2] .. ' is a ' .. is .. ', should be a ' .. want ..
                            ': run helpline fsck')
                end
        end
        first[2] = P .. first[2]
        call(unpack(first))
        for i = 1, #list do
                local c = list[i]
                c[2] = P .. c[2]
                if c[1] == 'DEL' then
                        call('DEL', c[2])
                else
                        call(unpack(c))
                end
        end
end

local function hintseq()
        return hget('meta', 'hintseq') or '0'
end
