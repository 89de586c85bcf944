-- Reads that must be one round trip and of one moment. They write nothing.
--
--     facts  now daemon  digest sender also recent  n ticket ...  n mid_hash ...  n tag since ...
--            -> OK duplicate customer name {id, fields, ...} {ticket of each mid} {recent ids}
--               {how many were tagged so since then}
--            recent: so many of the customer's newest tickets are told too
--     read   now daemon  idem ticket n_messages before log
--            -> OK exists fields class_text {customer fields} {messages} {log} {delivery pairs} idem
--     stats  now daemon
--            -> OK {n pairs} {head pairs} {class pairs} n_outbox n_dead live

if not changing[verb] then
        local function follow(id)
                for _ = 1, 5 do
                        local into = call('HGET', P .. 't:' .. id, 'merged_into')
                        if not into or into == '' then
                                break
                        end
                        id = into
                end
                return id
        end

        local function customer_of(key)
                return key ~= '' and call('GET', P .. 'addr:' .. key) or ''
        end

        function reading.facts()
                local seen = ARGV[4] ~= '' and call('GET', P .. 'seen:' .. ARGV[4])
                local customer = customer_of(ARGV[5])
                if customer == '' then
                        customer = customer_of(ARGV[6])
                end
                local name = customer ~= '' and call('HGET', P .. 'cust:' .. customer, 'name') or ''
                local found, known, mids, recent = {}, {}, {}, {}
                local function add(id)
                        id = follow(id)
                        if not known[id] then
                                known[id] = true
                                local flat = call('HGETALL', P .. 't:' .. id)
                                if #flat > 0 then
                                        found[#found + 1] = id
                                        found[#found + 1] = flat
                                end
                        end
                        return id
                end
                local n = tonumber(ARGV[8])
                for i = 9, 8 + n do
                        add(ARGV[i])
                end
                for i = 10 + n, 9 + n + tonumber(ARGV[9 + n]) do
                        local id = call('GET', P .. 'mid:' .. ARGV[i])
                        mids[#mids + 1] = id and add(id) or ''
                end
                local counts, first = {}, 10 + n + tonumber(ARGV[9 + n])
                for i = first + 1, first + 2 * tonumber(ARGV[first]), 2 do
                        counts[#counts + 1] = call('ZCOUNT', P .. 'tagged:' .. ARGV[i], '(' .. ARGV[i + 1], '+inf')
                end
                if customer ~= '' and ARGV[7] ~= '0' then
                        for _, id in ipairs(call('ZREVRANGE', P .. 'cust:' .. customer .. ':t', '0',
                            num(tonumber(ARGV[7]) - 1))) do
                                recent[#recent + 1] = add(id)
                        end
                end
                return {'OK', seen and string.match(seen, '^%S+') or '', customer, name or '', found, mids, recent, counts}
        end

        function reading.read()
                local id, n, before = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
                local idem = ARGV[4] ~= '' and call('GET', P .. 'idem:' .. ARGV[4]) or ''
                local flat = call('HGETALL', P .. 't:' .. id)
                if #flat == 0 then
                        return {'OK', '0', {}, '', {}, {}, {}, {}, idem}
                end
                local t = {}
                for i = 1, #flat, 2 do
                        t[flat[i]] = flat[i + 1]
                end
                local messages, logs, delivery = {}, {}, {}
                if n > 0 then
                        local last = (before > 0 and before - 1 or tonumber(t.nm or '0')) - 1
                        if last >= 0 then
                                messages = call('LRANGE', P .. 't:' .. id .. ':m', num(math.max(0, last - n + 1)), num(last))
                        end
                        delivery = call('HGETALL', P .. 't:' .. id .. ':d')
                end
                if ARGV[8] == '1' then
                        logs = call('LRANGE', P .. 't:' .. id .. ':log', '0', '-1')
                end
                local class = call('HGET', P .. 'class', t.class or '') or ''
                local customer = (t.cust or '') ~= '' and call('HGETALL', P .. 'cust:' .. t.cust) or {}
                return {'OK', '1', flat, class, customer, messages, logs, delivery, idem}
        end

        function reading.stats()
                local heads = call('HGETALL', P .. 'head')
                local classes = {}
                for i = 1, #heads, 2 do
                        classes[#classes + 1] = heads[i]
                        classes[#classes + 1] = call('HGET', P .. 'class', heads[i]) or ''
                end
                return {'OK', call('HGETALL', P .. 'n'), heads, classes, call('ZCARD', P .. 'obdue'),
                        call('ZCARD', P .. 'dead'), call('HGET', P .. 'meta', 'live') or '0'}
        end
end
