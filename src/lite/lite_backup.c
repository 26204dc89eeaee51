/* Copies of whole databases, a function of settle's own in SQL, and triggers turned off. */
#include "config.h"

#include "lite/lite_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGES_AT_ONCE 2048

static int copy_pages(struct lite *db, sqlite3_backup *backup, int page_size, lite_progress_fn *fn, void *ctx,
		      struct err *err)
{
	int rc = SQLITE_OK;
	while (rc == SQLITE_OK) {
		rc = sqlite3_backup_step(backup, PAGES_AT_ONCE);
		int64_t all = (int64_t)sqlite3_backup_pagecount(backup) * page_size;
		int64_t left = (int64_t)sqlite3_backup_remaining(backup) * page_size;
		if ((rc == SQLITE_OK || rc == SQLITE_DONE) && fn && fn(ctx, all - left, all, err))
			return err->code;
	}
	return rc == SQLITE_DONE ? 0 : lite_fail(db, rc, err);
}

static int page_size_of(struct lite *db, int *out, struct err *err)
{
	struct lite_stmt *s = NULL;
	int row = 0;
	int rc = lite_stmt(db, "PRAGMA page_size", &s, err);
	if (rc == 0)
		rc = lite_step(s, &row, err);
	*out = row ? (int)lite_int(s, 0) : 0;
	lite_done(s);
	return rc;
}

int lite_backup(struct lite *db, const char *to, lite_progress_fn *fn, void *ctx, struct err *err)
{
	struct lite copy = {.options = db->options};
	int page_size = 0;
	int rc = page_size_of(db, &page_size, err);
	if (rc)
		return rc;
	copy.options.path = to;
	if (mknod(to, S_IFREG | 0600, 0) != 0)
		return err_sys(err, db->options.code, errno, "cannot make %s", to);
	int failed = sqlite3_open_v2(to, &copy.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	sqlite3_backup *backup = failed ? NULL : sqlite3_backup_init(copy.db, "main", db->db, "main");
	if (backup)
		rc = copy_pages(&copy, backup, page_size, fn, ctx, err);
	else
		rc = lite_fail(&copy, failed ? failed : sqlite3_extended_errcode(copy.db), err);
	int finished = sqlite3_backup_finish(backup);
	if (rc == 0 && finished != SQLITE_OK)
		rc = lite_fail(&copy, finished, err);
	sqlite3_close(copy.db);
	return rc;
}

/* ---- functions ---- */

struct text_function {
	lite_text_fn *fn;
	void *ctx;
};

static void call_text_function(sqlite3_context *context, int n, sqlite3_value **values)
{
	const struct text_function *f = sqlite3_user_data(context);
	char out[LITE_TEXT_FN_SIZE];
	(void)n;
	if (sqlite3_value_type(values[0]) == SQLITE_NULL) {
		sqlite3_result_null(context);
		return;
	}
	const void *bytes = sqlite3_value_blob(values[0]);
	struct slice in = {bytes ? bytes : "", (size_t)sqlite3_value_bytes(values[0])};
	f->fn(f->ctx, in, out);
	sqlite3_result_text(context, out, -1, SQLITE_TRANSIENT);
}

int lite_function(struct lite *db, const char *name, lite_text_fn *fn, void *ctx, struct err *err)
{
	struct text_function *f = malloc(sizeof(*f));
	if (!f)
		return err_set(err, ERR_INTERNAL, "out of memory");
	*f = (struct text_function){fn, ctx};
	int rc = sqlite3_create_function_v2(db->db, name, 1, SQLITE_UTF8 | SQLITE_DIRECTONLY, f, call_text_function,
					    NULL, NULL, free);
	return rc == SQLITE_OK ? 0 : lite_fail(db, rc, err);
}

int lite_triggers_off(struct lite *db, struct err *err)
{
	int rc = sqlite3_db_config(db->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	return rc == SQLITE_OK ? 0 : lite_fail(db, rc, err);
}
