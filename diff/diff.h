/*
 * diff: JSON x JSON -> differences. Pure: no I/O, memory from the caller's arena.
 * Order of tests and shapes: BEHAVIOUR.md section 1 with DESIGN.md decisions 1 and 5. old = Couch side, new = SQL side;
 * NULL = absent (JSON null is a value). Paths are raw keys and list positions, never joined. Threads: functions are
 * reentrant.
 */
#ifndef DIFF_DIFF_H
#define DIFF_DIFF_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

enum diff_type {
	DIFF_DIFF,
	DIFF_TYPE,
	DIFF_MISSING,
	DIFF_COMPLEX,
	DIFF_SET_MISMATCH,
	DIFF_MISSING_FORMS, /* made by explain: DESIGN decision 18 */
};

struct diff_step { /* one element of a path */
	int is_position;
	uint32_t position; /* when is_position */
	struct slice key;  /* otherwise */
};

struct diff {
	enum diff_type type;
	const struct diff_step *path;
	uint32_t npath;
	const struct json *old_value; /* NULL = absent */
	const struct json *new_value;
	struct slice reason; /* SLICE_NONE for a diff; a change has one */
	int stock;           /* path is prefixed in its JSON form with {"stock_id":..}: not used yet, 0 */
};

struct diff_list { /* in an arena; ARENA_PUSH */
	struct diff *v;
	size_t n, cap;
};

/* Appends every difference between the two values (either may be NULL = absent; both absent: none). Values are
 * borrowed. */
void diff_json(const struct json *couch, const struct json *sql, struct arena *a, struct diff_list *out);

const char *diff_type_name(enum diff_type type);
int diff_type_parse(struct slice name, enum diff_type *out); /* 0 or -1 */

/* {"type","path":[...],"old"?,"new"?,"reason"?} and back; values are shared, not copied. from_json: ERR_SYNTAX names
 * what is wrong. */
struct json diff_to_json(const struct diff *d, struct arena *a);
struct json diff_list_to_json(const struct diff_list *list, struct arena *a);
MUST_CHECK int diff_from_json(const struct json *v, struct arena *a, struct diff *out, struct err *err);
MUST_CHECK int diff_list_from_json(const struct json *v, struct arena *a, struct diff_list *out, struct err *err);

#endif
