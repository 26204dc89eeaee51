/*
 * spawn: runs a program of PostgreSQL and follows what it says. argv arrays, never a shell. The child gets a clean
 * signal mask, LC_ALL=C, and ends when settle does (setpriv --pdeathsig, where that program is there). Private to
 * src/snapshot. Threads: the main thread.
 */
#ifndef SETTLE_SNAPSHOT_SPAWN_H
#define SETTLE_SNAPSHOT_SPAWN_H

#include "base/buf.h"
#include "snapshot/files.h"

struct spawn_options {
	const char *const *argv; /* argv[0]: a name, looked for in PATH; NULL-terminated */
	const char *password;    /* PGPASSWORD of the child, or NULL */
	const char *watch_dir;   /* its bytes are the meter's, or NULL */
	const char *table_word;  /* a line with both words is a table that is done; or NULL */
	const char *table_word2;
	struct meter *meter; /* or NULL */
	int no_detail;       /* a server's DETAIL, which tells values of rows, is left out of the error */
};

/* Stdout of the child goes to *out (in the arena) when out is not NULL, else to nowhere. A missing program, and one
 * that fails: ERR_TARGET with its own words. A clean break ends it: ERR_STOPPED. */
MUST_CHECK int spawn_run(const struct spawn_options *o, struct arena *a, struct slice *out, struct err *err);
/* The major version in such a line, or 0. */
int spawn_major(struct slice line);
/* The major version that `program --version` tells, and the whole line. */
MUST_CHECK int spawn_version(const char *program, struct arena *a, int *major, struct slice *line, struct err *err);

#endif
