-- Reads that must be one round trip and of one moment. They write nothing.
--
--     facts  now daemon  digest sender also recent  n ticket ...  n mid_hash ...  n tag since ...
--            -> OK duplicate customer name {id, fields, ...} {ticket of each mid} {recent ids} {counts}
--               {merged id, the one it is part of, ...}
--               {how many were tagged so since then}
--            recent: so many of the customer's newest tickets are told too
--     read   now daemon  idem ticket n_messages before log  thread before_id
--            -> OK exists fields class_text {customer fields} {messages} {log} {delivery pairs} idem
--               {part, customer, ...} levels
--            thread: with what was merged into it, by time, less what was split off; else
--            exactly its own, the newest or those before that number
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
                local aliases = {}
                local function add(asked)
                        local id = follow(asked)
                        if id ~= asked then
                                aliases[#aliases + 1] = asked
                                aliases[#aliases + 1] = id
                        end
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
                return {'OK', seen and string.match(seen, '^%S+') or '', customer, name or '', found, mids, recent, counts, aliases}
        end

        -- The ticket and all that were merged into it: {id, nm, moved = {number = true}}.
        local function parts_of(id, t, parts, level)
                local moved, n = {}, 0
                for m in string.gmatch(t.moved or '', '"(%d+):') do
                        moved[tonumber(m)] = true
                        n = n + 1
                end
                parts[#parts + 1] = {id = id, nm = tonumber(t.nm or '0') or 0, moved = moved, cust = t.cust or ''}
                parts.shown = (parts.shown or 0) + parts[#parts].nm - n
                parts.levels = math.max(parts.levels or 0, level)
                if (t.origin or '') ~= '' then
                        parts[#parts + 1] = {id = string.match(t.origin, '^%d+'), cust = t.cust or '', is_origin = true,
                            nm = tonumber(string.match(t.origin, '%d+$')), only = true, moved = {}}
                        parts.shown = parts.shown + 1
                end
                for child in string.gmatch(t.merged or '', '"(%d+)"') do
                        if #parts < 50 and level < 8 then
                                local f = call('HMGET', P .. 't:' .. child, 'nm', 'moved', 'merged', 'origin', 'cust')
                                parts_of(child, {nm = f[1] or nil, moved = f[2] or nil, merged = f[3] or nil,
                                    origin = f[4] or nil, cust = f[5] or nil}, parts, level + 1)
                        end
                end
                return parts
        end

        local function doc_time(doc)
                return string.match(doc, '"received_at":"([^"]*)"') or ''
        end

        -- One part from its newest message back, a few at a time. at: the number of the next.
        local function part_fill(part)
                while part.head == nil do
                        if part.at < 1 then
                                part.head = false
                                return
                        end
                        if not part.page or part.at < part.page_first then
                                part.page_first = part.only and part.at or math.max(1, part.at - 19)
                                part.page = call('LRANGE', P .. 't:' .. part.id .. ':m', num(part.page_first - 1),
                                    num(part.at - 1))
                        end
                        local doc = part.page[part.at - part.page_first + 1]
                        if doc and not part.moved[part.at] then
                                part.head, part.time = doc, doc_time(doc)
                        end
                        part.at = part.only and 0 or part.at - 1
                end
        end

        -- The newest of all parts' heads; equal ones: the later part's.
        local function parts_newest(parts)
                local best
                for _, part in ipairs(parts) do
                        part_fill(part)
                        if part.head and (not best or part.time >= best.time) then
                                best = part
                        end
                end
                return best
        end

        -- n messages, oldest first; before: older than that one in this order.
        local function thread_of(parts, n, before)
                local list, found = {}, before == ''
                for _, part in ipairs(parts) do
                        part.at = part.nm
                end
                while #list < n do
                        local part = parts_newest(parts)
                        if not part then
                                break
                        end
                        if found then
                                table.insert(list, 1, part.head)
                        elseif string.find(part.head, '"id":"' .. before .. '"', 1, true) then
                                found = true
                        end
                        part.head = nil
                end
                return list
        end

        local function own_messages(id, n, before, nm)
                local last = (before > 0 and before - 1 or nm) - 1
                return last < 0 and {} or call('LRANGE', P .. 't:' .. id .. ':m', num(math.max(0, last - n + 1)), num(last))
        end

        function reading.read()
                local id, n, before = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
                local idem = ARGV[4] ~= '' and call('GET', P .. 'idem:' .. ARGV[4]) or ''
                local flat = call('HGETALL', P .. 't:' .. id)
                if #flat == 0 then
                        return {'OK', '0', {}, '', {}, {}, {}, {}, idem, {}, '0'}
                end
                local t = {}
                for i = 1, #flat, 2 do
                        t[flat[i]] = flat[i + 1]
                end
                local parts, told = parts_of(id, t, {}, 0), {}
                local messages, logs, delivery = {}, {}, {}
                flat[#flat + 1] = 'n_shown'
                flat[#flat + 1] = num(parts.shown)
                if n > 0 and ARGV[9] == '1' and (#parts > 1 or (t.moved or '[]') ~= '[]') then
                        messages = thread_of(parts, n, ARGV[10])
                elseif n > 0 then
                        local number = ARGV[9] == '1' and tonumber(string.match(ARGV[10], '%d+$') or '0') or before
                        messages = own_messages(id, n, number, parts[1].nm)
                end
                for i, part in ipairs(parts) do
                        if n > 0 and not part.is_origin then
                                for _, word in ipairs(call('HGETALL', P .. 't:' .. part.id .. ':d')) do
                                        delivery[#delivery + 1] = word
                                end
                        end
                        if i > 1 and not part.is_origin then
                                told[#told + 1] = part.id
                                told[#told + 1] = part.cust
                        end
                end
                if ARGV[8] == '1' then
                        logs = call('LRANGE', P .. 't:' .. id .. ':log', '0', '-1')
                end
                local class = call('HGET', P .. 'class', t.class or '') or ''
                local customer = (t.cust or '') ~= '' and call('HGETALL', P .. 'cust:' .. t.cust) or {}
                return {'OK', '1', flat, class, customer, messages, logs, delivery, idem, told, num(parts.levels)}
        end

        function reading.stats()
                local heads = call('HGETALL', P .. 'head')
                local ids, classes = {}, {}
                for i = 1, #heads, 2 do
                        ids[#ids + 1] = heads[i]
                end
                for from = 1, #ids, 1000 do
                        local to = math.min(from + 999, #ids)
                        local texts = call('HMGET', P .. 'class', unpack(ids, from, to))
                        for i = from, to do
                                classes[#classes + 1] = ids[i]
                                classes[#classes + 1] = texts[i - from + 1] or ''
                        end
                end
                return {'OK', call('HGETALL', P .. 'n'), heads, classes, call('ZCARD', P .. 'obdue'),
                        call('ZCARD', P .. 'dead'), call('HGET', P .. 'meta', 'live') or '0'}
        end
end
