-- sweep: the janitor's chunks. Forgets classes that no open ticket names, and calendars that
-- no class names.
--
--     sweep now daemon
--
-- Answers OK hintseq hints class...

if verb == 'sweep' then
        local function forget_class(class)
                local calendar = class_calendar(hget('class', class) or '')
                hdel('cref', class)
                hdel('class', class)
                if calendar and hadd('calref', calendar, -1) <= 0 then
                        hdel('calref', calendar)
                        hdel('cal', calendar)
                end
        end

        function changing.sweep()
                local r = call('HSCAN', P .. 'cref', hget('meta', 'sweep') or '0', 'COUNT', '100')
                local answer = {'OK', '', {}}
                for i = 1, #r[2], 2 do
                        local class = r[2][i]
                        if int(r[2][i + 1], 'cref') <= 0 and call('ZCARD', P .. 'q:' .. class) == 0 then
                                forget_class(class)
                                answer[#answer + 1] = class
                        end
                end
                hset('meta', 'sweep', r[1])
                finish()
                answer[2] = hintseq()
                return answer
        end
end
