-- tick: turns what is due into state, journal and outbox.
--
--     tick now daemon  n_claims claim_ms own_ms nonce
--
-- At most 100 clocks and about 100 tickets a call; `more` says that more is due.
-- After an outage (no tick for over 80 s) leases and graces that have ended wait one
-- grace more: nobody could have renewed them.
-- The nonce stays the same until its answer has arrived: then what it claimed is told
-- again, or those entries would wait for the end of a claim nobody knows of.
-- Clocks that count open time are the daemon's: their tickets are told, again and again
-- until a commit has set the clock on (KEY_CLOCK).
-- Answers OK hintseq hints n_done more {ticket...} entry...

if verb == 'tick' then
        local TICK_MAX = 100
        local GRACE_MS = 120000

        local turn = {}

        -- A lease has ended: back to its old place, the holder skips it for a while.
        function turn.lease(id)
                local k = 't:' .. id
                if not ticket_load(id) or hget(k, 'state') ~= 'held' then
                        return 0
                end
                local till = hnum(k, 'lease_until')
                if till > now_ms then
                        due('lease', id, till)
                        return 0
                end
                local agent = hget(k, 'holder') or ''
                hadd(k, 'expired', 1)
                give_back(id, 'expired')
                skip_add(agent, id, now_ms + SKIP_MS)
                blame(id)
                return 1
        end

        -- He has not named it for half of its lease: somebody may want to look.
        function turn.half(id)
                local k = 't:' .. id
                if not ticket_load(id) or hget(k, 'state') ~= 'held' then
                        return 0
                end
                journal('changed', id, hget(k, 'line') or '', hget(k, 'holder') or '', 'helpline',
                    'half of its lease is over')
                return 1
        end

        function turn.own(id)
                local k = 't:' .. id
                if not ticket_load(id) or hget(k, 'state') ~= 'queued' or hget(k, 'own') ~= '1' then
                        return 0
                end
                fall_back(id, hget(k, 'owner') or '')
                return 1
        end

        -- The date has come.
        function turn.wait(id)
                local k = 't:' .. id
                if not ticket_load(id) or hget(k, 'state') ~= 'waiting' then
                        return 0
                end
                local own_ms = hnum(k, 'keep')
                own_ms = own_ms > 0 and own_ms or tonumber(ARGV[6])
                hset(k, 'state', 'queued')
                hset(k, 'queued', num(now_ms))
                hset(k, 'until', '0')
                if (hget(k, 'clocks') or '') ~= '' then
                        clock_set(id, now_ms) -- what stood still runs on
                end
                enter_own(id, own_ms > 0 and hget(k, 'owner') or '', hget(k, 'class') or '', hnum(k, 'v'),
                    now_ms + own_ms)
                ticket_bump(id)
                log(id, 'date', '')
                journal('queued', id, hget(k, 'line') or '', '', 'helpline', 'its date has come')
                return 1
        end

        -- The pause after what he has finished is over.
        function turn.wrap(agent)
                if hnum('a:' .. agent, 'wrap_until') > 0 then
                        hset('a:' .. agent, 'wrap_until', '0')
                        hint('a:' .. agent)
                end
                return 0
        end

        function turn.close(id)
                local k = 't:' .. id
                if not ticket_load(id) or hget(k, 'state') ~= 'resolved' then
                        return 0
                end
                hset(k, 'state', 'closed')
                hadd('cref', hget(k, 'class') or '', -1)
                write('ZREM', 'open', id)
                write('ZADD', 'closed', id, id)
                ticket_bump(id)
                log(id, 'closed', '')
                journal('changed', id, hget(k, 'line') or '', '', 'helpline', 'closed')
                return 1
        end

        -- His last connection has been gone for a while.
        function turn.grace(agent)
                local k = 'a:' .. agent
                load_hash(k)
                local at = hnum(k, 'grace_until')
                if at == 0 then
                        return 0
                elseif at > now_ms then
                        due('grace', agent, at)
                        return 0
                end
                local bot, n = hget(k, 'grace_bot') == '1', 0
                for _, id in ipairs(call('SMEMBERS', P .. 'held:' .. agent)) do
                        if ticket_load(id) and hget('t:' .. id, 'state') == 'held' and
                            hget('t:' .. id, 'holder') == agent and
                            (bot or (hget('t:' .. id, 'untaken') or '') ~= '') then
                                if n == TICK_MAX then
                                        due('grace', agent, now_ms)
                                        return n
                                end
                                give_back(id, bot and 'grace' or 'never taken up')
                                n = n + 1
                        end
                end
                hset(k, 'grace_until', '0')
                if bot and hget(k, 'presence') ~= 'offline' then
                        hset(k, 'presence', 'offline')
                        journal('went', '', '', agent, 'helpline', 'its connection is gone')
                end
                return n
        end

        -- A holiday begins: he counts as away, his own queue falls back in chunks, and the
        -- daemon hands on what he has ("absent" until it says that this is done). Or it ends.
        function turn.absent(agent)
                local k = 'a:' .. agent
                load_hash(k)
                local from, till = hnum(k, 'absent_from'), hnum(k, 'absent_until')
                if from == 0 then
                        return 0
                elseif from > now_ms then
                        due('absent', agent, from)
                        return 0
                end
                hint('a:' .. agent)
                if till <= now_ms then
                        absence_over(agent, 'helpline')
                        return 1
                end
                if hget(k, 'absent') ~= '1' then
                        hset(k, 'absent', '1')
                        hset(k, 'presence', 'away')
                        hset(k, 'reason', 'absent')
                        journal('went', '', '', agent, 'helpline', 'absent until ' .. rfc3339(till))
                end
                local n = own_fall_back(agent)
                due('absent', agent, n < TICK_MAX and till or now_ms)
                return n + 1
        end

        -- After an outage: until when do leases and graces wait? 0: no outage.
        local function tick_pause()
                local last = hnum('meta', 'ticked')
                if now_ms - last > 20000 then
                        hset('meta', 'ticked', num(now_ms))
                end
                if last > 0 and now_ms - last > 80000 and hget('meta', 'sim') ~= '1' then
                        hset('meta', 'pause', num(now_ms + GRACE_MS))
                end
                local till = hnum('meta', 'pause')
                return till > now_ms and till or 0
        end

        -- Another daemon ticks than before: what the old one had claimed is free, for its
        -- helpers have died with it.
        local function tick_free_claims()
                if (hget('meta', 'ticker') or '') == ARGV[3] then
                        return
                end
                hset('meta', 'ticker', ARGV[3])
                local till = num(now_ms + tonumber(ARGV[5]))
                local list = call('ZRANGEBYSCORE', P .. 'obdue', '(' .. num(now_ms), till, 'LIMIT', '0', '1000')
                for _, e in ipairs(list) do
                        if entry_load(e) and hget('ob:' .. e, 'state') == 'claimed' then
                                hset('ob:' .. e, 'state', 'queued')
                                hset('ob:' .. e, 'next', num(now_ms))
                                write('ZADD', 'obdue', num(now_ms), e)
                        end
                end
        end

        -- What the same tick has claimed, its answer lost.
        local function tick_claim_again(answer)
                for e in string.gmatch(hget('meta', 'claims') or '', '%d+') do
                        if entry_load(e) and hget('ob:' .. e, 'state') == 'claimed' then
                                answer[#answer + 1] = e
                        end
                end
        end

        local function tick_claim(answer)
                local n, nonce = tonumber(ARGV[4]), ARGV[7] or ''
                if n == 0 or hget('meta', 'live') ~= '1' then
                        return
                end
                if nonce ~= '' and hget('meta', 'claimed_by') == nonce then
                        tick_claim_again(answer)
                        return
                end
                local till = now_ms + tonumber(ARGV[5])
                local list = call('ZRANGEBYSCORE', P .. 'obdue', '-inf', num(now_ms), 'LIMIT', '0', num(n))
                for _, e in ipairs(list) do
                        if entry_load(e) then
                                hset('ob:' .. e, 'state', 'claimed')
                                hadd('ob:' .. e, 'tries', 1)
                                hset('ob:' .. e, 'next', num(till))
                                write('ZADD', 'obdue', num(till), e)
                                answer[#answer + 1] = e
                        else
                                write('ZREM', 'obdue', e)
                        end
                end
                if #answer > 6 then
                        hset('meta', 'claimed_by', nonce)
                        hset('meta', 'claims', table.concat(answer, ' ', 7))
                end
        end

        -- Tickets whose clock has come; of what is gone the clock goes too.
        local function tick_clocks()
                local list = {}
                for _, id in ipairs(call('ZRANGEBYSCORE', P .. 'clock', '-inf', num(now_ms), 'LIMIT', '0', '50')) do
                        if call('EXISTS', P .. 't:' .. id) == 1 then
                                list[#list + 1] = id
                        else
                                write('ZREM', 'clock', id)
                        end
                end
                return list
        end

        function changing.tick()
                local answer = {'OK', '', hints, '0', '0', {}}
                local pause = tick_pause()
                local list = call('ZRANGEBYSCORE', P .. 'due', '-inf', num(now_ms), 'LIMIT', '0', num(TICK_MAX))
                local n, more = 0, #list == TICK_MAX
                for _, m in ipairs(list) do
                        local kind, id = string.match(m, '^(%a+):(.*)$')
                        if n >= TICK_MAX then
                                more = true
                                break
                        end
                        dues[m] = false
                        if pause > 0 and (kind == 'lease' or kind == 'grace') then
                                dues[m] = pause
                                if kind == 'lease' and ticket_load(id) and hget('t:' .. id, 'state') == 'held' then
                                        hset('t:' .. id, 'lease_until', num(pause))
                                elseif kind == 'grace' then
                                        hset('a:' .. id, 'grace_until', num(pause))
                                end
                        elseif turn[kind] then
                                n = n + turn[kind](id)
                                more = more or (dues[m] and dues[m] <= now_ms)
                        end
                end
                answer[6] = tick_clocks()
                tick_free_claims()
                tick_claim(answer)
                finish()
                answer[2] = hintseq()
                answer[4] = num(n)
                answer[5] = more and '1' or '0'
                return answer
        end
end
