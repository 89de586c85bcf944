-- What verbs do to one ticket: queues, holding, and the steps of a change
-- (queue/change.c writes them; each is an opcode and its arguments, flat).
--
--     S field value         set a field              N field   to the id of the new message
--     M tail                a message                L doc     an entry of the ticket's log
--     J event agent line who why                     the journal
--     D kind at             a clock; "0" takes it away
--     C class text v        into its class ("": no queue)   O agent v until   into his own queue
--     Q                     out of its queue         U agent   holds it no longer
--     K agent until         skips it ("0": no more)   P 1|0 class       counts as open
--     B customer|address    is of another customer   A agent           its owner: who stands for him
--     H calendar text       keep the calendar of the class that comes next
--     F agent until         has finished one: nothing new for him until then
--     I hash                learn a Message-ID       V message json    delivery document
--     X kind message account template lang to due    a new outbox entry
--     Y entry due n f v...  change one ("-1": its clock stays)
--     Z entry               it is done               W entry at        dead letter
--     E message             take its entry back, if it has not left
--     ! ticket entry state address reply words mark   a report about an entry (15_report.lua);
--                           state refused deferred sent; reply: JSON string; mark: the JSON
--                           behind his address, for its customer
--     ~ address             a person wrote from there: the address is no longer marked
--     ? who message at      is asked of him (a:agent, l:line); "0": no longer
--     + ticket version bump what follows is another ticket's (commit only)
--     R account why raw at  quarantine
--     G tag ms max          one more tagged so, of whom so many are counted for so long
--     T key ms event agent line who why mail account lang   tells an agent: the journal, and a
--                           mail when there is an address; with a key once within ms
--
-- "$new" as a message is the one this change adds.

local DAY_MS = 86400000
local SKIP_MS = 600000
local MAX_SKIPS = 7

local function ticket_load(id)
        local h = load_hash('t:' .. id)
        if h.exists then
                tickets[id] = true
        end
        return h.exists
end

local function ticket_bump(id)
        local k = 't:' .. id
        hadd(k, 'ver', 1)
        hset(k, 'last_cmd', '')
        hset(k, 'last_ans', '')
        hset(k, 'last_cmd_at', '0')
end

-- What it counts in hand, as given at its birth.
local function ticket_weight(id)
        return int(hget('t:' .. id, 'weight') or '1', 't:' .. id .. ' weight')
end

local function agent_present(agent)
        load_hash('a:' .. agent)
        local p = hget('a:' .. agent, 'presence')
        return p == 'ready' or p == 'away'
end

-- The calendar that a class document names, or nil. `calref` counts the documents that name
-- one: sweep forgets it with the last.
local function class_calendar(text)
        return string.match(text, '^{"calendar":"(%x+)"')
end

local function enter_class(id, class, v)
        local k = 't:' .. id
        hset(k, 'own', '0')
        hset(k, 'until', '0')
        due('own', id, nil)
        queue_add(class, id, v)
end

-- ---- whose own queue? ----

-- Is his holiday on? (Set ahead by ABSENT; the clock `absent` only tells and tidies.)
local function agent_absent(agent)
        load_hash('a:' .. agent)
        local from = hnum('a:' .. agent, 'absent_from')
        return from > 0 and from <= now_ms and now_ms < hnum('a:' .. agent, 'absent_until')
end

local function agent_full(agent)
        local holds = hget('a:' .. agent, 'holds')
        return holds and hnum('a:' .. agent, 'used') >= int(holds, 'holds') or false
end

-- Who is asked for him: whom his absence names, else his deputy; nil nobody.
local function agent_deputy(agent)
        local named = agent_absent(agent) and hget('a:' .. agent, 'absent_deputy') or ''
        local d = named ~= '' and named or hget('a:' .. agent, 'deputy') or ''
        return d ~= '' and d or nil
end

-- The first of him and his deputies who is there and has room: a chain of at most five
-- deputies, and a circle ends it. nil: nobody, the class.
local function agent_keeper(agent)
        local seen = {}
        for _ = 0, 5 do
                if not agent or agent == '' or seen[agent] then
                        return nil
                end
                seen[agent] = true
                if agent_present(agent) and not agent_absent(agent) and not agent_full(agent) then
                        return agent
                end
                agent = agent_deputy(agent)
        end
        return nil
end

-- Who stands for him now, there or not: the first who is not absent; nil nobody.
local function agent_stand_in(agent)
        local seen = {}
        for _ = 0, 5 do
                if not agent or agent == '' or seen[agent] then
                        return nil
                end
                seen[agent] = true
                if not agent_absent(agent) then
                        return agent
                end
                agent = agent_deputy(agent)
        end
        return nil
