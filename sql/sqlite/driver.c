#include "config.h"

#include "base/clock.h"
#include "sql/sqlite/sqlite.h"

#include <stdlib.h>
#include <unistd.h>

#define READER_CACHE_KIB 4096
#define OPEN_PAUSE_MS 20
/* Ids come in no order, so that a page is written to the WAL again and again; it should be copied back once for
 * many. */
#define CHECKPOINT_PAGES "16384"

static const struct sql_dialect sqlite_dialect = {
    .mark = '?',
    .types =
	{
	    [SQL_TEXT] = "TEXT",
	    [SQL_JSON] = "TEXT",
	    [SQL_BOOL] = "INTEGER",
	    [SQL_INT] = "INTEGER",
	    [SQL_TIME] = "TEXT",
	    [SQL_BYTES] = "BLOB",
	},
};

struct buf *sqlite_text(struct sqlite_target *t)
{
	buf_clear(&t->text);
	return &t->text;
}

static const char *keep_text(struct sqlite_target *t)
{
	const char *text;

	for (size_t i = 0; i < t->texts.n; i++)
		if (strcmp(t->texts.v[i], t->text.ptr) == 0)
			return t->texts.v[i];
	text = arena_str(&t->memory, buf_slice(&t->text));
	ARENA_PUSH(&t->memory, &t->texts, text);
	return text;
}

int sqlite_stmt(struct sqlite_target *t, struct lite_stmt **out, struct err *err)
{
	int rc = buf_check(&t->text, "statement", err);

	if (rc)
		return rc;
	sql_log(&t->base, buf_slice(&t->text));
	return lite_stmt(t->db, keep_text(t), out, err);
}

int sqlite_exec_text(struct sqlite_target *t, struct err *err)
{
	int rc = buf_check(&t->text, "statement", err);

	if (rc)
		return rc;
	sql_log(&t->base, buf_slice(&t->text));
	return lite_exec(t->db, t->text.ptr, err);
}

/* ---- opening ---- */

static int missing(const char *path)
{
	return access(path, F_OK) != 0;
}

/* Turning a new file into WAL mode fails at once, whatever the busy policy, while another process does the same. That
 * takes some flushes, each of them seconds on a busy disk. */
static int open_patiently(struct sqlite_target *t, const struct lite_options *o, struct err *err)
{
	int64_t until = clock_mono_us() + (int64_t)LITE_BUSY_MS * 1000;
	int rc = lite_open(&t->db, o, err);

	while (rc == ERR_BUSY && clock_mono_us() < until) {
		clock_sleep_ms(OPEN_PAUSE_MS);
		rc = lite_open(&t->db, o, err);
	}
	return rc;
}

static int open_file(struct sqlite_target *t, struct err *err)
{
	struct lite_options o = {.path = t->path, .code = ERR_TARGET, .what = "target"};
	int rc;

	if (t->base.flags & SQL_READ_ONLY) {
		/* A target that was never written is empty, not an error: an empty temporary database stands for it. */
		if (missing(t->path))
			o.path = "";
		else
			o.flags = LITE_READ_ONLY | (t->base.flags & SQL_TRACELESS ? LITE_TRACELESS : 0u);
		o.cache_kib = READER_CACHE_KIB;
		return lite_open(&t->db, &o, err);
	}
	if (!(t->base.flags & SQL_CREATE) && missing(t->path)) {
		err_set(err, ERR_TARGET, "target %s does not exist", t->path);
		return err_hint(err, "check the path; migrate makes the file");
	}
	o.flags = LITE_BULK | (t->base.flags & SQL_CREATE ? LITE_CREATE : 0);
	o.cache_kib = SQLITE_CACHE_KIB;
	rc = open_patiently(t, &o, err);
	return rc ? rc : lite_exec(t->db, "PRAGMA wal_autocheckpoint=" CHECKPOINT_PAGES, err);
}

/* Ids are compared by their UTF-8 bytes; a file in UTF-16 would order them otherwise. */
static int check_encoding(struct sqlite_target *t, struct err *err)
{
	struct lite_stmt *s = NULL;
	int row = 0;
	int rc = lite_stmt(t->db, "PRAGMA encoding", &s, err);

	if (rc == 0)
		rc = lite_step(s, &row, err);
	if (rc == 0 && row && !slice_is(lite_text(s, 0), "UTF-8"))
		rc = err_set(err, ERR_TARGET, "target %s is in %.*s; documents need UTF-8", t->path,
			     SLICE_ARG(lite_text(s, 0)));
	lite_done(s);
	return rc;
}

static struct sqlite_target *sqlite_new(const struct sql_options *o)
{
	struct sqlite_target *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	sql_target_init(&t->base, &sql_sqlite_driver, o);
	t->base.names = (struct sql_names){&sqlite_dialect, ""};
	t->text = (struct buf)BUF_INIT(SQL_TEXT_MAX);
	t->path = arena_str(&t->memory, slice_of(o->url->path));
	t->lock_fd = -1;
	return t;
}

static void sqlite_close(struct sql_target *base)
{
	struct sqlite_target *t = sqlite_of(base);

	lite_close(t->db);
	sqlite_unlock(t);
	buf_release(&t->text);
	arena_release(&t->memory);
	sql_target_release(base);
	free(t);
}

static int sqlite_open(struct sql_target **out, const struct sql_options *o, struct err *err)
{
	struct sqlite_target *t = sqlite_new(o);
	int rc;

	if (!t)
		return err_set(err, ERR_INTERNAL, "out of memory");
	rc = open_file(t, err);
	if (rc == 0)
		rc = check_encoding(t, err);
	if (rc == 0 && (o->flags & SQL_CREATE))
		rc = sqlite_schema_open(t, err);
	if (rc == 0)
		*out = &t->base;
	else
		sqlite_close(&t->base);
	return rc;
}

/* ---- transactions ---- */

static int sqlite_begin(struct sql_target *t, struct err *err)
{
	return lite_begin(sqlite_of(t)->db, err);
}

static int sqlite_commit(struct sql_target *t, struct err *err)
{
	return lite_commit(sqlite_of(t)->db, err);
}

static void sqlite_rollback(struct sql_target *t)
{
	lite_rollback(sqlite_of(t)->db);
}

const struct sql_driver sql_sqlite_driver = {
    .open = sqlite_open,
    .close = sqlite_close,
    .schema_check = sqlite_schema_check,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .put = sqlite_put,
    .insert = sqlite_insert,
    .delete = sqlite_delete,
    .select = sqlite_select,
    .page = sqlite_page,
    .page_keys = sqlite_page_keys,
    .delete_range = sqlite_delete_range,
    .count_by = sqlite_count_by,
    .lock = sqlite_lock,
    .check_epoch = sqlite_check_epoch,
    .finish_load = sqlite_finish_load,
    .describe = sqlite_describe,
    .view_where = " WHERE \"deleted\" IS NOT 1 AND \"doc_type\" = ",
    .add_view_text = sqlite_add_view_text,
    .add_view_value = sqlite_add_view_value,
    .put_view = sqlite_put_view,
};
