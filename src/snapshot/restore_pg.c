/* The way back of PostgreSQL: a new database beside the old one, and a swap of names. */
#include "config.h"

#include "snapshot/pg_tools.h"
#include "snapshot/restore.h"

#include "base/clock.h"
#include "sql/target.h"

#include <stdlib.h>

#define SWAP_TRIES 5

/* ---- beginning ---- */

static int open_server(struct restore *r, struct err *err)
{
	return database_server_link(&r->server, r->env->target, err);
}

/* "<database>_<word>_<stamp>", at most 63 bytes, no character cut in two. */
static struct slice derived_name(struct restore *r, const char *word)
{
	struct slice name = r->j.database, stamp = r->j.stamp;
	size_t room = DATABASE_NAME_MOST - strlen(word) - stamp.len - 2, n = name.len < room ? name.len : room;
	while (n > 0 && n < name.len && ((unsigned char)name.ptr[n] & 0xC0) == 0x80)
		n--;
	return arena_printf(r->a, "%.*s_%s_%.*s", (int)n, name.ptr, word, SLICE_ARG(stamp));
}

static int begin_pg(struct restore *r, struct domains *now, struct err *err)
{
	struct link *l = NULL;
	int rc = link_open(&l, r->env->target, NULL, err);
	if (rc && !err->hint[0])
		err_hint(err,
			 "the database must be there, if only an empty one (createdb): what replaces it gets its name");
	if (rc)
		return rc;
	r->j.database = arena_slice(r->a, slice_of(link_database(l)));
	r->j.fresh = derived_name(r, "restore");
	r->j.old = derived_name(r, "before");
	rc = domains_of_link(l, r->a, now, err);
	link_close(l);
	return rc;
}

/* Those that are to be ended anyway are not waited for. */
static int patience(const struct restore *r)
{
	return r->options->terminate ? 0 : DATABASE_PATIENCE_MS;
}

static int look_pg(struct restore *r, struct err *err)
{
	int rc = database_missing_roles(r->server, &r->m.roles, r->a, &r->plan->missing_roles, err);
	if (rc == 0 && !journal_has(&r->j, "load") && !slice_is(r->m.method, "template"))
		rc = pg_restore_check(r->m.tool, r->a, err);
	if (rc == 0 && !journal_has(&r->j, "swap"))
		rc = database_no_migration(r->server, r->j.database, r->a, err);
	if (rc == 0 && !journal_has(&r->j, "swap"))
		rc = database_clients(r->server, r->j.database, patience(r), r->a, &r->plan->clients, err);
	return rc;
}

static int drop_fresh(struct restore *r, struct err *err)
{
	return database_end(r->server, r->j.fresh, err);
}

/* ---- steps ---- */

static int create(struct restore *r, struct err *err)
{
	int is_template = slice_is(r->m.method, "template");
	const char *from = is_template ? arena_str(r->a, r->m.kept_database) : NULL;
	int there = 1;
	int rc = 0;
	if (is_template)
		rc = database_exists(r->server, r->m.kept_database, &there, err);
	if (rc == 0 && !there)
		return err_set(err, ERR_STATE, "the snapshot's database %s is not in this server any more", from);
	if (rc == 0)
		rc = database_end(r->server, r->j.fresh, err);
	return rc ? rc : database_create(r->server, r->j.fresh, &r->m.database, from, err);
}

static int run_pg_restore(struct restore *r, const char *dir, struct err *err)
{
	struct pg_tool_call call = {.env = r->env, .dir = dir, .meter = &r->meter};
	call.database = arena_str(r->a, r->j.fresh);
	r->meter = (struct meter){.log = r->env->log,
				  .stop = r->env->stop,
				  .what = "loading",
				  .bytes = manifest_bytes(&r->m),
				  .of_tables = (int64_t)r->m.tables.n};
	return pg_restore_run(&call, r->a, err);
}

/* What is loaded in part only takes room, perhaps the last there was; the next call loads it anew. */
static void drop_part(struct restore *r)
{
	struct err why = ERR_INIT;
	struct link *l = NULL;
	int rc = database_server_link(&l, r->env->target, &why);
	if (rc == 0)
		rc = database_end(l, r->j.fresh, &why);
	link_close(l);
	if (rc)
		log_err(r->env->log, LOG_WARN, &why);
}

