#include "config.h"

#include "state/state_internal.h"

#include "base/buf.h"
#include "base/pct.h"

#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Ids, kinds and JSON are BLOBs: compared by bytes, and whole whatever bytes they hold. doc and pending are in id
 * order; the lists are read in (kind, id) order. doc_with_extras is there so that the sums need not read all documents.
 * Steps are only ever added.
 */
static const char *const migrations[] = {
    "CREATE TABLE value (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE name (n INTEGER PRIMARY KEY, text BLOB NOT NULL UNIQUE);"
    "CREATE TABLE signature (n INTEGER PRIMARY KEY, text BLOB NOT NULL UNIQUE);"
    "CREATE TABLE doc (id BLOB NOT NULL PRIMARY KEY, kind INTEGER NOT NULL, flags INTEGER NOT NULL, ignored INTEGER "
    "NOT NULL,"
    " attachments INTEGER NOT NULL, conflicts INTEGER NOT NULL, spool INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX doc_with_extras ON doc (attachments, conflicts) WHERE attachments > 0 OR conflicts > 0;"
    "CREATE TABLE diff (id BLOB NOT NULL UNIQUE, kind BLOB NOT NULL, json BLOB NOT NULL);"
    "CREATE INDEX diff_in_order ON diff (kind, id);"
    "CREATE TABLE change (id BLOB NOT NULL UNIQUE, kind BLOB NOT NULL, json BLOB NOT NULL);"
    "CREATE INDEX change_in_order ON change (kind, id);"
    "CREATE TABLE missing (id BLOB NOT NULL UNIQUE, kind BLOB NOT NULL);"
    "CREATE INDEX missing_in_order ON missing (kind, id);"
    "CREATE TABLE reject (id BLOB NOT NULL UNIQUE, kind BLOB NOT NULL, rev BLOB, reason BLOB NOT NULL,"
    " offset INTEGER NOT NULL, length INTEGER NOT NULL, sha256 BLOB, body BLOB);"
    "CREATE INDEX reject_in_order ON reject (kind, id);"
    "CREATE TABLE spool (n INTEGER PRIMARY KEY, rev BLOB, body BLOB);"
    "CREATE TABLE pending (id BLOB NOT NULL PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE skipped (id BLOB NOT NULL PRIMARY KEY, domain INTEGER NOT NULL) WITHOUT ROWID;",
    "CREATE TABLE wanted (form BLOB NOT NULL, id BLOB NOT NULL, PRIMARY KEY (form, id)) WITHOUT ROWID;"
    "CREATE INDEX wanted_by ON wanted (id);",
    "CREATE TABLE patch (n INTEGER PRIMARY KEY, form_id BLOB NOT NULL UNIQUE, kind BLOB NOT NULL, id BLOB NOT NULL,"
    " received_on TEXT NOT NULL, xml BLOB NOT NULL, entry BLOB NOT NULL);",
};

#define CACHE_KIB 8192 /* larger ones fill with bodies that are not read again */
#define STATE_VERSION ((int)(sizeof(migrations) / sizeof(migrations[0])))

/* ---- opening ---- */

static int make_directory(const char *path, struct err *err)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	err_sys(err, ERR_STATE, errno, "cannot make the state directory %s", path);
	return err_hint(err, "make the directory above it writable, or name another with --state-dir");
}

/* Makes every directory on the way to the file. */
static int make_directories(char *path, struct err *err)
{
	int rc = 0;
	for (char *slash = strchr(path + 1, '/'); slash && rc == 0; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		rc = make_directory(path, err);
		*slash = '/';
	}
	return rc;
}

static char *path_of(const char *state_dir, struct slice domain, struct arena *a)
{
	struct buf path = BUF_INIT(SIZE_MAX / 2);
	buf_fmt(&path, "%s/domains/", state_dir);
	pct_file_name(domain, &path);
	buf_str(&path, "/state.db");
	char *out = arena_str(a, buf_slice(&path));
	buf_release(&path);
	return out;
}

