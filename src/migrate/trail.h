/*
 * trail: what the migration writes into the audit trail. An event is a commit with profile.json, stats.json and what
 * the event adds; settle_migration.trail_head then names it. Private to src/migrate. Threads: the main thread.
 */
#ifndef SETTLE_MIGRATE_TRAIL_H
#define SETTLE_MIGRATE_TRAIL_H

#include "audit/audit.h"
#include "migrate/lifecycle.h"
#include "migrate/run.h"
#include "migrate/status.h"

enum trail_flags {
	TRAIL_IF_CHANGED =
	    1u << 0,           /* no commit when it would tell what the last one tells; the id is then the last one's */
	TRAIL_CLEAR = 1u << 1, /* no patch form is in force any more (reset) */
};

struct trail_note {
	const char *event;                    /* one word */
	struct slice subject;                 /* one line for people */
	struct slice text;                    /* more lines, or SLICE_NONE */
	const char *status;                   /* of the migration after it; NULL: as it is */
	const struct audit_trailer *trailers; /* beside those of every event: Status, Profile, Rules, Target */
	size_t n_trailers;
	unsigned flags;
};

/* ERR_STATE or ERR_BUSY when no event could be written: asked before what an event will tell of is done. */
MUST_CHECK int trail_check(struct run *r, struct err *err);
/* Writes the event and notes it in settle_migration, in a transaction of its own: none may be open. */
MUST_CHECK int trail_event(struct run *r, const struct trail_note *note, struct err *err);

/* The same in steps, for an event that brings files: begin, audit_put..., end; then trail_note_head in the transaction.
 */
MUST_CHECK int trail_begin(struct run *r, struct audit **out, struct err *err);
MUST_CHECK int trail_end(struct run *r, struct audit *t, const struct trail_note *note, char id[AUDIT_ID_SIZE],
			 struct err *err);
/* settle_migration.trail_head = id, inside the caller's transaction. */
MUST_CHECK int trail_note_head(struct run *r, struct sql_target *t, const char *id, struct err *err);
/* The same in a transaction of its own. */
MUST_CHECK int trail_commit_head(struct run *r, const char *id, struct err *err);
/* What stats.json holds. */
struct json trail_stats(const struct migrate_stats *s, struct arena *a);

/* ---- events of a run of `migrate` (trail_run.c) ---- */
/* The first run of a migration: before anything is written for it. A later one: trail_check. */
MUST_CHECK int trail_run_begin(struct run *r, const struct status *s, enum life_status to, struct err *err);
/* The ids that were given by hand, if any: before they are brought over. */
MUST_CHECK int trail_by_hand(struct run *r, struct err *err);
/* If something has changed. */
MUST_CHECK int trail_run_end(struct run *r, struct err *err);

#define TRAIL_PATCHES "patches" /* where patch forms stand: patches/ab/cd/FORM.xml and .json */

#endif