static int load(struct restore *r, struct err *err)
{
	const char *dir = NULL;
	int rc = 0;
	if (slice_is(r->m.method, "template"))
		return 0;
	/* The call that verified may have ended long ago. */
	if (!r->verified && restore_verify(r, err))
		return err->code;
	/* What an earlier call loaded in part goes. */
	if (slice_is(r->j.begun, "load"))
		rc = create(r, err);
	r->j.begun = SLICE("load");
	if (rc == 0)
		rc = journal_write(&r->j, r->a, err);
	if (rc)
		return rc;
	rc = restore_plain(r, &dir, err);
	if (rc == 0)
		rc = run_pg_restore(r, dir, err);
	restore_plain_end(r);
	if (rc)
		drop_part(r);
	return rc;
}

static int check(struct restore *r, struct err *err)
{
	struct manifest_tables have = {0};
	struct link *l = NULL;
	r->meter = (struct meter){.log = r->env->log, .stop = r->env->stop, .what = "counting rows"};
	int rc = link_open(&l, r->env->target, arena_str(r->a, r->j.fresh), err);
	if (rc == 0)
		rc = database_count(l, &r->meter, r->a, &have, err);
	link_close(l);
	return rc ? rc : counts_compare(&r->m.tables, &have, err);
}

static int apply(struct restore *r, struct err *err)
{
	return database_apply(r->server, r->j.fresh, &r->m.database, err);
}

static int rename_database(struct restore *r, struct slice from, struct slice to, struct err *err)
{
	struct slice a = sql_quote_ident(from, r->a), b = sql_quote_ident(to, r->a);
	return link_do(r->server,
		       arena_printf(r->a, "ALTER DATABASE %.*s RENAME TO %.*s", SLICE_ARG(a), SLICE_ARG(b)).ptr, err);
}

static int swap_names(struct restore *r, int is_there, struct err *err)
{
	struct err ignored = ERR_INIT;
	int rc = link_do(r->server, "BEGIN", err);
	if (rc == 0 && is_there)
		rc = rename_database(r, r->j.database, r->j.old, err);
	if (rc == 0)
		rc = rename_database(r, r->j.fresh, r->j.database, err);
	if (rc == 0)
		rc = link_do(r->server, "COMMIT", err);
	if (rc && link_do(r->server, "ROLLBACK", &ignored))
		log_err(r->env->log, LOG_WARN, &ignored);
	return rc;
}

static int clear_clients(struct restore *r, struct slice name, struct err *err)
{
	struct slice clients;
	int rc = database_clients(r->server, name, patience(r), r->a, &clients, err);
	if (rc || !clients.ptr)
		return rc;
	return r->options->terminate ? database_terminate(r->server, name, err)
				     : database_refuse_clients(name, clients, err);
}

/* Both renames are one transaction: at any moment the target has its name. */
static int swap(struct restore *r, struct err *err)
{
	int here = 0, fresh = 0, old = 0, rc = 0;
	if (database_exists(r->server, r->j.database, &here, err) ||
	    database_exists(r->server, r->j.fresh, &fresh, err) || database_exists(r->server, r->j.old, &old, err))
		return err->code;
	if (here && old && !fresh)
		return 0; /* done by a call that did not come to write it down */
	for (int i = 0; i < SWAP_TRIES; i++) {
		rc = database_no_migration(r->server, r->j.database, r->a, err);
		if (rc == 0)
			rc = clear_clients(r, r->j.database, err);
		if (rc == 0)
			rc = swap_names(r, here, err);
		/* Somebody connected in between. */
		if (rc == 0 || !r->options->terminate || strcmp(err->sqlstate, "55006") != 0)
			break;
	}
	return rc;
}

static int drop_old(struct restore *r, struct err *err)
{
	int rc = clear_clients(r, r->j.old, err);
	return rc ? rc : database_drop(r->server, r->j.old, err);
}

static const struct restore_step steps[] = {
    {"verify", "read every byte of the snapshot and compare it with its manifest", restore_verify},
    {"create", "make a new database beside the old one", create},
    {"load", "load the snapshot into it", load},
    {"check", "compare the rows of each table with the manifest", check},
    {"apply", "grants, comment and settings of the database", apply},
    {"swap", "swap the two databases by name", swap},
    {"state", "put back the state files of its migrations", restore_states},
    {"note", "note it in the audit trails of its migrations", restore_note},
    {"drop-old", "drop the old database", drop_old},
    {NULL, NULL, NULL},
};

const struct restore_engine restore_pg = {steps, begin_pg, open_server, look_pg, drop_fresh};
