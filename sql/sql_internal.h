/*
 * sql_internal: what target.c, the drivers and the statement writers share. Private to the room sql/.
 * A driver embeds struct sql_target as its first member and fills struct sql_driver. target.c keeps the rules of the
 * interface (transactions, read-only handles, epoch), so a driver's functions may rely on them.
 */
#ifndef SQL_SQL_INTERNAL_H
#define SQL_SQL_INTERNAL_H

#include "base/buf.h"
#include "sql/target.h"

/* ---- layout beyond the tables (sql/tables.c) ---- */

enum sql_index_flags { SQL_INDEX_AT_ONCE = 1u << 0 }; /* made with its table; the others by sql_finish_load */

struct sql_index {
	const char *name;
	const struct sql_table *table;
	unsigned flags;
	int ncols;
	int cols[4];
};

extern const struct sql_index sql_all_indexes[]; /* ended by name == NULL */
extern const struct sql_table sql_schema_table;  /* settle_schema(version): one row */

/* ---- how a database writes things ---- */

struct sql_dialect {
	char mark;            /* stands before a parameter's number: $1, ?1 */
	const char *types[6]; /* by enum sql_type */
};

struct sql_names {
	const struct sql_dialect *dialect;
	const char *schema; /* as the user names it; "" = none. Outlives the handle's statements */
};

/* ---- targets and drivers ---- */

struct sql_driver;
struct sql_view_column;

enum sql_phase {
	SQL_IDLE,
	SQL_OPEN,
	SQL_FAILED
}; /* no transaction; inside one; inside one that can only be rolled back */

struct sql_target {
	const struct sql_driver *driver;
	struct sql_names names;
	struct log *log;
	unsigned flags;
	int concurrent; /* set by the driver's open */
	enum sql_phase phase;
	int wrote;         /* in this transaction */
	struct buf domain; /* whose epoch a commit must match */
	int has_domain;
	int64_t epoch;
};

struct sql_match { /* rows whose columns cols[] equal one of the tuples */
	const int *cols;
	int ncols;
	const struct sql_row *tuples;
	size_t n;
};

struct sql_range { /* this domain's rows with low < column `by` <= high; ptr NULL = open */
	struct slice domain;
	int by;
	struct slice low, high;
	int only;           /* and only those whose text column `only` holds `value`, */
	struct slice value; /* unless its ptr is NULL */
	int limit;    /* pages only */
	int distinct; /* pages only */
};

struct sql_driver {
	int (*open)(struct sql_target **out, const struct sql_options *o, struct err *err);
	void (*close)(struct sql_target *t);
	int (*schema_check)(struct sql_target *t, struct err *err);
	int (*begin)(struct sql_target *t, struct err *err);
	int (*commit)(struct sql_target *t, struct err *err);
	void (*rollback)(struct sql_target *t);
	int (*put)(struct sql_target *t, const struct sql_table *table, const struct sql_row *rows, size_t n,
		   enum sql_outcome *outcomes, struct arena *a, struct sql_row **back, struct err *err);
	int (*insert)(struct sql_target *t, const struct sql_table *table, const struct sql_row *rows, size_t n,
		      struct err *err);
	int (*delete)(struct sql_target *t, const struct sql_table *table, const struct sql_match *m, struct arena *a,
		      struct sql_rows *old, struct err *err);
	int (*select)(struct sql_target *t, const struct sql_table *table, const struct sql_match *m, struct arena *a,
		      struct sql_rows *out, struct err *err);
	int (*page)(struct sql_target *t, const struct sql_table *table, const struct sql_range *r, struct arena *a,
		    struct sql_rows *out, struct err *err);
	int (*page_keys)(struct sql_target *t, const struct sql_table *table, const struct sql_range *r,
			 struct arena *a, struct sql_keys *out, struct err *err);
	int (*delete_range)(struct sql_target *t, const struct sql_table *table, const struct sql_range *r,
			    struct err *err);
	int (*count_by)(struct sql_target *t, const struct sql_table *table, const struct sql_range *r,
			sql_count_fn *fn, void *ctx, struct err *err);
	int (*lock)(struct sql_target *t, struct slice domain, int64_t *epoch, struct err *err);
	/* Inside the transaction, just before its commit: *same = 0 when settle_migration holds another epoch. Nobody
	 * can raise it until the transaction ends. */
	int (*check_epoch)(struct sql_target *t, int *same, struct err *err);
	int (*finish_load)(struct sql_target *t, struct err *err);
	int (*describe)(struct sql_target *t, struct arena *a, struct sql_report *out, struct err *err);
	/* ---- views (sql/views.h) ---- */
	const char *view_where;  /* stands before the doc type's literal */
	void (*add_view_text)(struct buf *b, struct slice text); /* a literal */
	void (*add_view_value)(struct buf *b, const struct sql_view_column *c);
	/* Inside a transaction. digest is of `select`, kept with the view so that it is only replaced when it is another. */
	int (*put_view)(struct sql_target *t, struct slice name, struct slice select, const char *digest, struct err *err);
};

