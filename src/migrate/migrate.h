/*
 * migrate: the migration. Owns the pipeline (feed -> rows -> copy check -> diff -> state commit -> target commit), the comparison of
 * cases, the status of a domain, and what stats and show need to know. Uses couch, sql, state, replay, diff, profile.
 *
 * Order of a batch: read, parse and map (any worker) | stage, upsert, read back, compare (own transaction) | wait for its turn in feed
 * order | state commit | target commit with checkpoint and counters. Kill it anywhere: the next run repeats at most the batches whose target
 * commit did not happen, and repeating changes nothing (promise 1).
 * Threads: one fetcher, `jobs` workers (each owning a target handle), the caller. The stop flag is checked at every wait.
 */
#ifndef SETTLE_MIGRATE_MIGRATE_H
#define SETTLE_MIGRATE_MIGRATE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/url.h"
#include "diff/rules.h"
#include "profile/profile.h"
#include "state/state.h"

#include <stdatomic.h>
#include <stdint.h>

struct migrate_env { /* what every command that touches a migration is given; all borrowed */
	struct slice domain;
	const struct url *source;         /* NULL when the command needs none */
	const char *source_user, *source_password;
	const struct url *target;
	const char *schema;
	const char *state_dir;
	const char *profile_name;
	const struct profile *profile;
	struct log *log;
	const atomic_int *stop;           /* set by the signal thread: 1 = clean break */
};

enum migrate_scan { /* --missing-docs */
	MIGRATE_SCAN_RESUME,  /* go on where the last one stopped, or begin */
	MIGRATE_SCAN_REBUILD, /* begin anew; a recorded feed is read once more for it */
	MIGRATE_SCAN_RECHECK, /* look again only for those that are missing */
	MIGRATE_SCAN_CACHED,  /* not now */
};

enum migrate_cap { MIGRATE_CAP_NONE, MIGRATE_CAP_COUNT, MIGRATE_CAP_PERCENT };

enum migrate_without { /* what stays in the source by the user's word */
	MIGRATE_WITHOUT_ATTACHMENTS = 1u << 0,
	MIGRATE_WITHOUT_CONFLICTS = 1u << 1, /* bodies of losing revisions */
};
/* "attachments" or "conflicts"; 0: neither. */
unsigned migrate_without_named(struct slice name);

struct migrate_options {
	int jobs;               /* workers; 0 = 2 */
	size_t batch_bytes;     /* 0 = 1 MiB */
	int batch_docs;         /* 0 = 1000 */
	size_t max_doc;         /* bytes; 0 = 64 MiB */
	int64_t limit;          /* trial run: stop after so many rows; 0 = none */
	const char *only;       /* trial run: only documents of these kinds, "KIND,KIND"; NULL = all */
	enum migrate_cap rejects_cap; /* end the run when there are more rejects than max_rejects, a count or percents */
	double max_rejects;
	enum migrate_scan missing_docs;
	int forms_missing;      /* no pass: the documents that are missing, and forms that cases lack */
	const struct slice *forms; /* no pass: these documents; borrowed */
	size_t n_forms;
	int stop_on_error;
	int distribute;         /* Citus: the tables are distributed when they are made */
	int live;               /* catch up and stay live */
	int follow;             /* ... and follow the source until stopped */
	int finish;             /* end the live phase: prove the source quiet */
	double quiet_for;       /* seconds; 0 = 2 */
	int shutter;            /* with finish: the source refuses writes to the domain */
	int rebuild_state;      /* the state file was lost: read everything again */
	double max_rate;        /* documents a second, 0 = no limit */
	int patch;              /* patch cases that differ, then compare them again */
	int patch_may_begin;    /* with patch: a first run may do both */
	int leave_cases;        /* cases that are touched stay pending: neither folded nor compared */
	int sets_without;       /* `without` is given; otherwise what the migration's settings hold goes on */
	unsigned without;       /* enum migrate_without */
	int audit_digests;      /* the trail gets digests instead of contents */
};

struct migrate_counters {
	int64_t read, written, unchanged, deleted, skipped, rejected, bytes;
};

struct migrate_kind {
	struct slice kind;
	int64_t docs, diffs, missing, changes;
};

