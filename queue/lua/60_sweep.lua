-- sweep: the janitor's chunks. Forgets classes that no open ticket names.
--
--     sweep now daemon
--
-- Answers OK hintseq hints n_forgotten.

if verb == 'sweep' then
        function changing.sweep()
                local r = call('HSCAN', P .. 'cref', hget('meta', 'sweep') or '0', 'COUNT', '100')
                local n = 0
                for i = 1, #r[2], 2 do
                        local class = r[2][i]
                        if int(r[2][i + 1], 'cref') <= 0 and call('ZCARD', P .. 'q:' .. class) == 0 then
                                write('HDEL', 'cref', class)
                                write('HDEL', 'class', class)
                                n = n + 1
                        end
                end
                hset('meta', 'sweep', r[1])
                finish()
                return {'OK', hintseq(), {}, num(n)}
        end
end
