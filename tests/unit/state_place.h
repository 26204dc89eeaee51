/* state_place: what the tests of the state file share: a directory of its own with an open state, and shorthands. */
#ifndef TESTS_UNIT_STATE_PLACE_H
#define TESTS_UNIT_STATE_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "state/state_internal.h"

struct place {
	char dir[32], file[80];
	struct state *s;
	struct arena a;
};

int make_place(void **state); /* not opened */
int make_state(void **state);
int remove_place(void **state);

#define AT_PLACE(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)
#define WITH_STATE(f) cmocka_unit_test_setup_teardown(f, make_state, remove_place)

#define MUST(call)                                                           \
	do {                                                                 \
		struct err must = ERR_INIT;                                  \
		if ((call) != 0)                                             \
			fail_msg("%s:%d: %s", __FILE__, __LINE__, must.msg); \
	} while (0)

#define assert_slice(s, text) assert_true(slice_is((s), (text)))

/* Closed and opened again, as the next run does. */
void reopen(struct place *p);

void put_doc(struct place *p, const char *kind, const char *id, const char *ignored, const char *diffs,
	     const char *changes);
/* Without a body: a tombstone. 1: that revision was there. */
int put_case(struct place *p, const char *id, const char *rev, const char *body);
/* As after a comparison: no longer pending. */
void compared(struct place *p, const char *id, const char *ignored, const char *diffs, const char *changes,
	      enum state_missing missing);
void put_reject(struct place *p, const char *kind, const char *id, const char *reason);
struct state_counts counts_of(struct place *p);
/* "kind docs/diffs/missing/changes/rejects ..." */
void assert_kinds(struct place *p, const char *expected);
/* "kind ledgers/key-twice ..." */
void assert_traits(struct place *p, const char *expected);
/* "rule=count ..." */
void assert_ignored(struct place *p, const char *expected);
/* "kind:id=json ..." over pages of two. */
void assert_list(struct place *p, enum state_list which, const char *expected);
/* "id@rev ..." over pages of two. */
void assert_pending(struct place *p, const char *expected);
/* The number in the first cell. */
int rows_in(struct place *p, const char *sql);

#endif
