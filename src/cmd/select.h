/*
 * select: the documents that --select names. Threads: read-only once parsed.
 */
#ifndef SETTLE_CMD_SELECT_H
#define SETTLE_CMD_SELECT_H

#include "cmd/cmd.h"

enum selection_what {
	SELECT_ALL,
	SELECT_PENDING,
	SELECT_DIFFS,
	SELECT_CHANGES,
	SELECT_FORMS,
	SELECT_CASES,
	SELECT_KIND,
	SELECT_IDS
};

struct selected { /* kind SLICE_NONE: of any kind */
	struct slice kind, id;
};

struct selection {
	enum selection_what what;
	const struct profile *profile; /* says which kinds are forms and cases */
	struct slice kind;             /* SELECT_KIND */
	struct selected *v;            /* SELECT_IDS, ordered by id */
	size_t n, cap;
};

/*
 * text NULL: everything. A word is a kind when the profile lists it or a ':' follows, else an id. ERR_USAGE when a file
 * cannot be read or holds a line of three or more fields.
 */
MUST_CHECK int selection_parse(const char *text, const struct profile *profile, struct arena *a, struct selection *out,
			       struct err *err);
int selection_has(const struct selection *s, struct slice kind, struct slice id);

#endif
