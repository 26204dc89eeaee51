/*
 * snapshot: the target as it was at a moment, kept in a directory, and the way back to it. Owns the layout of a
 * snapshot (DIR/NAME: manifest.json, manifest.sha256, dump/ or target.db, state/), its encryption, and the journal of a
 * restore. Knows databases and files; nothing about documents.
 *
 * A snapshot is made in DIR/NAME.partial, flushed to the disk, and renamed: what has its name is whole. The manifest
 * lists each file with size and SHA-256, and manifest.sha256 holds the manifest's own. Encrypted snapshots have one
 * random key, sealed to each recipient (crypto_box_seal); each file is a secretstream bound to its name.
 * A restore fills a new database beside the old one and swaps them by name; each step is idempotent and written down in
 * STATE_DIR/restore/ when done, so that the same call goes on after any failure. The old one is kept until it is asked
 * away.
 * Errors: ERR_USAGE (names, keys), ERR_STATE (a damaged snapshot, files and disks, an unfinished restore, a running
 * migration, connected clients), ERR_TARGET (the database, pg_dump and its kin), ERR_NOTFOUND where said, ERR_STOPPED.
 * Threads: the main thread; processes of pg_dump and pg_restore run beside it and end with it.
 */
#ifndef SETTLE_SNAPSHOT_SNAPSHOT_H
#define SETTLE_SNAPSHOT_SNAPSHOT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/url.h"

#include <stdatomic.h>
#include <stdint.h>

#define SNAPSHOT_FOR_COPY "snapshot-for-copy" /* the name that copies have unless told otherwise */
#define SNAPSHOT_JOBS 2

struct snapshot_env { /* what every call is given; all borrowed */
	const char *state_dir;
	const char *dir;          /* where snapshots lie; NULL: STATE_DIR/snapshots */
	const struct url *target; /* NULL where none is needed */
	const char *schema;       /* of settle's tables, or NULL */
	struct slice domain;      /* or SLICE_NONE */
	const char *key_file;     /* secret key, for reading encrypted ones; or NULL */
	int jobs;                 /* of pg_dump and pg_restore; 0 = SNAPSHOT_JOBS */
	struct log *log;
	const atomic_int *stop;
	/* Told before each step of create, copy and restore; may be NULL. */
	void (*on_step)(void *ctx, const char *step);
	void *step_ctx;
};

struct snapshot_texts { /* a list of words from the command line; borrowed */
	const char *const *v;
	int n;
};

/* ---- keys ---- */

/* Makes a key pair: the secret key in a new file (0600), the public one in FILE.pub and in *public_key. */
MUST_CHECK int snapshot_keygen(const char *file, struct arena *a, struct slice *public_key, struct err *err);

/* ---- making ---- */

enum snapshot_method { SNAPSHOT_DUMP, SNAPSHOT_TEMPLATE };

struct snapshot_create_options {
	const char *name; /* NULL: pre-migration-DOMAIN-YYYYMMDDHHMM */
	enum snapshot_method method;
	struct snapshot_texts recipients; /* public keys, or files that hold one; none: not encrypted */
	int terminate;                    /* SNAPSHOT_TEMPLATE: end the clients that are in the way */
};

/* *path = the directory of the new snapshot. */
MUST_CHECK int snapshot_create(const struct snapshot_env *env, const struct snapshot_create_options *o, struct arena *a,
			       struct slice *path, struct err *err);

struct snapshot_copy_options {
	const char *name; /* NULL: SNAPSHOT_FOR_COPY */
	const char *to;   /* directory */
	struct snapshot_texts recipients, exclude;
	const char *mask; /* file, or NULL */
};

/*
 * A copy under another key. Rows of excluded tables and what is masked do not travel, and such a copy holds no state
 * files; of PostgreSQL it is made through a database beside the target (ERR_USAGE without one), which is gone
 * afterwards. Replaces a copy of that name at once.
 */
MUST_CHECK int snapshot_copy(const struct snapshot_env *env, const char *name, const struct snapshot_copy_options *o,
			     struct arena *a, struct slice *path, struct err *err);

/* ---- looking ---- */

