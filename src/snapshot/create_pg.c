/* Snapshots of PostgreSQL: pg_dump in directory format, or a copy inside the server. */
#include "config.h"

#include "snapshot/origin.h"
#include "snapshot/pg_tools.h"

#define KEPT_PREFIX "settle_snapshot_"

/* ---- what is the same for both ---- */

static int describe(struct origin *o, struct err *err)
{
	struct link_rows rows;
	int rc = database_describe(o->link, o->a, &o->m->database, &o->m->roles, err);
	if (rc == 0)
		rc = domains_of_link(o->link, o->a, &o->domains, err);
	if (rc == 0)
		rc = link_ask(o->link, "SELECT current_setting('server_version')", NULL, 0, o->a, &rows, err);
	if (rc)
		return rc;
	o->m->engine = SLICE("postgresql");
	o->m->server_version = link_version(o->link);
	o->m->server = arena_printf(o->a, "PostgreSQL %.*s", SLICE_ARG(link_cell(&rows, 0, 0)));
	return 0;
}

static int no_migration(struct origin *o, struct err *err)
{
	return database_no_migration(o->link, slice_of(link_database(o->link)), o->a, err);
}

/* ---- pg_dump ---- */

static int export_snapshot(struct origin *o, struct err *err)
{
	struct link_rows rows;
	int rc = link_ask(o->link, "SELECT pg_export_snapshot()", NULL, 0, o->a, &rows, err);
	if (rc == 0)
		o->snapshot_id = link_cell(&rows, 0, 0);
	return rc;
}

int origin_pg_open(struct origin *o, struct err *err)
{
	o->m->method = SLICE("dump");
	int rc = link_open(&o->link, o->env->target, NULL, err);
	if (rc == 0)
		rc = describe(o, err);
	if (rc == 0)
		rc = pg_dump_check(o->m->server_version, o->m->server, o->a, &o->m->tool, NULL, err);
	if (rc == 0)
		rc = domains_hold(o->link, o->a, err);
	if (rc == 0)
		rc = no_migration(o, err);
	if (rc == 0)
		rc = export_snapshot(o, err);
	/* What was read before the transaction began may be older than it. */
	o->domains = (struct domains){0};
	if (rc == 0)
		rc = domains_of_link(o->link, o->a, &o->domains, err);
	o->meter.what = "counting rows";
	if (rc == 0)
		rc = database_count(o->link, &o->meter, o->a, &o->m->tables, err);
	return rc;
}

int origin_pg_dump(struct origin *o, const char *dir, struct err *err)
{
	struct pg_tool_call call = {.env = o->env, .meter = &o->meter};
	o->meter = (struct meter){
	    .log = o->env->log, .stop = o->env->stop, .what = "dumping", .of_tables = (int64_t)o->m->tables.n};
	call.dir = arena_printf(o->a, "%s/" DUMP_DIR, dir).ptr;
	call.extra[0] = arena_printf(o->a, "--snapshot=%.*s", SLICE_ARG(o->snapshot_id)).ptr;
	return pg_dump_run(&call, o->a, err);
}

/* ---- a copy inside the server ---- */

/* Copying needs the database for itself. */
static int clear_clients(struct origin *o, struct slice name, struct err *err)
{
	struct slice clients;
	int rc = database_clients(o->link, name, o->terminate ? 0 : DATABASE_PATIENCE_MS, o->a, &clients, err);
	if (rc || !clients.ptr)
		return rc;
	return o->terminate ? database_terminate(o->link, name, err) : database_refuse_clients(name, clients, err);
}

int origin_template_open(struct origin *o, struct err *err)
{
	o->m->method = SLICE("template");
	int rc = link_open(&o->link, o->env->target, NULL, err);
	if (rc == 0)
		rc = describe(o, err);
	if (rc == 0)
		rc = no_migration(o, err);
	return rc;
}

/* A database that a killed call of the same name left behind is made anew. */
static int make_copy(struct origin *o, struct slice name, struct err *err)
{
	struct json no_setting = json_object(), settings = json_array(), read_only = json_object();
	int rc = database_drop(o->link, o->m->kept_database, err);
	if (rc == 0)
		rc = clear_clients(o, name, err);
	if (rc == 0)
		rc = database_create(o->link, o->m->kept_database, &o->m->database, arena_str(o->a, name), err);
	json_sets(o->a, &read_only, "setting", json_str("default_transaction_read_only=on"));
	json_push(o->a, &settings, read_only);
	json_sets(o->a, &no_setting, "settings", settings);
	return rc ? rc : database_apply(o->link, o->m->kept_database, &no_setting, err);
}

int origin_template_make(struct origin *o, const struct place *p, struct err *err)
{
	struct slice name = arena_slice(o->a, slice_of(link_database(o->link)));
	char hex[SHA_HEX_SIZE];
	if (files_sha256_text(slice_of(p->path), hex, err))
		return err->code;
	o->m->kept_database = arena_printf(o->a, KEPT_PREFIX "%.16s", hex);
	link_close(o->link);
	o->link = NULL;
	int rc = database_server_link(&o->link, o->env->target, err);
	if (rc == 0)
		rc = make_copy(o, name, err);
	link_close(o->link);
	o->link = NULL;
	if (rc == 0)
		rc = link_open(&o->link, o->env->target, arena_str(o->a, o->m->kept_database), err);
	o->domains = (struct domains){0};
	if (rc == 0)
		rc = domains_of_link(o->link, o->a, &o->domains, err);
	o->meter.what = "counting rows";
	return rc ? rc : database_count(o->link, &o->meter, o->a, &o->m->tables, err);
}

/* The state files were copied after the database: no migration may have begun in between. */
int origin_template_check(struct origin *o, struct err *err)
{
	struct domains after = {0};
	link_close(o->link);
	o->link = NULL;
	int rc = link_open(&o->link, o->env->target, NULL, err);
	if (rc == 0)
		rc = domains_of_link(o->link, o->a, &after, err);
	if (rc == 0 && !domains_same_epochs(&o->domains, &after)) {
		err_set(err, ERR_STATE, "a migration began while the snapshot was made");
		rc = err_hint(err, "make it again when no migration runs");
	}
	return rc;
}

void origin_close(struct origin *o)
{
	link_close(o->link);
	lite_close(o->db);
	o->link = NULL;
	o->db = NULL;
}