const char *state_file(const char *state_dir, struct slice domain, struct arena *a)
{
	return path_of(state_dir, domain, a);
}

static int not_found(const char *path, struct err *err)
{
	err_set(err, ERR_NOTFOUND, "there is no state file %s", path);
	return err_hint(err, "the domain was not migrated with this --state-dir");
}

/* A file that its writer has only just made has no tables yet. */
static int refuse_unfinished(struct lite *db, const char *path, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int row = 0;
	int rc = lite_stmt(db, "PRAGMA user_version", &stmt, err);
	if (rc == 0)
		rc = lite_step(stmt, &row, err);
	if (rc == 0 && lite_int(stmt, 0) == 0)
		rc = not_found(path, err);
	lite_done(stmt);
	return rc;
}

static int open_file(struct state *s, char *path, unsigned flags, struct err *err)
{
	struct lite_options o = {.path = path, .code = ERR_STATE, .what = "state file"};
	struct stat st;
	int rc;
	if (flags & STATE_READ_ONLY) {
		o.flags = LITE_READ_ONLY | (flags & STATE_TRACELESS ? LITE_TRACELESS : 0u);
		if (stat(path, &st) != 0 && (errno == ENOENT || errno == ENOTDIR))
			return not_found(path, err);
		rc = lite_open(&s->db, &o, err);
		return rc == 0 ? refuse_unfinished(s->db, path, err) : rc;
	}
	o.flags = LITE_CREATE | LITE_BULK;
	o.cache_kib = CACHE_KIB;
	rc = make_directories(path, err);
	if (rc == 0)
		rc = lite_open(&s->db, &o, err);
	/* The target's next commit relies on this file's last one, also after a power failure; and ids come in no
	 * order, so that every batch touches most pages: a page should be copied back once for many batches. What is
	 * deleted is overwritten where its page is written anyway: Debian's SQLite would write whole freed pages. */
	if (rc == 0)
		rc = lite_exec(
		    s->db, "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=16384; PRAGMA secure_delete=FAST", err);
	return rc;
}

int state_open(struct state **out, const char *state_dir, struct slice domain, unsigned flags, struct err *err)
{
	*out = NULL;
	struct state *s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(err, ERR_INTERNAL, "out of memory");
	s->names.select = "SELECT n FROM name WHERE text = ?1";
	s->names.insert = "INSERT INTO name (text) VALUES (?1)";
	s->signatures.select = "SELECT n FROM signature WHERE text = ?1";
	s->signatures.insert = "INSERT INTO signature (text) VALUES (?1)";
	s->any_skipped = s->any_wanted = 1;
	int rc = open_file(s, path_of(state_dir, domain, &s->memory), flags, err);
	if (rc == 0)
		rc = lite_migrate(s->db, migrations, STATE_VERSION, err);
	if (rc == 0)
		*out = s;
	else
		state_close(s);
	return state_told(rc, err);
}

/* The write-ahead log goes last: a file without it is whole as of its last checkpoint, a log without its file is
 * nothing. */
int state_remove(const char *state_dir, struct slice domain, struct err *err)
{
	static const char *const endings[] = {"", "-shm", "-wal"};
	struct arena a = ARENA_INIT;
	char *path = path_of(state_dir, domain, &a);
	int rc = 0;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]) && rc == 0; i++) {
		struct slice file = arena_printf(&a, "%s%s", path, endings[i]);
		if (unlink(file.ptr) != 0 && errno != ENOENT)
			rc = err_sys(err, ERR_STATE, errno, "cannot remove %s", file.ptr);
	}
	arena_release(&a);
	return rc;
}

void state_close(struct state *s)
{
	if (!s)
		return;
	lite_close(s->db);
	intern_clear(&s->names);
	intern_clear(&s->signatures);
	arena_release(&s->memory);
	free(s);
}

int state_told(int rc, struct err *err)
{
	int native = rc != 0 && err ? err->native & 0xff : 0;
	if (rc == ERR_STATE && (native == SQLITE_CORRUPT || native == SQLITE_NOTADB))
		err_hint(
		    err,
		    "move the state file away and run the migration again: it is built anew from target and source");
	return rc;
}

