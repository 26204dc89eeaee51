/*
 * sql: where documents go. Owns the layout of DESIGN.md section 7 (sql/tables.c), its creation and versions, and two drivers
 * behind one interface: sql/pg (libpq) and sql/sqlite (lite). Knows tables and rows, nothing about documents, CouchDB or rules.
 *
 * A row is an array of cells in column order; key columns come first. Cells carry text: see enum sql_type. Values travel as COPY
 * data or parameters; identifiers pass sql_quote_ident. Text handed in must be storable (no NUL, strict UTF-8): callers tame it.
 * Errors: ERR_TARGET with sqlstate (pg) or native (sqlite); retryable set for 40001, 40P01, 57P01-57P03, 08xxx and lost connections.
 * After any error inside a transaction only sql_rollback and sql_close are allowed. Writing needs a transaction, reading
 * does not. A cell that is not what its column holds, and every other misuse, is ERR_INTERNAL.
 * Threads: a target handle belongs to one thread at a time. Several handles on one database work side by side where
 * sql_concurrent() says so; elsewhere (SQLite, Citus) the caller lets one at a time be inside a transaction.
 */
#ifndef SQL_TARGET_H
#define SQL_TARGET_H

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "base/slice.h"
#include "base/url.h"

#include <stdint.h>

enum sql_type {
	SQL_TEXT,  /* text */
	SQL_JSON,  /* jsonb / text; cell = JSON text without U+0000, lone surrogates, numbers beyond numeric */
	SQL_BOOL,  /* cell "t" or "f" */
	SQL_INT,   /* bigint; cell = decimal */
	SQL_TIME,  /* timestamptz / text; cell = canonical base/datetime.h text, no other spelling */
	SQL_BYTES, /* bytea / blob; cell = the raw bytes */
};

enum sql_column_flags { SQL_NOT_NULL = 1u << 0 };

struct sql_column {
	const char *name;
	enum sql_type type;
	unsigned flags;
};

#define SQL_MAX_COLUMNS 32

struct sql_table {
	const char *name;
	int ncolumns;
	int nkey;    /* the first nkey columns are the primary key; 0 = no key (append only) */
	struct sql_column columns[SQL_MAX_COLUMNS];
};

struct sql_row {
	struct slice *cells; /* table->ncolumns of them; ptr NULL = SQL NULL */
};

struct sql_rows {
	struct sql_row *v;
	size_t n, cap;
};

/* The tables of section 7 (sql/tables.c). Column numbers are the enums in sql/tables.h. */
extern const struct sql_table sql_forms, sql_case_transactions, sql_cases, sql_case_indices, sql_attachments,
        sql_form_operations, sql_documents, sql_migration, sql_checkpoint, sql_dirty_case, sql_conflict;
extern const struct sql_table *const sql_all_tables[]; /* NULL-terminated */

enum sql_open_flags {
	SQL_READ_ONLY = 1u << 0, /* cannot write; no table is made; a SQLite file that is not there is empty */
	SQL_TRACELESS = 1u << 2, /* with SQL_READ_ONLY: for a moment, while nobody writes; makes no file */
	SQL_CREATE = 1u << 1,    /* make the schema or bring it to this version */
};

struct sql_options {
	const struct url *url;  /* borrowed during open */
	const char *schema;     /* or NULL; PostgreSQL only */
	unsigned flags;
	int distribute;         /* Citus: tables are distributed when they are made; ERR_STATE when some were not */
	struct log *log;        /* LOG_SQL lines; may be NULL; borrowed */
};

struct sql_target;

MUST_CHECK int sql_open(struct sql_target **out, const struct sql_options *o, struct err *err);
void sql_close(struct sql_target *t); /* NULL allowed; rolls back */
int sql_concurrent(const struct sql_target *t);
/* ERR_NOTFOUND when settle's schema is not there (read-only open of a fresh target succeeds). */
MUST_CHECK int sql_schema_check(struct sql_target *t, struct err *err);

MUST_CHECK int sql_begin(struct sql_target *t, struct err *err);
MUST_CHECK int sql_commit(struct sql_target *t, struct err *err);
void sql_rollback(struct sql_target *t);

enum sql_outcome { SQL_INSERTED, SQL_UPDATED, SQL_SAME };

/*
 * Upserts rows (distinct keys) and reads back what the table now holds, in the order given: staging COPY, INSERT .. ON CONFLICT DO
 * UPDATE where any column differs, joined SELECT. outcomes has n places; *back is allocated in the arena (NULL: do not read back).
 * "Differs" is by SQL equality of the stored type, so a second put of the same rows changes no row.
 */
