/* settle's tables in a PostgreSQL database: where they are, which version, making them, what `check` asks. */
#include "config.h"

#include "sql/pg/pg.h"
#include "sql/tables.h"

/* ---- where ---- */

static void take_schema(struct pg_target *t, const char *name)
{
	t->schema = arena_str(&t->memory, slice_of(name));
	t->base.names.schema = t->schema;
}

/* Without --schema: what the search path puts first. */
static int current_schema(struct pg_target *t, struct err *err)
{
	PGresult *res = NULL;
	int rc = pg_simple(t, "SELECT current_schema()", &res, err);

	if (rc == 0 && PQgetisnull(res, 0, 0)) {
		err_set(err, ERR_TARGET, "target has no schema in its search path");
		rc = err_hint(err, "name one with --schema");
	} else if (rc == 0) {
		take_schema(t, PQgetvalue(res, 0, 0));
	}
	PQclear(res);
	return rc;
}

static int ask_flag(struct pg_target *t, const struct pg_params *p, int *answer, struct err *err)
{
	PGresult *res = NULL;
	int rc = pg_run(t, p, &res, err);

	if (rc == 0)
		*answer = PQntuples(res) == 1 && !PQgetisnull(res, 0, 0) && pg_int(res, 0, 0) != 0;
	PQclear(res);
	return rc;
}

static int has_schema(struct pg_target *t, int *has, struct err *err)
{
	struct pg_params p = {0};

	buf_str(pg_text(t), "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)");
	pg_param_text(&p, slice_of(t->schema));
	return ask_flag(t, &p, has, err);
}

static int has_table(struct pg_target *t, const char *name, int *has, struct err *err)
{
	struct pg_params p = {0};

	buf_str(pg_text(t), "SELECT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
			    " WHERE n.nspname = $1 AND c.relname = $2)");
	pg_param_text(&p, slice_of(t->schema));
	pg_param_text(&p, slice_of(name));
	return ask_flag(t, &p, has, err);
}

/* ---- which version ---- */

int pg_schema_version(struct pg_target *t, int64_t *version, struct err *err)
{
	struct buf *b;
	PGresult *res = NULL;
	int there = 0;
	int rc = has_table(t, sql_schema_table.name, &there, err);

	*version = 0;
	if (rc || !there)
		return rc;
	b = pg_text(t);
	buf_str(b, "SELECT version FROM ");
	sql_add_table(b, &t->base.names, sql_schema_table.name);
	rc = pg_run(t, NULL, &res, err);
	if (rc == 0 && PQntuples(res) == 1)
		*version = pg_int(res, 0, 0);
	PQclear(res);
	return rc;
}

int pg_schema_check(struct sql_target *base, struct err *err)
{
	int64_t version = 0;
	int rc = pg_schema_version(pg_of(base), &version, err);

	return rc ? rc : sql_schema_version_check(version, err);
}

/* ---- making it ---- */

static int make_schema(struct pg_target *t, struct err *err)
{
	int there = 0;
	int rc = has_schema(t, &there, err);

	if (rc || there)
		return rc;
	buf_str(pg_text(t), "CREATE SCHEMA ");
	sql_add_ident(&t->text, t->schema);
	return pg_run_text(t, err);
}

/* One that is there is not asked for again: CREATE INDEX IF NOT EXISTS would wait for everybody who writes to the
 * table. */
static int make_index(struct pg_target *t, const struct sql_index *index, struct err *err)
{
	int there = 0;
	int rc = has_table(t, index->name, &there, err);

	if (rc || there)
		return rc;
	sql_text_create_index(pg_text(t), &t->base.names, index);
	return pg_run_text(t, err);
}

int pg_make_indexes(struct pg_target *t, unsigned flags, struct err *err)
{
	int rc = 0;

	for (const struct sql_index *i = sql_all_indexes; i->name && rc == 0; i++)
		if (i->flags == flags)
			rc = make_index(t, i, err);
	return rc;
}

static int set_version(struct pg_target *t, struct err *err)
{
	struct pg_params p = {0};
	struct buf *b = pg_text(t);

	buf_str(b, "INSERT INTO ");
	sql_add_table(b, &t->base.names, sql_schema_table.name);
	buf_str(b, " (version) VALUES ($1)");
	pg_param_int(&p, SQL_SCHEMA_VERSION);
	return pg_run(t, &p, NULL, err);
}

