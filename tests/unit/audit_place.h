/* audit_place: a state directory of its own for each test of the room src/audit/, and shorthands that must succeed. */
#ifndef TESTS_UNIT_AUDIT_PLACE_H
#define TESTS_UNIT_AUDIT_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "audit/audit.h"

struct fixture {
	char dir[64];
	struct arena a;
};

int make_fixture(void **state);
int remove_fixture(void **state);

#define FIXTURE_TEST(f) cmocka_unit_test_setup_teardown(f, make_fixture, remove_fixture)

struct audit *trail_open(const struct fixture *f, const char *domain, unsigned flags);
void trail_begin(struct audit *t);
void trail_put(struct audit *t, const char *path, struct slice bytes);
/* An event with the subject "what happened" and the trailer "Status: live or not". */
void trail_commit(struct audit *t, const char *event, unsigned flags, char id[AUDIT_ID_SIZE]);
/* NULL: there is no such file. */
const char *trail_read(struct audit *t, const char *path, struct arena *a);

struct audit_cursor *open_cursor(struct audit *t, const char *prefix);
/* 0: there are no more. */
int next_file(struct audit_cursor *c, struct audit_file *out);

/* The exit status of a shell command with '@' for the state directory. */
int shell(const struct fixture *f, const char *fmt);
/* Stock git finds nothing wrong with the repository. */
void assert_sound(const struct fixture *f);

#endif
