/*
 * tables, inside: the job, the catalogs of both ends, the manifest, how a table is read (struct spec), and connections.
 * Strings live in the arena that the making function was given, unless said otherwise.
 */
#ifndef SETTLE_TABLES_TABLES_INTERNAL_H
#define SETTLE_TABLES_TABLES_INTERNAL_H

#include "base/buf.h"
#include "base/json.h"
#include "lite/lite.h"
#include "tables/tables.h"

#include <libpq-fe.h>

#define SQL_CAP ((size_t)64 << 20) /* a statement */

struct names {
	const char **v;
	size_t n, cap;
};
int names_has(const struct names *list, const char *name);
const char *names_json(const struct names *names, struct arena *a);

/* ---- pg.c: a connection ---- */

struct pgc {
	PGconn *conn;
	enum err_code code; /* ERR_SOURCE or ERR_TARGET */
	const char *what;   /* "source", "target" */
	const char *secret; /* hidden in messages; borrowed from the url */
	struct log *log;
	int citus; /* has the extension */
};
MUST_CHECK int pgc_open(struct pgc *c, const struct url *url, enum err_code code, struct log *log, struct err *err);
void pgc_close(struct pgc *c); /* all zero: nothing happens */
/* *out may be NULL when no rows are wanted; the caller clears it. */
MUST_CHECK int pgc_exec(struct pgc *c, const char *sql, PGresult **out, struct err *err);
/* BEGIN of a transaction that writes several tables. */
MUST_CHECK int pgc_begin_many(struct pgc *c, struct err *err);
MUST_CHECK int pgc_query(struct pgc *c, const char *sql, int n, const char *const *values, PGresult **out,
			 struct err *err);
/* The failure of a result, or of the connection. */
int pgc_fail(struct pgc *c, const PGresult *res, struct err *err);
int64_t pgc_int(const PGresult *res, int row, int col);
int64_t pgc_rows(PGresult *res); /* that a command was about */
/* NULL for SQL NULL; lives in the arena. */
const char *pgc_text(const PGresult *res, int row, int col, struct arena *a);
MUST_CHECK int pgc_scalar(struct pgc *c, const char *sql, int n, const char *const *values, int64_t *out,
			  struct err *err);
void pgc_rollback(struct pgc *c);
/* "name", "schema"."name" ("" or NULL schema: name alone), 'literal'. */
const char *ident(struct arena *a, const char *name);
const char *qualified(struct arena *a, const char *schema, const char *name);
const char *literal(struct arena *a, const char *text);

/* ---- job.c ---- */

enum job_else { ELSE_KEEP, ELSE_REJECT, ELSE_NULL, ELSE_VALUE };
struct job_column {
	const char *name;
	const char *from, *sql;   /* at most one */
	const struct json *value; /* a constant */
	const struct json *map;   /* old value -> new value */
	enum job_else otherwise;
	const struct json *else_value;
	const struct json *if_null; /* instead of null */
	const char *crypt;          /* yescrypt, bcrypt */
	const char *type;           /* for tables create, from SQLite */
};
struct job_columns {
	struct job_column *v;
	size_t n, cap;
};
enum job_children { CHILDREN_KEEP, CHILDREN_INTO_PARENT };
enum job_key { JOB_KEYS_KEEP, JOB_KEYS_DROP };
struct job_rule {
	const char *match, *table, *schema; /* one of match (glob) and table (exact) */
	enum job_children children;
	const char *target, *target_schema;
	const char *where, *since, *target_where;
	struct job_columns columns;
	struct names drop, own;
	const char *distribute, *colocate;
	int reference, skip, no_split;
	enum job_key keys;
};
struct job_param {
	const char *name, *value, *environment;
	int digits;
};
enum job_citus { CITUS_AUTO, CITUS_ALWAYS, CITUS_NEVER };
struct job {
	const char *name;
	struct names schemas;
	const char *target_schema; /* NULL: as the source's */
	int64_t part_bytes, max_rejects;
	int one_transaction, wants_apply;
	enum job_citus citus;
	struct {
		struct job_param *v;
		size_t n, cap;
	} params;
	struct {
		struct job_rule *v;
		size_t n, cap;
	} rules;
};
/* text NULL: the job that takes every table to itself. Reads no environment. */
MUST_CHECK int job_read(struct slice text, struct arena *a, struct job *out, struct err *err);
/* Values from the environment where they are said to be there, defaults elsewhere. ERR_USAGE for one without a value.
 */
