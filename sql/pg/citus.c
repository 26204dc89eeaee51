/*
 * Citus (https://docs.citusdata.com/en/stable/develop/api_udf.html): tables are spread by the id of what they describe.
 * Tables of one case lie together, and so do those of one form. Bookkeeping stays on the coordinator as ordinary
 * tables: a row a domain, and the epoch must be locked in one place.
 */
#include "config.h"

#include "sql/pg/pg.h"
#include "sql/tables.h"

static const struct distribution {
	const struct sql_table *table;
	int by;
	const struct sql_table *with; /* NULL: a group of its own */
} distributions[] = {
    {&sql_forms, FORM_ID, NULL},
    {&sql_form_operations, OP_FORM_ID, &sql_forms},
    {&sql_cases, CASE_ID, NULL},
    {&sql_case_transactions, TXN_CASE_ID, &sql_cases},
    {&sql_case_indices, INDEX_CASE_ID, &sql_cases},
    {&sql_attachments, ATT_OWNER_ID, NULL},
    {&sql_documents, DOC_ID, NULL},
    {&sql_conflict, CONF_DOC_ID, &sql_documents},
};
#define DISTRIBUTIONS (sizeof(distributions) / sizeof(distributions[0]))

int pg_has_citus(struct pg_target *t, int *has, struct err *err)
{
	PGresult *res = NULL;
	int rc;

	buf_str(pg_text(t), "SELECT count(*) FROM pg_extension WHERE extname = 'citus'");
	rc = pg_run(t, NULL, &res, err);
	if (rc == 0)
		*has = pg_int(res, 0, 0) > 0;
	PQclear(res);
	return rc;
}

static struct slice qualified(struct pg_target *t, const struct sql_table *table, struct arena *a)
{
	struct slice schema = sql_quote_ident(slice_of(t->schema), a);
	struct slice name = sql_quote_ident(slice_of(table->name), a);

	return arena_printf(a, "%.*s.%.*s", SLICE_ARG(schema), SLICE_ARG(name));
}

static int distribute(struct pg_target *t, const struct distribution *d, struct arena *a, struct err *err)
{
	struct pg_params p = {0};

	buf_str(pg_text(t), "SELECT create_distributed_table($1::text::regclass, $2::text, colocate_with => $3::text)");
	pg_param_text(&p, qualified(t, d->table, a));
	pg_param_text(&p, slice_of(d->table->columns[d->by].name));
	pg_param_text(&p, d->with ? qualified(t, d->with, a) : SLICE("none"));
	return pg_run(t, &p, NULL, err);
}

static int must_have_citus(const struct pg_target *t, struct err *err)
{
	if (t->citus)
		return 0;
	err_set(err, ERR_TARGET, "target's database has no citus extension to distribute tables with");
	return err_hint(err, "CREATE EXTENSION citus, or leave --distribute out");
}

int pg_distribute(struct pg_target *t, struct err *err)
{
	struct arena a = ARENA_INIT;
	int rc = must_have_citus(t, err);

	for (size_t i = 0; i < DISTRIBUTIONS && rc == 0; i++)
		rc = distribute(t, &distributions[i], &a, err);
	arena_release(&a);
	return rc;
}

/* There, and not spread by a column: partmethod 'n' is a table that each node, or the coordinator alone, holds whole.
 * https://docs.citusdata.com/en/v13.0/develop/api_metadata.html */
static int is_whole(struct pg_target *t, const struct sql_table *table, int *whole, struct err *err)
{
	struct pg_params p = {0};
	PGresult *res = NULL;
	int rc;

	buf_str(pg_text(t), "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
			    " WHERE n.nspname = $1 AND c.relname = $2 AND NOT EXISTS"
			    " (SELECT FROM pg_dist_partition d WHERE d.logicalrelid = c.oid AND d.partmethod <> 'n')");
	pg_param_text(&p, slice_of(t->schema));
	pg_param_text(&p, slice_of(table->name));
	rc = pg_run(t, &p, &res, err);
	*whole = rc == 0 && pg_int(res, 0, 0) > 0;
	PQclear(res);
	return rc;
}

int pg_must_be_distributed(struct pg_target *t, struct err *err)
{
	struct buf names = BUF_INIT(1u << 10);
	int rc = must_have_citus(t, err);

	for (size_t i = 0; i < DISTRIBUTIONS && rc == 0; i++) {
		const struct distribution *d = &distributions[i];
		int whole = 0;
		rc = is_whole(t, d->table, &whole, err);
		if (whole)
			buf_fmt(&names, "%s%s (%s)", names.len ? ", " : "", d->table->name,
				d->table->columns[d->by].name);
	}
	if (rc == 0 && names.len) {
		err_set(err, ERR_STATE, "target's tables were made without --distribute: %.*s",
			SLICE_ARG(buf_slice(&names)));
		rc = err_hint(
		    err, "leave --distribute out, and they stay as they are; or distribute them first, each by the "
			 "column named, with create_distributed_table, which moves the rows too (the manual has "
			 "the statements)");
	}
	buf_release(&names);
	return rc;
}
