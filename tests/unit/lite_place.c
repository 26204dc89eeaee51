#include "config.h"

#include "tests/unit/lite_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int make_place(void **state)
{
	struct place *p = test_calloc(1, sizeof(*p));
	memcpy(p->dir, "/tmp/settle-lite-XXXXXX", sizeof("/tmp/settle-lite-XXXXXX"));
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/x.db", p->dir);
	*state = p;
	return 0;
}

int remove_place(void **state)
{
	struct place *p = *state;
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	char name[80];
	chmod(p->dir, 0700);
	for (size_t i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%s%s", p->path, suffixes[i]);
		unlink(name);
	}
	int rc = rmdir(p->dir);
	test_free(p);
	return rc;
}

int try_open(struct lite **out, const char *path, unsigned flags, struct err *err)
{
	struct lite_options o = {.path = path, .flags = flags, .code = ERR_TARGET, .what = "target"};
	return lite_open(out, &o, err);
}

struct lite *must_open(const char *path, unsigned flags)
{
	struct lite *db = NULL;
	struct err err = ERR_INIT;
	if (try_open(&db, path, flags, &err) != 0)
		fail_msg("%s", err.msg);
	return db;
}

void must_exec(struct lite *db, const char *sql)
{
	struct err err = ERR_INIT;
	if (lite_exec(db, sql, &err) != 0)
		fail_msg("%s", err.msg);
}

int64_t must_count(struct lite *db, const char *sql)
{
	struct lite_stmt *s;
	int row;
	assert_int_equal(lite_stmt(db, sql, &s, NULL), 0);
	assert_int_equal(lite_step(s, &row, NULL), 0);
	assert_int_equal(row, 1);
	int64_t n = lite_int(s, 0);
	lite_done(s);
	return n;
}
