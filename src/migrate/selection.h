/*
 * selection: the documents that --select names. Pure; cmd reads the text, migrate asks. Threads: read-only once made,
 * but for what was seen.
 */
#ifndef SETTLE_MIGRATE_SELECTION_H
#define SETTLE_MIGRATE_SELECTION_H

#include "profile/profile.h"

enum selection_what {
	SELECT_ALL,
	SELECT_PENDING,
	SELECT_DIFFS,
	SELECT_CHANGES,
	SELECT_FORMS,
	SELECT_CASES,
	SELECT_KINDS,
	SELECT_IDS
};

struct selected { /* kind SLICE_NONE: of any kind; id SLICE_NONE: every document of the kind */
	struct slice kind, id;
};

struct selection {
	enum selection_what what;
	const struct profile *profile; /* says which kinds are forms and cases */
	struct slice word;             /* SELECT_IDS of one word that may be a kind the profile does not list, or SLICE_NONE */
	struct slice either;           /* SELECT_IDS of a text that can be read in two ways, or SLICE_NONE: the text */
	struct selected *v;            /* SELECT_IDS ordered by id, SELECT_KINDS */
	char *seen;                    /* SELECT_IDS: 1 for those that selection_see was told of */
	size_t n, cap;
};

/* Is it a document of that kind and id? SELECT_PENDING, SELECT_DIFFS and SELECT_CHANGES hold for any: the state file knows. */
int selection_has(const struct selection *s, struct slice kind, struct slice id);
/* Of the documents with its id: is one of this kind meant? */
int selected_means(const struct selected *one, struct slice kind);
/* The source has a document of that kind and id. Threads: one at a time. */
void selection_see(const struct selection *s, struct slice kind, struct slice id);
/* Does it name every document of that kind, whatever its id? */
int selection_has_kind(const struct selection *s, struct slice kind);
/* Is it a kind of cases? */
int selection_is_case(const struct selection *s, struct slice kind);
/* Can it name documents of that class? */
int selection_meets_class(const struct selection *s, int is_case);

#endif
