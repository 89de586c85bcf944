local changing = {
        put = verb_put, pull = verb_pull, commit = verb_commit, tick = verb_tick, sweep = verb_sweep,
        presence = verb_presence, grace = verb_grace, token = verb_token, untoken = verb_untoken,
        tokused = verb_tokused, live = verb_live, retry = verb_retry, unquar = verb_unquar,
}
local reading = {facts = verb_facts, read = verb_read, list = verb_list, stats = verb_stats}

local function run()
        if reading[verb] then
                return reading[verb]()
        elseif not changing[verb] then
                refuse('BADARG', 'unknown verb')
        end
        begin()
        return changing[verb]()
end

-- A refusal is an error of our own words, not one with a script's position.
local ok, answer = pcall(run)
if not ok and type(answer) == 'string' then
        return redis.error_reply(answer)
end
return answer
