/*
 * A customers file out of memory: no bytes make it fall over, each row that was
 * taken has a cell for each column, and each key is found again.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "config/build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct customers_file *f)
{
        for (size_t i = 0; i < f->n_rows; i++)
                for (size_t j = 0; j < f->n_columns; j++)
                        assert(strlen(f->rows[i].values[j]) < 16384);
        for (size_t i = 0; i < f->n_keys; i++)
                assert(customers_find(f, f->keys[i].key, "") != NULL &&
                       customers_find(f, "", f->keys[i].key) != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct config c = {.arena = a, .dir = "", .country = "7"};
        struct value v = {.text = "customers.csv", .flags = ""};
        struct build b = {.a = a, .c = &c, .report = report_new(a), .no_files = true};
        struct config_report r = {0};

        customers_read(&b, &v, "customers.csv", (const char *)data, size);
        if (report_n_errors(b.report) == 0)
                check(&c.customers);
        report_print(b.report, &r);
        config_report_fini(&r);
        arena_free(&b.scratch);
        return 0;
}
