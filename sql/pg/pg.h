/*
 * pg: the PostgreSQL driver. One connection a handle; every statement with values is prepared once and gets them as
 * binary parameters; rows go in by binary COPY and come out in binary, so no value is ever escaped or unescaped.
 * Staging tables are temporary and belong to the connection: settle_stage_<table>, emptied at each commit.
 */
#ifndef SQL_PG_PG_H
#define SQL_PG_PG_H

#include "sql/sql_internal.h"

#include <libpq-fe.h>

#define PG_MAX_STAGES 32

struct pg_stage {
	const struct sql_table *table;
	int settled;    /* made in a committed transaction; else a rollback takes it away */
	size_t ordinal; /* first ordinal not used in this transaction */
	size_t bytes;   /* staged in this transaction, about */
};

struct pg_stmts { /* texts of prepared statements; number i is called "s<i>" */
	const char **v;
	size_t n, cap;
};

struct pg_target {
	struct sql_target base;
	PGconn *conn;
	struct arena memory; /* names, secrets and statement texts: as long as the connection */
	const char *schema;  /* as named, or the first of the search path */
	char *secrets[3];    /* never shown: passwords this connection was given */
	struct pg_stmts stmts;
	struct pg_stage stages[PG_MAX_STAGES];
	int nstages;
	struct buf text; /* the statement being written */
	struct buf out;  /* COPY data or parameters being written */
	int distribute;
	int citus; /* the database has the extension: tables may be distributed */
	int holds_lock;
};

static inline struct pg_target *pg_of(struct sql_target *t)
{
	return (struct pg_target *)(void *)t;
}

/* ---- connect.c ---- */
int pg_open(struct sql_target **out, const struct sql_options *o, struct err *err);
void pg_close(struct sql_target *t);

/* ---- error.c: server and connection failures as struct err; each returns the code ---- */
int pg_result_error(const struct pg_target *t, const PGresult *res, struct err *err);
int pg_connection_error(const struct pg_target *t, struct err *err);
/* From "... FATAL:  28P01: text" as libpq says it in verbose mode. */
int pg_connect_error(const struct pg_target *t, const char *message, struct err *err);

/* ---- cell.c: cells in PostgreSQL's binary formats ---- */
uint32_t pg_type_oid(enum sql_type type);
/* Length word and what stands before the bytes of a cell; body_inline = 0: the caller sends the bytes of the cell after
 * it. */
int pg_cell_head(struct buf *b, const struct sql_column *c, struct slice cell, int *body_inline, struct err *err);
int pg_cell_add(struct buf *b, const struct sql_column *c, struct slice cell, struct err *err);
int pg_row_read(const PGresult *res, int row, int first, const struct sql_table *table, int from, int to,
		struct arena *a, struct sql_row *out, struct err *err);
int64_t pg_int(const PGresult *res, int row, int col); /* a binary bigint or boolean */
struct slice pg_bytes(const PGresult *res, int row, int col);
void pg_add_u16(struct buf *b, unsigned value);
void pg_add_u32(struct buf *b, uint32_t value);
void pg_add_u64(struct buf *b, uint64_t value);

/* ---- query.c ---- */
struct pg_params {
	const char *values[SQL_MAX_COLUMNS];
	int lengths[SQL_MAX_COLUMNS], formats[SQL_MAX_COLUMNS];
	char ints[4][8];
	int n, nints;
};
void pg_param_text(struct pg_params *p, struct slice text); /* borrowed; ptr NULL = NULL */
void pg_param_int(struct pg_params *p, int64_t value);
/* An empty t->text to write the next statement into. */
struct buf *pg_text(struct pg_target *t);
/* Runs t->text prepared; *out may be NULL when no rows are wanted. */
int pg_run(struct pg_target *t, const struct pg_params *p, PGresult **out, struct err *err);
/* Runs constant SQL that has no values, several statements allowed; *out as above (text format). */
int pg_simple(struct pg_target *t, const char *sql, PGresult **out, struct err *err);
/* The same with t->text: what cannot be prepared. */
int pg_run_text(struct pg_target *t, struct err *err);
int pg_result_check(const struct pg_target *t, const PGresult *res, struct err *err);

/* ---- copy.c ---- */
/* Binary COPY of rows into what t->text names; ordinal_from >= 0: a first int8 column counts from there. */
int pg_copy(struct pg_target *t, const struct sql_table *table, const struct sql_row *rows, size_t n,
	    int64_t ordinal_from, struct err *err);

/* ---- put.c ---- */
int pg_put(struct sql_target *t, const struct sql_table *table, const struct sql_row *rows, size_t n,
	   enum sql_outcome *outcomes, struct arena *a, struct sql_row **back, struct err *err);
int pg_insert(struct sql_target *t, const struct sql_table *table, const struct sql_row *rows, size_t n,
	      struct err *err);
void pg_stages_end(struct pg_target *t, int committed);

/* ---- rows.c ---- */
int pg_delete(struct sql_target *t, const struct sql_table *table, const struct sql_match *m, struct arena *a,
	      struct sql_rows *old, struct err *err);
int pg_select(struct sql_target *t, const struct sql_table *table, const struct sql_match *m, struct arena *a,
	      struct sql_rows *out, struct err *err);
int pg_page(struct sql_target *t, const struct sql_table *table, const struct sql_range *r, struct arena *a,
	    struct sql_rows *out, struct err *err);
int pg_page_keys(struct sql_target *t, const struct sql_table *table, const struct sql_range *r, struct arena *a,
	 	struct sql_keys *out, struct err *err);
int pg_delete_range(struct sql_target *t, const struct sql_table *table, const struct sql_range *r, struct err *err);
int pg_count_by(struct sql_target *t, const struct sql_table *table, const struct sql_range *r, sql_count_fn *fn,
		void *ctx, struct err *err);

/* ---- schema.c ---- */
int pg_schema_open(struct pg_target *t, const struct sql_options *o, struct err *err);
int pg_schema_version(struct pg_target *t, int64_t *version, struct err *err);
int pg_schema_check(struct sql_target *t, struct err *err);
/* The indexes with these flags; those that are there stay. */
int pg_make_indexes(struct pg_target *t, unsigned flags, struct err *err);
int pg_describe(struct sql_target *t, struct arena *a, struct sql_report *out, struct err *err);
/* citus.c: spreads the tables just made; inside their transaction. */
int pg_distribute(struct pg_target *t, struct err *err);
/* ERR_STATE naming the tables that are there and not distributed. */
int pg_must_be_distributed(struct pg_target *t, struct err *err);
int pg_has_citus(struct pg_target *t, int *has, struct err *err);

/* ---- finish.c ---- */
int pg_finish_load(struct sql_target *t, struct err *err);

/* ---- lock.c ---- */
int pg_lock(struct sql_target *t, struct slice domain, int64_t *epoch, struct err *err);
void pg_unlock(struct pg_target *t); /* no lock: nothing happens */
int pg_check_epoch(struct sql_target *t, int *same, struct err *err);
int64_t pg_lock_key(const char *schema, struct slice domain);

/* ---- views.c ---- */
void pg_add_view_text(struct buf *b, struct slice text);
void pg_add_view_value(struct buf *b, const struct sql_view_column *c);
int pg_put_view(struct sql_target *t, struct slice name, struct slice select, const char *digest, struct err *err);

#endif
