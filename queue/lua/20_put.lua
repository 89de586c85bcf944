-- put: one incoming message becomes a new ticket or a message on a known one.
--
--     put now daemon  digest seen_ms nonce sender customer name emails
--         ticket version  ack_template ack_to ack_to_json ack_lang ack_account ack_due
--         also  ask_tail ask_delivery  steps...
--
-- digest: key of "seen before"; its value is "message nonce acked". The same nonce is
-- the same put, asked again because its answer was lost. sender, also: an address and a
-- number, either may be "". emails: no longer read. ticket "": a new one.
-- STALE when the address or the version is not what the facts said, or a Message-ID it
-- learns has become another ticket's: so a reply that overtakes its predecessor and that
-- one end on one ticket.
-- ask_tail: the document of a question to the customer, "" none; it goes where the
-- acknowledgement goes, and in it {ticket} is the ticket's number.
-- Answers OK|DUP|STALE hintseq hints ticket message acked suppressed.

if verb == 'put' then
        local function put_again(value)
                local message, nonce, acked = string.match(value, '^(%S+) (%S*) (%d)$')
                if not message then
                        refuse('BADKEY', 'seen: cannot be read: run helpline fsck')
                end
                local same = nonce == ARGV[6]
                if not same then
                        hadd('n', 'duplicates', 1)
                        finish(true)
                end
                return {same and 'OK' or 'DUP', hintseq(), {}, string.match(message, '^%d+'), message,
                        same and acked or '0', '0'}
        end

        -- A number begins with a plus, else it is a mail address.
        local function customer_learn(c, key)
                local f = string.sub(key, 1, 1) == '+' and 'phones' or 'emails'
                local k = 'cust:' .. c
                local list = hget(k, f) or '[]'
                write('SET', 'addr:' .. key, c)
                hset(k, f, list == '[]' and '[' .. quote(key) .. ']' or
                    string.sub(list, 1, -2) .. ',' .. quote(key) .. ']')
        end

        -- The customer: guarded by his address and his number, made when both are nobody's.
        local function put_customer(sender, also, customer)
                local first = sender ~= '' and call('GET', P .. 'addr:' .. sender) or ''
                local second = also ~= '' and call('GET', P .. 'addr:' .. also) or ''
                local is = first ~= '' and first or second
                if sender == '' and also == '' then
                        return customer
                end
                if is ~= customer then
                        return nil
                end
                if is == '' then
                        is = 'c' .. num(hadd('meta', 'next_id', 1))
                        hset('cust:' .. is, 'name', ARGV[9])
                        hset('cust:' .. is, 'emails', '[]')
                end
                if sender ~= '' and first == '' then
                        customer_learn(is, sender)
                end
                if also ~= '' and second == '' and also ~= sender then
                        customer_learn(is, also)
                end
                return is
        end

        local rates = {} -- what was read, and what this script adds

        local function rate(key)
                rates[key] = rates[key] or int(call('GET', P .. key) or '0', key)
                return rates[key]
        end

        local function rate_add(key, n, ms)
                rates[key] = n + 1
                if n == 0 then
                        write('SET', key, '1', 'PX', num(ms))
                else
                        write('INCR', key)
                end
        end

        -- The breaker: may another automatic mail go there?
        local function rate_allows(to)
                local hour, day = 'rate:h:' .. to, 'rate:d:' .. to
                local n_hour, n_day = rate(hour), rate(day)
                if n_hour >= 3 or n_day >= 10 then
                        return false
                end
                rate_add(hour, n_hour, 3600000)
                rate_add(day, n_day, DAY_MS)
                return true
        end

        -- The intent of an acknowledgement: once a ticket, and the breaker behind it.
        local function put_acknowledge(id)
                local template, to = ARGV[13], ARGV[14]
                if template == '' or hget('t:' .. id, 'ack') == '1' then
                        return '0', '0'
                end
                if not rate_allows(to) then
                        return '0', '1'
                end
                local n = entry_new({'ticket', id, 'message', '', 'kind', 'ack', 'account', ARGV[17], 'template',
                    template, 'lang', ARGV[16], 'to', ARGV[15], 'delivery', '', 'last', ''}, int(ARGV[18], 'due'))
                hset('t:' .. id, 'ack', '1')
                hset('t:' .. id, 'ackob', n)
                return '1', '0'
        end

        -- The question of a rule: an outgoing message of its own. The ticket stays where it is.
        local function put_ask(id)
                local tail, k = ARGV[20], 't:' .. id
                if tail == '' or not rate_allows(ARGV[14]) then
                        return
                end
                local m = id .. '.' .. num(hadd(k, 'nm', 1))
                tail = string.gsub(tail, '{ticket}', id)
                write('RPUSH', k .. ':m', '{"v":1,"id":"' .. m .. '",' .. tail)
                hset(k .. ':d', m, ARGV[21])
                hset(k .. ':d', m .. ':ob', entry_new({'ticket', id, 'message', m, 'kind', 'ask', 'account', ARGV[17],
                    'template', '', 'lang', ARGV[16], 'to', ARGV[15], 'delivery', '', 'last', ''},
                    int(ARGV[18], 'due')))
                journal('changed', id, hget(k, 'line') or '', '', 'rules', 'the customer was asked back')
        end

        function changing.put()
                local digest, id = ARGV[4], ARGV[11]
                local value = call('GET', P .. 'seen:' .. digest)
                if value then
                        return put_again(value)
                end
                local stale = {'STALE', hintseq(), {}, '', '', '0', '0'}
                local customer = put_customer(ARGV[7], ARGV[19], ARGV[8])
                if not customer then
                        return stale
                end
                local is_new = id == ''
                if is_new then
                        id = num(hadd('meta', 'next_ticket', 1))
                end
                local exists = ticket_load(id)
                if is_new then
                        if exists then
                                refuse('BADKEY', 't:' .. id .. ' exists already: run helpline fsck')
                        end
                        tickets[id] = true
                        hset('t:' .. id, 'cust', customer)
                        hset('t:' .. id, 'ver', '1')
                        if customer ~= '' then
                                write('ZADD', 'cust:' .. customer .. ':t', id, id)
                        end
                elseif not exists or hget('t:' .. id, 'ver') ~= ARGV[12] then
                        return stale
                else
                        ticket_bump(id)
                end
                local message = run_steps(id, 22, steps_end(22))
                if mid_taken then
                        return stale
                end
                local acked, suppressed = put_acknowledge(id)
                put_ask(id)
                hadd('n', 'in', 1)
                write('SET', 'seen:' .. digest, message .. ' ' .. ARGV[6] .. ' ' .. acked, 'PX', ARGV[5])
                finish(true)
                return {'OK', hintseq(), hints, id, message, acked, suppressed}
        end
end