static int make_tables(struct pg_target *t, struct err *err)
{
	int rc = make_schema(t, err);

	for (const struct sql_table *const *table = sql_all_tables; *table && rc == 0; table++) {
		sql_text_create_table(pg_text(t), &t->base.names, *table);
		rc = pg_run_text(t, err);
	}
	if (rc == 0)
		rc = pg_make_indexes(t, SQL_INDEX_AT_ONCE, err);
	if (rc == 0) {
		sql_text_create_table(pg_text(t), &t->base.names, &sql_schema_table);
		rc = pg_run_text(t, err);
	}
	if (rc == 0)
		rc = set_version(t, err);
	if (rc == 0 && t->distribute)
		rc = pg_distribute(t, err);
	return rc;
}

/* Two processes may come at once: the second waits here and then finds the tables made. */
static int wait_for_makers(struct pg_target *t, struct err *err)
{
	struct pg_params p = {0};

	buf_str(pg_text(t), "SELECT pg_advisory_xact_lock($1)");
	pg_param_int(&p, pg_lock_key(t->schema, SLICE("\377schema"))); /* no domain is spelled like this */
	return pg_run(t, &p, NULL, err);
}

static int create(struct pg_target *t, struct err *err)
{
	struct err ignored = ERR_INIT;
	int64_t version = 0;
	int rc = pg_simple(t, "BEGIN ISOLATION LEVEL READ COMMITTED", NULL, err);

	if (rc == 0)
		rc = wait_for_makers(t, err);
	if (rc == 0)
		rc = pg_schema_version(t, &version, err);
	if (rc == 0 && version == 0)
		rc = make_tables(t, err);
	if (rc == 0)
		rc = pg_simple(t, "COMMIT", NULL, err);
	if (rc && pg_simple(t, "ROLLBACK", NULL, &ignored) != 0)
		sql_log(&t->base, SLICE("rollback failed: the connection is gone"));
	return rc;
}

static int create_where_none(struct pg_target *t, struct err *err)
{
	int64_t version = 0;
	int rc = pg_schema_version(t, &version, err);

	if (rc == 0 && version == 0)
		rc = create(t, err);
	return rc ? rc : pg_schema_check(&t->base, err);
}

int pg_schema_open(struct pg_target *t, const struct sql_options *o, struct err *err)
{
	int rc = 0;

	if (o->schema)
		take_schema(t, o->schema);
	else
		rc = current_schema(t, err);
	if (rc == 0 && (o->flags & SQL_CREATE))
		rc = create_where_none(t, err);
	return rc || !t->distribute ? rc : pg_must_be_distributed(t, err);
}

/* ---- for `check` ---- */

static const char describe_query[] =
    "SELECT current_setting('server_version'),"
    " CASE WHEN n.oid IS NULL THEN has_database_privilege(current_database(), 'CREATE')"
    "  ELSE has_schema_privilege(n.oid, 'CREATE') END,"
    " NOT pg_is_in_recovery()"
    "  AND (SELECT reset_val FROM pg_settings WHERE name = 'default_transaction_read_only') = 'off'"
    "  AND CASE WHEN f.oid IS NULL THEN true ELSE has_table_privilege(f.oid, 'INSERT')"
    "   AND has_table_privilege(f.oid, 'UPDATE') AND has_table_privilege(f.oid, 'DELETE') END"
    " FROM (SELECT $1::text AS name) s LEFT JOIN pg_namespace n ON n.nspname = s.name"
    " LEFT JOIN pg_class f ON f.relnamespace = n.oid AND f.relname = 'forms'";

int pg_describe(struct sql_target *base, struct arena *a, struct sql_report *out, struct err *err)
{
	struct pg_target *t = pg_of(base);
	struct pg_params p = {0};
	PGresult *res = NULL;
	int64_t version = 0;
	int rc = pg_has_citus(t, &out->citus, err);

	if (rc == 0)
		rc = pg_schema_version(t, &version, err);
	buf_str(pg_text(t), describe_query);
	pg_param_text(&p, slice_of(t->schema));
	if (rc == 0)
		rc = pg_run(t, &p, &res, err);
	if (rc == 0) {
		out->schema_version = (int)version;
		out->version = arena_slice(a, pg_bytes(res, 0, 0));
		out->server = arena_printf(a, "PostgreSQL %.*s", SLICE_ARG(out->version));
		out->can_create = pg_int(res, 0, 1) != 0;
		out->can_write = pg_int(res, 0, 2) != 0;
	}
	PQclear(res);
	return rc;
}
