#include "config.h"

#include "lite/lite_internal.h"

#include "base/pct.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE_KIB 8192
#define BULK_CACHE_KIB 65536

static const char *shown_path(const struct lite *db)
{
	return db->options.path[0] ? db->options.path : "(temporary)";
}

/* The way out for what an operator can do something about. */
static void hint_for(struct lite *db, int rc, struct err *err)
{
	const char *path = shown_path(db);
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		err_hint(err, "another process is using %s; try again when it is done", path);
		break;
	case SQLITE_FULL:
	case SQLITE_IOERR:
		err_hint(
		    err,
		    "look for free space, quotas and errors of the disk that holds %s, then run the same command again",
		    path);
		break;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_CANTOPEN:
		err_hint(err, "%s and its directory must exist and be writable for this user", path);
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		err_hint(err, "%s is damaged or is no SQLite file; put back a copy, or move it away", path);
		break;
	default:
		break;
	}
}

int lite_fail(struct lite *db, int rc, struct err *err)
{
	int primary = rc & 0xff;
	int busy = primary == SQLITE_BUSY || primary == SQLITE_LOCKED;
	int os_errno = db->db ? sqlite3_system_errno(db->db) : 0;
	int by_system = os_errno && (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN);
	/* The connection's message belongs to rc only when its last call failed with it. */
	int own = db->db && sqlite3_errcode(db->db) != SQLITE_OK && (sqlite3_errcode(db->db) & 0xff) == primary;
	const char *msg = own ? sqlite3_errmsg(db->db) : sqlite3_errstr(rc);
	if (!err)
		return busy ? ERR_BUSY : (int)db->options.code;
	err_set(err, busy ? ERR_BUSY : db->options.code, "%s %s: %s%s%s", db->options.what, shown_path(db), msg,
		by_system ? ": " : "", by_system ? strerror(os_errno) : "");
	err->native = rc;
	err->retryable = busy;
	hint_for(db, rc, err);
	return err->code;
}

/*
 * Makes the file with its final mode before SQLite sees it: SQLite gives -wal, -shm and -journal the mode of the
 * database. mknod opens nothing, so it cannot drop the locks another connection of this process holds on the file
 * (closing any descriptor would).
 */
static int make_file(struct lite *db, struct err *err)
{
	if (mknod(db->options.path, S_IFREG | 0600, 0) == 0 || errno == EEXIST)
		return 0;
	err_sys(err, db->options.code, errno, "cannot make %s %s", db->options.what, db->options.path);
	return err_hint(err, "its directory must exist and be writable for this user");
}

static int pragma_int(struct lite *db, const char *sql, int *out, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db->db, sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int(stmt, 0);
	int failed = rc != SQLITE_ROW && rc != SQLITE_DONE ? lite_fail(db, rc, err) : 0;
	sqlite3_finalize(stmt);
	return failed;
}

