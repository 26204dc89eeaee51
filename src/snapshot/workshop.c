#include "config.h"

#include "snapshot/workshop.h"

#include <sodium.h>
#include <unistd.h>

#define WORK_NAME "work"
#define RECORD_FILE "database.json"
#define NAME_PREFIX "settle_copy_"

/* ---- the record of the database ---- */

struct record { /* SLICE_NONE: there is none */
	struct slice database, server, target;
};

static int read_record(const char *path, struct arena *a, struct record *out, struct err *err)
{
	struct slice text;
	struct json v;
	*out = (struct record){SLICE_NONE, SLICE_NONE, SLICE_NONE};
	int rc = files_read(path, a, &text, err);
	if (rc == ERR_NOTFOUND)
		return 0;
	if (rc == 0)
		rc = json_read(text, a, 0, &v, NULL, err);
	if (rc) {
		err->code = ERR_STATE;
		return err_prefix(err, "%s", path);
	}
	*out = (struct record){json_get_text(&v, "database"), json_get_text(&v, "server"), json_get_text(&v, "target")};
	if (!slice_starts(out->database, SLICE(NAME_PREFIX)) || !out->server.ptr)
		return err_set(err, ERR_STATE, "%s names no database of a copy", path);
	return 0;
}

/* Which server this is, whatever its name and port. */
static int server_id(struct link *l, struct arena *a, struct slice *out, struct err *err)
{
	struct link_rows rows;
	int rc = link_ask(l, "SELECT system_identifier FROM pg_control_system()", NULL, 0, a, &rows, err);
	*out = rc == 0 ? link_cell(&rows, 0, 0) : SLICE_NONE;
	return rc;
}

static int write_record(const struct workshop *w, struct err *err)
{
	struct json v = json_object();
	struct slice server;
	int rc = server_id(w->server, w->a, &server, err);
	if (rc)
		return rc;
	json_sets(w->a, &v, "database", json_string(w->database));
	json_sets(w->a, &v, "server", json_string(server));
	json_sets(w->a, &v, "target", json_str(w->env->target->shown));
	return files_write(w->record, json_to_text(&v, JSON_PRETTY, w->a), err);
}

int workshop_connect(struct workshop *w, struct err *err)
{
	return w->server ? 0 : database_server_link(&w->server, w->env->target, err);
}

/* ---- dropping ---- */

static int other_server(const struct record *r, struct err *err)
{
	err_set(err, ERR_STATE, "a copy that was ended left database %.*s in the server of %.*s",
		SLICE_ARG(r->database), SLICE_ARG(r->target));
	return err_hint(err, "`settle snapshot prune --target %.*s` drops it", SLICE_ARG(r->target));
}

static int drop_recorded(struct workshop *w, const struct record *r, struct err *err)
{
	struct slice server;
	if (!w->env->target || w->env->target->scheme == URL_SQLITE)
		return other_server(r, err);
	int rc = workshop_connect(w, err);
	if (rc == 0)
		rc = server_id(w->server, w->a, &server, err);
	if (rc == 0 && !slice_eq(server, r->server))
		return other_server(r, err);
	if (rc == 0)
		rc = database_end(w->server, r->database, err);
	return rc ? rc : files_remove_tree(w->record, err);
}

/* ---- the workshop ---- */

static const char *dir_of(const struct snapshot_env *env, struct arena *a)
{
	return arena_printf(a, "%s/copy", env->state_dir).ptr;
}

static int take(struct workshop *w, const struct snapshot_env *env, struct arena *a, struct err *err)
{
	struct record left;
	const char *dir = dir_of(env, a);
	*w = (struct workshop){.env = env, .a = a, .place.lock_fd = -1, .database = SLICE_NONE};
	w->record = arena_printf(a, "%s/" RECORD_FILE, dir).ptr;
	int rc = place_open(dir, WORK_NAME, a, &w->place, err);
	if (rc == 0)
		rc = read_record(w->record, a, &left, err);
	return rc || !left.database.ptr ? rc : drop_recorded(w, &left, err);
}

int workshop_open(struct workshop *w, const struct snapshot_env *env, struct arena *a, struct err *err)
{
	int rc = take(w, env, a, err);
	return rc ? rc : place_begin(&w->place, err);
}

int workshop_make_database(struct workshop *w, const struct json *properties, struct err *err)
{
	unsigned char random[8];
	char hex[2 * sizeof(random) + 1];
	randombytes_buf(random, sizeof(random));
	sodium_bin2hex(hex, sizeof(hex), random, sizeof(random));
	int rc = workshop_connect(w, err);
	if (rc)
		return rc;
	w->database = arena_printf(w->a, NAME_PREFIX "%s", hex);
	rc = write_record(w, err);
	if (rc == 0)
		rc = database_create(w->server, w->database, properties, NULL, err);
	return rc ? rc : database_make_private(w->server, w->database, err);
}

int workshop_drop_database(struct workshop *w, struct err *err)
{
	if (!w->database.ptr)
		return 0;
	int rc = database_end(w->server, w->database, err);
	if (rc == 0)
		rc = files_remove_tree(w->record, err);
	if (rc == 0)
		w->database = SLICE_NONE;
	return rc;
}

void workshop_close(struct workshop *w)
{
	struct err why = ERR_INIT;
	if (w->place.lock_fd < 0)
		return;
	/* The connection may be what failed. */
	if (w->database.ptr && workshop_drop_database(w, &why)) {
		struct record r = {w->database, SLICE_NONE, slice_of(w->env->target->shown)};
		link_close(w->server);
		w->server = NULL;
		if (workshop_connect(w, &why) || workshop_drop_database(w, &why)) {
			log_err(w->env->log, LOG_WARN, &why);
			(void)other_server(&r, &why);
			log_err(w->env->log, LOG_WARN, &why);
		}
	}
	link_close(w->server);
	w->server = NULL;
	place_close(&w->place);
}

/* ---- what a killed call left ---- */

int workshop_leftovers(const struct snapshot_env *env, struct arena *a, struct slice *out, struct err *err)
{
	const char *dir = dir_of(env, a);
	const char *work = arena_printf(a, "%s/" WORK_NAME PARTIAL_SUFFIX, dir).ptr;
	struct record left;
	*out = SLICE("");
	int rc = read_record(arena_printf(a, "%s/" RECORD_FILE, dir).ptr, a, &left, err);
	if (rc)
		return rc;
	if (left.database.ptr)
		*out = arena_printf(a, "database %.*s in the server of %.*s", SLICE_ARG(left.database),
				    SLICE_ARG(left.target));
	else if (files_exist(work))
		*out = slice_of(work);
	return 0;
}

int workshop_sweep(const struct snapshot_env *env, struct arena *a, struct err *err)
{
	struct workshop w;
	struct slice left;
	int rc = workshop_leftovers(env, a, &left, err);
	if (rc || !left.len)
		return rc;
	rc = take(&w, env, a, err);
	workshop_close(&w);
	return rc;
}
