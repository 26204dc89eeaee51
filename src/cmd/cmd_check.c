#include "config.h"

#include "cmd/print.h"
#include "couch/couch.h"
#include "sql/target.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define STATE_SPACE_LEAST ((int64_t)64 << 20)

struct check { /* one thing looked at */
	const char *name;
	int ok;
	struct slice detail, hint;
};

struct checks { /* ARENA_PUSH */
	struct check *v;
	size_t n, cap;
	int64_t source_bytes; /* what is to be moved, or -1 */
};

static void add(struct cmd_context *c, struct checks *list, const char *name, int ok, struct slice detail)
{
	ARENA_PUSH(c->arena, list, ((struct check){name, ok, detail, SLICE("")}));
}

static void add_error(struct cmd_context *c, struct checks *list, const char *name, const struct err *err)
{
	struct check one = {name, 0, arena_printf(c->arena, "%s", err->msg), arena_printf(c->arena, "%s", err->hint)};
	ARENA_PUSH(c->arena, list, one);
}

static struct slice megabytes(struct cmd_context *c, int64_t bytes)
{
	return arena_printf(c->arena, "%.1f MB", (double)bytes / 1e6);
}

/* ---- source ---- */

static struct couch_options source_options(const struct cmd_context *c)
{
	return (struct couch_options){
	    .url = &c->source, .user = c->source_user, .password = c->source_password, .stop = c->stop};
}

static int ask_server(struct cmd_context *c, struct checks *list, struct err *err)
{
	struct couch_options o = source_options(c);
	struct couch_client *client = NULL;
	struct couch_server_info server;
	struct couch_db_info db;
	int rc = couch_client_open(&client, &o, err);
	if (rc == 0)
		rc = couch_server_info(client, c->arena, &server, err);
	if (rc == 0)
		rc = couch_db_info(client, c->arena, &db, err);
	couch_client_close(client);
	if (rc)
		return rc;
	list->source_bytes = db.external_bytes;
	add(c, list, "source", 1,
	    arena_printf(c->arena, "%.*s %.*s, database %.*s, %" PRId64 " documents", SLICE_ARG(server.vendor),
			 SLICE_ARG(server.version), SLICE_ARG(db.name), db.doc_count));
	return 0;
}

/* One row tells whether the feed may be read, and whether a file is one. */
static int read_one_row(struct cmd_context *c, struct checks *list, struct err *err)
{
	struct couch_options o = source_options(c);
	struct couch_feed_options f = {.kind = COUCH_FEED_NORMAL, .limit = 1};
	struct couch_feed *feed = NULL;
	struct couch_row row = {0};
	enum couch_next what = COUCH_END;
	int rc = couch_feed_open(&feed, &o, &f, err);
	if (rc == 0)
		rc = couch_feed_next(feed, &what, &row, err);
	if (rc == 0 && what == COUCH_ROW && row.malformed)
		add(c, list, "feed", 0, SLICE("the first row is no row of a changes feed"));
	else if (rc == 0)
		add(c, list, "feed", 1, what == COUCH_ROW ? SLICE("the first row can be read") : SLICE("it is empty"));
	if (rc == 0 && couch_feed_size(feed) >= 0 && list->source_bytes < 0)
		list->source_bytes = couch_feed_size(feed);
	couch_feed_close(feed);
	return rc;
}

static int is_readable(const char *path)
{
	struct stat s;
	return access(path, R_OK) == 0 && stat(path, &s) == 0 && !S_ISDIR(s.st_mode);
}

static void check_source(struct cmd_context *c, struct checks *list)
{
	struct err err = ERR_INIT;
	int is_file = c->source.scheme == URL_FILE, is_there = is_file && is_readable(c->source.path);
	if (!c->has_source)
		return;
	if (c->source.scheme == URL_STDIN) {
		add(c, list, "source", 1, SLICE("standard input; it is not looked at beforehand"));
		return;
	}
	if (is_there)
		add(c, list, "source", 1, arena_printf(c->arena, "%s", c->source.shown));
	if (!is_file && ask_server(c, list, &err)) {
		add_error(c, list, "source", &err);
		return;
	}
	if (read_one_row(c, list, &err))
		add_error(c, list, is_file && !is_there ? "source" : "feed", &err);
}

/* ---- target ---- */