extern const struct sql_driver sql_pg_driver, sql_sqlite_driver;

/* What drivers begin and end with. */
void sql_target_init(struct sql_target *t, const struct sql_driver *driver, const struct sql_options *o);
void sql_target_release(struct sql_target *t);
/* A statement for people at LOG_SQL. */
void sql_log(const struct sql_target *t, struct slice statement);
/* "host pid 123": this process, for settle_migration and refusals. */
void sql_holder_self(char *out, size_t size);
/* Is this a process of this host that is no more? What cannot be told is no. */
int sql_holder_is_gone(struct slice holder);
/* ERR_BUSY naming the domain, its holder and since when; empty texts are left out. */
int sql_busy(struct slice domain, struct slice holder, struct slice since, struct err *err);
/* Is this a cell for SQL_TIME, canonical text? *us as datetime_parse gives it; may be NULL. */
int sql_is_time(struct slice cell, int64_t *us);
/* 0, ERR_NOTFOUND for version 0, ERR_TARGET for a version this program does not know. */
int sql_schema_version_check(int64_t version, struct err *err);

/* ERR_TARGET: something else has a view's name. */
int sql_view_taken(struct err *err);
/* 'text', quotes doubled. */
void sql_add_literal(struct buf *b, struct slice text);

/* ---- statement texts (sql/statement.c); both drivers use them ---- */

#define SQL_TEXT_MAX (256u << 10)

void sql_add_ident(struct buf *b, const char *name);
void sql_add_table(struct buf *b, const struct sql_names *names, const char *table);
void sql_add_param(struct buf *b, const struct sql_names *names, int n);
/* Columns from..to-1 with a prefix ("t.", "EXCLUDED." or "") and ", " between. */
void sql_add_columns(struct buf *b, const struct sql_table *table, const char *prefix, int from, int to);

void sql_text_create_table(struct buf *b, const struct sql_names *names, const struct sql_table *table);
void sql_text_create_index(struct buf *b, const struct sql_names *names, const struct sql_index *index);
/* Parameters: domain, the low bound and the value if there is one, limit. */
void sql_text_page(struct buf *b, const struct sql_names *names, const struct sql_table *table,
		   const struct sql_range *r);
/* The same parameters; one column, `by`; without r->distinct no value may be there twice. */
void sql_text_page_keys(struct buf *b, const struct sql_names *names, const struct sql_table *table,
			const struct sql_range *r);
/* Parameters: domain, then the bounds that are there. */
void sql_text_delete_range(struct buf *b, const struct sql_names *names, const struct sql_table *table,
			   const struct sql_range *r);
/* Parameter: domain. Rows: value, count. */
void sql_text_count_by(struct buf *b, const struct sql_names *names, const struct sql_table *table,
		       const struct sql_range *r);
/* " ORDER BY" the key columns, or all columns of a table without a key. */
void sql_add_key_order(struct buf *b, const struct sql_table *table);

#endif
