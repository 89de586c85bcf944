-- pull: the only way a ticket gets a holder.
--
--     pull now daemon  agent holds count own ticket force connection lease_ms
--          idem idem_hash idem_ms hinted make_ready  n line ms ...
--          n_groups  cutoff handicap n class ... ...
--
-- The best ticket is the one of smallest v (+ handicap of its class; less a day in his
-- own queue), ties by the lower number; of each class its head is the most relaxed,
-- so v <= cutoff decides. He skips at most 7 tickets: the first 8 decide.
-- He is given one while the weight he holds is below `holds`; the last may go beyond.
-- ticket: this very one (TAKE). idem keeps only ids.
-- Answers TAKEN|NOTHING|FULL|AWAY|REFUSED hintseq hints ids heads repeated code why used;
-- heads: class, v ("" nothing waits there), flat; used: weight in his hands now.

if verb == 'pull' then
        local pull = {} -- what this pull was asked

        local function pull_answer(word, ids, heads, repeated, code, why)
                return {word, hintseq(), hints, ids or {}, heads or {}, repeated or '0', code or '', why or '',
                        hget('a:' .. pull.agent, 'used') or '0'}
        end

        local function pull_refuse(code, why)
                return pull_answer('REFUSED', nil, nil, nil, code, why)
        end

        -- The first of a queue before anything is written: id, v, id, v ...
        local function window(key, n)
                local flat = call('ZRANGE', P .. key, '0', num(n - 1), 'WITHSCORES')
                for i = 1, #flat, 2 do
                        flat[i] = unpad(flat[i])
                        flat[i + 1] = int(flat[i + 1], key)
                end
                return flat
        end

        local function pull_parse()
                pull.agent, pull.holds, pull.count = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
                pull.leases = 18
                pull.groups = 19 + 2 * tonumber(ARGV[17])
        end

        local function lease_ms(line)
                for i = pull.leases, pull.groups - 3, 2 do
                        if ARGV[i] == line then
                                return tonumber(ARGV[i + 1])
                        end
                end
                return tonumber(ARGV[11])
        end

        -- Candidates are numbers only: what each queue's first counts (keys, v + handicap), of
        -- those that have one he may take, and which queue it is; `at`: where in ARGV its class
        -- and its group stand. The queue itself is looked at when it is the best.
        local keys, at, group_of, n_keys = {}, {}, {}, 0
        local opened = {} -- by candidate: what pull_head() knows of its queue

        local function pull_group(g, n, heads, from)
                local cutoff, handicap = tonumber(ARGV[g]), tonumber(ARGV[g + 1])
                for j = 1, n do
                        local v = heads[j]
                        if v then
                                v = tonumber(v) or int(v, 'head')
                                if v <= cutoff then
                                        n_keys = n_keys + 1
                                        keys[n_keys] = v + handicap
                                        at[n_keys] = from + j - 1
                                        group_of[n_keys] = g
                                end
                        end
                end
        end

        local function pull_candidates()
                local g = pull.groups
                for _ = 1, tonumber(ARGV[pull.groups - 1]) do
                        local n = tonumber(ARGV[g + 2])
                        for from = g + 3, g + 2 + n, 4000 do
                                local to = math.min(from + 3999, g + 2 + n)
                                pull_group(g, to - from + 1, call('HMGET', P .. 'head', unpack(ARGV, from, to)), from)
                        end
                        g = g + 3 + n
                end
                if ARGV[7] == '1' then
                        local first = call('ZRANGE', P .. 'own:' .. pull.agent, '0', '0', 'WITHSCORES')
                        if first[1] then
                                n_keys = n_keys + 1
                                keys[n_keys] = int(first[2], 'own:' .. pull.agent) - DAY_MS * 1000
                                at[n_keys] = 0
                        end
                end
        end

        local function pull_open(i, want)
                local c, s = {at = 1}, skips_of(pull.agent)
                if at[i] == 0 then
                        c.list, c.cutoff, c.handicap = window('own:' .. pull.agent, want), math.huge, -DAY_MS * 1000
                        c.skips = {}
                else
                        c.list = window('q:' .. ARGV[at[i]], s.n + want)
                        c.cutoff, c.handicap = tonumber(ARGV[group_of[i]]), tonumber(ARGV[group_of[i] + 1])
                        c.skips = s.at
                end
                opened[i] = c
                return c
        end

        -- The candidate's first ticket that he does not skip; nil: none that he may have, and then
        -- it is none any more.
        local function pull_head(i, want)
                local c = opened[i] or pull_open(i, want)
                local id = c.list[c.at]
                while id and c.skips[id] do
                        c.at = c.at + 2
                        id = c.list[c.at]
                end
                local v = c.list[c.at + 1]
                if not id or v > c.cutoff then
                        keys[i] = math.huge
                        return nil
                end
                keys[i] = v + c.handicap
                return id
        end

        -- Take the best off the candidates: its id, or nil.
        local function pull_best(want)
                while true do
                        local key = math.huge
                        for i = 1, n_keys do
                                if keys[i] < key then
                                        key = keys[i]
                                end
                        end
                        if key == math.huge then
                                return nil
                        end
                        local best, of
                        for i = 1, n_keys do
                                if keys[i] == key then
                                        local id = pull_head(i, want)
                                        if id and keys[i] == key and (not best or tonumber(id) < tonumber(best)) then
                                                best, of = id, i
                                        end
                                end
                        end
                        if best then
                                opened[of].at = opened[of].at + 2
                                if want > 1 then
                                        pull_head(of, want)
                                end
                                return best
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
                local till = now_ms + lease_ms(line)
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
                hadd('a:' .. agent, 'used', ticket_weight(id))
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
                if agent_absent(pull.agent) or hget(k, 'closed') == '1' then
                        return false
                end
                if p == 'offline' and ARGV[16] == '1' then
                        hset(k, 'presence', 'ready')
                        hset(k, 'reason', '')
                        if not hget(k, 'idle_since') then
                                hset(k, 'idle_since', num(now_ms))
                        end
                        journal('came', '', '', pull.agent, pull.agent, '')
                        p = 'ready'
                end
                return p == 'ready'
        end

        local function take_class(id)
                local class, g = hget('t:' .. id, 'class') or '', pull.groups
                for _ = 1, tonumber(ARGV[g - 1]) do
                        local n = tonumber(ARGV[g + 2])
                        for i = g + 3, g + 2 + n do
                                if ARGV[i] == class then
                                        return hnum('t:' .. id, 'v') <= tonumber(ARGV[g])
                                end
                        end
                        g = g + 3 + n
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

        local function pull_choose(n, used)
                local ids = {}
                if ARGV[8] ~= '' then
                        if used < pull.holds then
                                ids[1] = ARGV[8]
                        end
                        return ids
                end
                pull_candidates()
                while #ids < n and used < pull.holds do
                        local id = pull_best(n - #ids)
                        if not id then
                                break
                        end
                        if not ticket_load(id) then
                                refuse('BADKEY', 't:' .. id .. ' is missing: run helpline fsck')
                        end
                        ids[#ids + 1] = id
                        used = used + ticket_weight(id)
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
                if ARGV[8] == '' and hnum('a:' .. pull.agent, 'wrap_until') > now_ms then
                        used = math.max(used, pull.holds)
                end
                local ids = pull_choose(pull.count, used)
                for i = 1, #ids do
                        if hashes['t:' .. ids[i]].old.state == 'queued' and hashes['t:' .. ids[i]].old.own ~= '1' and
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
                pull_heads(asked) -- read now: after finish() nothing is
                finish()
                return pull_answer(#ids > 0 and 'TAKEN' or used >= pull.holds and 'FULL' or 'NOTHING', ids,
                    pull_heads(asked))
        end
end
