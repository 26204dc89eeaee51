/* lite_place: a directory of its own for each test of the room src/lite/, and shorthands that must succeed. */
#ifndef TESTS_UNIT_LITE_PLACE_H
#define TESTS_UNIT_LITE_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lite/lite.h"

struct place {
	char dir[32];
	char path[64]; /* of a file that is not there yet */
};

int make_place(void **state);
int remove_place(void **state);

#define AT_PLACE(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)

/* As a "target", with ERR_TARGET as the code of its errors. */
int try_open(struct lite **out, const char *path, unsigned flags, struct err *err);
struct lite *must_open(const char *path, unsigned flags);
void must_exec(struct lite *db, const char *sql);
/* The number in the first cell. */
int64_t must_count(struct lite *db, const char *sql);

#endif
