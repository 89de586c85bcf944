/*
 * When the steps of a class come; see class.h. Pure.
 *
 * "After step k" is when all of the first k have come: so it holds too where a step of
 * hours and a step of days come in another order than they stand.
 */
#include "daemon/model/class.h"

int64_t
class_cutoff_us(
    const struct class *c, int step, const struct calendar *cal, int64_t now_ms)
{
        int64_t back = INT64_MAX;

        if (step == STEP_AT_ONCE)
                return INT64_MAX;
        if (step == STEP_NEVER)
                return INT64_MIN;
        for (int i = 0; i < step; i++) {
                int64_t t = calendar_back(cal, now_ms, c->steps[i].after);

                back = t < back ? t : back;
        }
        return back == INT64_MIN ? INT64_MIN : (back - c->head_ms) * 1000;
}

int64_t
class_step_at(
    const struct class *c, int step, const struct calendar *cal, int64_t entered_ms)
{
        int64_t at = entered_ms;

        for (int i = 0; i < step; i++) {
                int64_t t = calendar_after(cal, entered_ms, c->steps[i].after);

                at = t > at ? t : at;
        }
        return at;
}
