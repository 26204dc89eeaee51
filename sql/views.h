/*
 * views: typed columns over `documents`, a view for each doc type. What does not fit a column's type is NULL in it, never an error.
 * Threads: as target.h.
 */
#ifndef SQL_VIEWS_H
#define SQL_VIEWS_H

#include "sql/target.h"

enum sql_view_type {
	SQL_VIEW_TEXT,
	SQL_VIEW_INTEGER,   /* up to 18 digits */
	SQL_VIEW_NUMBER,
	SQL_VIEW_BOOLEAN,
	SQL_VIEW_DATE,      /* YYYY-MM-DD */
	SQL_VIEW_TIMESTAMP, /* YYYY-MM-DDThh:mm:ss[.ffffff]Z */
	SQL_VIEW_JSON,
};

struct sql_view_step {
	struct slice key; /* without quotes, backslashes and control characters */
	int is_position;
	uint32_t position;
};

struct sql_view_column {
	struct slice name;
	enum sql_view_type type;
	const struct sql_view_step *path;
	size_t npath;
};

struct sql_view {
	struct slice name; /* of the view, and the doc type */
	const struct sql_view_column *columns;
	size_t ncolumns;
};

/*
 * Makes the views, or replaces those that settle made with other columns; outside of a transaction. ERR_TARGET when something that
 * settle did not make has the name.
 */
MUST_CHECK int sql_views_put(struct sql_target *t, const struct sql_view *views, size_t n, struct err *err);

#endif