end

-- His own queue counts only while he is there, else his deputy's.
local function enter_own(id, agent, class, v, till)
        agent = agent_keeper(agent)
        if not agent then
                enter_class(id, class, v)
                return
        end
        local k = 't:' .. id
        hset(k, 'own', '1')
        hset(k, 'owner', agent)
        hset(k, 'until', num(till))
        due('own', id, till)
        write('ZADD', 'own:' .. agent, num(v), pad(id))
        hint('a:' .. agent)
end

-- Out of the queue it was in before this script.
local function leave_queue(id)
        local k = 't:' .. id
        local old = hashes[k].old
        if old.state ~= 'queued' then
                return
        end
        if old.own == '1' then
                write('ZREM', 'own:' .. (old.owner or ''), pad(id))
                due('own', id, nil)
                hset(k, 'own', '0')
        else
                queue_remove(old.class or '', id)
        end
end

-- A trainee's answer that waits for his tutor is never sent from a ticket that has left his
-- hands. (A change of queue/ticket_ask.c has dropped it before; this is for clocks and ASSIGN.)
local function drop_answer(id)
        local k = 't:' .. id
        local m = hget(k, 'approve') or ''
        if m == '' then
                return
        end
        hset(k, 'approve', '')
        hset(k .. ':d', m, '[{"address":"","state":"refused","at":"' .. rfc3339(now_ms) ..
            '","reply":"never sent: the ticket left the hands of who wrote it"}]')
        write('ZREM', 'asked:a:' .. (hget(k, 'tutor') or ''), m)
end

local function unhold(id, agent)
        local k = 'a:' .. agent
        drop_answer(id)
        load_hash(k)
        write('SREM', 'held:' .. agent, id)
        local used = hnum(k, 'used') - ticket_weight(id)
        hset(k, 'used', num(used > 0 and used or 0))
        hset(k, 'idle_since', num(now_ms))
        due('lease', id, nil)
        due('half', id, nil)
        hint('a:' .. agent)
end

-- At most seven skips an agent, so that looking at eight heads is exact.
local skips = {}

local function skips_of(agent)
        local s = skips[agent]
        if not s then
                s = {at = {}, n = 0}
                local flat = call('ZRANGE', P .. 'skip:' .. agent, '0', '-1', 'WITHSCORES')
                for i = 1, #flat, 2 do
                        local at = int(flat[i + 1], 'skip:' .. agent)
                        if at > now_ms then
                                s.at[flat[i]] = at
                                s.n = s.n + 1
                        else
                                s.old = true
                        end
                end
                skips[agent] = s
        end
        return s
end

local function skip_add(agent, id, at)
        local s = skips_of(agent)
        local k = 'skip:' .. agent
        for m in pairs(s.at) do
                s.first = (not s.first or s.at[m] < s.at[s.first] or
                    (s.at[m] == s.at[s.first] and tonumber(m) < tonumber(s.first))) and m or s.first
        end
        if not s.at[id] then
                if s.n >= MAX_SKIPS then
                        write('ZREM', k, s.first)
                        s.at[s.first] = nil
                        s.n = s.n - 1
                end
                s.n = s.n + 1
        end
        s.first = nil
        s.at[id] = at
        write('ZADD', k, num(at), id)
end

-- It was handed back to him: he may have it again at once.
local function skip_end(agent, id)
        local s = skips_of(agent)
        if s.at[id] then
                s.at[id] = nil
                s.n = s.n - 1
                write('ZREM', 'skip:' .. agent, id)
        end
end

-- A ticket nobody wants: after three give-backs and ended leases it says so.
local function blame(id)
        local k = 't:' .. id
        local old = hashes[k].old
        if hnum(k, 'back') + hnum(k, 'expired') < 3 or
            int(old.back or '0', 'back') + int(old.expired or '0', 'expired') >= 3 then
                return
        end
        local tags = hget(k, 'tags') or '[]'
        if string.find(tags, '"given-back"', 1, true) then
                return
        end
        hset(k, 'tags', tags == '[]' and '["given-back"]' or string.sub(tags, 1, -2) .. ',"given-back"]')
        journal('changed', id, hget(k, 'line') or '', '', 'helpline', 'given back three times')
end

