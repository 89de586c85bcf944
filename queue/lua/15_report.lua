-- What a mail system reports of one recipient of an outbox entry of ours: steps ! and ~ of
-- put (queue/change.c), and what becomes of an entry that was refused after it had left.
--
-- It is written into the delivery document of the message, t:<id>:d, as an element that
-- bears "report", the message that told it. Such an element stays whatever the outbox
-- says later of other recipients (step V), until RETRY sends to him again. So nothing of
-- a report depends on when it comes: before the entry is done with all its recipients,
-- long after, or twice.

-- The elements of a delivery document, as they stand. A reply's quotes are escaped, so
-- nobody else's words begin one.
local function deliveries_of(json)
        local list, from = {}, string.find(json, '{"address":"', 1, true)
        while from do
                local next_ = string.find(json, '{"address":"', from + 1, true)
                local piece = string.sub(json, from, next_ and next_ - 1 or #json)
                list[#list + 1] = string.match(piece, '^(.*}),?%]?$') or piece
                from = next_
        end
        return list
end

-- Where the address of an element ends: its closing quote, which is no escaped one.
local function delivery_end(element)
        local at = string.find(element, '["\\]', 13)
        while at and string.byte(element, at) == 92 do
                at = string.find(element, '["\\]', at + 2)
        end
        return at
end

-- As JSON has it: with a quote in it, it is nobody's that a report names.
local function delivery_address(element)
        local at = delivery_end(element)
        return at and string.sub(element, 13, at - 1) or ''
end

local function delivery_state(element)
        local at = delivery_end(element)
        return at and string.match(element, '^","state":"(%a*)"', at) or ''
end

local function is_reported(element)
        return string.find(element, '","report":"', 1, true) ~= nil
end

-- What the outbox says now, less what was reported since.
deliveries_merge = function(was, now)
        if not was or not string.find(was, '","report":"', 1, true) then
                return now
        end
        local list, at = deliveries_of(now), {}
        for i, element in ipairs(list) do
                at[delivery_address(element)] = i
        end
        for _, element in ipairs(deliveries_of(was)) do
                if is_reported(element) and delivery_state(element) ~= 'deferred' then
                        local i = at[delivery_address(element)] or #list + 1
                        list[i] = element
                end
        end
        return '[' .. table.concat(list, ',') .. ']'
end

local function deliveries_again(json)
        local list = deliveries_of(json)
        for i, element in ipairs(list) do
                if is_reported(element) and delivery_state(element) == 'refused' then
                        list[i] = '{"address":"' .. delivery_address(element) .. '","state":"queued","at":"' ..
                            rfc3339(now_ms) .. '","reply":""}'
                end
        end
        return '[' .. table.concat(list, ',') .. ']'
end

-- As the entry has it, which sends to all who do not have it: who is only late does.
local function deliveries_of_entry(json)
        local list = deliveries_of(json)
        for i, element in ipairs(list) do
                if is_reported(element) and delivery_state(element) == 'deferred' then
                        list[i] = string.gsub(element, '"state":"deferred"', '"state":"sent"', 1)
                end
        end
        return '[' .. table.concat(list, ',') .. ']'
end

-- It has been sent to all, but one of them was refused since: a dead letter.
entry_bounced = function(n)
        local k = 'ob:' .. n
        local dk, m = 't:' .. (hget(k, 'ticket') or '') .. ':d', hget(k, 'message') or ''
        hset(k, 'state', 'dead')
        hset(k, 'delivery', deliveries_of_entry(hget(dk, m) or '[]'))
        write('ZREM', 'obdue', n)
        write('ZADD', 'dead', num(now_ms), n)
end

-- RETRY: whom a report said to be refused is sent to once more.
local function entry_again(n)
        local k = 'ob:' .. n
        local dk, m = 't:' .. (hget(k, 'ticket') or '') .. ':d', hget(k, 'message') or ''
        local json = deliveries_again(hget(dk, m) or '[]')
        hset(dk, m, json)
        hset(k, 'delivery', deliveries_of_entry(json))
        hdel(k, 'bounced')
end

if verb == 'put' then
        -- The message that an entry carried.
        local function entry_message(dk, entry)
                for f, n in pairs(load_hash(dk).old) do
                        local m = n == entry and string.match(f, '^(%d+%.%d+):ob$')
                        if m then
                                return m
                        end
                end
                return nil
        end

        -- Whom it is about: who stands in the document, else the only one it went to (his
        -- mail was sent on to another address), else nobody we know.
        local function report_whom(list, address)
                for _, element in ipairs(list) do
                        if delivery_address(element) == address then
                                return address
                        end
                end
                return #list == 1 and delivery_address(list[1]) or nil
        end

        -- The address of a customer is marked, or no longer.
        local function report_mark(address, mark)
                local c = call('GET', P .. 'addr:' .. address)
                if address == '' or not c or not load_hash('cust:' .. c).exists then
                        return
                end
                if mark then
                        hset('cust:' .. c, 'refused:' .. address, '{"address":"' .. address .. '",' .. mark)
                else
                        hdel('cust:' .. c, 'refused:' .. address)
                end
        end

        local function report_kind(t, doc, entry)
                if string.find(hget(t, 'consults') or '', '"entry":"' .. entry .. '"', 1, true) then
                        return 'consult'
                end
                return string.find(doc, '"author":"helpline"', 1, true) and 'ask' or 'reply'
        end

        -- The entry is there again, or yet, and says so.
        local function report_entry(birth, entry, m, list, words)
                local k, t = 'ob:' .. entry, 't:' .. birth
                local all = deliveries_of_entry('[' .. table.concat(list, ',') .. ']')
                if not entry_load(entry) then
                        local doc = call('LINDEX', P .. t .. ':m', num(int(string.match(m, '%d+$'), 'message') - 1)) or ''
                        local to = {}
                        for i, element in ipairs(list) do
                                to[i] = '"' .. delivery_address(element) .. '"'
                        end
                        entries[entry] = true
                        for f, v in pairs({ticket = birth, message = m, kind = report_kind(t, doc, entry),
                            account = string.match(doc, '"account":"([^"]*)"') or '', template = '',
                            lang = hget(t, 'lang') or '', to = '[' .. table.concat(to, ',') .. ']', state = 'dead',
                            tries = '1', created = num(now_ms), next = num(now_ms)}) do
                                hset(k, f, v)
                        end
                        write('ZADD', 'dead', num(now_ms), entry)
                end
                if hget(k, 'state') == 'dead' then
                        hset(k, 'delivery', all)
                end
                hset(k, 'bounced', '1')
                hset(k, 'last', words)
        end

        -- The acknowledgement has no message; whom it went to takes part in the ticket.
        local function report_automatic(t, entry, address)
                return hget(t, 'ackob') == entry and address ~= '' and
                    string.find(hget(t, 'people') or '', '"' .. address .. '"', 1, true) and address or nil
        end

        local function report_log(id, m, words)
                local k = 't:' .. id
                local agent = hget(k, 'holder') or ''
                write('RPUSH', k .. ':log', '{"at":"' .. rfc3339(now_ms) .. '","who":"helpline","event":"refused"' ..
                    (m and ',"from":' .. quote(m) or '') .. ',"why":' .. quote(words) .. '}')
                write('LTRIM', k .. ':log', '-500', '-1')
                journal('refused', id, hget(k, 'line') or '', agent ~= '' and agent or hget(k, 'owner') or '',
                    'helpline', m or words)
        end

        report_recipient = function(id, new, birth, entry, state, address, reply, words, mark)
                local t = 't:' .. birth
                local dk = t .. ':d'
                if not ticket_load(birth) then
                        return
                end
                local m = entry_message(dk, entry)
                if not m then
                        local whom = report_automatic(t, entry, address)
                        if whom and state ~= 'deferred' then
                                report_mark(whom, state == 'refused' and mark)
                        end
                        if whom and state == 'refused' then
                                report_log(id, nil, words)
                        end
                        return
                end
                local list = deliveries_of(hget(dk, m) or '[]')
                local whom = report_whom(list, address)
                if not whom then -- one of several had it sent on, nobody knows who
                        if state == 'refused' and address ~= '' then
                                report_log(id, m, address .. ': ' .. words)
                        end
                        return
                end
                local at = 1
                for i, element in ipairs(list) do
                        at = delivery_address(element) == whom and i or at
                end
                local was = is_reported(list[at]) and delivery_state(list[at]) or ''
                if was == state or (was ~= '' and state == 'deferred') then
                        return -- told before; and after the end nobody cares for a delay
                end
                list[at] = '{"address":"' .. whom .. '","state":"' .. state .. '","at":"' .. rfc3339(now_ms) ..
                    '","reply":' .. reply .. ',"report":"' .. new .. '"}'
                hset(dk, m, '[' .. table.concat(list, ',') .. ']')
                if state ~= 'deferred' then
                        report_mark(whom, state == 'refused' and mark)
                end
                if state == 'refused' then
                        report_entry(birth, entry, m, list, words)
                        report_log(id, m, words)
                end
        end

        -- A person wrote from there: mail to it arrives, as far as anybody knows.
        report_heard = function(address)
                report_mark(address, nil)
        end
end
