/*
 * journal: the stand-in's memory on disk: one append-only file DIR/journal. Records are collected and written with
 * write(2) before an answer leaves, so that they survive SIGKILL (not a power cut). A torn last record is dropped at
 * the next start. Threads: one.
 */
#ifndef SETTLE_TESTS_JOURNAL_H
#define SETTLE_TESTS_JOURNAL_H

#include "base/err.h"
#include "base/slice.h"

#include <stdint.h>

enum journal_type {
	JOURNAL_UUID = 'U',   /* text: the server's uuid */
	JOURNAL_CREATE = 'C', /* text: the database's uuid; number: start time */
	JOURNAL_DROP = 'D',
	JOURNAL_REVISION = 'R', /* text: the document with _revisions and attachment data */
	JOURNAL_AS_IS =
	    'A', /* text: id, NUL, rev, NUL, the text of a document that is no JSON; number: 1 when deleted */
	JOURNAL_PURGE = 'P',    /* text: id, NUL, rev */
	JOURNAL_LOCAL = 'L',    /* number: rev, 0 removes it; text: id, NUL, members */
	JOURNAL_SECURITY = 'S', /* text: JSON */
};

struct journal_record {
	enum journal_type type;
	uint64_t number;
	struct slice db; /* name */
	struct slice text;
};

struct journal;

typedef int (*journal_apply_fn)(void *ctx, const struct journal_record *record, struct err *err);

/* Opens or makes DIR/journal and hands every record in it to `apply`. */
MUST_CHECK int journal_open(const char *dir, journal_apply_fn apply, void *ctx, struct journal **out, struct err *err);
/* j may be NULL: nothing is kept. */
void journal_add(struct journal *j, const struct journal_record *record);
MUST_CHECK int journal_flush(struct journal *j, struct err *err);
void journal_close(struct journal *j);

#endif