-- Back to its old place (v stays), by a clock.
local function give_back(id, event)
        local k = 't:' .. id
        local agent = hget(k, 'holder') or ''
        unhold(id, agent)
        hset(k, 'state', 'queued')
        hset(k, 'holder', '')
        hset(k, 'untaken', '')
        hset(k, 'queued', num(now_ms))
        hset(k, 'lease_until', '0')
        enter_class(id, hget(k, 'class') or '', hnum(k, 'v'))
        ticket_bump(id)
        log(id, event, agent)
        journal(event == 'expired' and 'expired' or 'released', id, hget(k, 'line') or '', agent,
            'helpline', event)
end

-- The last holder's time is over: into its class; on: his deputies are asked before.
local function fall_back(id, agent, on)
        local k = 't:' .. id
        local class, v = hget(k, 'class') or '', hnum(k, 'v')
        write('ZREM', 'own:' .. agent, pad(id))
        if on then
                enter_own(id, agent, class, v, hnum(k, 'until'))
        else
                enter_class(id, class, v)
        end
        ticket_bump(id)
        journal('queued', id, hget(k, 'line') or '', '', 'helpline', 'no longer kept for ' .. agent)
end

-- What is kept for him falls back, a hundred at once: to his deputies' own queues or into
-- their classes. How many it were.
local function own_fall_back(agent)
        local list = call('ZRANGE', P .. 'own:' .. agent, '0', '99')
        for _, m in ipairs(list) do
                local id = unpad(m)
                if ticket_load(id) then
                        -- one whose time has ended in this very script is gone from here already
                        if hget('t:' .. id, 'own') == '1' and hget('t:' .. id, 'owner') == agent then
                                fall_back(id, agent, true)
                        end
                else
                        write('ZREM', 'own:' .. agent, m)
                end
        end
        return #list
end

-- He is back, or never went: nothing of the absence is left.
local function absence_over(agent, who)
        local k = 'a:' .. agent
        load_hash(k)
        local was = hget(k, 'absent') == '1'
        for _, f in ipairs({'absent', 'absent_from', 'absent_until', 'absent_deputy', 'absent_moved'}) do
                hdel(k, f)
        end
        due('absent', agent, nil)
        if was and hget(k, 'presence') == 'away' and hget(k, 'reason') == 'absent' then
                hset(k, 'presence', 'offline')
                hset(k, 'reason', '')
        end
        if was then
                journal('changed', '', '', agent, who, 'no longer absent')
                hint('a:' .. agent)
        end
end

-- ---- outbox entries ----

local function entry_load(n)
        local h = load_hash('ob:' .. n)
        if h.exists and not h.gone then
                entries[n] = true
                return true
        end
        return false
end

local function entry_new(f, at)
        local n = num(hadd('meta', 'next_id', 1))
        local k = 'ob:' .. n
        local h = load_hash(k)
        if h.exists then
                refuse('BADKEY', k .. ' exists already: run helpline fsck')
        end
        entries[n] = true
        for i = 1, #f, 2 do
                hset(k, f[i], f[i + 1])
        end
        hset(k, 'state', 'queued')
        hset(k, 'tries', '0')
        hset(k, 'created', num(now_ms))
        hset(k, 'next', num(at))
        write('ZADD', 'obdue', num(at), n)
        return n
end

local function entry_end(n)
        if entry_load(n) then
                hashes['ob:' .. n].gone = true
                write('ZREM', 'obdue', n)
                write('ZREM', 'dead', n)
        end
end

-- ---- 15_report.lua ----

local deliveries_merge, entry_bounced, report_recipient, report_heard

-- ---- the steps of a change ----

local run_steps, steps_end
local mid_taken = false -- a step I met another ticket's Message-ID