MUST_CHECK int job_parameters(struct job *job, struct arena *a, struct err *err);
/* The first rule that names the table, or -1. */
int job_rule_of(const struct job *job, const char *schema, const char *table);
/* What the rule says of this column of the target, or NULL. */
const struct job_column *job_column_of(const struct job_rule *rule, const char *name);
enum job_language { JOB_SERVER, JOB_CITUS, JOB_SQLITE };
/* The value of a session's setting settle.NAME, as text. */
const char *job_setting(const char *name, enum job_language language, struct arena *a);
/* The expression with :name of known parameters as such settings or, for SQLite, ?N (its place from 1). */
const char *job_bind(const struct job *job, const char *sql, enum job_language language, struct arena *a);

/* ---- catalogs ---- */

struct cat_column {
	const char *name, *type; /* as PostgreSQL writes it; in SQLite as declared */
	const char *default_sql, *collation;
	const char *sequence_schema, *sequence; /* that its default draws from */
	const char *sequence_text;              /* its name as the default says it: a literal */
	const char *sequence_type, *sequence_options;
	int sequence_owned;
	char identity, generated; /* 0 or the catalog's letter */
	int not_null, text_only,
	    key;          /* text_only: binary COPY cannot carry it between servers. key: place in the key from 1 */
	char category;    /* 'x' type of the base type: pg_type.typcategory */
	const char *base; /* name of the base type in pg_catalog, or "" */
};
struct cat_table {
	const char *schema, *name;
	char kind; /* 'r', 'p' partitioned */
	int partition, has_children;
	const char *parent_schema, *parent;
	const char *bound, *partkey, *date;
	int64_t rows, bytes;
	struct {
		struct cat_column *v;
		size_t n, cap;
	} columns;
	const char *rowid; /* SQLite: a name for the rowid that is no column, or NULL */
};
struct catalog {
	struct cat_table *v;
	size_t n, cap;
};
MUST_CHECK int catalog_pg(struct pgc *c, const struct names *schemas, struct arena *a, struct catalog *out,
			  struct err *err);
MUST_CHECK int catalog_sqlite(struct lite *db, struct arena *a, struct catalog *out, struct err *err);
struct cat_table *catalog_find(const struct catalog *cat, const char *schema, const char *name);
struct cat_column *column_find(const struct cat_table *t, const char *name);
/* An integer that is drawn from a sequence and nothing else: the sequence must be ahead of it. */
int column_is_counted(const struct cat_column *c);
/* The first YYYY-MM-DD in the text, in the arena, or NULL. */
const char *date_in(const char *text, struct arena *a);
/* Type for PostgreSQL of a SQLite column, from its declaration and from what is stored there. */
MUST_CHECK int sqlite_pg_type(struct lite *db, const struct cat_table *t, const struct cat_column *c, struct arena *a,
			      const char **out, struct err *err);

/* ---- manifest.c ---- */

struct manifest {
	struct lite *db;
	const char *job_id; /* of the marks in settle_part */
	const char *job_text;
	const char *source_url, *target_url; /* "" when not known; never with a password */
	struct slice salt;
};
struct manifest_rows {
	struct tables_row *v;
	size_t n, cap;
};
struct manifest_object { /* made after the load */
	int64_t id;
	const char *schema, *table, *kind, *name, *sql; /* kind: key, index, foreign */
};
struct manifest_objects {
	struct manifest_object *v;
	size_t n, cap;
};
struct reject {
	int64_t rowid;
	const char *column, *reason; /* column "" when the server did not take the row */
};
struct rejects {
	struct reject *v;
	size_t n, cap;
};
MUST_CHECK int manifest_make(struct manifest *m, const char *path, struct arena *a, struct err *err);
MUST_CHECK int manifest_open(struct manifest *m, const char *path, unsigned lite_flags, struct arena *a,
			     struct err *err);
void manifest_close(struct manifest *m);
MUST_CHECK int manifest_set(struct manifest *m, const char *name, struct slice value, struct err *err);
MUST_CHECK int manifest_get(struct manifest *m, const char *name, struct arena *a, const char **out, struct err *err);
MUST_CHECK int manifest_add(struct manifest *m, const struct tables_row *row, struct err *err);
MUST_CHECK int manifest_rows(struct manifest *m, struct arena *a, struct manifest_rows *out, struct err *err);
MUST_CHECK int manifest_done(struct manifest *m, const struct tables_row *row, struct err *err);
MUST_CHECK int manifest_failed(struct manifest *m, int64_t id, const struct err *why, struct err *err);
MUST_CHECK int manifest_forget(struct manifest *m, int64_t id, struct err *err);
MUST_CHECK int manifest_put_rejects(struct manifest *m, int64_t id, const struct rejects *list, struct err *err);
MUST_CHECK int manifest_add_object(struct manifest *m, const struct manifest_object *o, struct err *err);
/* One of that kind and name, of the same table? */
MUST_CHECK int manifest_has_object(struct manifest *m, const struct manifest_object *o, int *yes, struct err *err);
MUST_CHECK int manifest_objects(struct manifest *m, struct arena *a, struct manifest_objects *out, struct err *err);
MUST_CHECK int manifest_drop_object(struct manifest *m, int64_t id, struct err *err);

