-- commit: any other change of a ticket, as queue/ticket.c decided it.
--
--     commit now daemon  ticket version bump  idem idem_hash idem_ms answer nonce  steps...
--
-- Guard: the version it was decided on. A repeat is known by its key (24 h), or by the
-- nonce of the last commit on the ticket when the answer was lost on the way to
-- the daemon. Without a key, what the command was and what was answered is kept
-- on the ticket until something else happens to it.
-- Answers OK|STALE|NOSUCH hintseq hints message, or STORED hintseq hints hash answer.

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

        function changing.commit()
                local id = ARGV[4]
                local k = 't:' .. id
                if ARGV[7] ~= '' then
                        local value = call('GET', P .. 'idem:' .. ARGV[7])
                        if value then
                                return commit_stored(value)
                        end
                end
                if not ticket_load(id) then
                        return {'NOSUCH', hintseq(), {}, ''}
                end
                if hget(k, 'nonce') == ARGV[11] then
                        return {'OK', hintseq(), {}, ''}
                end
                if hget(k, 'ver') ~= ARGV[5] then
                        return {'STALE', hintseq(), {}, ''}
                end
                if ARGV[6] == '1' then
                        ticket_bump(id)
                end
                hset(k, 'nonce', ARGV[11])
                local message = run_steps(id, 12)
                blame(id)
                commit_remember(k)
                finish()
                return {'OK', hintseq(), hints, message}
        end
end
