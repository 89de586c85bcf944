-- Small verbs: agents, tokens, the outbox by hand, live, quarantine.
--
--     presence now daemon  agent ready|away|offline reason who   -> OK ... more
--     absent   now daemon  agent from until deputy who           -> OK
--     moved    now daemon  agent until                           -> OK
--     agents   now daemon  [agent holds deputy closed] ...              -> OK
--     grace    now daemon  agent bot at                          -> OK
--     token    now daemon  id agent sha256 name created          -> OK
--     untoken  now daemon  id                                    -> OK|NOSUCH
--     tokused  now daemon  id                                    -> OK|NOSUCH
--     live     now daemon  1|0 who                               -> OK
--     retry    now daemon  entry who                             -> OK|NOSUCH
--     unquar   now daemon  id who                                -> OK|NOSUCH

if not changing[verb] then
        function changing.presence()
                local agent, p = ARGV[4], ARGV[5]
                local k = 'a:' .. agent
                load_hash(k)
                local was, more = hget(k, 'presence') or 'offline', false
                hset(k, 'presence', p)
                hset(k, 'reason', ARGV[6])
                if p == 'ready' then
                        if hget(k, 'absent') == '1' or agent_absent(agent) then -- he is here again, sooner than said
                                absence_over(agent, ARGV[7])
                                hset(k, 'presence', p)
                        end
                        if was ~= 'ready' then
                                hset(k, 'idle_since', num(now_ms))
                                journal('came', '', '', agent, ARGV[7], '')
                        end
                        if hnum(k, 'wrap_until') > 0 then -- he needs no pause
                                hset(k, 'wrap_until', '0')
                                due('wrap', agent, nil)
                        end
                        hint('a:' .. agent)
                elseif p ~= was and was ~= 'offline' then
                        journal('went', '', '', agent, ARGV[7], ARGV[6])
                end
                if p == 'offline' then
                        more = own_fall_back(agent) == 100
                end
                finish()
                return {'OK', hintseq(), hints, more and '1' or '0'}
        end

        function changing.absent()
                local agent, from, till = ARGV[4], int(ARGV[5], 'from'), int(ARGV[6], 'until')
                local k = 'a:' .. agent
                load_hash(k)
                if till <= now_ms or till <= from then
                        absence_over(agent, ARGV[8])
                        finish()
                        return {'OK', hintseq(), hints}
                end
                if hget(k, 'absent') == '1' and from > now_ms then
                        absence_over(agent, ARGV[8])
                end
                hset(k, 'absent_from', num(from))
                hset(k, 'absent_until', num(till))
                hset(k, 'absent_deputy', ARGV[7])
                hdel(k, 'absent_moved')
                due('absent', agent, math.max(from, 1))
                journal('changed', '', '', agent, ARGV[8], 'absent from ' .. rfc3339(from) .. ' until ' .. rfc3339(till))
                hint('a:' .. agent)
                finish()
                return {'OK', hintseq(), hints}
        end

        -- All that he had has been handed on (of this absence: until tells which).
        function changing.moved()
                local k = 'a:' .. ARGV[4]
                load_hash(k)
                if hget(k, 'absent_until') == ARGV[5] then
                        hset(k, 'absent_moved', '1')
                end
                finish()
                return {'OK', hintseq(), {}}
        end

        -- Outside his hours he is given nothing new, whatever his presence; when they begin he is
        -- asked by himself.
        local function agent_hours(agent, closed)
                local k = 'a:' .. agent
                if (hget(k, 'closed') or '0') == closed then
                        return
                end
                hset(k, 'closed', closed)
                if hget(k, 'presence') == 'ready' then
                        journal(closed == '1' and 'went' or 'came', '', '', agent, 'helpline',
                            closed == '1' and 'his hours are over' or 'his hours begin')
                end
                if closed == '0' then
                        hint('a:' .. agent)
                end
        end

        -- What of the agents that are declared concerns the store; a chunk of them.
        function changing.agents()
                for i = 4, #ARGV, 4 do
                        local k = 'a:' .. ARGV[i]
                        load_hash(k)
                        agent_hours(ARGV[i], ARGV[i + 3])
                        hset(k, 'holds', ARGV[i + 1])
                        hset(k, 'deputy', ARGV[i + 2])
                end
                finish()
                return {'OK', hintseq(), hints}
        end

        function changing.grace()
                local agent, at = ARGV[4], int(ARGV[6], 'at')
                local k = 'a:' .. agent
                hset(k, 'grace_until', num(at))
                hset(k, 'grace_bot', ARGV[5])
                due('grace', agent, at > 0 and at or nil)
                hget(k, 'grace_until')
                finish()
                return {'OK', hintseq(), {}}
        end

        function changing.token()
                local id, agent = ARGV[4], ARGV[5]
                local k = 'tok:' .. id
                load_hash(k)
                hset(k, 'agent', agent)
                hset(k, 'sha256', ARGV[6])
                hset(k, 'name', ARGV[7])
                hset(k, 'created', ARGV[8])
                hset(k, 'used', '0')
                write('SADD', 'toks', id)
                write('SADD', 'toks:' .. agent, id)
                finish()
                return {'OK', hintseq(), {}}
        end

        function changing.untoken()
                local id = ARGV[4]
                local h = load_hash('tok:' .. id)
                if not h.exists then
                        return {'NOSUCH', hintseq(), {}}
                end
                h.gone = true
                write('SREM', 'toks', id)
                write('SREM', 'toks:' .. (h.old.agent or ''), id)
                finish()
                return {'OK', hintseq(), {}}
        end

        function changing.live()
                if (hget('meta', 'live') or '0') ~= ARGV[4] then
                        hset('meta', 'live', ARGV[4])
                        journal('changed', '', '', '', ARGV[5], ARGV[4] == '1' and 'live' or 'rehearsal')
                end
                finish()
                return {'OK', hintseq(), {}}
        end

        function changing.retry()
                local n = ARGV[4]
                if not entry_load(n) then
                        return {'NOSUCH', hintseq(), {}}
                end
                local k = 'ob:' .. n
                if hget(k, 'state') == 'claimed' and hnum(k, 'next') > now_ms then
                        refuse('STATE', 'entry ' .. n .. ' is being sent now')
                end
                if hget(k, 'bounced') == '1' then
                        entry_again(n)
                end
                hset(k, 'state', 'queued')
                hset(k, 'tries', '0')
                hset(k, 'next', num(now_ms))
                write('ZREM', 'dead', n)
                write('ZADD', 'obdue', num(now_ms), n)
                journal('changed', hget(k, 'ticket') or '', '', '', ARGV[5], 'outbox entry ' .. n .. ' again')
                finish()
                return {'OK', hintseq(), {}}
        end

        function changing.unquar()
                local n = ARGV[4]
                local h = load_hash('quar:' .. n)
                if not h.exists then
                        return {'NOSUCH', hintseq(), {}}
                end
                h.gone = true
                write('ZREM', 'quarantine', n)
                journal('changed', h.old.ticket or '', '', '', ARGV[5], 'quarantined ' .. n .. ' dropped')
                finish()
                return {'OK', hintseq(), {}}
        end

        function changing.tokused()
                local k = 'tok:' .. ARGV[4]
                if not load_hash(k).exists then
                        return {'NOSUCH', hintseq(), {}}
                end
                hset(k, 'used', num(now_ms))
                finish()
                return {'OK', hintseq(), {}}
        end
end
