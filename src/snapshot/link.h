/*
 * link: the few questions that snapshots ask PostgreSQL, and what its programs are told about the way there. The only
 * caller of libpq in this room. Private to src/snapshot. Errors: ERR_TARGET with sqlstate. Threads: the main thread.
 */
#ifndef SETTLE_SNAPSHOT_LINK_H
#define SETTLE_SNAPSHOT_LINK_H

#include "base/arena.h"
#include "base/err.h"
#include "base/url.h"

#include <stdint.h>

struct link;

struct link_rows { /* cells in the arena; SQL NULL is SLICE_NONE */
	struct slice *cells;
	int n, columns;
};

/* database NULL: the one the URL names. */
MUST_CHECK int link_open(struct link **out, const struct url *url, const char *database, struct err *err);
void link_close(struct link *l);                 /* NULL allowed */
const char *link_database(const struct link *l); /* borrowed */
int link_version(const struct link *l);          /* 150004 */
/* "host port": which server it is; borrowed. */
const char *link_server(const struct link *l);

/* One statement; parameters $1.. are texts. rows may be NULL. */
MUST_CHECK int link_ask(struct link *l, const char *sql, const struct slice *params, int n, struct arena *a,
			struct link_rows *rows, struct err *err);
MUST_CHECK int link_do(struct link *l, const char *sql, struct err *err);
static inline struct slice link_cell(const struct link_rows *r, int row, int column)
{
	return r->cells[row * r->columns + column];
}
/* COPY ... FROM STDIN: unlike parameters, these bytes never stand in the server's log. */
MUST_CHECK int link_copy_in(struct link *l, const char *sql, struct slice bytes, struct err *err);
int64_t link_int(struct slice cell);
/* 'text' as a literal, for statements that take no parameters. */
struct slice link_literal(struct link *l, struct slice text, struct arena *a);

/*
 * For pg_dump and pg_restore: the connection string without any password, for this database, and the password apart
 * (NULL: none in the URL; libpq finds its own).
 */
MUST_CHECK int link_words(const struct url *url, const char *database, struct arena *a, const char **conninfo,
			  const char **password, struct err *err);

#endif