struct snapshot_info { /* slices live in the arena */
	struct slice name, path;
	struct slice created, engine, method, target;
	int64_t bytes, tables, rows;
	int encrypted;
	int is_work;         /* what a copy that was killed left: a directory or a database (path says), no snapshot */
	const char *problem; /* why it is no good, or NULL: unreadable manifest, unfinished */
	struct json manifest;
};
struct snapshot_list {
	struct snapshot_info *v;
	size_t n, cap;
};

/* In the order of their making; the unfinished and the unreadable come too, each with its problem. */
MUST_CHECK int snapshot_list(const struct snapshot_env *env, struct arena *a, struct snapshot_list *out,
			     struct err *err);
/* name: in dir, or a path with a '/'. ERR_NOTFOUND. */
MUST_CHECK int snapshot_show(const struct snapshot_env *env, const char *name, struct arena *a,
			     struct snapshot_info *out, struct err *err);

struct snapshot_findings { /* lines that name the file */
	struct slice *v;
	size_t n, cap;
};
/*
 * Reads every byte: sizes, SHA-256, files too many or too few; with a key also whether each file can be decrypted. 0
 * also when there are findings.
 */
MUST_CHECK int snapshot_verify(const struct snapshot_env *env, const char *name, struct arena *a,
			       struct snapshot_findings *out, struct err *err);

struct snapshot_prune_options {
	int64_t keep;       /* the newest so many stay; 0: all */
	int64_t older_than; /* days; 0: of any age */
};

/* What a prune would take away: leftovers of the unfinished, and what the options say. */
MUST_CHECK int snapshot_prune_plan(const struct snapshot_env *env, const struct snapshot_prune_options *o,
				   struct arena *a, struct snapshot_list *out, struct err *err);
/* A template's database goes too, and one that a killed copy left, which needs the target. */
MUST_CHECK int snapshot_remove(const struct snapshot_env *env, const struct snapshot_info *s, struct err *err);

/* ---- going back ---- */

struct snapshot_plan;

struct snapshot_restore_options {
	const char *from_step; /* name or number: this step and those after it are done again; or NULL */
	int terminate;         /* end the clients that are in the way */
	int drop_old;          /* at the end the old database goes */
	/* The step "note": called when all is back, once more after a kill; may be NULL. The target's lock is free. */
	int (*note)(void *ctx, const struct snapshot_plan *p, struct err *err);
	void *note_ctx;
};

struct snapshot_step {
	const char *name, *what;
	int done;
};

#define SNAPSHOT_STEPS_MAX 12

struct snapshot_plan { /* slices live in the arena */
	struct snapshot_info snapshot;
	struct slice database, fresh, old; /* what is replaced, what is filled, what the replaced one will be called */
	struct snapshot_step steps[SNAPSHOT_STEPS_MAX];
	int n_steps;
	int resumed;                /* an earlier call began it */
	int drop_only;              /* it is done; only the old database is to be dropped */
	struct slice clients;       /* a line for each that is connected, or SLICE_NONE */
	struct slice missing_roles; /* names, or SLICE_NONE */
	struct slice stamp;         /* in the names above */
	struct json domains;        /* names of the migrations that go back, or away */
};

/* Reads only. */
MUST_CHECK int snapshot_restore_plan(const struct snapshot_env *env, const char *name,
				     const struct snapshot_restore_options *o, struct arena *a,
				     struct snapshot_plan *out, struct err *err);
/* Does what is not done yet. *p: what snapshot_restore_plan gave, or zeroes; it is brought up to date. */
MUST_CHECK int snapshot_restore(const struct snapshot_env *env, const char *name,
				const struct snapshot_restore_options *o, struct arena *a, struct snapshot_plan *p,
				struct err *err);
/* 0 when no restore of this target is under way; ERR_STATE names the command that ends it. */
MUST_CHECK int snapshot_idle(const struct snapshot_env *env, struct err *err);
/* The newest good snapshot of this target, for the advice to go back; ERR_NOTFOUND. */
MUST_CHECK int snapshot_latest(const struct snapshot_env *env, struct arena *a, struct snapshot_info *out,
			       struct err *err);

#endif
