-- commit: any other change of a ticket, as queue/ticket.c decided it.
--
--     commit now daemon  ticket version bump  idem idem_hash idem_ms answer nonce  steps...
--
-- Guard: the version it was decided on. A repeat is known by its key (24 h), or by the
-- nonce of the last commit on the ticket when the answer was lost on the way to
-- the daemon. Without a key, what the command was and what was answered is kept
-- on the ticket until something else happens to it.
-- A step + goes on with another ticket, which has its own guard; "" makes a new one. All
-- guards are looked at before the first step, so several tickets change together or none.
-- Answers OK|STALE|NOSUCH hintseq hints message made, or STORED hintseq hints hash answer.

if verb == 'commit' then
        local function commit_stored(value)
                local h, answer = string.match(value, '^([^\n]*)\n(.*)$')
                return {'STORED', hintseq(), {}, h or '', answer or ''}
        end

        local function commit_remember(k)
                if ARGV[7] ~= '' then
                        write('SET', 'idem:' .. ARGV[7], ARGV[8] .. '\n' .. ARGV[10], 'PX', ARGV[9])
                elseif ARGV[6] == '1' and ARGV[8] ~= '' then
                        hset(k, 'last_cmd', ARGV[8])
                        hset(k, 'last_ans', ARGV[10])
                        hset(k, 'last_cmd_at', num(now_ms))
                end
        end

        -- The tickets it touches, each with its guard and its steps.
        local function commit_parts()
                local parts = {{id = ARGV[4], ver = ARGV[5], bump = ARGV[6], first = 12}}
                local behind = steps_end(12)
                while behind <= #ARGV do
                        parts[#parts].behind = behind
                        parts[#parts + 1] = {id = ARGV[behind + 1], ver = ARGV[behind + 2], bump = ARGV[behind + 3],
                            first = behind + 4}
                        behind = steps_end(behind + 4)
                end
                parts[#parts].behind = behind
                return parts
        end

        -- A new ticket: its number stands wherever "$ticket$" does.
        local function commit_birth(part)
                local id = num(hadd('meta', 'next_ticket', 1))
                if ticket_load(id) then
                        refuse('BADKEY', 't:' .. id .. ' exists already: run helpline fsck')
                end
                tickets[id] = true
                hset('t:' .. id, 'ver', '1')
                part.id, part.bump = id, '0'
                for i = 10, #ARGV do
                        ARGV[i] = string.gsub(ARGV[i], '%$ticket%$', id)
                end
                return id
        end

        function changing.commit()
                local k = 't:' .. ARGV[4]
                if ARGV[7] ~= '' then
                        local value = call('GET', P .. 'idem:' .. ARGV[7])
                        if value then
                                return commit_stored(value)
                        end
                end
                if not ticket_load(ARGV[4]) then
                        return {'NOSUCH', hintseq(), {}, '', ''}
                end
                if hget(k, 'nonce') == ARGV[11] then
                        return {'OK', hintseq(), {}, '', hget(k, 'made') or ''}
                end
                local parts, made = commit_parts(), ''
                for _, part in ipairs(parts) do
                        if part.id == '' then
                                made = commit_birth(part)
                        elseif not ticket_load(part.id) or hget('t:' .. part.id, 'ver') ~= part.ver then
                                return {'STALE', hintseq(), {}, '', ''}
                        end
                end
                hset(k, 'nonce', ARGV[11])
                if made ~= '' then
                        hset(k, 'made', made)
                end
                local message
                for i, part in ipairs(parts) do
                        if part.bump == '1' then
                                ticket_bump(part.id)
                        end
                        local new = run_steps(part.id, part.first, part.behind)
                        message = i == 1 and new or message
                end
                blame(ARGV[4])
                commit_remember(k)
                finish()
                return {'OK', hintseq(), hints, message, made}
        end
end
