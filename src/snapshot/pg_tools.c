#include "config.h"

#include "snapshot/pg_tools.h"

#include "snapshot/link.h"
#include "snapshot/place.h"
#include "snapshot/spawn.h"

#define ARGS_MOST 24

int pg_dump_check(int64_t server_version, struct slice server, struct arena *a, struct slice *line, int *major,
		  struct err *err)
{
	int own = 0, wanted = (int)(server_version / 10000);
	int rc = spawn_version("pg_dump", a, &own, line, err);
	if (major)
		*major = own;
	if (rc || own >= wanted)
		return rc;
	err_set(err, ERR_TARGET, "%.*s is older than the server, which is %.*s", SLICE_ARG(*line), SLICE_ARG(server));
	return err_hint(
	    err,
	    "install the client programs of version %d (Debian: postgresql-client-%d) and put their directory "
	    "first in PATH",
	    wanted, wanted);
}

int pg_restore_check(struct slice made_by, struct arena *a, struct err *err)
{
	int own = 0, wanted = spawn_major(made_by);
	struct slice line;
	int rc = spawn_version("pg_restore", a, &own, &line, err);
	if (rc || own >= wanted)
		return rc;
	err_set(err, ERR_TARGET, "%.*s is older than what made the dump, %.*s", SLICE_ARG(line), SLICE_ARG(made_by));
	return err_hint(
	    err, "install the client programs of version %d (Debian: postgresql-client-%d) and put them first in PATH",
	    wanted, wanted);
}

/* What both are told; *n arguments so far. */
static int common(const struct pg_tool_call *c, const char *program, const char **argv, int *n, const char **password,
		  struct arena *a, struct err *err)
{
	const char *conninfo = NULL;
	int rc = link_words(c->env->target, c->database, a, &conninfo, password, err);
	if (rc)
		return rc;
	argv[(*n)++] = program;
	argv[(*n)++] = "--format=directory";
	argv[(*n)++] = arena_printf(a, "--jobs=%d", place_jobs(c->env)).ptr;
	argv[(*n)++] = arena_printf(a, "--dbname=%s", conninfo).ptr;
	argv[(*n)++] = "--no-password";
	argv[(*n)++] = "--verbose";
	for (int i = 0; i < PG_TOOLS_EXTRA_MOST && c->extra[i]; i++)
		argv[(*n)++] = c->extra[i];
	return 0;
}

int pg_dump_run(const struct pg_tool_call *c, struct arena *a, struct err *err)
{
	const char *argv[ARGS_MOST], *password = NULL;
	int n = 0;
	int rc = common(c, "pg_dump", argv, &n, &password, a, err);
	if (rc)
		return rc;
	argv[n++] = arena_printf(a, "--file=%s", c->dir).ptr;
	argv[n++] = "--no-sync"; /* the whole tree is flushed later */
	argv[n] = NULL;
	int parallel = place_jobs(c->env) > 1;
	return spawn_run(&(struct spawn_options){.argv = argv,
						 .password = password,
						 .watch_dir = c->dir,
						 .table_word = parallel ? "finished item" : "dumping contents of table",
						 .table_word2 = parallel ? "TABLE DATA" : "table",
						 .meter = c->meter,
						 .no_detail = c->no_detail},
			 a, NULL, err);
}

int pg_restore_run(const struct pg_tool_call *c, struct arena *a, struct err *err)
{
	const char *argv[ARGS_MOST], *password = NULL;
	int n = 0;
	int rc = common(c, "pg_restore", argv, &n, &password, a, err);
	if (rc)
		return rc;
	argv[n++] = "--exit-on-error";
	argv[n++] = c->dir;
	argv[n] = NULL;
	int parallel = place_jobs(c->env) > 1;
	return spawn_run(&(struct spawn_options){.argv = argv,
						 .password = password,
						 .table_word = parallel ? "finished item" : "processing data for table",
						 .table_word2 = parallel ? "TABLE DATA" : "table",
						 .meter = c->meter,
						 .no_detail = c->no_detail},
			 a, NULL, err);
}
