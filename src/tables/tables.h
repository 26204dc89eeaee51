/*
 * tables: table migrations, PostgreSQL or SQLite to PostgreSQL (plain or Citus). A job (JSON: what, from where, to
 * where, filters, mapping) is expanded into a manifest (SQLite, one row per table or part), which is worked off,
 * resumed, shown, validated and taken back. It knows nothing of documents.
 *
 * Invariants: the source is only read. A part and its mark in the target's settle_part are one target transaction, and
 * the manifest follows settle_part, so that a crash repeats nothing and loses nothing. What is set aside (rejects) is
 * in the manifest before the target commits. Values reach servers as parameters, as settings or in COPY data;
 * identifiers are quoted by one function. Passwords are in no message and not in the manifest. Files are made with mode
 * 0600. Errors: ERR_SOURCE and ERR_TARGET for the two ends, ERR_STATE for the manifest and for refusals, ERR_USAGE for
 * the job. Threads: one call at a time; a call makes its own threads, `stop` may be set by any.
 */
#ifndef SETTLE_TABLES_TABLES_H
#define SETTLE_TABLES_TABLES_H

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "base/url.h"

#include <stdatomic.h>
#include <stdint.h>

enum tables_says {              /* what a line is */
		   TABLES_DATA, /* for standard output: statements, a report, a list */
		   TABLES_NOTE, /* for people, on standard error */
};

struct tables_env {                        /* what a call is given; everything is borrowed */
	const char *manifest;              /* path */
	const struct url *source, *target; /* NULL: those that the manifest remembers */
	struct log *log;
	const atomic_int *stop;
	void (*say)(void *ctx, enum tables_says what, const char *line);
	/* 1 yes, 0 no, -1 with err set: nobody is there to answer. */
	int (*confirm)(void *ctx, const char *question, struct err *err);
	void *ctx;
};

/* The address of an end, "source" or "target"; the words of an error (ERR_USAGE) name it. */
MUST_CHECK int tables_endpoint(const char *text, const char *which, struct arena *a, struct url *out, struct err *err);

struct tables_planned {
	int64_t tables, parts;
	int64_t unlisted; /* tables of the source that no rule names; said as notes */
};

/*
 * Reads the catalogs and fills the manifest, which must hold no rows (ERR_STATE). job is a file's path or NULL: every
 * table of the source's schema public, or of the SQLite file, to itself. target may be NULL.
 */
MUST_CHECK int tables_plan(const struct tables_env *env, const char *job, struct tables_planned *out, struct err *err);

struct tables_create_options {
	int dry_run; /* only say the statements */
};
/* Makes the tables that the target lacks; indexes and foreign keys are left to the end of tables_migrate. */
MUST_CHECK int tables_create(const struct tables_env *env, const struct tables_create_options *o, struct err *err);

struct tables_select { /* which rows of the manifest; dates as YYYY-MM-DD, taken to the first of their month */
	const char *start, *end, *table;
};

struct tables_migrate_options {
	struct tables_select select;
	int64_t parallel; /* at least 1 */
	int confirm, dry_run, no_stop_on_error, retry_errors, apply;
	const char *since;      /* top up: only rows that the job's `since` conditions find, as upserts; or NULL */
	const char *export_dir; /* also write each source table as CSV; or NULL */
};

struct tables_summary {
	int64_t parts, tables; /* done in this call */
	int64_t rows, bytes, rejected;
	int64_t failed;      /* parts that failed */
	int64_t set_aside;   /* rows of the tables asked for that were rejected, now or before */
	int64_t left;        /* parts of the manifest that are not done */
	int64_t passed_over; /* parts that failed before and were not taken again */
	int refused;         /* the answer was not yes: nothing was done */
	int checked;         /* a job that wants --apply was only checked */
};

/* Works the manifest off. 0 when everything asked was done, 1 when something failed, is set aside or passed over. */
MUST_CHECK int tables_migrate(const struct tables_env *env, const struct tables_migrate_options *o,
			      struct tables_summary *out, struct err *err);

struct tables_row { /* of the manifest */
	int64_t id;
	const char *source_schema, *source, *target_schema, *target; /* schema "" for SQLite */
	int64_t part, parts;
	const char *key, *low, *high; /* low <= key < high, NULL: open or not split */
	const char *date;             /* YYYY-MM-DD or NULL */
	int64_t rows, bytes;          /* estimated; -1 unknown */
	const char *status;           /* waiting, done, error */
	const char *error;            /* or NULL */
	const char *started, *ended;
	int64_t copied, copied_bytes, rejected, micros;
	int64_t rule;
};

struct tables_status_options {
	const char *start, *end;
	int migrated, errored; /* only those */
};
typedef void tables_row_fn(void *ctx, const struct tables_row *row);
/* Calls back for each row of the manifest that fits; opens it read-only. */
MUST_CHECK int tables_status(const struct tables_env *env, const struct tables_status_options *o, tables_row_fn *fn,
			     void *ctx, struct err *err);
typedef void tables_reject_fn(void *ctx, const char *table, int64_t rowid, const char *column, const char *reason);
MUST_CHECK int tables_rejects(const struct tables_env *env, tables_reject_fn *fn, void *ctx, struct err *err);

struct tables_finding { /* of one table */
	const char *table;
	const char *check; /* rows, content, foreign key, sequence, spot check, source foreign key, not migrated */
	int ok;
	const char *detail;
};
struct tables_validate_options {
	int64_t parallel;
	int64_t spot; /* random rows of each table to compare field by field */
	const char *table;
};
typedef void tables_finding_fn(void *ctx, const struct tables_finding *f);
/* 0 when nothing differs, 1 when something does. Callbacks come from the calling thread. */
MUST_CHECK int tables_validate(const struct tables_env *env, const struct tables_validate_options *o,
			       tables_finding_fn *fn, void *ctx, struct err *err);

/* Takes away the rows that this manifest's job loaded, and its marks; asks first. *deleted counts rows. */
MUST_CHECK int tables_clean(const struct tables_env *env, const char *table, int64_t *deleted, int *refused,
			    struct err *err);

#endif
