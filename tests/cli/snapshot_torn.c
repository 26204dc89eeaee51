/*
 * settle, killed at a moment that the test names. Every call that changes a disk or a server, and every named step of a
 * snapshot, is counted on its way (the linker's --wrap). SNAPSHOT_TORN_AT=N: SIGKILL before the Nth of them.
 * SNAPSHOT_TORN_LIST=FILE: a line for each that was let through.
 */
#include "config.h"

#include "base/number.h"
#include "snapshot/place.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void count(const char *what, const char *name)
{
	static long long calls;
	const char *at = getenv("SNAPSHOT_TORN_AT"), *list = getenv("SNAPSHOT_TORN_LIST");
	long long wanted = 0;
	calls++;
	if (at && number_to_i64(slice_of(at), &wanted) && calls == wanted)
		raise(SIGKILL);
	FILE *f = list ? fopen(list, "ae") : NULL;
	if (!f)
		return;
	fprintf(f, "%lld %s %.60s\n", calls, what, name);
	fclose(f);
}

#define WRAP(type, name, parameters, arguments, path) \
	type __real_##name parameters;                \
	type __wrap_##name parameters;                \
	type __wrap_##name parameters                 \
	{                                             \
		count(#name, path);                   \
		return __real_##name arguments;       \
	}

WRAP(int, rename, (const char *from, const char *to), (from, to), to)
WRAP(int, renameat2, (int a, const char *from, int b, const char *to, unsigned flags), (a, from, b, to, flags), to)
WRAP(int, link, (const char *from, const char *to), (from, to), to)
WRAP(int, unlink, (const char *path), (path), path)
WRAP(int, rmdir, (const char *path), (path), path)
WRAP(int, mknod, (const char *path, mode_t mode, dev_t dev), (path, mode, dev), path)
WRAP(int, fsync, (int fd), (fd), "")
WRAP(PGresult *, PQexec, (PGconn * conn, const char *sql), (conn, sql), sql)
WRAP(int, PQputCopyEnd, (PGconn * conn, const char *why), (conn, why), "")
WRAP(int, posix_spawn,
     (pid_t * pid, const char *path, const posix_spawn_file_actions_t *files, const posix_spawnattr_t *attributes,
      char *const argv[], char *const env[]),
     (pid, path, files, attributes, argv, env), path)

PGresult *__real_PQexecParams(PGconn *conn, const char *sql, int n, const Oid *types, const char *const *values,
			      const int *lengths, const int *formats, int format);
PGresult *__wrap_PQexecParams(PGconn *conn, const char *sql, int n, const Oid *types, const char *const *values,
			      const int *lengths, const int *formats, int format);
/* Who is connected is asked as often as it takes until they have gone: counted, it would move all that comes later. */
PGresult *__wrap_PQexecParams(PGconn *conn, const char *sql, int n, const Oid *types, const char *const *values,
			      const int *lengths, const int *formats, int format)
{
	if (!strstr(sql, "pg_stat_activity"))
		count("PQexecParams", sql);
	return __real_PQexecParams(conn, sql, n, types, values, lengths, formats, format);
}

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
/* Directories that are there are asked for many times over. */
int __wrap_mkdir(const char *path, mode_t mode)
{
	if (access(path, F_OK) != 0)
		count("mkdir", path);
	return __real_mkdir(path, mode);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	if (flags & O_CREAT)
		count("open", path);
	return __real_open(path, flags, mode);
}

void __real_step(const struct snapshot_env *env, const char *name);
void __wrap_step(const struct snapshot_env *env, const char *name);
void __wrap_step(const struct snapshot_env *env, const char *name)
{
	count("step", name);
	__real_step(env, name);
}
