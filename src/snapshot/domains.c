#include "config.h"

#include "snapshot/domains.h"

#include "base/buf.h"
#include "state/state.h"

/* ---- PostgreSQL ---- */

static int schemas(struct link *l, struct arena *a, struct link_rows *rows, struct err *err)
{
	return link_ask(
	    l,
	    "SELECT quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
	    " WHERE c.relname = 'settle_migration' AND c.relkind IN ('r', 'p')"
	    " AND EXISTS (SELECT 1 FROM pg_class k WHERE k.relnamespace = n.oid AND k.relname = 'settle_checkpoint')"
	    " ORDER BY 1",
	    NULL, 0, a, rows, err);
}

static int domains_of_schema(struct link *l, struct slice schema, struct arena *a, struct domains *out, struct err *err)
{
	struct link_rows rows;
	struct slice sql = arena_printf(a,
					"SELECT m.domain, m.status, c.seq::text, m.settings::jsonb ->> 'id', "
					"m.epoch::text FROM %.*s.settle_migration m"
					" LEFT JOIN %.*s.settle_checkpoint c ON c.domain = m.domain ORDER BY m.domain",
					SLICE_ARG(schema), SLICE_ARG(schema));
	int rc = link_ask(l, sql.ptr, NULL, 0, a, &rows, err);
	for (int i = 0; rc == 0 && i < rows.n; i++) {
		struct domain d = {link_cell(&rows, i, 0), link_cell(&rows, i, 1), link_cell(&rows, i, 2),
				   link_cell(&rows, i, 3), link_cell(&rows, i, 4)};
		ARENA_PUSH(a, out, d);
	}
	return rc;
}

int domains_of_link(struct link *l, struct arena *a, struct domains *out, struct err *err)
{
	struct link_rows rows;
	int rc = schemas(l, a, &rows, err);
	for (int i = 0; rc == 0 && i < rows.n; i++)
		rc = domains_of_schema(l, link_cell(&rows, i, 0), a, out, err);
	return rc;
}

int domains_same_epochs(const struct domains *before, const struct domains *after)
{
	if (before->n != after->n)
		return 0;
	for (size_t i = 0; i < before->n; i++)
		if (!slice_eq(before->v[i].name, after->v[i].name) || !slice_eq(before->v[i].epoch, after->v[i].epoch))
			return 0;
	return 1;
}

/* A migration that begins writes its row in settle_migration, and waits here. */
int domains_hold(struct link *l, struct arena *a, struct err *err)
{
	struct link_rows rows;
	int rc = schemas(l, a, &rows, err);
	if (rc == 0)
		rc = link_do(l, "BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL lock_timeout = '10s'", err);
	for (int i = 0; rc == 0 && i < rows.n; i++) {
		struct slice sql = arena_printf(a, "LOCK TABLE %.*s.settle_migration IN SHARE MODE",
						SLICE_ARG(link_cell(&rows, i, 0)));
		rc = link_do(l, sql.ptr, err);
	}
	if (rc && strcmp(err->sqlstate, "55P03") == 0) {
		err_set(err, ERR_STATE, "a migration is writing to the target");
		err_hint(err, "wait for it, or stop it with Ctrl-C: it goes on later where it stopped");
	}
	return rc ? err->code : 0;
}

/* ---- SQLite ---- */

static int has_table(struct lite *db, const char *name, int *yes, struct err *err)
{
	struct lite_stmt *s = NULL;
	int rc = lite_stmt(db, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1", &s, err);
	*yes = 0;
	if (rc)
		return rc;
	lite_bind_text(s, 1, slice_of(name));
	rc = lite_step(s, yes, err);
	lite_done(s);
	return rc;
}

static struct slice copied(struct lite_stmt *s, int n, struct arena *a)
{
	return lite_is_null(s, n) ? SLICE_NONE : arena_slice(a, lite_text(s, n));
}

int domains_of_lite(struct lite *db, struct arena *a, struct domains *out, struct err *err)
{
	struct lite_stmt *s = NULL;
	int here = 0, row = 0;
	int rc = has_table(db, "settle_migration", &here, err);
	if (rc == 0 && here)
		rc = has_table(db, "settle_checkpoint", &here, err);
	if (rc || !here)
		return rc;
	rc = lite_stmt(db,
		       "SELECT m.domain, m.status, c.seq, json_extract(m.settings, '$.id'), CAST(m.epoch AS TEXT) FROM "
		       "settle_migration m"
		       " LEFT JOIN settle_checkpoint c ON c.domain = m.domain ORDER BY m.domain",
		       &s, err);
	while (rc == 0 && (rc = lite_step(s, &row, err)) == 0 && row) {
		struct domain d = {copied(s, 0, a), copied(s, 1, a), copied(s, 2, a), copied(s, 3, a), copied(s, 4, a)};
		ARENA_PUSH(a, out, d);
	}
	lite_done(s);
	return rc;
}

/* ---- state files ---- */

int domain_state(const struct snapshot_env *env, const struct domain *d, struct arena *a, const char **path,
		 struct err *err)
{
	struct state *s = NULL;
	struct slice held = SLICE_NONE;
	*path = NULL;
	int rc = state_open(&s, env->state_dir, d->name, STATE_READ_ONLY, err);
	if (rc == ERR_NOTFOUND)
		return 0;
	if (rc == 0)
		rc = state_value_get(s, "migration", a, &held, err);
	state_close(s);
	if (rc)
		return rc;
	if (held.ptr && d->id.ptr && slice_eq(held, d->id))
		*path = state_file(env->state_dir, d->name, a);
	else
		log_at(env->log, LOG_WARN, "the state file of domain %.*s belongs to another target; it is left alone",
		       SLICE_ARG(d->name));
	return 0;
}
