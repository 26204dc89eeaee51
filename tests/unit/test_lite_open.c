/* Opening a SQLite file: rights, what is no file of SQLite, what may be read. */
#include "config.h"

#include "tests/unit/lite_place.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int mode_of(const char *path, const char *suffix)
{
	char name[80];
	struct stat st;
	snprintf(name, sizeof(name), "%s%s", path, suffix);
	return stat(name, &st) == 0 ? (int)(st.st_mode & 0777) : -1;
}

static void test_lite_open__files_are_private(void **state)
{
	struct place *p = *state;
	mode_t old = umask(0);
	struct lite *db = must_open(p->path, LITE_CREATE | LITE_BULK);
	must_exec(db, "CREATE TABLE t (a)");
	umask(old);
	assert_int_equal(mode_of(p->path, ""), 0600);
	assert_int_equal(mode_of(p->path, "-wal"), 0600);
	assert_int_equal(mode_of(p->path, "-shm"), 0600);
	lite_close(db);
	lite_close(NULL);
}

static void test_lite_open__absent_file_is_not_made_unasked(void **state)
{
	struct place *p = *state;
	struct lite *db = NULL;
	for (unsigned flags = 0; flags <= LITE_READ_ONLY; flags += LITE_READ_ONLY) {
		struct err err = ERR_INIT;
		assert_int_equal(try_open(&db, p->path, flags, &err), ERR_TARGET);
		assert_null(db);
		assert_int_equal(err.native & 0xff, SQLITE_CANTOPEN);
		assert_non_null(strstr(err.msg, p->path));
		assert_non_null(strstr(err.msg, "No such file"));
		assert_int_equal(mode_of(p->path, ""), -1);
	}
}

static void test_lite_open__memory_is_a_file_name_like_any_other(void **state)
{
	struct place *p = *state;
	char old[4096];
	assert_non_null(getcwd(old, sizeof(old)));
	assert_int_equal(chdir(p->dir), 0);
	struct lite *db = must_open(":memory:", LITE_CREATE);
	lite_close(db);
	assert_int_equal(unlink(":memory:"), 0);
	db = must_open("file:x?mode=memory", LITE_CREATE);
	lite_close(db);
	assert_int_equal(unlink("file:x?mode=memory"), 0);
	assert_int_equal(chdir(old), 0);
}

