-- pull: the only way a ticket gets a holder.
--
--     pull now daemon  agent holds count own ticket force connection lease_ms
--          idem idem_hash idem_ms hinted make_ready  n line ms ...  n class cutoff handicap ...
--
-- The best ticket is the one of smallest v (+ handicap of its class; less a day in his
-- own queue), ties by the lower number; of each class its head is the most relaxed,
-- so v <= cutoff decides. He skips at most 7 tickets: the first 8 decide.
-- ticket: this very one (TAKE); force: "0", or who gives it to him (ASSIGN). idem keeps only ids.
-- Answers TAKEN|NOTHING|FULL|AWAY|REFUSED hintseq hints ids heads repeated code why;
-- heads: class, v ("" nothing waits there), flat.

if verb == 'pull' then
        local function pull_answer(word, ids, heads, repeated, code, why)
                return {word, hintseq(), hints, ids or {}, heads or {}, repeated or '0', code or '', why or ''}
        end

        local function pull_refuse(code, why)
                return pull_answer('REFUSED', nil, nil, nil, code, why)
        end

        -- What stands in a class's queue before anything is written, as far as it matters.
        local function window(key, n)
                local flat = call('ZRANGE', P .. key, '0', num(n - 1), 'WITHSCORES')
                local list = {}
                for i = 1, #flat, 2 do
                        list[#list + 1] = {id = unpad(flat[i]), v = int(flat[i + 1], key)}
                end
                return list
        end

        local pull = {} -- what this pull was asked

        local function pull_parse()
                pull.agent, pull.holds, pull.count = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
                pull.leases = {}
                local n = tonumber(ARGV[17])
                local i = 18
                for _ = 1, n do
                        pull.leases[ARGV[i]] = tonumber(ARGV[i + 1])
                        i = i + 2
                end
                pull.n_classes = tonumber(ARGV[i])
                pull.first_class = i + 1
        end

        -- Candidates: {key, cutoff, handicap, class, v = the head's v, key = v + handicap}
        local function pull_candidates()
                local list, ids = {}, {}
                local i = pull.first_class
                for j = 1, pull.n_classes do
                        ids[j] = ARGV[i + (j - 1) * 3]
                end
                for from = 1, #ids, 4000 do
                        local to = math.min(from + 3999, #ids)
                        local heads = call('HMGET', P .. 'head', unpack(ids, from, to))
                        for j = from, to do
                                local v = heads[j - from + 1]
                                if v then
                                        v = int(v, 'head')
                                        local cutoff = tonumber(ARGV[i + (j - 1) * 3 + 1])
                                        if v <= cutoff then
                                                local handicap = tonumber(ARGV[i + (j - 1) * 3 + 2])
                                                list[#list + 1] = {class = ids[j], queue = 'q:' .. ids[j], cutoff = cutoff,
                                                    handicap = handicap, key = v + handicap}
                                        end
                                end
                        end
                end
                if ARGV[7] == '1' then
                        local first = call('ZRANGE', P .. 'own:' .. pull.agent, '0', '0', 'WITHSCORES')
                        if first[1] then
                                local handicap = -DAY_MS * 1000
                                list[#list + 1] = {queue = 'own:' .. pull.agent, cutoff = math.huge, handicap = handicap,
                                    key = int(first[2], 'own:' .. pull.agent) + handicap, mine = true}
                        end
                end
                return list
        end

        -- The candidate's first ticket that he does not skip; nil: none that he may have.
        local function pull_head(c, want)
                if not c.list then
                        local s = skips_of(pull.agent)
                        c.list = window(c.queue, (c.mine and 0 or s.n) + want)
                        c.at = 1
                end
                local s = skips_of(pull.agent)
                while c.list[c.at] and not c.mine and s.at[c.list[c.at].id] do
                        c.at = c.at + 1
                end
                local t = c.list[c.at]
                if not t or t.v > c.cutoff then
                        return nil
                end
                c.key = t.v + c.handicap
                return t
        end

        -- Take the best off the candidates: id and candidate.
        local function pull_best(list, want)
                while true do
                        local key
                        for i = 1, #list do
                                if not list[i].gone and (not key or list[i].key < key) then
                                        key = list[i].key
                                end
                        end
                        if not key then
                                return nil
                        end
                        local best, of
                        for i = 1, #list do
                                local c = list[i]
                                if not c.gone and c.key == key then
                                        local t = pull_head(c, want)
                                        if not t then
                                                c.gone = true
                                        elseif c.key == key and (not best or tonumber(t.id) < tonumber(best.id)) then
                                                best, of = t, c
                                        end
                                end
                        end
                        if best then
                                of.at = of.at + 1
                                local next_ = pull_head(of, want)
                                of.gone = not next_
                                return best.id, of
                        end
                end
        end

        local function hold(id)
                local k, agent = 't:' .. id, pull.agent
                local line = hget(k, 'line') or ''
                local from = hashes[k].old.state == 'held' and hget(k, 'holder') or ''
                leave_queue(id)
                if from ~= '' then -- ASSIGN, out of another's hands
                        unhold(id, from)
                end
                local till = now_ms + (pull.leases[line] or tonumber(ARGV[11]))
                hset(k, 'state', 'held')
                hset(k, 'holder', agent)
                hset(k, 'owner', agent)
                hset(k, 'until', '0')
                hset(k, 'untaken', ARGV[10])
                hset(k, 'seen', hget(k, 'last_in') or '')
                hset(k, 'lease_until', num(till))
                hadd(k, 'lease', 1)
                hadd(k, 'given', 1)
                ticket_bump(id)
                due('lease', id, till)
                due('half', id, math.floor((now_ms + till) / 2))
                write('SADD', 'held:' .. agent, id)
                hadd('a:' .. agent, 'used', 1)
                hset('a:' .. agent, 'idle_since', num(now_ms))
                if skips_of(agent).at[id] then
                        write('ZREM', 'skip:' .. agent, id)
                end
                if ARGV[9] ~= '0' then
                        write('RPUSH', 't:' .. id .. ':log', '{"at":"' .. rfc3339(now_ms) .. '","who":' .. quote(ARGV[9]) ..
                            ',"event":"assigned"' .. (from ~= '' and ',"from":' .. quote(from) or '') .. ',"to":' ..
                            quote(agent) .. '}')
                        write('LTRIM', 't:' .. id .. ':log', '-500', '-1')
                end
                journal('taken', id, line, agent, ARGV[9] ~= '0' and ARGV[9] or agent, '')
        end

        -- Heads now left, of the classes asked about, for dispatch.
        local function pull_heads(classes)
                local flat = {}
                for i = 1, #classes do
                        flat[#flat + 1] = classes[i]
                        flat[#flat + 1] = hget('head', classes[i]) or ''
                end
                return flat
        end

        local function pull_ready()
                local k = 'a:' .. pull.agent
                local p = hget(k, 'presence') or 'offline'
                if agent_absent(pull.agent) then
                        return false
                end
                if p == 'offline' and ARGV[16] == '1' then
                        hset(k, 'presence', 'ready')
                        hset(k, 'reason', '')
                        if not hget(k, 'idle_since') then
                                hset(k, 'idle_since', num(now_ms))
                        end
                        journal('came', '', '', pull.agent, pull.agent, '')
                        return true
                end
                return p == 'ready'
        end

        local function take_class(id)
                local class, v = hget('t:' .. id, 'class') or '', hnum('t:' .. id, 'v')
                for j = 1, pull.n_classes do
                        local i = pull.first_class + (j - 1) * 3
                        if ARGV[i] == class then
                                return v <= tonumber(ARGV[i + 1])
                        end
                end
                return false
        end

        -- TAKE: nil when he may have it, else the refusal.
        local function take_check(id)
                if not string.match(id, '^[1-9]%d*$') or #id > 12 or not ticket_load(id) then
                        return pull_refuse('NOSUCH', 'there is no ticket ' .. id)
                end
                local k = 't:' .. id
                local state, holder = hget(k, 'state'), hget(k, 'holder')
                if state == 'held' and holder == pull.agent then
                        return pull_answer('TAKEN', {id}, nil, '1')
                elseif state == 'held' and ARGV[9] ~= '0' then
                        return nil
                elseif state == 'held' then
                        return pull_refuse('STATE', 'ticket ' .. id .. ' is in the hands of ' .. holder)
                elseif state ~= 'queued' then
                        return pull_refuse('STATE', 'ticket ' .. id .. ' is ' .. state .. ', not queued')
                elseif ARGV[9] ~= '0' then
                        return nil
                elseif hget(k, 'own') == '1' then
                        if hget(k, 'owner') ~= pull.agent then
                                return pull_refuse('STATE', 'ticket ' .. id .. ' is kept for ' .. hget(k, 'owner') ..
                                    ' until ' .. rfc3339(hnum(k, 'until')))
                        end
                elseif not take_class(id) then
                        return pull_refuse('NOPERM', 'ticket ' .. id .. ' does not fit you: WHY ' .. id .. ' says why')
                end
                return nil
        end

        -- The answer kept under his ID, if there is one.
        local function pull_again()
                local value = ARGV[12] ~= '' and call('GET', P .. 'idem:' .. ARGV[12])
                if not value then
                        return nil
                end
                local h, rest = string.match(value, '^([^\n]*)\n(.*)$')
                if h ~= ARGV[13] then
                        return pull_refuse('BADARG', 'this ID was used with other arguments')
                end
                local ids = {}
                for id in string.gmatch(rest, '%d+') do
                        ids[#ids + 1] = id
                end
                return pull_answer('TAKEN', ids, nil, '1')
        end

        local function pull_choose(n)
                if ARGV[8] ~= '' then
                        ticket_load(ARGV[8])
                        return {ARGV[8]}
                end
                local ids = {}
                local list = pull_candidates()
                while #ids < n do
                        local id = pull_best(list, n + 1)
                        if not id then
                                break
                        end
                        if not ticket_load(id) then
                                refuse('BADKEY', 't:' .. id .. ' is missing: run helpline fsck')
                        end
                        ids[#ids + 1] = id
                end
                return ids
        end

        function changing.pull()
                pull_parse()
                local again = pull_again()
                if again then
                        return again
                end
                load_hash('a:' .. pull.agent)
                local asked = ARGV[15] ~= '' and {ARGV[15]} or {}
                if ARGV[8] ~= '' then
                        local refusal = take_check(ARGV[8])
                        if refusal then
                                return refusal
                        end
                elseif not pull_ready() then
                        return pull_answer('AWAY', nil, pull_heads(asked))
                end
                local used = hnum('a:' .. pull.agent, 'used')
                local ids = {}
                if used < pull.holds then
                        ids = pull_choose(math.min(pull.count, pull.holds - used))
                end
                for i = 1, #ids do
                        if hashes['t:' .. ids[i]].old.own ~= '1' and
                            hashes['t:' .. ids[i]].old.class ~= ARGV[15] then
                                asked[#asked + 1] = hashes['t:' .. ids[i]].old.class
                        end
                        hold(ids[i])
                end
                if #ids > 0 and ARGV[12] ~= '' then
                        write('SET', 'idem:' .. ARGV[12], ARGV[13] .. '\n' .. table.concat(ids, ' '), 'PX', ARGV[14])
                end
                if #ids > 0 and skips_of(pull.agent).old then
                        for _, m in ipairs(call('ZRANGEBYSCORE', P .. 'skip:' .. pull.agent, '-inf', num(now_ms))) do
                                write('ZREM', 'skip:' .. pull.agent, m)
                        end
                end
                finish()
                return pull_answer(#ids > 0 and 'TAKEN' or used >= pull.holds and 'FULL' or 'NOTHING', ids,
                    pull_heads(asked))
        end
end