if verb == 'put' or verb == 'commit' then
        -- Where the steps of one change stand: ticket, new message.
        local at_id, at_new, at_entry

        local function message_id(m)
                return m == '$new' and at_new or m
        end

        local arity = {S = 2, N = 1, M = 1, L = 1, J = 5, D = 2, C = 3, O = 3, Q = 0, U = 1, K = 2, P = 2,
                       I = 1, V = 2, X = 7, Z = 1, W = 2, E = 1, R = 4, B = 1, A = 1, G = 3, T = 10,
                       H = 2, F = 2, ['+'] = 3, ['?'] = 3, ['!'] = 7, ['~'] = 1}

        local step = {}

        -- "$entry$" in `consults`: the outbox entry made before. As a whole member, for people
        -- write what they like into a question.
        function step.S(f, v)
                if f == 'consults' and at_entry then
                        v = string.gsub(v, '"entry":"%$entry%$"', '"entry":"' .. at_entry .. '"')
                end
                hset('t:' .. at_id, f, v)
        end

        function step.N(f)
                hset('t:' .. at_id, f, at_new)
        end

        function step.M(tail)
                write('RPUSH', 't:' .. at_id .. ':m', '{"v":1,"id":"' .. at_new .. '",' .. tail)
        end

        function step.L(doc)
                write('RPUSH', 't:' .. at_id .. ':log', doc)
                write('LTRIM', 't:' .. at_id .. ':log', '-500', '-1')
        end

        function step.J(event, agent, line, who, why)
                journal(event, at_id, line, agent, who, why)
        end

        function step.G(tag, ms, max)
                local k = 'tagged:' .. tag
                write('ZADD', k, num(now_ms), at_id)
                write('ZREMRANGEBYSCORE', k, '-inf', num(now_ms - int(ms, 'a count')))
                write('ZREMRANGEBYRANK', k, '0', num(-1 - int(max, 'a count')))
                write('PEXPIRE', k, ms)
        end

        function step.T(key, ms, event, agent, line, who, why, mail, account, lang)
                if key ~= '' then
                        key = 'told:' .. key .. ':' .. agent
                        if call('GET', P .. key) then
                                return
                        end
                        write('SET', key, at_id, 'PX', ms)
                end
                if event ~= '' then
                        journal(event, at_id, line, agent, who, why)
                end
                if mail ~= '' then
                        entry_new({'ticket', at_id, 'message', '', 'kind', 'notice', 'account', account, 'template',
                            'notice', 'lang', lang, 'to', mail, 'delivery', '', 'last', '', 'why', why}, now_ms)
                end
        end

        function step.D(kind, at)
                at = int(at, 'a clock')
                if kind == 'clock' then
                        clock_set(at_id, at)
                else
                        due(kind, at_id, at > 0 and at or nil)
                end
        end

        function step.H(id, text)
                if not hget('cal', id) then
                        hset('cal', id, text)
                end
        end

        function step.F(agent, till)
                till = int(till, 'until')
                hset('a:' .. agent, 'wrap_until', num(till))
                due('wrap', agent, till)
        end

        function step.C(class, text, v)
                if text ~= '' and not hget('class', class) then
                        hset('class', class, text)
                        local calendar = class_calendar(text)
                        if calendar then
                                hadd('calref', calendar, 1)
                        end
                end
                local k = 't:' .. at_id
                local was = hashes[k].old.class
                if was and was ~= class then
                        hadd('cref', was, -1)
                        hadd('cref', class, 1)
                end
                hset(k, 'class', class)
                if v ~= '' then
                        enter_class(at_id, class, int(v, 'v'))
                end
        end

        function step.O(agent, v, till)
                enter_own(at_id, agent, hget('t:' .. at_id, 'class') or '', int(v, 'v'), int(till, 'until'))
        end

        function step.Q()
                leave_queue(at_id)
        end

        function step.U(agent)
                unhold(at_id, agent)
        end

        function step.K(agent, till)
                till = int(till, 'until')
                if till > 0 then
                        skip_add(agent, at_id, till)
                else
                        skip_end(agent, at_id)
                end
        end

        -- Another customer's: one we know, by his number or an address.
        function step.B(key)
                local k = 't:' .. at_id
                local c = string.match(key, '^c%d+$') or call('GET', P .. 'addr:' .. key) or ''
                if c == '' or not load_hash('cust:' .. c).exists then
                        refuse('NOSUCH', 'there is no customer ' .. key)
                end
                local was = hget(k, 'cust') or ''
                if was ~= '' and was ~= c then
                        write('ZREM', 'cust:' .. was .. ':t', at_id)
                end
                write('ZADD', 'cust:' .. c .. ':t', at_id, at_id)
                hset(k, 'cust', c)
        end

        -- What is his goes to who stands for him; of him who has nobody it stays.
        function step.A(agent)
                local deputy = agent_stand_in(agent)
                if deputy then
                        hset('t:' .. at_id, 'owner', deputy)
                end
        end

        function step.P(open, class)
                hadd('cref', class, open == '1' and 1 or -1)
                write(unpack(open == '1' and {'ZADD', 'open', at_id, at_id} or {'ZREM', 'open', at_id}))
                write(unpack(open == '1' and {'ZREM', 'closed', at_id} or {'ZADD', 'closed', at_id, at_id}))
        end

        -- Who knew it first keeps it; put must then look at its facts again.
        function step.I(h)
                local is = call('GET', P .. 'mid:' .. h)
                if is and is ~= at_id then
                        mid_taken = true
                else
                        write('SET', 'mid:' .. h, at_id, 'PX', num(400 * DAY_MS))
                end
        end

        step['?'] = function(who, m, at)
                if at == '0' then
                        write('ZREM', 'asked:' .. who, message_id(m))
                else
                        write('ZADD', 'asked:' .. who, num(int(at, 'asked')), message_id(m))
                end
        end

        -- What was reported of a recipient outlasts what the outbox says of the others.
        function step.V(m, json)
                local k = 't:' .. at_id .. ':d'
                if m ~= '$new' then
                        json = deliveries_merge(hget(k, m), json)
                end
                hset(k, message_id(m), json)
        end

        step['!'] = function(birth, entry, state, address, reply, words, mark)
                report_recipient(at_id, at_new, birth, entry, state, address, reply, words, mark)
        end

        step['~'] = function(address)
                report_heard(address)
        end

        function step.X(kind, m, account, template, lang, to, at)
                local id = message_id(m)
                local n = entry_new({'ticket', at_id, 'message', id, 'kind', kind, 'account', account,
                    'template', template, 'lang', lang, 'to', to, 'delivery', '', 'last', ''}, int(at, 'due'))
                at_entry = n
                if id ~= '' then
                        hset('t:' .. at_id .. ':d', id .. ':ob', n)
                end
        end

        function step.Y(n, at, pairs_)
                if not entry_load(n) then
                        return
                end
                for i = 1, #pairs_, 2 do
                        hset('ob:' .. n, pairs_[i], pairs_[i + 1])
                end
                at = int(at, 'due')
                if at > 0 then
                        hset('ob:' .. n, 'next', num(at))
                        write('ZADD', 'obdue', num(at), n)
                elseif at == 0 then
                        write('ZREM', 'obdue', n)
                end
        end

        function step.Z(n)
                if entry_load(n) and hget('ob:' .. n, 'bounced') == '1' and hget('ob:' .. n, 'state') ~= 'dead' then
                        entry_bounced(n)
                else
                        entry_end(n)
                end
        end

        function step.W(n, at)
                if entry_load(n) and hget('ob:' .. n, 'bounced') == '1' then
                        entry_bounced(n)
                elseif entry_load(n) then
                        hset('ob:' .. n, 'state', 'dead')
                        write('ZREM', 'obdue', n)
                        write('ZADD', 'dead', num(int(at, 'at')), n)
                end
        end

        function step.E(m)
                local n = hget('t:' .. at_id .. ':d', m .. ':ob')
                if not n or not entry_load(n) then
                        refuse('STATE', 'message ' .. m .. ' has already left')
                end
                local s = hget('ob:' .. n, 'state')
                if s ~= 'queued' or hnum('ob:' .. n, 'tries') > 0 then
                        refuse('STATE', 'message ' .. m .. ' is on its way already')
                end
                entry_end(n)
        end

        function step.R(account, why, raw, at)
                local n = num(hadd('meta', 'next_id', 1))
                local k = 'quar:' .. n
                hset(k, 'account', account)
                hset(k, 'why', why)
                hset(k, 'raw', raw)
                hset(k, 'at', at)
                hset(k, 'ticket', at_id)
                hset(k, 'message', at_new)
                write('ZADD', 'quarantine', num(int(at, 'at')), n)
                hadd('n', 'quarantined', 1)
        end

        local function step_after(i)
                local op = ARGV[i]
                return i + 1 + (op == 'Y' and 3 + tonumber(ARGV[i + 3]) or arity[op] or
                    refuse('BADARG', 'unknown step'))
        end

        -- Where the steps from i on end: at a +, or behind the last argument.
        steps_end = function(i)
                while i <= #ARGV and ARGV[i] ~= '+' do
                        i = step_after(i)
                end
                if i > #ARGV + 1 then
                        refuse('BADARG', 'a step is cut short')
                end
                return i
        end

        -- Carry out ARGV[i...] before `behind` on ticket id. The new message's number is
        -- taken first, because steps name it.
        run_steps = function(id, i, behind)
                at_id = id
                at_new = ''
                local j = i
                while j < behind do
                        if ARGV[j] == 'M' then
                                at_new = id .. '.' .. num(hadd('t:' .. id, 'nm', 1))
                        end
                        j = step_after(j)
                end
                while i < behind do
                        local op = ARGV[i]
                        if op == 'Y' then
                                local n = tonumber(ARGV[i + 3])
                                step.Y(ARGV[i + 1], ARGV[i + 2], {unpack(ARGV, i + 4, i + 3 + n)})
                        else
                                step[op](unpack(ARGV, i + 1, i + arity[op]))
                        end
                        i = step_after(i)
                end
                return at_new
        end
end
