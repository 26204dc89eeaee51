#include "config.h"

#include "sql/pg/pg.h"

static int pg_begin(struct sql_target *t, struct err *err)
{
	return pg_simple(pg_of(t),
			 t->flags & SQL_READ_ONLY ? "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"
						  : "BEGIN ISOLATION LEVEL READ COMMITTED",
			 NULL, err);
}

static int pg_commit(struct sql_target *t, struct err *err)
{
	int rc = pg_simple(pg_of(t), "COMMIT", NULL, err);

	if (rc == 0)
		pg_stages_end(pg_of(t), 1);
	return rc;
}

static void pg_rollback(struct sql_target *t)
{
	struct err ignored = ERR_INIT;

	/* A lost connection has rolled back by itself; the next begin says that it is lost. */
	if (pg_simple(pg_of(t), "ROLLBACK", NULL, &ignored) != 0)
		sql_log(t, SLICE("rollback failed: the connection is gone"));
	pg_stages_end(pg_of(t), 0);
}

const struct sql_driver sql_pg_driver = {
    .open = pg_open,
    .close = pg_close,
    .schema_check = pg_schema_check,
    .begin = pg_begin,
    .commit = pg_commit,
    .rollback = pg_rollback,
    .put = pg_put,
    .insert = pg_insert,
    .delete = pg_delete,
    .select = pg_select,
    .page = pg_page,
    .page_keys = pg_page_keys,
    .delete_range = pg_delete_range,
    .count_by = pg_count_by,
    .lock = pg_lock,
    .check_epoch = pg_check_epoch,
    .finish_load = pg_finish_load,
    .describe = pg_describe,
    .view_where = " WHERE \"deleted\" IS NOT TRUE AND \"doc_type\" = ",
    .add_view_text = pg_add_view_text,
    .add_view_value = pg_add_view_value,
    .put_view = pg_put_view,
};