/* ---- session.c: a manifest with its job and both ends ---- */

struct session {
	const struct tables_env *env;
	struct arena *a;
	struct manifest m;
	struct job job;
	struct manifest_rows rows;
	struct url source_url, target_url;
	int has_target, sqlite;
	struct pgc source, target; /* the calling thread's */
	struct lite *lite;         /* a SQLite source */
	struct catalog from, to;   /* to: of the target, read again by session_target_catalog */
	const char *since;         /* or NULL */
};
enum session_needs { SESSION_SOURCE = 1, SESSION_TARGET = 2, SESSION_READ_ONLY = 4 };
MUST_CHECK int session_open(struct session *s, const struct tables_env *env, unsigned needs, struct arena *a,
			    struct err *err);
void session_close(struct session *s);
/* Reads the rows of the manifest. */
MUST_CHECK int session_rows(struct session *s, struct err *err);
MUST_CHECK int session_target_catalog(struct session *s, struct err *err);
/* Opens a further connection with the job's parameters as settings. */
MUST_CHECK int session_connect(const struct session *s, struct pgc *c, int target, struct err *err);
MUST_CHECK int session_lite(const struct session *s, struct lite **out, struct err *err);
MUST_CHECK int session_set(struct pgc *c, const char *name, const char *value, struct err *err);
enum job_language session_language(const struct session *s, int target);
void say(const struct tables_env *env, enum tables_says what, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Of two failures (0: none) the first is told, and the other one logged. The code that is told. */
int first_failure(const struct session *s, int rc, struct err *err, int other_rc, const struct err *other);

/* ---- spec.c: how a table is read and where it goes ---- */

struct spec_column {
	const struct cat_column *to;
	const char *sql;               /* in the source's language */
	const struct job_column *rule; /* or NULL */
	int typed;                     /* sql is of the target's type without a cast */
	int own;                       /* the target's own: not compared, not overwritten by a top up */
};
struct spec {
	const struct tables_row *row;
	const struct job_rule *rule;
	const struct cat_table *from, *to;
	struct {
		struct spec_column *v;
		size_t n, cap;
	} columns;
	int text;  /* COPY in text format: a column's type cannot go in binary */
	int plain; /* nothing but columns under their own types, all rows */
};
MUST_CHECK int spec_make(const struct session *s, const struct tables_row *row, struct arena *a, struct spec *out,
			 struct err *err);
enum spec_only { SPEC_ALL, SPEC_KEY, SPEC_COMPARED };
/* SELECT of the columns (those of `only`), restricted to the row's part, the rule's `where` and, with session.since,
 * its `since`. */
const char *spec_select(const struct session *s, const struct spec *p, enum spec_only only, struct arena *a);
/* "a", "b" */
const char *spec_columns(const struct spec *p, enum spec_only only, struct arena *a);
int spec_takes(const struct spec_column *c, enum spec_only only);
int spec_has_key(const struct spec *p);
/* The target's table, without children that have rows of the manifest to themselves. */
const char *spec_target(const struct spec *p, struct arena *a);
/* The rows of the target that are this table's: FROM ... WHERE ... */
const char *spec_target_rows(const struct session *s, const struct spec *p, struct arena *a);
/* The source's rows of the whole table (not a part). */
struct tables_row spec_whole(const struct tables_row *row);

/* ---- copying ---- */

struct copied {
	int64_t rows, bytes;
	int64_t left_out; /* by worker.skip */
	struct rejects rejects;
};
struct worker { /* connections of one thread */
	const struct session *s;
	struct pgc source, target;
	struct lite *lite;
	struct arena memory; /* statement texts: as long as the connections */
	const int64_t *skip; /* rowids in order that are left out: what was set aside */
	size_t n_skip;
	atomic_llong *progress; /* bytes so far, of all workers; or NULL */
};
/* From the part into a table of the target (quoted), inside the caller's transaction there. */
MUST_CHECK int copy_pg(struct worker *w, const struct spec *p, enum spec_only only, const char *into, struct arena *a,
		       struct copied *out, struct err *err);
MUST_CHECK int copy_sqlite(struct worker *w, const struct spec *p, enum spec_only only, const char *into,
			   struct arena *a, struct copied *out, struct err *err);
MUST_CHECK int copy_rows(struct worker *w, const struct spec *p, enum spec_only only, const char *into, struct arena *a,
			 struct copied *out, struct err *err);
MUST_CHECK int export_csv(struct session *s, const struct tables_row *row, const char *dir, struct err *err);

/* ---- transform.c: one SQLite value as COPY text ---- */

struct transform {
	const struct spec_column *column;
	int binary; /* else text */
	const char *table;
	struct slice salt;
};
enum transformed {
	TRANSFORM_DONE,
	TRANSFORM_REJECTED, /* does not fit: *reason says why (in the arena) */
	TRANSFORM_TEXT,     /* only the server can read it: send the row as text */
};
/* Appends the value of column n of the statement's row, as a field of COPY's format. */
enum transformed transform_value(const struct transform *t, struct lite_stmt *stmt, int n, int64_t rowid,
				 struct arena *a, struct buf *out, const char **reason);
/* May values for a column of this type go in binary? */
int transform_is_binary(const struct cat_column *to);
/* crypt(3) with a salt made of the manifest's and of the place. */
int crypt_value(const char *method, struct slice salt, const char *place, struct slice secret, struct arena *a,
		struct slice *out, const char **reason);

/* ---- parts.c, triggers.c, sequences.c, objects.c ---- */

MUST_CHECK int parts_prepare(struct pgc *target, struct err *err);
MUST_CHECK int parts_lock(struct session *s, struct err *err);
/* Marks whose part the manifest does not know as done, and the other way round. */
MUST_CHECK int parts_follow(struct session *s, struct err *err);
/* Inside the part's transaction. ERR_BUSY: it is there already. */
MUST_CHECK int parts_mark(const struct session *s, struct pgc *target, const struct tables_row *row, struct err *err);
MUST_CHECK int parts_finish(const struct session *s, struct pgc *target, const struct tables_row *row,
			    const struct copied *c, struct err *err);

enum trigger_mode { TRIGGERS_REPLICA, TRIGGERS_ALTER };
struct resting { /* triggers of one table, and how they were enabled */
	const char *table;
	struct {
		struct {
			const char *name;
			char was;
		} * v;
		size_t n, cap;
	} list;
};
/* REPLICA where the role may set session_replication_role; then everything comes back with the transaction's end. */
MUST_CHECK int triggers_mode(struct pgc *target, enum trigger_mode *out, struct err *err);
/* Inside a transaction: user triggers rest until triggers_end, or until it is rolled back. */
MUST_CHECK int triggers_begin(struct pgc *target, enum trigger_mode mode, const struct cat_table *t, struct arena *a,
			      struct resting *out, struct err *err);
MUST_CHECK int triggers_end(struct pgc *target, const struct resting *r, struct arena *a, struct err *err);
/* Without the right to rest them, foreign keys are dropped for the load; what they were is in settle_foreign_key. */
MUST_CHECK int foreign_keys_drop(struct session *s, const struct manifest_rows *rows, struct err *err);
/* Those that rows break come back for new rows only; then ERR_TARGET names the last of them. */
MUST_CHECK int foreign_keys_restore(struct session *s, struct err *err);
struct orphans {
	const char *name, *child;
	int64_t n; /* rows whose partner is not there */
};
struct orphans_list {
	struct orphans *v;
	size_t n, cap;
};
/* Every foreign key of the table, or (others = 1) of other tables that point to it. */
MUST_CHECK int foreign_keys_check(struct pgc *c, const struct cat_table *t, int others, struct arena *a,
				  struct orphans_list *out, struct err *err);

MUST_CHECK int sequences_set(struct pgc *target, const struct cat_table *t, struct arena *a, struct err *err);
MUST_CHECK int sequences_follow(struct session *s, const struct tables_row *row, const struct cat_table *to,
				struct err *err);
MUST_CHECK int objects_make(struct session *s, struct err *err);

/* ---- run.c, whole.c, topup.c ---- */

struct run {
	struct session *s;
	const struct tables_migrate_options *o;
	struct tables_summary *sum;
	struct manifest_rows chosen;
	enum trigger_mode triggers;
	char snapshot[64];
	int64_t all_bytes, all_tables;
};
MUST_CHECK int run_parts(struct run *r, struct err *err);
MUST_CHECK int run_whole(struct run *r, struct err *err);
MUST_CHECK int run_top_up(struct run *r, struct err *err);
MUST_CHECK int job_check(struct run *r, struct err *err);
/* Opens a worker's connections where they are not open, at the run's snapshot. */
MUST_CHECK int worker_open(struct worker *w, const struct run *r, struct err *err);
void worker_close(struct worker *w);
MUST_CHECK int select_rows(const struct manifest_rows *all, const struct tables_select *o, int retry_errors,
			   struct arena *a, struct manifest_rows *out, struct err *err);
/* Is this the table of the source that a person named: NAME, or SCHEMA.NAME? */
int row_is_named(const struct tables_row *row, const char *name);
MUST_CHECK int month_of(const char *text, char out[11], struct err *err);

/* Every manifest row of the same target table, whole tables only (part 1). */
void rows_of_target(const struct session *s, const struct tables_row *row, struct arena *a, struct manifest_rows *out);
/* A temporary table of the target's columns (those of `only`), empty. */
MUST_CHECK int make_stage(struct pgc *target, const struct spec *p, enum spec_only only, const char *name,
			  struct arena *a, struct err *err);
/* Leaves out what was set aside when the row's part was copied. */
MUST_CHECK int worker_skip(struct worker *w, struct manifest *m, int64_t id, struct arena *a, struct err *err);
/* The rowids that were set aside in a part, in order. */
MUST_CHECK int manifest_rejected(struct manifest *m, int64_t id, struct arena *a, int64_t **out, size_t *n,
				 struct err *err);

/* ---- checksum.c, citus.c ---- */

/* count and checksum of a SELECT of one row's text: SELECT count(*), sum. */
const char *checksum_sql(const char *columns, const char *select, struct arena *a);
struct content {
	int64_t rows;
	const char *sum;
};
MUST_CHECK int content_of(struct pgc *c, const char *sql, struct arena *a, struct content *out, struct err *err);
/* The statement that distributes the table, or NULL when the rule or the target does not want it. */
const char *citus_place(const struct session *s, const struct job_rule *rule, const char *schema, const char *table);

/* ---- create*.c ---- */

struct creation {
	struct session *s;
	int dry_run;
	struct names made; /* qualified names of tables made or said in this call */
};
/* Says a statement and, unless dry, runs it. */
MUST_CHECK int create_run(struct creation *c, const char *sql, struct err *err);
/* The schema on the target, unless it is there or was made before. */
MUST_CHECK int create_schema(struct creation *c, const char *schema, struct err *err);
/* What is made after the load: kept in the manifest. */
MUST_CHECK int create_later(struct creation *c, const struct manifest_object *o, struct err *err);
MUST_CHECK int create_types_pg(struct creation *c, struct err *err);
/* ---- create_extra.c: what stands around a table ---- */
/* The sequences that its defaults draw from, unless they are there; a table owns afterwards what it owned. */
MUST_CHECK int create_sequences(struct creation *c, const struct tables_row *row, const struct cat_table *t,
				struct err *err);
MUST_CHECK int own_sequences(struct creation *c, const struct tables_row *row, const struct cat_table *t,
			     struct err *err);
/* The default as the target says it: a sequence may be elsewhere there. NULL: none. */
const char *create_default(struct creation *c, const struct tables_row *row, const struct cat_column *col);
MUST_CHECK int create_comments(struct creation *c, const struct tables_row *row, const struct cat_table *t,
			       struct err *err);
/* Extensions that the tables' types come from must be in the target. */
MUST_CHECK int create_check_extensions(struct creation *c, struct err *err);

/* Names what a source has beside tables, and the target (unless it is not open) lacks: settle leaves it to others. */
MUST_CHECK int left_behind(struct session *s, struct err *err);

MUST_CHECK int create_table_pg(struct creation *c, const struct tables_row *row, const struct cat_table *t,
			       struct err *err);
MUST_CHECK int create_table_sqlite(struct creation *c, const struct tables_row *row, const struct cat_table *t,
				   struct err *err);
/*
 * What Citus does not take: refused (ERR_USAGE), or left out with a word (*skip) where the rule says "keys": "drop".
 * has_column: a unique key holds the distribution column. paired: the column of the other table that a foreign key
 * pairs with it, or NULL.
 */
MUST_CHECK int citus_takes_key(struct creation *c, const struct tables_row *row, const char *name, int has_column,
			       int *skip, struct err *err);
MUST_CHECK int citus_takes_reference(struct creation *c, const struct tables_row *row, const struct tables_row *to,
				     const char *name, const char *paired, int *skip, struct err *err);
MUST_CHECK int citus_takes_children(const struct session *s, const struct tables_row *row, const struct cat_table *t,
				    struct err *err);
/* Where a source table goes; NULL when the manifest does not have it. */
const struct tables_row *row_of_source(const struct session *s, const char *schema, const char *name);

#endif
