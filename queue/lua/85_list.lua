-- Lists of tickets: LIST and QUEUE. They write nothing, and look at a bounded number of
-- tickets a call: a page may be empty before the end.
--
--     list   now daemon  agent state line cursor count  customer tag who  n hidden...
--            -> OK cursor {ids}      agent: what he holds; customer: his id, address or
--               number; hidden: lines whose tickets are not told, but to their holder who
--     queue  now daemon  line count  n agent...
--            -> OK {ids}             what waits there, as it would be given; agents whose own
--               queues are looked at too
--     asked  now daemon  agent n line... other...
--            -> OK {ids}             where something is asked of the agent, of a line, or of
--               who is absent and has him as deputy

if verb == 'list' or verb == 'queue' or verb == 'asked' then
        local LOOK = 500

        local function contains(json, word)
                return string.find(json, quote(word), 1, true) ~= nil
        end

        -- Which tickets belong into the list.
        local function list_filter()
                local state, line, customer, tag, who = ARGV[5], ARGV[6], ARGV[9], ARGV[10], ARGV[11]
                local hidden = {}
                for i = 13, 12 + int(ARGV[12], 'n') do
                        hidden[ARGV[i]] = true
                end
                return function(id)
                        local f = call('HMGET', P .. 't:' .. id, 'state', 'line', 'holder', 'cust', 'tags')
                        if not f[1] or (state == '' and (f[1] == 'resolved' or f[1] == 'closed' or f[1] == 'merged')) or
                            (state ~= '' and f[1] ~= state) then
                                return false
                        end
                        return (line == '' or f[2] == line) and (customer == '' or f[4] == customer) and
                            (tag == '' or contains(f[5] or '', tag)) and
                            (not hidden[f[2]] or (who ~= '' and f[3] == who))
                end
        end

        -- By number; a set of what one holds is small.
        local function list_held(agent, cursor)
                local ids = {}
                for _, id in ipairs(call('SMEMBERS', P .. 'held:' .. agent)) do
                        if tonumber(id) > cursor then
                                ids[#ids + 1] = id
                        end
                end
                table.sort(ids, function(a, b)
                        return tonumber(a) < tonumber(b)
                end)
                return ids
        end

        function reading.list()
                local state, cursor, count = ARGV[5], int(ARGV[7], 'cursor'), int(ARGV[8], 'count')
                local customer = ARGV[9]
                if string.find(customer, '[@+]') then
                        ARGV[9] = call('GET', P .. 'addr:' .. customer) or '?'
                        customer = ARGV[9]
                end
                local page, whole
                if ARGV[4] ~= '' then
                        page, whole = list_held(ARGV[4], cursor), true
                else
                        local key = (state == 'closed' or state == 'merged') and 'closed' or 'open'
                        if customer ~= '' then
                                key = 'cust:' .. customer .. ':t'
                        end
                        page = call('ZRANGEBYSCORE', P .. key, '(' .. num(cursor), '+inf', 'LIMIT', '0', num(LOOK))
                        whole = #page < LOOK
                end
                local ids, wanted = {}, list_filter()
                for i, id in ipairs(page) do
                        if wanted(id) then
                                ids[#ids + 1] = id
                        end
                        if #ids == count and not (whole and i == #page) then
                                return {'OK', id, ids}
                        end
                end
                return {'OK', whole and '0' or page[#page], ids}
        end

        -- The queues in which tickets of the line wait, each with its first v.
        local function queues_of(line)
                local list, begins = {}, '"lines":[' .. quote(line)
                local heads = call('HGETALL', P .. 'head')
                for i = 1, #heads, 2 do
                        local text = call('HGET', P .. 'class', heads[i])
                        if text and string.find(text, begins, 1, true) then
                                list[#list + 1] = {key = 'q:' .. heads[i], v = tonumber(heads[i + 1])}
                        end
                end
                for i = 7, 6 + int(ARGV[6], 'n') do
                        list[#list + 1] = {key = 'own:' .. ARGV[i], line = line}
                end
                return list
        end

        local function by_v(a, b)
                return a.v < b.v or (a.v == b.v and a.m < b.m)
        end

        function reading.queue()
                local line, count = ARGV[4], int(ARGV[5], 'count')
                local found, ids = {}, {}
                for _, q in ipairs(queues_of(line)) do
                        local last = found[count]
                        if not (last and q.v and q.v > last.v) then
                                local flat = call('ZRANGE', P .. q.key, '0', num(count - 1), 'WITHSCORES')
                                for i = 1, #flat, 2 do
                                        if not q.line or call('HGET', P .. 't:' .. unpad(flat[i]), 'line') == line then
                                                found[#found + 1] = {m = flat[i], v = tonumber(flat[i + 1])}
                                        end
                                end
                                table.sort(found, by_v)
                                for i = count + 1, #found do
                                        found[i] = nil
                                end
                        end
                end
                for i, f in ipairs(found) do
                        ids[i] = unpad(f.m)
                end
                return {'OK', ids}
        end

        -- The ticket a message is shown on now.
        local function ticket_now(message)
                local id = string.match(message, '^%d+')
                for _ = 1, 5 do
                        local f = call('HMGET', P .. 't:' .. id, 'state', 'merged_into')
                        if f[1] ~= 'merged' then
                                return f[1] and f[1] ~= 'closed' and id
                        end
                        id = f[2]
                end
                return false
        end

        function reading.asked()
                local me, n, seen, ids = ARGV[4], int(ARGV[5], 'n'), {}, {}
                now_ms = math.floor(int(ARGV[2], 'now') / 1000)
                local function take(key)
                        for _, m in ipairs(call('ZRANGE', P .. 'asked:' .. key, '0', '99')) do
                                local id = ticket_now(m)
                                if id and not seen[id] and #ids < 100 then
                                        seen[id] = true
                                        ids[#ids + 1] = id
                                end
                        end
                end
                take('a:' .. me)
                for i = 6, 5 + n do
                        take('l:' .. ARGV[i])
                end
                for i = 6 + n, #ARGV do
                        if agent_absent(ARGV[i]) and agent_stand_in(ARGV[i]) == me then
                                take('a:' .. ARGV[i])
                        end
                end
                return {'OK', ids}
        end
end
