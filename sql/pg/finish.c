/*
 * After a load: indexes, what the planner must know, and VACUUM. Ids are read in order by the million (sql_page_keys),
 * from the key's index alone where the visibility map says that a page's rows are everybody's; only VACUUM says so.
 * Without it each id costs a visit to its row, wherever that lies: five times the time.
 */
#include "config.h"

#include "sql/pg/pg.h"

#define HIDDEN_PAGES 1000 /* fewer are read quickly all the same */
#define HIDDEN_SHARE 10   /* one page in so many */

/* Who holds a table is waited for so long: autovacuum gives way after deadlock_timeout, a second. */
static const char patience[] = "SET lock_timeout = '1500ms'", endless_patience[] = "SET lock_timeout = 0";
#define LOCK_NOT_AVAILABLE "55P03"

static const struct sql_table *const tables_read_by_id[] = {&sql_forms, &sql_cases, &sql_documents};

/* Does much of the table lie where only a visit tells that rows are there? */
static int is_hidden(struct pg_target *t, const struct sql_table *table, struct err *err)
{
	struct pg_params p = {0};
	PGresult *res = NULL;
	int64_t pages = 0, hidden = 0;
	int rc;

	buf_str(
	    pg_text(t),
	    "SELECT n, n - visible FROM (SELECT pg_relation_size(c.oid) / current_setting('block_size')::bigint AS n,"
	    " c.relallvisible::bigint AS visible FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace"
	    " WHERE s.nspname = $1 AND c.relname = $2) x");
	pg_param_text(&p, slice_of(t->schema));
	pg_param_text(&p, slice_of(table->name));
	rc = pg_run(t, &p, &res, err);
	if (rc == 0 && PQntuples(res) == 1) {
		pages = pg_int(res, 0, 0);
		hidden = pg_int(res, 0, 1);
	}
	PQclear(res);
	return rc == 0 && hidden > HIDDEN_PAGES && hidden > pages / HIDDEN_SHARE;
}

/* Makes reading faster and nothing else: a failure is logged, and harmless. */
static void vacuum(struct pg_target *t, const struct sql_table *table)
{
	struct err err = ERR_INIT;
	int rc;

	if (!is_hidden(t, table, &err))
		return;
	buf_str(pg_text(t), PQserverVersion(t->conn) >= 140000 ? "VACUUM (TRUNCATE FALSE, PROCESS_TOAST FALSE) "
							       : "VACUUM (TRUNCATE FALSE) ");
	sql_add_table(&t->text, &t->base.names, table->name);
	rc = pg_run_text(t, &err);
	if (rc)
		sql_log(&t->base, slice_of(err.msg));
}

/* A table that somebody else vacuums or alters keeps the statistics that it has. */
static int analyze(struct pg_target *t, const struct sql_table *table, struct err *err)
{
	struct err mine = ERR_INIT;
	int rc;

	buf_str(pg_text(t), "ANALYZE ");
	sql_add_table(&t->text, &t->base.names, table->name);
	rc = pg_run_text(t, &mine);
	if (rc && strcmp(mine.sqlstate, LOCK_NOT_AVAILABLE) == 0)
		return 0;
	if (rc && err)
		*err = mine;
	return rc;
}

int pg_finish_load(struct sql_target *base, struct err *err)
{
	struct pg_target *t = pg_of(base);
	int rc = pg_make_indexes(t, 0, err);

	if (rc == 0)
		rc = pg_simple(t, patience, NULL, err);
	for (size_t i = 0; i < sizeof(tables_read_by_id) / sizeof(tables_read_by_id[0]) && rc == 0; i++)
		vacuum(t, tables_read_by_id[i]);
	for (const struct sql_table *const *table = sql_all_tables; *table && rc == 0; table++)
		rc = analyze(t, *table, err);
	return rc ? rc : pg_simple(t, endless_patience, NULL, err);
}
