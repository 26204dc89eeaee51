/*
 * sqlite: the SQLite driver, on lite. The file is in WAL mode, so that readers do not stop the writer; one handle at a
 * time may be inside a writing transaction. Statement texts are kept as long as the connection, which is what lite asks
 * for.
 */
#ifndef SQL_SQLITE_SQLITE_H
#define SQL_SQLITE_SQLITE_H

#include "lite/lite.h"
#include "sql/sql_internal.h"

struct sqlite_texts {
	const char **v;
	size_t n, cap;
};

#define SQLITE_CACHE_KIB 16384 /* of the connection that writes */

struct sqlite_target {
	struct sql_target base;
	struct lite *db;
	struct arena memory; /* path and statement texts */
	const char *path;
	struct sqlite_texts texts;
	struct buf text; /* the statement being written */
	int lock_fd;     /* -1: no domain lock */
};

static inline struct sqlite_target *sqlite_of(struct sql_target *t)
{
	return (struct sqlite_target *)(void *)t;
}

/* ---- driver.c ---- */
/* An empty t->text to write the next statement into. */
struct buf *sqlite_text(struct sqlite_target *t);
/* t->text as a statement of lite's cache. */
int sqlite_stmt(struct sqlite_target *t, struct lite_stmt **out, struct err *err);
int sqlite_exec_text(struct sqlite_target *t, struct err *err);

/* ---- cell.c ---- */
int sqlite_bind(struct lite_stmt *s, int n, const struct sql_column *c, struct slice cell, struct err *err);
/* A cell of the current row, copied. */
struct slice sqlite_cell(struct lite_stmt *s, int n, enum sql_type type, struct arena *a);
/* Columns from..to-1 of the table from result columns 0.. on; the other cells are NULL. */
struct sql_row sqlite_row(struct lite_stmt *s, const struct sql_table *table, int from, int to, struct arena *a);

/* ---- put.c ---- */
int sqlite_put(struct sql_target *t, const struct sql_table *table, const struct sql_row *rows, size_t n,
	       enum sql_outcome *outcomes, struct arena *a, struct sql_row **back, struct err *err);
int sqlite_insert(struct sql_target *t, const struct sql_table *table, const struct sql_row *rows, size_t n,
		  struct err *err);

/* ---- rows.c ---- */
int sqlite_delete(struct sql_target *t, const struct sql_table *table, const struct sql_match *m, struct arena *a,
		  struct sql_rows *old, struct err *err);
int sqlite_select(struct sql_target *t, const struct sql_table *table, const struct sql_match *m, struct arena *a,
		  struct sql_rows *out, struct err *err);
int sqlite_page(struct sql_target *t, const struct sql_table *table, const struct sql_range *r, struct arena *a,
		struct sql_rows *out, struct err *err);
int sqlite_page_keys(struct sql_target *t, const struct sql_table *table, const struct sql_range *r, struct arena *a,
	     	struct sql_keys *out, struct err *err);
int sqlite_delete_range(struct sql_target *t, const struct sql_table *table, const struct sql_range *r,
			struct err *err);
int sqlite_count_by(struct sql_target *t, const struct sql_table *table, const struct sql_range *r, sql_count_fn *fn,
		    void *ctx, struct err *err);

/* ---- schema.c ---- */
int sqlite_schema_open(struct sqlite_target *t, struct err *err);
int sqlite_schema_check(struct sql_target *t, struct err *err);
int sqlite_finish_load(struct sql_target *t, struct err *err);
int sqlite_describe(struct sql_target *t, struct arena *a, struct sql_report *out, struct err *err);

/* ---- lock.c ---- */
int sqlite_lock(struct sql_target *t, struct slice domain, int64_t *epoch, struct err *err);
int sqlite_check_epoch(struct sql_target *t, int *same, struct err *err);
void sqlite_unlock(struct sqlite_target *t);

/* ---- views.c ---- */
void sqlite_add_view_text(struct buf *b, struct slice text);
void sqlite_add_view_value(struct buf *b, const struct sql_view_column *c);
int sqlite_put_view(struct sql_target *t, struct slice name, struct slice select, const char *digest, struct err *err);

#endif