MUST_CHECK int sql_put(struct sql_target *t, const struct sql_table *table, const struct sql_row *rows, size_t n,
                       enum sql_outcome *outcomes, struct arena *a, struct sql_row **back, struct err *err);
/* Appends rows without looking (tables without a key, or keys known to be absent). */
MUST_CHECK int sql_insert(struct sql_target *t, const struct sql_table *table, const struct sql_row *rows, size_t n,
                          struct err *err);
/* Deletes the rows whose columns cols[0..ncols-1] equal one of the n tuples (tuples[i].cells has ncols cells). Deleted rows are
 * appended to *old when it is not NULL, in no order. Tuples may repeat; a NULL in one equals nothing. */
MUST_CHECK int sql_delete(struct sql_target *t, const struct sql_table *table, const int *cols, int ncols,
                          const struct sql_row *tuples, size_t n, struct arena *a, struct sql_rows *old, struct err *err);
/* All rows whose columns cols[] equal one of the n tuples, each once, ordered by the table's key columns (bytes). */
MUST_CHECK int sql_select(struct sql_target *t, const struct sql_table *table, const int *cols, int ncols,
                          const struct sql_row *tuples, size_t n, struct arena *a, struct sql_rows *out, struct err *err);
/*
 * A page of a table in key order: rows of this domain (column 0) whose column `by` > after (byte order), at most limit; tables with
 * several rows a key give them all through sql_select. distinct != 0: only different values of `by`, other cells undefined.
 */
MUST_CHECK int sql_page(struct sql_target *t, const struct sql_table *table, struct slice domain, int by, struct slice after,
                        int limit, int distinct, struct arena *a, struct sql_rows *out, struct err *err);
struct sql_keys {
	struct slice *v; /* in the arena */
	size_t n;
};

/* A page of ids: the second key column, in byte order behind `after` (ptr NULL: from the first), at most limit, of a table whose key is
 * (domain, id). What is read by the million is read without rows around it. */
MUST_CHECK int sql_page_keys(struct sql_target *t, const struct sql_table *table, struct slice domain, struct slice after, int limit,
                             struct arena *a, struct sql_keys *out, struct err *err);
/* The same of any table: the different values of text column `by` in rows whose text column `only` holds `value`. */
MUST_CHECK int sql_page_values(struct sql_target *t, const struct sql_table *table, struct slice domain, int by, int only,
                               struct slice value, struct slice after, int limit, struct arena *a, struct sql_keys *out,
                               struct err *err);
/* Deletes this domain's rows with low < column `by` <= high; an absent bound is open. */
MUST_CHECK int sql_delete_range(struct sql_target *t, const struct sql_table *table, struct slice domain, int by,
                                struct slice low, struct slice high, struct err *err);
/* Rows of this domain per distinct value of column `by`; calls back in byte order. */
typedef void sql_count_fn(void *ctx, struct slice value, int64_t n);
MUST_CHECK int sql_count_by(struct sql_target *t, const struct sql_table *table, struct slice domain, int by, sql_count_fn *fn,
                            void *ctx, struct err *err);

/*
 * The domain lock: one writer a domain. Held until close. ERR_BUSY with host, pid and since of the holder in the message.
 * Taking it makes the domain's row in settle_migration (status 'not-started') if there is none, which must then stay: a
 * reset sets its status. It raises the epoch there, which sql_commit then requires inside every transaction that wrote (a writer that
 * lost its lock gets ERR_STATE and nothing is committed). PostgreSQL: advisory lock, which a holder that was killed keeps until the
 * server has noticed: one of this host is waited for, up to half a minute; SQLite: flock on "<path>-settle-lock".
 * A further connection of the same process shares it through sql_domain_join with the same epoch.
 */
MUST_CHECK int sql_domain_lock(struct sql_target *t, struct slice domain, int64_t *epoch, struct err *err);
MUST_CHECK int sql_domain_join(struct sql_target *t, struct slice domain, int64_t epoch, struct err *err);

/* Secondary indexes, ANALYZE and what lets sql_page_keys read an index alone (PostgreSQL: VACUUM), after a load; idempotent. */
MUST_CHECK int sql_finish_load(struct sql_target *t, struct err *err);

struct sql_report { /* for `check`; slices live in the arena */
	struct slice server;    /* "PostgreSQL 15.4", "SQLite 3.40.1" */
	struct slice version;
	int citus;
	int can_create, can_write;
	int64_t free_bytes;     /* where it can be known, else -1 */
	int schema_version;     /* 0 = none yet */
};
MUST_CHECK int sql_describe(struct sql_target *t, struct arena *a, struct sql_report *out, struct err *err);

/* "name" with inner quotes doubled, in the arena. */
struct slice sql_quote_ident(struct slice name, struct arena *a);

#endif
