/* Ids in byte order: of this file's tables, and of any list (an external sort in a temporary file). */
#include "config.h"

#include "state/state_internal.h"

#include <stdlib.h>

static int id_page(struct lite *db, const char *sql, struct slice after, int limit, struct arena *a,
		   struct state_id_list *out, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int row = 0;
	*out = (struct state_id_list){0};
	int rc = lite_stmt(db, sql, &stmt, err);
	if (rc != 0)
		return rc;
	lite_bind_bytes(stmt, 1, after.ptr ? after : SLICE(""));
	lite_bind_int(stmt, 2, limit);
	while ((rc = lite_step(stmt, &row, err)) == 0 && row)
		ARENA_PUSH(a, out, arena_slice(a, lite_text(stmt, 0)));
	lite_done(stmt);
	return rc;
}

int state_ids(struct state *s, enum state_ids which, struct slice after, int limit, struct arena *a,
	      struct state_id_list *out, struct err *err)
{
	/* DOC_SOURCE | DOC_MISSING of enum doc_flags */
	static const char *const sql[] = {
	    [STATE_IDS_SOURCE] = "SELECT id FROM doc WHERE id > ?1 AND flags & 9 ORDER BY id LIMIT ?2",
	    [STATE_IDS_MISSING] = "SELECT id FROM missing WHERE id > ?1 ORDER BY id LIMIT ?2",
	    [STATE_IDS_REJECTS] = "SELECT id FROM reject WHERE id > ?1 ORDER BY id LIMIT ?2",
	    [STATE_IDS_PENDING] = "SELECT id FROM pending WHERE id > ?1 ORDER BY id LIMIT ?2",
	    [STATE_IDS_SKIPPED] = "SELECT id FROM skipped WHERE id > ?1 ORDER BY id LIMIT ?2",
	};
	_Static_assert((DOC_SOURCE | DOC_MISSING) == 9, "the flags in the statement");
	return state_told(id_page(s->db, sql[which], after, limit, a, out, err), err);
}

int state_kind_get(struct state *s, struct slice id, struct arena *a, struct slice *kind, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int row = 0;
	*kind = SLICE_NONE;
	int rc =
	    state_find(s, "SELECT name.text FROM doc CROSS JOIN name ON name.n = doc.kind WHERE id = ?1 AND flags & 1",
		       id, &stmt, &row, err);
	_Static_assert(DOC_SOURCE == 1, "the flag in the statement");
	if (row)
		*kind = arena_slice(a, lite_text(stmt, 0));
	lite_done(stmt);
	return rc;
}

/* ---- sorting ---- */

struct id_sorter {
	struct lite *db;
};

int id_sorter_open(struct id_sorter **out, struct err *err)
{
	struct lite_options o = {.path = "", .flags = LITE_CREATE, .code = ERR_STATE, .what = "temporary file"};
	*out = NULL;
	struct id_sorter *s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(err, ERR_INTERNAL, "out of memory");
	int rc = lite_open(&s->db, &o, err);
	if (rc == 0)
		rc = lite_exec(s->db, "CREATE TABLE id (id BLOB NOT NULL PRIMARY KEY) WITHOUT ROWID", err);
	if (rc == 0)
		rc = lite_begin(s->db, err);
	if (rc == 0)
		*out = s;
	else
		id_sorter_close(s);
	return rc;
}

int id_sorter_add(struct id_sorter *s, struct slice id, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int rc = lite_stmt(s->db, "INSERT INTO id VALUES (?1) ON CONFLICT DO NOTHING", &stmt, err);
	if (rc != 0)
		return rc;
	lite_bind_bytes(stmt, 1, id);
	return lite_run(stmt, err);
}

int id_sorter_page(struct id_sorter *s, struct slice after, int limit, struct arena *a, struct state_id_list *out,
		   struct err *err)
{
	return id_page(s->db, "SELECT id FROM id WHERE id > ?1 ORDER BY id LIMIT ?2", after, limit, a, out, err);
}

void id_sorter_close(struct id_sorter *s)
{
	if (!s)
		return;
	lite_close(s->db);
	free(s);
}
