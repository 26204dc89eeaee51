/*
 * lite: the one wrapper around SQLite, used by state, audit, tables, snapshot and sql/sqlite. Owns connections, the
 * busy policy (LITE_BUSY_MS in one place), prepared statements (made once per connection, always reset by lite_done),
 * schema versions.
 * Files are made with mode 0600. Values travel as parameters only.
 * Errors: `code` given at open (ERR_STATE for the state file, ERR_TARGET for a target) with native = SQLite's
 * extended code; SQLITE_BUSY is ERR_BUSY, retryable.
 * Threads: a connection belongs to one thread at a time (opened NOMUTEX).
 */
#ifndef SETTLE_LITE_LITE_H
#define SETTLE_LITE_LITE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdint.h>

#define LITE_BUSY_MS 30000 /* how long a call waits for another connection's lock before it is ERR_BUSY */

struct lite;
struct lite_stmt;

enum lite_flags {
	LITE_READ_ONLY = 1u << 0, /* cannot write, does not create */
	LITE_TRACELESS = 1u << 3, /* with LITE_READ_ONLY: leaves no -wal and -shm file behind where there was none */
	LITE_CREATE = 1u << 1,    /* make the file (not its directory) if it is not there */
	LITE_BULK = 1u << 2,      /* WAL, synchronous=NORMAL, larger cache: a store that is replayed after a crash */
};

struct lite_options {
	const char *path; /* borrowed; also "" for a temporary file */
	unsigned flags;
	enum err_code code; /* what errors of this connection are */
	const char *what;   /* "state file", "target": put before messages; borrowed */
	int cache_kib;      /* page cache, 0 = 8192, or 65536 with LITE_BULK */
};

/*
 * A file that cannot be read, or written without LITE_READ_ONLY, is refused here. A read-only connection reads a WAL
 * file also beside an active writer, and where -wal and -shm are absent.
 */
MUST_CHECK int lite_open(struct lite **out, const struct lite_options *o, struct err *err);
void lite_close(struct lite *db); /* NULL allowed; rolls back what is open */
const char *lite_version(void);   /* of SQLite, "3.40.1" */

/*
 * Numbered migrations under PRAGMA user_version: sql[i] brings version i to i + 1, each in a transaction. A file
 * newer than n is refused: ERR_STATE naming both versions; so is one of version 0 that holds anything: it is not
 * settle's. Read-only connections only check.
 */
MUST_CHECK int lite_migrate(struct lite *db, const char *const *sql, int n, struct err *err);
/* Constant SQL, may hold several statements. */
MUST_CHECK int lite_exec(struct lite *db, const char *sql, struct err *err);
MUST_CHECK int lite_begin(struct lite *db, struct err *err); /* BEGIN IMMEDIATE (read-only: BEGIN) */
MUST_CHECK int lite_commit(struct lite *db, struct err *err);
void lite_rollback(struct lite *db); /* nothing open: nothing happens */

/*
 * A statement from the connection's cache, prepared at first use; sql is a constant or lives as long as db. Reset and
 * unbound.
 */
MUST_CHECK int lite_stmt(struct lite *db, const char *sql, struct lite_stmt **out, struct err *err);
/* Parameters count from 1. Text and bytes are borrowed until lite_done. A slice with ptr NULL binds NULL. */
void lite_bind_text(struct lite_stmt *s, int n, struct slice text);
void lite_bind_bytes(struct lite_stmt *s, int n, struct slice bytes);
void lite_bind_int(struct lite_stmt *s, int n, int64_t value);
void lite_bind_null(struct lite_stmt *s, int n);
/* *row = 1 when a row is there, 0 at the end. Bind failures are reported here. */
MUST_CHECK int lite_step(struct lite_stmt *s, int *row, struct err *err);
/* Steps to the end, expecting no row, and resets. */
MUST_CHECK int lite_run(struct lite_stmt *s, struct err *err);
/* Columns count from 0; text is borrowed until the next step or done; SQL NULL is SLICE_NONE. */
struct slice lite_text(struct lite_stmt *s, int n);
int64_t lite_int(struct lite_stmt *s, int n);
double lite_double(struct lite_stmt *s, int n);
int lite_is_null(struct lite_stmt *s, int n);
int lite_column_type(struct lite_stmt *s, int n); /* SQLITE_INTEGER, ... */
int lite_columns(struct lite_stmt *s);
const char *lite_column_name(struct lite_stmt *s, int n);
void lite_done(struct lite_stmt *s);   /* reset + clear bindings; NULL allowed */
int64_t lite_changes(struct lite *db); /* rows of the last INSERT, UPDATE or DELETE */
int64_t lite_last_id(struct lite *db); /* rowid of the last INSERT */

/* ---- whole files (lite_backup.c) ---- */

/* Bytes that are copied and bytes in all; anything but 0 (with err set) ends the copy. */
typedef int lite_progress_fn(void *ctx, int64_t bytes, int64_t of_bytes, struct err *err);
/*
 * A copy of the database as it is at one moment, by SQLite's backup, in a new file (0600, refused when it is there).
 * Others may read and write meanwhile. Not flushed. After an error the file may be there, incomplete. fn may be NULL.
 */
MUST_CHECK int lite_backup(struct lite *db, const char *to, lite_progress_fn *fn, void *ctx, struct err *err);

#define LITE_TEXT_FN_SIZE 128 /* of out, NUL included */
typedef void lite_text_fn(void *ctx, struct slice in, char *out);
/* A function of one argument for this connection's SQL; NULL gives NULL. ctx lives as long as db. */
MUST_CHECK int lite_function(struct lite *db, const char *name, lite_text_fn *fn, void *ctx, struct err *err);
/* No trigger of the file runs on this connection any more. */
MUST_CHECK int lite_triggers_off(struct lite *db, struct err *err);
/* For calls this wrapper does not cover (backup API): the sqlite3 *, borrowed. */
void *lite_handle(struct lite *db);

#endif