struct migrate_stats { /* what `stats` prints and `migrate` ends with; slices live in the arena */
	struct slice domain, status, source, target, profile, checkpoint;
	int started;      /* 0: no state and no migration row yet */
	int clean;
	int unfinished;   /* the last pass did not come to its end */
	unsigned without; /* enum migrate_without */
	int other_rules;  /* stored differences were made with rules that were edited since */
	struct slice trial; /* what makes it a trial run, "--only A --limit 5"; SLICE_NONE: it is none */
	const struct slice *left_out; /* what a trial run leaves out, for people */
	size_t n_left_out;
	int nothing; /* a pass came to its end and found no document of the domain, or of --only: is the name right? */
	const char *apart; /* why target and state file do not belong together, so that no count means much; NULL: they do */
	struct migrate_counters counters;
	int64_t pending, rejected_now;
	int64_t conflicts;      /* losing revisions */
	int64_t attachments;
	int64_t conflicts_left, attachments_left; /* of these stay in the source without anybody having said so */
	struct migrate_kind *kinds;
	size_t n_kinds;
	struct state_tallies ignored;
	int64_t ledgers, key_twice; /* documents stored: forms with stock in them, and those with a key twice */
};

struct migrate_outcome {
	int source_busy; /* --finish: the source still writes, the migration stays live */
	int64_t read;    /* documents of the feed, by this run */
	int64_t absent;  /* --forms=ID,...: documents that the source does not have */
};

/* Runs, continues or repeats the migration. Returns 0 when it came to its end (clean or not: see stats), ERR_STOPPED
 * after a clean break. The caller prints. */
MUST_CHECK int migrate_run(const struct migrate_env *env, const struct migrate_options *o, struct migrate_outcome *out,
                           struct err *err);
/* in-progress that was live -> live. */
MUST_CHECK int migrate_unfinish(const struct migrate_env *env, struct err *err);
/*
 * in-progress -> complete. Refused (ERR_STATE) while anything is left, unless accept is set, and when the source has changed since.
 */
MUST_CHECK int migrate_commit(const struct migrate_env *env, int accept, struct err *err);
/* live, in-progress -> not-started: the domain's rows and state file go, the trail stays. */
MUST_CHECK int migrate_reset(const struct migrate_env *env, struct err *err);
/* Would migrate_reset be refused for the status? Before somebody is asked. Reads only. */
MUST_CHECK int migrate_may_reset(const struct migrate_env *env, struct err *err);

struct migrate_retry {
	int64_t tried, stored, left; /* left: of those tried, still rejected */
};
/*
 * Maps and stores rejects again: these, or (n 0) all. Those whose bytes were not kept are read from the source, if env has one. The
 * document's bytes may be as large as o->max_doc. ERR_NOTFOUND: an id is no reject's.
 */
MUST_CHECK int migrate_retry_rejects(const struct migrate_env *env, const struct migrate_options *o, const struct slice *ids, size_t n,
                                     struct migrate_retry *out, struct err *err);
struct migrate_plan { /* what a run would do */
	struct slice status, leads_to;
	int tables;             /* settle's tables are in the target */
	const char *state_file; /* what becomes of it: "is gone on with", "is made", "is made anew", "is rebuilt" */
	int from_checkpoint;    /* else from the beginning */
	int64_t to_read;        /* changes of the source, -1 = it does not say (a file is read whole) */
	int64_t pending;        /* cases that wait to be compared already */
	int64_t patches;        /* documents with diffs or changes now, which a patch pass would look at */
	int64_t missing;        /* documents that are known to be missing */
};
/* Refused like the run; writes nothing anywhere. */
MUST_CHECK int migrate_dry_run(const struct migrate_env *env, const struct migrate_options *o,
                               struct migrate_plan *out, struct err *err);
/* Reads only; no lock, no long transaction. */
MUST_CHECK int migrate_stats(const struct migrate_env *env, struct arena *a, struct migrate_stats *out, struct err *err);
/* Tells of every losing revision, by document. The callback returns non-zero to end. Reads only. */
MUST_CHECK int migrate_conflicts(const struct migrate_env *env, int (*fn)(void *ctx, struct slice id, struct slice rev), void *ctx,
                                 struct err *err);
/* Both sides of a document; absent = NULL. couch comes from the spool or the source, sql from the target. kind: SLICE_NONE = find it. */
struct migrate_sides {
	struct slice kind;
	struct json *couch, *sql;
	const struct slice *touching; /* of a case: forms that touch it without doing anything (decision 7) */
	size_t n_touching;
};
MUST_CHECK int migrate_sides(const struct migrate_env *env, struct slice id, struct slice kind, struct arena *a,
                             struct migrate_sides *out, struct err *err);

/*
 * Compares one document with the profile's rules: the same code for migrate, diff files and show. couch or sql may be NULL (absent).
 * kind SLICE_NONE: what the documents' type field says. raw != 0: without rules, nothing is ignored. Whether a kind is compared at
 * all (profile_kind.compared) is the caller's question.
 */
struct migrate_comparison {
	struct diff_list diffs;
	struct ignored_list ignored;
};
void migrate_compare(const struct profile *p, struct slice kind, const struct json *couch, const struct json *sql,
                     const struct slice *no_action_forms, size_t n_no_action, int raw, struct arena *a,
                     struct migrate_comparison *out);

#endif
