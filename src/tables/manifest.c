/* The manifest: a SQLite file with a row for each table or part, what was set aside, and what is made after the load.
 */
#include "config.h"

#include "tables/tables_internal.h"

#include "base/clock.h"
#include "base/hex.h"

#include <sodium.h>

#define JOB_ID_BYTES 16
#define SALT_BYTES 32

static const char *const versions[] = {
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE tables (id INTEGER PRIMARY KEY, source_schema TEXT NOT NULL, source_table TEXT NOT NULL, "
    "target_schema TEXT NOT NULL,"
    " target_table TEXT NOT NULL, part INTEGER NOT NULL, parts INTEGER NOT NULL, key TEXT, low TEXT, high TEXT, date "
    "TEXT,"
    " rows INTEGER NOT NULL, bytes INTEGER NOT NULL, rule INTEGER NOT NULL, status TEXT NOT NULL DEFAULT 'waiting', "
    "error TEXT,"
    " started TEXT, ended TEXT, micros INTEGER NOT NULL DEFAULT 0, copied INTEGER NOT NULL DEFAULT 0,"
    " copied_bytes INTEGER NOT NULL DEFAULT 0, rejected INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE rejects (id INTEGER NOT NULL REFERENCES tables, row INTEGER NOT NULL, field TEXT NOT NULL, reason "
    "TEXT NOT NULL);"
    "CREATE INDEX rejects_id ON rejects (id);"
    "CREATE TABLE objects (id INTEGER PRIMARY KEY, target_schema TEXT NOT NULL, target_table TEXT NOT NULL, kind TEXT "
    "NOT NULL,"
    " name TEXT NOT NULL, sql TEXT NOT NULL);",
};

static int open_file(struct manifest *m, const char *path, unsigned flags, struct err *err)
{
	struct lite_options o = {.path = path, .flags = flags, .code = ERR_STATE, .what = "manifest"};
	int rc = lite_open(&m->db, &o, err);
	if (rc == 0)
		rc = lite_migrate(m->db, versions, 1, err);
	return rc;
}

int manifest_set(struct manifest *m, const char *name, struct slice value, struct err *err)
{
	struct lite_stmt *s = NULL;
	int rc = lite_stmt(m->db, "INSERT OR REPLACE INTO settings VALUES (?1, ?2)", &s, err);
	if (rc)
		return rc;
	lite_bind_text(s, 1, slice_of(name));
	lite_bind_text(s, 2, value);
	return lite_run(s, err);
}

int manifest_get(struct manifest *m, const char *name, struct arena *a, const char **out, struct err *err)
{
	struct lite_stmt *s = NULL;
	int row = 0;
	*out = NULL;
	int rc = lite_stmt(m->db, "SELECT value FROM settings WHERE name = ?1", &s, err);
	if (rc == 0)
		lite_bind_text(s, 1, slice_of(name));
	if (rc == 0)
		rc = lite_step(s, &row, err);
	if (rc == 0 && row)
		*out = arena_str(a, lite_text(s, 0));
	lite_done(s);
	return rc;
}

static int number(struct manifest *m, const char *sql, int64_t *out, struct err *err)
{
	struct lite_stmt *s = NULL;
	int row = 0;
	int rc = lite_stmt(m->db, sql, &s, err);
	if (rc == 0)
		rc = lite_step(s, &row, err);
	if (rc == 0)
		*out = lite_int(s, 0);
	lite_done(s);
	return rc;
}

int manifest_make(struct manifest *m, const char *path, struct arena *a, struct err *err)
{
	int64_t n = 0;
	*m = (struct manifest){0};
	int rc = open_file(m, path, LITE_CREATE, err);
	if (rc == 0)
		rc = number(m, "SELECT count(*) FROM tables", &n, err);
	if (rc == 0 && n) {
		err_set(err, ERR_STATE, "manifest %s already has records", path);
		rc = err_hint(err, "delete it and run the command again, or name another file");
	}
	if (rc == 0 && sodium_init() < 0)
		rc = err_set(err, ERR_INTERNAL, "no source of random numbers");
	if (rc == 0)
		m->job_id = hex_random(JOB_ID_BYTES, a).ptr;
	if (rc == 0)
		rc = manifest_set(m, "job_id", slice_of(m->job_id), err);
	if (rc == 0)
		rc = manifest_set(m, "salt", hex_random(SALT_BYTES, a), err);
	return rc;
}

int manifest_open(struct manifest *m, const char *path, unsigned flags, struct arena *a, struct err *err)
{
	const char *salt = NULL;
	*m = (struct manifest){0};
	int rc = open_file(m, path, flags, err);
	if (rc == 0)
		rc = manifest_get(m, "job_id", a, &m->job_id, err);
	if (rc == 0)
		rc = manifest_get(m, "job", a, &m->job_text, err);
	if (rc == 0)
		rc = manifest_get(m, "source", a, &m->source_url, err);
	if (rc == 0)
		rc = manifest_get(m, "target", a, &m->target_url, err);
	if (rc == 0)
		rc = manifest_get(m, "salt", a, &salt, err);
	if (rc == 0 && (!m->job_id || !salt || !m->source_url)) {
		err_set(err, ERR_STATE, "manifest %s holds no plan", path);
		rc = err_hint(err, "`settle tables plan` makes one");
	}
	m->salt = slice_of(salt);
	return rc;
}

void manifest_close(struct manifest *m)
{
	lite_close(m->db);
	m->db = NULL;
}

static struct slice text_or_none(const char *text)
{
	return text ? slice_of(text) : SLICE_NONE;
}

int manifest_add(struct manifest *m, const struct tables_row *r, struct err *err)
{
	struct lite_stmt *s = NULL;
	int rc = lite_stmt(m->db,
			   "INSERT INTO tables (source_schema, source_table, target_schema, target_table, part, parts, "
			   "key, low, high, date, "
			   "rows, bytes, rule) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
			   &s, err);
	if (rc)
		return rc;
	const char *const texts[] = {r->source_schema, r->source, r->target_schema, r->target};
	for (int i = 0; i < 4; i++)
		lite_bind_text(s, i + 1, slice_of(texts[i]));
	lite_bind_int(s, 5, r->part);
	lite_bind_int(s, 6, r->parts);
	lite_bind_text(s, 7, text_or_none(r->key));
	lite_bind_text(s, 8, text_or_none(r->low));
	lite_bind_text(s, 9, text_or_none(r->high));
	lite_bind_text(s, 10, text_or_none(r->date));
	lite_bind_int(s, 11, r->rows);
	lite_bind_int(s, 12, r->bytes);
	lite_bind_int(s, 13, r->rule);
	return lite_run(s, err);
}

static const char *copy(struct lite_stmt *s, int n, struct arena *a)
{
	struct slice text = lite_text(s, n);
	return text.ptr ? arena_str(a, text) : NULL;
}

static struct tables_row row_of(struct lite_stmt *s, struct arena *a)
{
	return (struct tables_row){
	    .id = lite_int(s, 0),
	    .source_schema = copy(s, 1, a),
	    .source = copy(s, 2, a),
	    .target_schema = copy(s, 3, a),
	    .target = copy(s, 4, a),
	    .part = lite_int(s, 5),
	    .parts = lite_int(s, 6),
	    .key = copy(s, 7, a),
	    .low = copy(s, 8, a),
	    .high = copy(s, 9, a),
	    .date = copy(s, 10, a),
	    .rows = lite_int(s, 11),
	    .bytes = lite_int(s, 12),
	    .rule = lite_int(s, 13),
	    .status = copy(s, 14, a),
	    .error = copy(s, 15, a),
	    .started = copy(s, 16, a),
	    .ended = copy(s, 17, a),
	    .micros = lite_int(s, 18),
	    .copied = lite_int(s, 19),
	    .copied_bytes = lite_int(s, 20),
	    .rejected = lite_int(s, 21),
	};
}

int manifest_rows(struct manifest *m, struct arena *a, struct manifest_rows *out, struct err *err)
{
	struct lite_stmt *s = NULL;
	int row = 0;
	*out = (struct manifest_rows){0};
	int rc = lite_stmt(
	    m->db,
	    "SELECT id, source_schema, source_table, target_schema, target_table, part, parts, key, low, high, date, "
	    "rows, bytes, "
	    "rule, status, error, started, ended, micros, copied, copied_bytes, rejected FROM tables ORDER BY id",
	    &s, err);
	while (rc == 0 && (rc = lite_step(s, &row, err)) == 0 && row)
		ARENA_PUSH(a, out, row_of(s, a));
	lite_done(s);
	return rc;
}

int manifest_done(struct manifest *m, const struct tables_row *r, struct err *err)
{
	struct lite_stmt *s = NULL;
	char now[CLOCK_TEXT_SIZE];
	clock_utc_text(now);
	int rc = lite_stmt(
	    m->db,
	    "UPDATE tables SET status = 'done', error = NULL, ended = ?2, micros = ?3, copied = ?4, copied_bytes = ?5, "
	    "rejected = ?6, started = ?7 WHERE id = ?1",
	    &s, err);
	if (rc)
		return rc;
	lite_bind_int(s, 1, r->id);
	lite_bind_text(s, 2, slice_of(now));
	lite_bind_int(s, 3, r->micros);
	lite_bind_int(s, 4, r->copied);
	lite_bind_int(s, 5, r->copied_bytes);
	lite_bind_int(s, 6, r->rejected);
	lite_bind_text(s, 7, text_or_none(r->started));
	return lite_run(s, err);
}

/* What may go through later stays waiting, so that no option is needed to go on. */
int manifest_failed(struct manifest *m, int64_t id, const struct err *why, struct err *err)
{
	struct lite_stmt *s = NULL;
	int rc = lite_stmt(m->db, "UPDATE tables SET status = ?2, error = ?3 WHERE id = ?1", &s, err);
	if (rc)
		return rc;
	lite_bind_int(s, 1, id);
	lite_bind_text(s, 2, why->retryable || why->code == ERR_STOPPED ? SLICE("waiting") : SLICE("error"));
	lite_bind_text(s, 3, slice_of(why->msg));
	return lite_run(s, err);
}

int manifest_forget(struct manifest *m, int64_t id, struct err *err)
{
	struct lite_stmt *s = NULL;
	int rc = lite_stmt(
	    m->db,
	    "UPDATE tables SET status = 'waiting', error = NULL, started = NULL, ended = NULL, micros = 0, copied = 0, "
	    "copied_bytes = 0, rejected = 0 WHERE id = ?1",
	    &s, err);
	if (rc)
		return rc;
	lite_bind_int(s, 1, id);
	return lite_run(s, err);
}

int manifest_put_rejects(struct manifest *m, int64_t id, const struct rejects *list, struct err *err)
{
	struct lite_stmt *s = NULL;
	int rc = lite_begin(m->db, err);
	if (rc)
		return rc;
	rc = lite_stmt(m->db, "DELETE FROM rejects WHERE id = ?1", &s, err);
	if (rc == 0) {
		lite_bind_int(s, 1, id);
		rc = lite_run(s, err);
	}
	for (size_t i = 0; i < list->n && rc == 0; i++) {
		rc = lite_stmt(m->db, "INSERT INTO rejects VALUES (?1, ?2, ?3, ?4)", &s, err);
		if (rc)
			break;
		lite_bind_int(s, 1, id);
		lite_bind_int(s, 2, list->v[i].rowid);
		lite_bind_text(s, 3, slice_of(list->v[i].column));
		lite_bind_text(s, 4, slice_of(list->v[i].reason));
		rc = lite_run(s, err);
	}
	if (rc == 0)
		rc = lite_commit(m->db, err);
	if (rc)
		lite_rollback(m->db);
	return rc;
}

int manifest_rejected(struct manifest *m, int64_t id, struct arena *a, int64_t **out, size_t *n, struct err *err)
{
	struct {
		int64_t *v;
		size_t n, cap;
	} list = {0};
	struct lite_stmt *s = NULL;
	int row = 0;
	int rc = lite_stmt(m->db, "SELECT row FROM rejects WHERE id = ?1 ORDER BY row", &s, err);
	if (rc == 0)
		lite_bind_int(s, 1, id);
	while (rc == 0 && (rc = lite_step(s, &row, err)) == 0 && row)
		ARENA_PUSH(a, &list, lite_int(s, 0));
	lite_done(s);
	*out = list.v;
	*n = list.n;
	return rc;
}

int tables_rejects(const struct tables_env *env, tables_reject_fn *fn, void *ctx, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct manifest m = {0};
	struct lite_stmt *s = NULL;
	int row = 0;
	int rc = manifest_open(&m, env->manifest, LITE_READ_ONLY, &a, err);
	if (rc == 0)
		rc = lite_stmt(
		    m.db,
		    "SELECT source_table, row, field, reason FROM rejects JOIN tables USING (id) ORDER BY id, row", &s,
		    err);
	while (rc == 0 && (rc = lite_step(s, &row, err)) == 0 && row)
		fn(ctx, copy(s, 0, &a), lite_int(s, 1), copy(s, 2, &a), copy(s, 3, &a));
	lite_done(s);
	manifest_close(&m);
	arena_release(&a);
	return rc;
}

/* ---- what is made after the load ---- */

static void bind_place(struct lite_stmt *s, const struct manifest_object *o)
{
	const char *const texts[] = {o->schema, o->table, o->kind, o->name};
	for (int i = 0; i < 4; i++)
		lite_bind_text(s, i + 1, slice_of(texts[i]));
}

int manifest_add_object(struct manifest *m, const struct manifest_object *o, struct err *err)
{
	struct lite_stmt *s = NULL;
	int rc = lite_stmt(
	    m->db, "INSERT INTO objects (target_schema, target_table, kind, name, sql) VALUES (?1, ?2, ?3, ?4, ?5)", &s,
	    err);
	if (rc)
		return rc;
	bind_place(s, o);
	lite_bind_text(s, 5, slice_of(o->sql));
	return lite_run(s, err);
}

int manifest_has_object(struct manifest *m, const struct manifest_object *o, int *yes, struct err *err)
{
	struct lite_stmt *s = NULL;
	int rc = lite_stmt(m->db,
			   "SELECT 1 FROM objects WHERE target_schema = ?1 AND target_table = ?2 AND kind = ?3 AND "
			   "name = ?4",
			   &s, err);
	*yes = 0;
	if (rc)
		return rc;
	bind_place(s, o);
	rc = lite_step(s, yes, err);
	lite_done(s);
	return rc;
}

int manifest_objects(struct manifest *m, struct arena *a, struct manifest_objects *out, struct err *err)
{
	struct lite_stmt *s = NULL;
	int row = 0;
	*out = (struct manifest_objects){0};
	int rc = lite_stmt(m->db,
			   "SELECT id, target_schema, target_table, kind, name, sql FROM objects ORDER BY kind = "
			   "'foreign', kind = 'index', id",
			   &s, err);
	while (rc == 0 && (rc = lite_step(s, &row, err)) == 0 && row)
		ARENA_PUSH(a, out,
			   ((struct manifest_object){lite_int(s, 0), copy(s, 1, a), copy(s, 2, a), copy(s, 3, a),
						     copy(s, 4, a), copy(s, 5, a)}));
	lite_done(s);
	return rc;
}

int manifest_drop_object(struct manifest *m, int64_t id, struct err *err)
{
	struct lite_stmt *s = NULL;
	int rc = lite_stmt(m->db, "DELETE FROM objects WHERE id = ?1", &s, err);
	if (rc)
		return rc;
	lite_bind_int(s, 1, id);
	return lite_run(s, err);
}
