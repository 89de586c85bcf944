-- fsck.lua: what `helpline fsck` looks at inside the store. Not a part of desk.lua.
--
--     EVALSHA sha 1 {desk}: JOB fix args...       -> lines, one a difference
--
-- The ticket's own hash is the truth; whatever else names a ticket is worked out from
-- it anew and compared. Everything that belongs together is looked at in one script,
-- so what a running daemon does meanwhile is seen before or after, never in the
-- middle. fix "1": what can be worked out is written too, each repair where its
-- difference was found; lines of what cannot be are the same with and without.

local P = KEYS[1]
local job, fix = ARGV[1], ARGV[2] == '1'
local call = redis.call
local lines = {}

local function differ(line, ...)
        local repair = {...}
        if fix and #repair > 0 then
                repair[2] = P .. repair[2]
                call(unpack(repair))
                line = line .. ': repaired'
        end
        lines[#lines + 1] = line
end

local function num(n)
        return string.format('%d', n)
end

local function pad(id)
        return string.rep('0', 12 - #id) .. id
end

local function unpad(member)
        return (string.gsub(member, '^0+', ''))
end

local function fields(k)
        local flat, f = call('HGETALL', P .. k), {}
        for i = 1, #flat, 2 do
                f[flat[i]] = flat[i + 1]
        end
        return #flat > 0 and f or nil
end

local function exists(k)
        return call('EXISTS', P .. k) == 1
end

-- Is `member` in the sorted set with this score (false: not at all; true: with any)?
local function zset_is(who, key, member, want)
        local is = call('ZSCORE', P .. key, member)
        local name = who .. ' ' .. key
        if want and not is then
                local at = want == true and '0' or want
                differ(name .. ' missing', 'ZADD', key, at, member)
        elseif is and not want then
                differ(name .. ' extra', 'ZREM', key, member)
        elseif want and want ~= true and tonumber(is) ~= tonumber(want) then
                differ(name .. ' is ' .. is .. ', should be ' .. want, 'ZADD', key, want, member)
        end
end

-- A clock at `want` (false: none; true: at any time).
local function due_is(who, kind, id, want)
        local member = kind .. ':' .. id
        local is = call('ZSCORE', P .. 'due', member)
        if want and not is then
                differ(who .. ' due ' .. kind .. ' missing', 'ZADD', 'due', want == true and '0' or want, member)
        elseif is and not want then
                differ(who .. ' due ' .. kind .. ' extra', 'ZREM', 'due', member)
        elseif want and want ~= true and tonumber(is) ~= tonumber(want) then
                differ(who .. ' due ' .. kind .. ' is ' .. is .. ', should be ' .. want, 'ZADD', 'due', want, member)
        end
end

local function after_zero(s)
        return (tonumber(s or '0') or 0) > 0 and s
end

-- ---- tickets ----

local is_open = {queued = true, held = true, waiting = true, resolved = true, closed = false, merged = false}
local check = {}

local function ticket_holder(k, id, f)
        local holder = f.holder or ''
        if f.state == 'held' and holder == '' then
                differ(k .. ' is held, but by nobody')
        elseif f.state == 'held' then
                if call('SISMEMBER', P .. 'held:' .. holder, id) == 0 then
                        differ(k .. ' held:' .. holder .. ' missing', 'SADD', 'held:' .. holder, id)
                end
        elseif holder ~= '' then
                differ(k .. ' has holder ' .. holder .. ', but is ' .. f.state, 'HSET', k, 'holder', '')
        end
end

local function ticket_messages(k, f)
        local n, nm = call('LLEN', P .. k .. ':m'), tonumber(f.nm or '0')
        if nm and n > nm then
                differ(k .. ' nm is ' .. num(nm) .. ', should be ' .. num(n), 'HSET', k, 'nm', num(n))
        elseif n ~= nm then
                differ(k .. ' has ' .. num(n) .. ' messages, should have ' .. (f.nm or 'some'))
        end
end

local function ticket_customer(k, id, f)
        local c = f.cust or ''
        if c == '' then
                return
        end
        if not exists('cust:' .. c) then
                differ(k .. ' cust:' .. c .. ' missing')
        end
        zset_is(k, 'cust:' .. c .. ':t', id, id)
end

-- Merged and split tickets: both sides name each other.
local function ticket_joined(k, id, f)
        local into = f.merged_into or ''
        if (f.state == 'merged') ~= (into ~= '') then
                differ(k .. ' is ' .. f.state .. ', but merged_into is ' .. (into ~= '' and into or 'empty'))
        elseif into ~= '' then
                local list = call('HGET', P .. 't:' .. into, 'merged') or ''
                if not string.find(list, '"' .. id .. '"', 1, true) then
                        differ(k .. ' is merged into ' .. into .. ', which does not know it')
                end
        end
        for child in string.gmatch(f.merged or '', '"(%d+)"') do
                if call('HGET', P .. 't:' .. child, 'merged_into') ~= id then
                        differ(k .. ' has ' .. child .. ' merged, which is not')
                end
        end
        for n, to in string.gmatch(f.moved or '', '"(%d+):(%d+)"') do
                if call('HGET', P .. 't:' .. to, 'origin') ~= id .. '.' .. n then
                        differ(k .. ' message ' .. n .. ' was split off to ' .. to .. ', which does not have it')
                end
        end
        local from, n = string.match(f.origin or '', '^(%d+)%.(%d+)$')
        if from and not string.find(call('HGET', P .. 't:' .. from, 'moved') or '', '"' .. n .. ':' .. id .. '"', 1, true) then
                differ(k .. ' begins with ' .. f.origin .. ', which was not split off to it')
        end
end

-- What is asked of somebody is in his index, and the other way round (reason.asked).
local function ticket_asked(k, f)
        if (f.approve or '') ~= '' then
                if f.state ~= 'held' then
                        differ(k .. ' has ' .. f.approve .. ' to be approved, but is ' .. f.state)
                elseif not call('ZSCORE', P .. 'asked:a:' .. (f.tutor or ''), f.approve) then
                        differ(k .. ' asked:a:' .. (f.tutor or '') .. ' ' .. f.approve .. ' missing', 'ZADD',
                            'asked:a:' .. (f.tutor or ''), '0', f.approve)
                end
        end
end

function check.ticket(id)
        local k = 't:' .. id
        local f = fields(k)
        if not f then
                return
        end
        local open = is_open[f.state or '']
        if open == nil then
                differ(k .. ' state cannot be ' .. (f.state or 'absent'))
                return
        end
        local queued, class = f.state == 'queued', f.class or ''
        local own = queued and f.own == '1'
        zset_is(k, 'open', id, open and id)
        zset_is(k, 'closed', id, not open and id)
        if not tonumber(f.v or '') then
                differ(k .. ' v cannot be ' .. (f.v or 'absent'))
                return
        end
        if queued and not own then
                zset_is(k, 'q:' .. class, pad(id), f.v)
        elseif own then
                zset_is(k, 'own:' .. (f.owner or ''), pad(id), f.v)
        end
        if open and call('HEXISTS', P .. 'class', class) == 0 then
                differ(k .. ' class ' .. class .. ' has no document')
        end
        ticket_holder(k, id, f)
        due_is(k, 'lease', id, f.state == 'held' and after_zero(f.lease_until))
        if f.state ~= 'held' then
                due_is(k, 'half', id, false)
        end
        due_is(k, 'own', id, own and after_zero(f['until']))
        due_is(k, 'wait', id, f.state == 'waiting' and after_zero(f['until']))
        due_is(k, 'close', id, f.state == 'resolved')
        zset_is(k, 'clock', id, after_zero(f.clock))
        ticket_messages(k, f)
        ticket_customer(k, id, f)
        ticket_joined(k, id, f)
        ticket_asked(k, f)
end

-- t:<id>:m, :d, :log without their ticket.
function check.part(k)
        if not exists(string.match(k, '^(t:%d+)')) then
                differ(k .. ' has no ticket')
        end
end

-- ---- members of indexes: is there a reason for each? ----

local reason = {}

function reason.open(_, id)
        return exists('t:' .. id)
end
reason.closed = reason.open

function reason.q(class, m)
        local f = fields('t:' .. unpad(m))
        return f and f.state == 'queued' and f.own ~= '1' and f.class == class and m == pad(unpad(m))
end

function reason.own(agent, m)
        local f = fields('t:' .. unpad(m))
        return f and f.state == 'queued' and f.own == '1' and f.owner == agent and m == pad(unpad(m))
end

function reason.held(agent, id)
        local f = fields('t:' .. id)
        return f and f.state == 'held' and f.holder == agent
end

function reason.asked(_, m)
        local id = string.match(m, '^%d+')
        for _ = 1, 5 do
                local f = fields('t:' .. id)
                if not f then
                        return false
                elseif f.state ~= 'merged' then
                        return f.approve == m or string.find(f.consults or '', '"id":"' .. m .. '"', 1, true)
                end
                id = f.merged_into or ''
        end
        return false
end

-- What a ticket's or an agent's clocks should be is looked at with him.
function reason.due(_, m)
        local kind, id = string.match(m, '^(%a+):(.+)$')
        if kind == 'grace' or kind == 'absent' or kind == 'wrap' then
                return exists('a:' .. id)
        end
        return (kind == 'lease' or kind == 'half' or kind == 'own' or kind == 'wait' or kind == 'close') and exists('t:' .. id)
end

function reason.clock(_, id)
        return exists('t:' .. id)
end

function reason.obdue(_, n)
        return (call('HGET', P .. 'ob:' .. n, 'state') or 'dead') ~= 'dead'
end

function reason.dead(_, n)
        return call('HGET', P .. 'ob:' .. n, 'state') == 'dead'
end

function reason.quarantine(_, n)
        return exists('quar:' .. n)
end

function reason.toks(agent, id)
        local is = call('HGET', P .. 'tok:' .. id, 'agent')
        return is and (agent == '' or is == agent)
end

function reason.cust(c, id)
        return call('HGET', P .. 't:' .. id, 'cust') == string.gsub(c, ':t$', '')
end

local function check_members()
        local key = ARGV[3]
        local kind, name = string.match(key, '^(%a+):?(.*)$')
        local is_set = kind == 'held' or kind == 'toks'
        for i = 4, #ARGV do
                if call(is_set and 'SISMEMBER' or 'ZSCORE', P .. key, ARGV[i]) and not reason[kind](name, ARGV[i]) then
                        differ(key .. ' ' .. ARGV[i] .. ' extra', is_set and 'SREM' or 'ZREM', key, ARGV[i])
                end
        end
end

-- ---- the rest ----

function check.class(c)
        local first = call('ZRANGE', P .. 'q:' .. c, '0', '0', 'WITHSCORES')[2]
        local is = call('HGET', P .. 'head', c)
        if first and tonumber(is or '') ~= tonumber(first) then
                differ('head ' .. c .. ' is ' .. (is or 'absent') .. ', should be ' .. first, 'HSET', 'head', c,
                    num(tonumber(first)))
        elseif is and not first then
                differ('head ' .. c .. ' is ' .. is .. ', should be absent', 'HDEL', 'head', c)
        end
end

function check.agent(a)
        local k = 'a:' .. a
        local used, n = tonumber(call('HGET', P .. k, 'used') or '0'), 0
        for _, id in ipairs(call('SMEMBERS', P .. 'held:' .. a)) do
                n = n + (tonumber(call('HGET', P .. 't:' .. id, 'weight') or '1') or 1)
        end
        if used ~= n then
                differ(k .. ' used is ' .. (used and num(used) or 'no number') .. ', should be ' .. num(n), 'HSET', k,
                    'used', num(n))
        end
        due_is(k, 'grace', a, after_zero(call('HGET', P .. k, 'grace_until') or '0'))
        local absent = call('HMGET', P .. k, 'absent_from', 'absent_until')
        if after_zero(absent[1] or '0') and not after_zero(absent[2] or '0') then
                differ(k .. ' absent_until missing', 'HDEL', k, 'absent_from')
                absent[1] = nil
        end
        due_is(k, 'absent', a, after_zero(absent[1] or '0') and true)
        due_is(k, 'wrap', a, after_zero(call('HGET', P .. k, 'wrap_until') or '0'))
        if call('ZCARD', P .. 'skip:' .. a) > 7 then
                differ('skip:' .. a .. ' has more than 7 members', 'ZREMRANGEBYRANK', 'skip:' .. a, '0', '-8')
        end
end

local entry_states = {queued = true, deferred = true, claimed = true, dead = true}

function check.entry(n)
        local k = 'ob:' .. n
        local f = fields(k)
        if not f then
                return
        end
        if not entry_states[f.state or ''] then
                differ(k .. ' state cannot be ' .. (f.state or 'absent'))
                return
        end
        local dead = f.state == 'dead'
        if dead then
                zset_is(k, 'obdue', n, false)
                zset_is(k, 'dead', n, true)
        else
                zset_is(k, 'dead', n, false)
                if not call('ZSCORE', P .. 'obdue', n) then
                        differ(k .. ' obdue missing', 'ZADD', 'obdue', f.next or '0', n)
                end
        end
        local t, m = 't:' .. (f.ticket or ''), f.message or ''
        if f.bounced == '1' and m == '' then
                differ(k .. ' has bounced, but carries no message')
        end
        if not exists(t) then
                differ(k .. ' ' .. t .. ' missing')
        elseif m ~= '' and call('HGET', P .. t .. ':d', m .. ':ob') ~= n then
                differ(t .. ' :d ' .. m .. ':ob missing', 'HSET', t .. ':d', m .. ':ob', n)
        end
end

-- What is marked as refused is an address of his.
function check.customer(c)
        for f in pairs(fields('cust:' .. c) or {}) do
                local address = string.match(f, '^refused:(.*)$')
                if address and call('GET', P .. 'addr:' .. address) ~= c then
                        differ('cust:' .. c .. ' refused:' .. address .. ' is not his', 'HDEL', 'cust:' .. c, f)
                end
        end
end

function check.quarantined(n)
        local at = call('HGET', P .. 'quar:' .. n, 'at')
        if at and not call('ZSCORE', P .. 'quarantine', n) then
                differ('quar:' .. n .. ' quarantine missing', 'ZADD', 'quarantine', at, n)
        end
end

function check.token(id)
        local agent = call('HGET', P .. 'tok:' .. id, 'agent')
        for _, key in ipairs(agent and {'toks', 'toks:' .. agent} or {}) do
                if call('SISMEMBER', P .. key, id) == 0 then
                        differ('tok:' .. id .. ' ' .. key .. ' missing', 'SADD', key, id)
                end
        end
end

-- addr:, mid:, seen: name a customer or a ticket.
function check.reference(k)
        local v = call('GET', P .. k)
        if not v then
                return
        end
        local kind = string.match(k, '^%a+')
        local target = kind == 'addr' and 'cust:' .. v or 't:' .. (string.match(v, '^%d+') or '')
        if exists(target) then
                return
        end
        if kind == 'mid' then
                differ(k .. ' ' .. target .. ' missing', 'DEL', k)
        else
                differ(k .. ' ' .. target .. ' missing')
        end
end

-- ---- sums over everything ----

local function count_tickets(key, sums)
        local highest = 0
        for _, id in ipairs(call('ZRANGE', P .. key, '0', '-1')) do
                local f = call('HMGET', P .. 't:' .. id, 'state', 'line', 'class')
                if f[1] then
                        local s, l = 's:' .. f[1], 'l:' .. f[1] .. ':' .. (f[2] or '')
                        sums.n[s] = (sums.n[s] or 0) + 1
                        sums.n[l] = (sums.n[l] or 0) + 1
                        if key == 'open' then
                                sums.cref[f[3] or ''] = (sums.cref[f[3] or ''] or 0) + 1
                        end
                end
                highest = math.max(highest, tonumber(id) or 0)
        end
        return highest
end

local function count_entries(sums)
        local highest = 0
        for _, key in ipairs({'obdue', 'dead'}) do
                for _, n in ipairs(call('ZRANGE', P .. key, '0', '-1')) do
                        local s = call('HGET', P .. 'ob:' .. n, 'state')
                        if s then
                                sums.n['o:' .. s] = (sums.n['o:' .. s] or 0) + 1
                        end
                        highest = math.max(highest, tonumber(n) or 0)
                end
        end
        return highest
end

local function count_calendars(sums)
        for _, text in ipairs(call('HVALS', P .. 'class')) do
                local id = string.match(text, '^{"calendar":"(%x+)"')
                if id then
                        sums[id] = (sums[id] or 0) + 1
                        if call('HEXISTS', P .. 'cal', id) == 0 then
                                differ('cal ' .. id .. ' missing')
                        end
                end
        end
end

local function compare(key, want, mine)
        local is = fields(key) or {}
        for f in pairs(want) do
                is[f] = is[f] or '0'
        end
        for f, v in pairs(is) do
                if mine(f) and tonumber(v) ~= (want[f] or 0) then
                        differ(key .. ' ' .. f .. ' is ' .. v .. ', should be ' .. num(want[f] or 0), 'HSET', key, f,
                            num(want[f] or 0))
                end
        end
end

local function at_least(field, want)
        local is = tonumber(call('HGET', P .. 'meta', field) or '0')
        if is and is < want then
                differ('meta ' .. field .. ' is ' .. num(is) .. ', should be at least ' .. num(want), 'HSET', 'meta',
                    field, num(want))
        end
end

local function check_sums()
        local sums = {n = {}, cref = {}, calref = {}}
        at_least('next_ticket', math.max(count_tickets('open', sums), count_tickets('closed', sums)))
        at_least('next_id', count_entries(sums))
        if (next(sums.n) or next(sums.cref)) and call('HEXISTS', P .. 'meta', 'schema') == 0 then
                differ('meta schema missing')
        end
        compare('cref', sums.cref, function()
                return true
        end)
        count_calendars(sums.calref)
        compare('calref', sums.calref, function()
                return true
        end)
        compare('n', sums.n, function(f)
                return string.find(f, '^[slo]:') ~= nil
        end)
end

if job == 'members' then
        check_members()
elseif job == 'sums' then
        check_sums()
else
        for i = 3, #ARGV do
                local ok, err = pcall(check[job], ARGV[i])
                if not ok then
                        lines[#lines + 1] = job .. ' ' .. ARGV[i] .. ' cannot be read: ' ..
                            (type(err) == 'table' and err.err or tostring(err))
                end
        end
end
return lines
