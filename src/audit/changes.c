/* The changed paths of an event, in a temporary file of SQLite, so that memory does not grow with their number. */
#include "config.h"

#include "audit/audit_internal.h"
#include "lite/lite.h"

#include <stdlib.h>

#define CACHE_KIB 4096

struct changes {
	struct lite *db;
	struct lite_stmt *rows; /* of a pass */
	size_t n;
};

int changes_open(struct changes **out, struct err *err)
{
	struct lite_options o = {.path = "",
				 .flags = LITE_CREATE,
				 .code = ERR_STATE,
				 .what = "temporary file of the audit trail",
				 .cache_kib = CACHE_KIB};
	struct changes *c = calloc(1, sizeof(*c));
	*out = NULL;
	if (!c)
		return err_set(err, ERR_INTERNAL, "out of memory");
	int rc = lite_open(&c->db, &o, err);
	if (rc == 0)
		rc = lite_exec(c->db,
			       "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
			       " CREATE TABLE change (path TEXT PRIMARY KEY, id BLOB) WITHOUT ROWID",
			       err);
	if (rc == 0)
		rc = lite_begin(c->db, err);
	if (rc) {
		changes_close(c);
		return rc;
	}
	*out = c;
	return 0;
}

void changes_close(struct changes *c)
{
	if (!c)
		return;
	lite_done(c->rows);
	lite_close(c->db);
	free(c);
}

int changes_add(struct changes *c, struct slice path, const git_oid *id, struct err *err)
{
	struct lite_stmt *s;
	int rc = lite_stmt(c->db, "INSERT OR REPLACE INTO change VALUES (?, ?)", &s, err);
	if (rc)
		return rc;
	lite_bind_text(s, 1, path);
	lite_bind_bytes(s, 2, id ? (struct slice){(const char *)id->id, sizeof(id->id)} : SLICE_NONE);
	c->n++;
	return lite_run(s, err);
}

size_t changes_count(const struct changes *c)
{
	return c->n;
}

int changes_first(struct changes *c, struct change *out, int *more, struct err *err)
{
	lite_done(c->rows);
	int rc = lite_stmt(c->db, "SELECT path, id FROM change ORDER BY path", &c->rows, err);
	return rc ? rc : changes_next(c, out, more, err);
}

int changes_next(struct changes *c, struct change *out, int *more, struct err *err)
{
	int rc = lite_step(c->rows, more, err);
	if (rc || !*more)
		return rc;
	struct slice id = lite_text(c->rows, 1);
	out->path = lite_text(c->rows, 0);
	out->removed = !id.ptr;
	if (id.ptr)
		memcpy(out->id.id, id.ptr, sizeof(out->id.id));
	return 0;
}
