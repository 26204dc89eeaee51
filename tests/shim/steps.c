/*
 * steps: a library to be preloaded that counts what becomes durable in a run of settle and can kill it at any of these
 * steps.
 *
 *   STEPS_LOG=FILE    a line for each step, as it is done
 *   STEPS_KILL=N      SIGKILL right after the Nth step (0: at the first, before it is done), or
 *   STEPS_KILL=STEP   after the first of this name
 *
 * Steps: "state" (commit of the state file), "target" (commit of the target), "objects" (the trail's objects are
 * written, its branch is not moved yet), "trail" (the branch is moved). Threads: safe.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sqlite3;
struct pg_conn;
struct pg_result;
typedef int exec_fn(struct sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **), void *ctx,
		    char **msg);
typedef const char *filename_fn(struct sqlite3 *db, const char *name);
typedef struct pg_result *pg_exec_fn(struct pg_conn *conn, const char *sql);
typedef int move_fn(void **out, void *repo, const char *name, const void *id, int force, const void *was,
		    const char *message);

exec_fn sqlite3_exec;
pg_exec_fn PQexec;
move_fn git_reference_create_matching;

static void *next_of(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);
	if (!f)
		abort();
	return f;
}

static void note(const char *step)
{
	const char *path = getenv("STEPS_LOG");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	char line[32] = "";
	size_t n = strlen(step);
	if (fd < 0)
		return;
	memcpy(line, step, n);
	line[n] = '\n';
	if (write(fd, line, n + 1) < 0)
		abort();
	close(fd);
}

static int is_wanted(int number, const char *step)
{
	const char *text = getenv("STEPS_KILL");
	char *end;
	long n;
	if (!text)
		return 0;
	n = strtol(text, &end, 10);
	return *end ? strcmp(text, step) == 0 : n == number;
}

static void before(void)
{
	if (is_wanted(0, ""))
		raise(SIGKILL);
}

static void done(const char *step)
{
	static atomic_int steps;
	note(step);
	if (is_wanted(atomic_fetch_add(&steps, 1) + 1, step))
		raise(SIGKILL);
}

/* ---- SQLite ---- */

static const char *step_of(struct sqlite3 *db)
{
	filename_fn *filename = (filename_fn *)next_of("sqlite3_db_filename");
	const char *path = filename(db, "main");
	size_t n = path ? strlen(path) : 0;
	return n >= 8 && strcmp(path + n - 8, "state.db") == 0 ? "state" : "target";
}

int sqlite3_exec(struct sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **), void *ctx, char **msg)
{
	exec_fn *exec = (exec_fn *)next_of("sqlite3_exec");
	int commit = strcmp(sql, "COMMIT") == 0, rc;
	if (commit)
		before();
	rc = exec(db, sql, row, ctx, msg);
	if (commit && rc == 0)
		done(step_of(db));
	return rc;
}

/* ---- PostgreSQL ---- */

struct pg_result *PQexec(struct pg_conn *conn, const char *sql)
{
	pg_exec_fn *exec = (pg_exec_fn *)next_of("PQexec");
	int commit = strcmp(sql, "COMMIT") == 0;
	struct pg_result *out;
	if (commit)
		before();
	out = exec(conn, sql);
	if (commit)
		done("target");
	return out;
}

/* ---- the trail ---- */

int git_reference_create_matching(void **out, void *repo, const char *name, const void *id, int force, const void *was,
				  const char *message)
{
	move_fn *move = (move_fn *)next_of("git_reference_create_matching");
	int rc;
	before();
	done("objects");
	rc = move(out, repo, name, id, force, was, message);
	if (rc == 0)
		done("trail");
	return rc;
}