static void test_lite_open__empty_path_is_temporary(void **state)
{
	(void)state;
	struct lite *db = must_open("", LITE_BULK);
	must_exec(db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
	assert_int_equal(must_count(db, "SELECT count(*) FROM t"), 1);
	lite_close(db);
}

static void test_lite_open__no_sqlite_file_is_refused(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct lite *db = NULL;
	char text[4097];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	write_file(p->path, text);
	assert_int_equal(try_open(&db, p->path, LITE_CREATE, &err), ERR_TARGET);
	assert_int_equal(err.native, SQLITE_NOTADB);
	assert_non_null(strstr(err.msg, "target"));
	assert_non_null(strstr(err.hint, "damaged"));
	assert_int_equal(try_open(&db, p->path, LITE_READ_ONLY, &err), ERR_TARGET);
}

static void test_lite_open__damaged_pages_are_told(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct lite *db = must_open(p->path, LITE_CREATE);
	must_exec(db, "CREATE TABLE t (a); INSERT INTO t VALUES (randomblob(20000))");
	lite_close(db);
	FILE *f = fopen(p->path, "r+");
	assert_non_null(f);
	fseek(f, 4096, SEEK_SET);
	for (int i = 0; i < 8192; i++)
		fputc(0x77, f);
	fclose(f);
	db = must_open(p->path, 0);
	assert_int_equal(lite_exec(db, "UPDATE t SET a = a || 'x'", &err), ERR_TARGET);
	assert_int_equal(err.native & 0xff, SQLITE_CORRUPT);
	assert_non_null(strstr(err.hint, "damaged"));
	lite_close(db);
}

/* Runs work as an ordinary user: root may write anywhere. */
static void as_nobody(void (*work)(struct place *), struct place *p)
{
	int root = geteuid() == 0;
	if (root) {
		assert_int_equal(chown(p->dir, 65534, 65534), 0);
		if (access(p->path, F_OK) == 0)
			assert_int_equal(chown(p->path, 65534, 65534), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	work(p);
	if (root)
		assert_int_equal(seteuid(0), 0);
}

static void open_in_unwritable(struct place *p)
{
	struct err err = ERR_INIT;
	struct lite *db = NULL;
	assert_int_equal(chmod(p->dir, 0500), 0);
	assert_int_equal(try_open(&db, p->path, LITE_CREATE, &err), ERR_TARGET);
	assert_int_equal(err.native, EACCES);
	assert_non_null(strstr(err.msg, "cannot make target"));
	assert_non_null(strstr(err.hint, "writable"));
}

static void test_lite_open__unwritable_directory(void **state)
{
	as_nobody(open_in_unwritable, *state);
}

static void open_unwritable(struct place *p)
{
	struct err err = ERR_INIT;
	struct lite *db = NULL;
	assert_int_equal(chmod(p->path, 0400), 0);
	assert_int_equal(try_open(&db, p->path, LITE_CREATE, &err), ERR_TARGET);
	assert_int_equal(err.native & 0xff, SQLITE_READONLY);
	assert_non_null(strstr(err.hint, "writable"));
	assert_int_equal(chmod(p->path, 0000), 0);
	assert_int_equal(try_open(&db, p->path, 0, &err), ERR_TARGET);
	assert_int_equal(err.native & 0xff, SQLITE_CANTOPEN);
	assert_int_equal(try_open(&db, p->path, LITE_READ_ONLY, &err), ERR_TARGET);
	assert_int_equal(err.native & 0xff, SQLITE_CANTOPEN);
}

static void test_lite_open__unwritable_file(void **state)
{
	struct place *p = *state;
	struct lite *db = must_open(p->path, LITE_CREATE);
	must_exec(db, "CREATE TABLE t (a)");
	lite_close(db);
	as_nobody(open_unwritable, p);
}

static void read_in_unwritable(struct place *p)
{
	assert_int_equal(chmod(p->dir, 0500), 0);
	struct lite *db = must_open(p->path, LITE_READ_ONLY);
	assert_int_equal(must_count(db, "SELECT count(*) FROM t"), 1);
	lite_close(db);
}

static void test_lite_open__wal_file_is_read_in_an_unwritable_directory(void **state)
{
	struct place *p = *state;
	struct lite *db = must_open(p->path, LITE_CREATE | LITE_BULK);
	must_exec(db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
	lite_close(db);
	assert_int_equal(mode_of(p->path, "-wal"), -1);
	as_nobody(read_in_unwritable, p);
}

static void test_lite_open__wal_file_without_wal_is_read(void **state)
{
	struct place *p = *state;
	struct lite *db = must_open(p->path, LITE_CREATE | LITE_BULK);
	must_exec(db, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
	lite_close(db);
	assert_int_equal(mode_of(p->path, "-wal"), -1);
	db = must_open(p->path, LITE_READ_ONLY);
	assert_int_equal(must_count(db, "SELECT count(*) FROM t"), 1);
	lite_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    AT_PLACE(test_lite_open__files_are_private),
	    AT_PLACE(test_lite_open__absent_file_is_not_made_unasked),
	    AT_PLACE(test_lite_open__memory_is_a_file_name_like_any_other),
	    cmocka_unit_test(test_lite_open__empty_path_is_temporary),
	    AT_PLACE(test_lite_open__no_sqlite_file_is_refused),
	    AT_PLACE(test_lite_open__damaged_pages_are_told),
	    AT_PLACE(test_lite_open__unwritable_directory),
	    AT_PLACE(test_lite_open__unwritable_file),
	    AT_PLACE(test_lite_open__wal_file_is_read_in_an_unwritable_directory),
	    AT_PLACE(test_lite_open__wal_file_without_wal_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