/* ---- batches ---- */

static int look_for_skipped(struct state *s, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int row = 0;
	int rc = lite_stmt(s->db, "SELECT EXISTS (SELECT 1 FROM skipped)", &stmt, err);
	if (rc == 0)
		rc = lite_step(stmt, &row, err);
	if (rc == 0)
		s->any_skipped = lite_int(stmt, 0) != 0;
	lite_done(stmt);
	return rc;
}

static void forget_unwritten(struct state *s)
{
	lite_rollback(s->db);
	intern_clear(&s->names);
	intern_clear(&s->signatures);
	s->any_skipped = s->any_wanted = 1;
	s->in_batch = s->failed = 0;
}

int state_begin(struct state *s, struct err *err)
{
	if (s->in_batch)
		return err_set(err, ERR_INTERNAL, "a batch of the state file is open already");
	int rc = lite_begin(s->db, err);
	if (rc == 0)
		rc = look_for_skipped(s, err);
	if (rc == 0)
		rc = wants_look(s, err);
	if (rc == 0)
		s->in_batch = 1;
	else
		forget_unwritten(s);
	return state_told(rc, err);
}

int state_commit(struct state *s, struct err *err)
{
	int rc = 0;
	if (!s->in_batch)
		return err_set(err, ERR_INTERNAL, "no batch of the state file is open");
	if (s->failed)
		rc = err_set(err, ERR_STATE, "an earlier write of this batch to the state file failed");
	else
		rc = lite_commit(s->db, err);
	if (rc != 0)
		forget_unwritten(s);
	s->in_batch = 0;
	return state_told(rc, err);
}

void state_rollback(struct state *s)
{
	if (s->in_batch)
		forget_unwritten(s);
}

int state_op_begin(struct state *s, int *own, struct err *err)
{
	*own = !s->in_batch;
	return *own ? state_begin(s, err) : 0;
}

int state_op_end(struct state *s, int own, int rc, struct err *err)
{
	if (own && rc == 0)
		return state_commit(s, err);
	if (own)
		state_rollback(s);
	else if (rc != 0)
		s->failed = 1;
	return state_told(rc, err);
}

int state_find(struct state *s, const char *sql, struct slice id, struct lite_stmt **stmt, int *row, struct err *err)
{
	int rc = lite_stmt(s->db, sql, stmt, err);
	*row = 0;
	if (rc != 0)
		return state_told(rc, err);
	lite_bind_bytes(*stmt, 1, id);
	return state_told(lite_step(*stmt, row, err), err);
}

int state_run_id(struct state *s, const char *sql, struct slice id, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int rc = lite_stmt(s->db, sql, &stmt, err);
	if (rc != 0)
		return rc;
	lite_bind_bytes(stmt, 1, id);
	return lite_run(stmt, err);
}

/* ---- settings and small values ---- */

int state_value_put(struct state *s, const char *key, struct slice value, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int own = 0;
	int rc = state_op_begin(s, &own, err);
	if (rc != 0)
		return rc;
	rc =
	    lite_stmt(s->db, "INSERT INTO value VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
		      &stmt, err);
	if (rc == 0) {
		lite_bind_text(stmt, 1, slice_of(key));
		lite_bind_bytes(stmt, 2, value);
		rc = lite_run(stmt, err);
	}
	return state_op_end(s, own, rc, err);
}

int state_value_get(struct state *s, const char *key, struct arena *a, struct slice *out, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int row = 0;
	*out = SLICE_NONE;
	int rc = lite_stmt(s->db, "SELECT value FROM value WHERE key = ?1", &stmt, err);
	if (rc != 0)
		return state_told(rc, err);
	lite_bind_text(stmt, 1, slice_of(key));
	rc = lite_step(stmt, &row, err);
	if (row)
		*out = arena_slice(a, lite_text(stmt, 0));
	lite_done(stmt);
	return state_told(rc, err);
}
