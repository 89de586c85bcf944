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