static void report_target(struct cmd_context *c, struct checks *list, const struct sql_report *r)
{
	const char *schema = r->schema_version ? "settle's tables are there" : "settle's tables are not there yet";
	add(c, list, "target", 1,
	    arena_printf(c->arena, "%.*s%s, %s", SLICE_ARG(r->server), r->citus ? " with Citus" : "", schema));
	if (r->schema_version == 0)
		add(c, list, "target rights", r->can_create,
		    r->can_create ? SLICE("may make tables") : SLICE("may not make tables"));
	else
		add(c, list, "target rights", r->can_write, r->can_write ? SLICE("may write") : SLICE("may not write"));
	if (r->free_bytes < 0)
		return;
	int enough = list->source_bytes < 0 || r->free_bytes > list->source_bytes;
	struct slice has = megabytes(c, r->free_bytes), wants = megabytes(c, list->source_bytes);
	add(c, list, "target space", enough,
	    enough ? arena_printf(c->arena, "%.*s free", SLICE_ARG(has))
		   : arena_printf(c->arena, "%.*s free, the source has %.*s", SLICE_ARG(has), SLICE_ARG(wants)));
}

static void check_target(struct cmd_context *c, struct checks *list)
{
	struct sql_options o = {.url = &c->target, .schema = c->global->schema, .flags = SQL_READ_ONLY, .log = c->log};
	struct sql_target *t = NULL;
	struct sql_report report;
	struct err err = ERR_INIT;
	if (!c->has_target)
		return;
	int rc = sql_open(&t, &o, &err);
	if (rc == 0)
		rc = sql_describe(t, c->arena, &report, &err);
	sql_close(t);
	if (rc)
		add_error(c, list, "target", &err);
	else
		report_target(c, list, &report);
}

/* ---- state directory ---- */

/* The directory itself, or the nearest above it that is there. */
static const char *existing(struct cmd_context *c)
{
	char *path = arena_str(c->arena, slice_of(c->state_dir));
	while (access(path, F_OK) != 0) {
		char *slash = strrchr(path, '/');
		if (!slash)
			return ".";
		slash[slash == path ? 1 : 0] = 0;
		if (slash == path)
			break;
	}
	return path;
}

static void check_state(struct cmd_context *c, struct checks *list)
{
	const char *path = existing(c);
	struct statvfs disk;
	if (access(path, W_OK | X_OK) != 0 || statvfs(path, &disk) != 0) {
		add(c, list, "state", 0, arena_printf(c->arena, "%s: cannot write in %s", c->state_dir, path));
		return;
	}
	int64_t free_bytes = (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
	struct slice has = megabytes(c, free_bytes);
	add(c, list, "state", free_bytes >= STATE_SPACE_LEAST,
	    arena_printf(c->arena, "%s, %.*s free", c->state_dir, SLICE_ARG(has)));
}

/* ---- the report ---- */

static void print_check(struct cmd_context *c, const struct check *k)
{
	print_color(c, k->ok ? PRINT_GREEN : PRINT_RED);
	fprintf(c->out, "%-8s", k->ok ? "ok" : "FINDING");
	print_color(c, PRINT_PLAIN);
	fprintf(c->out, "%-15s", k->name);
	print_text(c, k->detail);
	fputc('\n', c->out);
	if (!k->hint.len)
		return;
	fprintf(c->out, "%23s", "");
	print_text(c, k->hint);
	fputc('\n', c->out);
}

static void print_report_json(struct cmd_context *c, const struct checks *list, int clean)
{
	struct json v = json_object(), all = json_array();
	for (size_t i = 0; i < list->n; i++) {
		struct json one = json_object();
		json_sets(c->arena, &one, "check", json_str(list->v[i].name));
		json_sets(c->arena, &one, "ok", json_bool(list->v[i].ok));
		json_sets(c->arena, &one, "detail", json_string(list->v[i].detail));
		if (list->v[i].hint.len)
			json_sets(c->arena, &one, "hint", json_string(list->v[i].hint));
		json_push(c->arena, &all, one);
	}
	json_sets(c->arena, &v, "clean", json_bool(clean));
	json_sets(c->arena, &v, "checks", all);
	print_json_line(c, &v);
}

static int run(struct cmd_context *c, struct err *err)
{
	struct checks list = {.source_bytes = -1};
	int clean = 1;
	if (!c->has_source && !c->has_target) {
		err_set(err, ERR_USAGE, "nothing to check");
		return err_hint(err, "give --source URL, --target URL, or both");
	}
	check_source(c, &list);
	check_target(c, &list);
	check_state(c, &list);
	for (size_t i = 0; i < list.n; i++)
		clean = clean && list.v[i].ok;
	if (c->global->format == FORMAT_JSON)
		print_report_json(c, &list, clean);
	for (size_t i = 0; c->global->format == FORMAT_TEXT && i < list.n; i++)
		print_check(c, &list.v[i]);
	return clean ? 0 : 1;
}

const struct command cmd_check = {
    .name = "check",
    .arguments = "",
    .summary = "connect to source and target, look at versions, rights and free space; writes nothing",
    .help = "Exit 1 on a finding.",
    .needs = MAY_SOURCE | MAY_TARGET | NEED_STATE,
    .max_args = 0,
    .run = run,
};