/* Counting memory costs a lock at every allocation, and nobody asks. Before SQLite's first use, or not at all. */
static void configure_once(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int connect_to(struct lite *db, const char *name, int flags, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int unused;
	(void)pthread_once(&once, configure_once);
	int rc = sqlite3_open_v2(name, &db->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		return lite_fail(db, db->db ? sqlite3_extended_errcode(db->db) : rc, err);
	sqlite3_extended_result_codes(db->db, 1);
	sqlite3_busy_timeout(db->db, LITE_BUSY_MS);
	/* SQLite opens lazily: reading the schema shows now whether this is a database that can be read. */
	return pragma_int(db, "SELECT count(*) FROM sqlite_master", &unused, err);
}

static int file_exists(const char *path, const char *suffix)
{
	struct stat st;
	char *name = sqlite3_mprintf("%s%s", path, suffix);
	int there = name && stat(name, &st) == 0;
	sqlite3_free(name);
	return there;
}

/*
 * A WAL file cannot be read in a directory in which its -shm can neither be found nor made. Without a -wal there is
 * nothing but the file itself and no writer, so it may be read as it stands.
 */
static int connect_immutable(struct lite *db, struct err *err)
{
	struct buf path = BUF_INIT(SIZE_MAX / 2);
	pct_url(slice_of(db->options.path), &path);
	sqlite3_close(db->db);
	db->db = NULL;
	const char *uri = arena_printf(&db->memory, "file:%s?immutable=1", buf_slice(&path).ptr).ptr;
	buf_release(&path);
	return connect_to(db, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err);
}

static int connect_read_only(struct lite *db, struct err *err)
{
	struct err first = ERR_INIT;
	if (db->options.flags & LITE_TRACELESS && file_exists(db->options.path, "") &&
	    !file_exists(db->options.path, "-wal"))
		return connect_immutable(db, err);
	int rc = connect_to(db, db->options.path, SQLITE_OPEN_READONLY, &first);
	if (rc != 0 && ((first.native & 0xff) == SQLITE_CANTOPEN || (first.native & 0xff) == SQLITE_READONLY) &&
	    file_exists(db->options.path, "") && !file_exists(db->options.path, "-wal"))
		return connect_immutable(db, err);
	if (rc != 0 && err)
		*err = first;
	return rc;
}

static int connect_writable(struct lite *db, struct err *err)
{
	const struct lite_options *o = &db->options;
	int temporary = o->path[0] == 0;
	int rc = !temporary && (o->flags & LITE_CREATE) ? make_file(db, err) : 0;
	if (rc == 0)
		rc = connect_to(db, o->path, SQLITE_OPEN_READWRITE | (temporary ? SQLITE_OPEN_CREATE : 0), err);
	/* SQLite falls back to reading where it may not write; here that is an error, at once. */
	if (rc == 0 && sqlite3_db_readonly(db->db, "main") == 1)
		rc = lite_fail(db, SQLITE_READONLY, err);
	if (rc == 0 && (o->flags & LITE_BULK))
		rc = lite_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL", err);
	return rc;
}

static int set_up(struct lite *db, struct err *err)
{
	int kib = db->options.cache_kib;
	if (kib <= 0)
		kib = db->options.flags & LITE_BULK ? BULK_CACHE_KIB : CACHE_KIB;
	char sql[96];
	snprintf(sql, sizeof(sql), "PRAGMA cache_size=-%d; PRAGMA trusted_schema=0", kib);
	return lite_exec(db, sql, err);
}

int lite_open(struct lite **out, const struct lite_options *o, struct err *err)
{
	*out = NULL;
	struct lite *db = calloc(1, sizeof(*db));
	if (!db)
		return err_set(err, ERR_INTERNAL, "out of memory");
	db->options = *o;
	/* "./" keeps SQLite from reading a meaning into a name such as ":memory:". */
	int relative = o->path[0] && o->path[0] != '/';
	db->options.path = arena_printf(&db->memory, "%s%s", relative ? "./" : "", o->path).ptr;
	db->options.what = arena_str(&db->memory, slice_of(o->what ? o->what : "database"));
	int rc = o->flags & LITE_READ_ONLY ? connect_read_only(db, err) : connect_writable(db, err);
	if (rc == 0)
		rc = set_up(db, err);
	if (rc == 0)
		*out = db;
	else
		lite_close(db);
	return rc;
}

void lite_close(struct lite *db)
{
	if (!db)
		return;
	lite_finalize_all(db);
	sqlite3_close(db->db);
	arena_release(&db->memory);
	free(db);
}

int lite_exec(struct lite *db, const char *sql, struct err *err)
{
	int rc = sqlite3_exec(db->db, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : lite_fail(db, rc, err);
}

int lite_begin(struct lite *db, struct err *err)
{
	return lite_exec(db, db->options.flags & LITE_READ_ONLY ? "BEGIN" : "BEGIN IMMEDIATE", err);
}

int lite_commit(struct lite *db, struct err *err)
{
	return lite_exec(db, "COMMIT", err);
}

void lite_rollback(struct lite *db)
{
	if (!sqlite3_get_autocommit(db->db))
		sqlite3_exec(db->db, "ROLLBACK", NULL, NULL, NULL);
}

static int check_version(struct lite *db, int have, int n, struct err *err)
{
	if (have > n || have < 0) {
		err_set(err, ERR_STATE, "%s %s is of version %d, this settle knows versions up to %d", db->options.what,
			shown_path(db), have, n);
		return err_hint(err, "use the settle that wrote it, or a later one");
	}
	if (have < n && (db->options.flags & LITE_READ_ONLY)) {
		err_set(err, ERR_STATE, "%s %s is of version %d, this settle reads version %d", db->options.what,
			shown_path(db), have, n);
		return err_hint(err, "a command that writes brings it up to date");
	}
	return 0;
}

/*
 * Who names a database of something else by mistake must not find tables of settle in it. In one statement: another
 * process may be making them.
 */
static int check_own(struct lite *db, struct err *err)
{
	static const char sql[] =
	    "SELECT (SELECT user_version FROM pragma_user_version) = 0 AND EXISTS (SELECT 1 FROM sqlite_master)";
	int foreign = 0;
	if (pragma_int(db, sql, &foreign, err))
		return err->code;
	if (!foreign)
		return 0;
	err_set(err, ERR_STATE, "%s %s is a SQLite database of something else", db->options.what, shown_path(db));
	return err_hint(err, "name a file that is not there yet, or one that settle made");
}

/* Brings the file one version further; *have is what it is at afterwards. Looks again inside the transaction: another
 * process may have done it in the meantime. */
static int migrate_one(struct lite *db, const char *const *sql, int n, int *have, struct err *err)
{
	char set_version[48];
	int rc = lite_begin(db, err);
	if (rc == 0)
		rc = pragma_int(db, "PRAGMA user_version", have, err);
	if (rc == 0)
		rc = check_version(db, *have, n, err);
	if (rc == 0 && *have < n) {
		snprintf(set_version, sizeof(set_version), "PRAGMA user_version=%d", *have + 1);
		rc = lite_exec(db, sql[*have], err);
		if (rc == 0)
			rc = lite_exec(db, set_version, err);
		++*have;
	}
	if (rc == 0)
		rc = lite_commit(db, err);
	if (rc != 0)
		lite_rollback(db);
	return rc;
}

int lite_migrate(struct lite *db, const char *const *sql, int n, struct err *err)
{
	int have = 0;
	int rc = check_own(db, err);
	if (rc == 0)
		rc = pragma_int(db, "PRAGMA user_version", &have, err);
	if (rc == 0)
		rc = check_version(db, have, n, err);
	while (rc == 0 && have < n)
		rc = migrate_one(db, sql, n, &have, err);
	return rc;
}

int64_t lite_changes(struct lite *db)
{
	return sqlite3_changes(db->db);
}

int64_t lite_last_id(struct lite *db)
{
	return sqlite3_last_insert_rowid(db->db);
}

void *lite_handle(struct lite *db)
{
	return db->db;
}

const char *lite_version(void)
{
	return sqlite3_libversion();
}
