#include "config.h"

#include "state/state_internal.h"

/* ---- rows ---- */

int doc_read(struct state *s, struct slice id, struct doc_row *out, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	*out = (struct doc_row){0};
	int rc = state_find(s, "SELECT kind, flags, ignored, attachments, conflicts, spool FROM doc WHERE id = ?1", id,
			    &stmt, &out->found, err);
	if (out->found) {
		out->kind = lite_int(stmt, 0);
		out->flags = lite_int(stmt, 1);
		out->ignored = lite_int(stmt, 2);
		out->attachments = lite_int(stmt, 3);
		out->conflicts = lite_int(stmt, 4);
		out->spool = lite_int(stmt, 5);
	}
	lite_done(stmt);
	return rc;
}

static int write_row(struct state *s, const char *sql, struct slice id, const struct doc_row *row, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int rc = lite_stmt(s->db, sql, &stmt, err);
	if (rc != 0)
		return rc;
	lite_bind_bytes(stmt, 1, id);
	lite_bind_int(stmt, 2, row->kind);
	lite_bind_int(stmt, 3, row->flags);
	lite_bind_int(stmt, 4, row->ignored);
	lite_bind_int(stmt, 5, row->attachments);
	lite_bind_int(stmt, 6, row->conflicts);
	lite_bind_int(stmt, 7, row->spool);
	return lite_run(stmt, err);
}

/* A document of this domain is not another's any more; a case that only SQL has may be. */
static int end_skip(struct state *s, struct slice id, int64_t old_flags, int64_t flags, struct err *err)
{
	if (!s->any_skipped || !(flags & DOC_SOURCE) || old_flags & DOC_SOURCE)
		return 0;
	return state_run_id(s, "DELETE FROM skipped WHERE id = ?1", id, err);
}

/* Puts a row that is probably not there; *inserted = 0 when it was, and then nothing is changed. */
static int insert_row(struct state *s, struct slice id, const struct doc_row *row, int *inserted, struct err *err)
{
	int rc = write_row(s, "INSERT INTO doc VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING", id,
			   row, err);
	*inserted = rc == 0 && lite_changes(s->db) == 1;
	return *inserted ? end_skip(s, id, 0, row->flags, err) : rc;
}

static int delete_spool(struct state *s, int64_t n, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int rc = lite_stmt(s->db, "DELETE FROM spool WHERE n = ?1", &stmt, err);
	if (rc != 0)
		return rc;
	lite_bind_int(stmt, 1, n);
	return lite_run(stmt, err);
}

static int delete_elsewhere(struct state *s, struct slice id, int64_t flags, struct err *err)
{
	static const struct {
		int64_t flag;
		const char *sql;
	} tables[] = {
	    {DOC_DIFF, "DELETE FROM diff WHERE id = ?1"},       {DOC_CHANGE, "DELETE FROM change WHERE id = ?1"},
	    {DOC_MISSING, "DELETE FROM missing WHERE id = ?1"}, {DOC_REJECT, "DELETE FROM reject WHERE id = ?1"},
	    {DOC_PENDING, "DELETE FROM pending WHERE id = ?1"}, {DOC_WANTS, "DELETE FROM wanted WHERE id = ?1"},
	};
	int rc = 0;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && rc == 0; i++) {
		if (flags & tables[i].flag)
			rc = state_run_id(s, tables[i].sql, id, err);
	}
	return rc;
}

static int rows_equal(const struct doc_row *a, const struct doc_row *b)
{
	return a->kind == b->kind && a->flags == b->flags && a->ignored == b->ignored &&
	       a->attachments == b->attachments && a->conflicts == b->conflicts && a->spool == b->spool;
}

int doc_change(struct state *s, struct slice id, const struct doc_row *old, const struct doc_row *next, struct err *err)
{
	int nothing_left = !next->flags && !next->ignored && !next->spool;
	int inserted;
	int rc = delete_elsewhere(s, id, old->flags & ~next->flags, err);
	if (rc == 0 && old->spool && old->spool != next->spool)
		rc = delete_spool(s, old->spool, err);
	if (rc != 0)
		return rc;
	if (nothing_left)
		return old->found ? state_run_id(s, "DELETE FROM doc WHERE id = ?1", id, err) : 0;
	if (!old->found)
		return insert_row(s, id, next, &inserted, err);
	if (rows_equal(old, next))
		return 0;
	rc = end_skip(s, id, old->flags, next->flags, err);
	return rc ? rc
		  : write_row(s,
			      "UPDATE doc SET kind = ?2, flags = ?3, ignored = ?4, attachments = ?5, conflicts = ?6, "
			      "spool = ?7"
			      " WHERE id = ?1",
			      id, next, err);
}

/* ---- what lies beside a row ---- */

static int is_list(struct slice json)
{
	return json.len != 0 && !slice_is(json, "[]");
}

int doc_list_flags(const struct state_doc *doc)
{
	return (is_list(doc->diffs) ? DOC_DIFF : 0) | (is_list(doc->changes) ? DOC_CHANGE : 0);
}

int64_t doc_trait_flags(unsigned traits)
{
	return (traits & STATE_LEDGERS ? DOC_LEDGERS : 0) | (traits & STATE_KEY_TWICE ? DOC_KEY_TWICE : 0);
}

unsigned doc_traits(int64_t flags)
{
	return (flags & DOC_LEDGERS ? STATE_LEDGERS : 0u) | (flags & DOC_KEY_TWICE ? STATE_KEY_TWICE : 0u);
}

static int put_list(struct state *s, const char *sql, const struct state_doc *doc, struct slice json, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int rc = lite_stmt(s->db, sql, &stmt, err);
	if (rc != 0)
		return rc;
	lite_bind_bytes(stmt, 1, doc->id);
	lite_bind_bytes(stmt, 2, doc->kind);
	lite_bind_bytes(stmt, 3, json);
	return lite_run(stmt, err);
}

int doc_put_lists(struct state *s, const struct state_doc *doc, struct err *err)
{
	int rc = 0;
	if (is_list(doc->diffs))
		rc = put_list(s,
			      "INSERT INTO diff (id, kind, json) VALUES (?1, ?2, ?3)"
			      " ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, json = excluded.json",
			      doc, doc->diffs, err);
	if (rc == 0 && is_list(doc->changes))
		rc = put_list(s,
			      "INSERT INTO change (id, kind, json) VALUES (?1, ?2, ?3)"
			      " ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, json = excluded.json",
			      doc, doc->changes, err);
	return rc;
}

int doc_ignored_number(struct state *s, struct slice ignored, int64_t *out, struct err *err)
{
	*out = 0;
	if (ignored.len == 0 || slice_is(ignored, "{}"))
		return 0;
	return intern_number(s->db, &s->signatures, ignored, out, err);
}

/* ---- operations ---- */

/*
 * What is put may be a document of another kind whose id forms use as a case's. What differed in that case is replaced
 * with all that was known, so it waits to be compared again.
 */
static int keep_case(struct state *s, struct slice id, const struct doc_row *old, struct doc_row *row, struct err *err)
{
	if (!(old->flags & DOC_SQL_ONLY))
		return 0;
	if (old->kind == row->kind) {
		row->flags |= DOC_SQL_ONLY;
		return 0;
	}
	row->flags |= DOC_PENDING;
	return old->flags & DOC_PENDING ? 0 : state_run_id(s, "INSERT INTO pending VALUES (?1)", id, err);
}

static int put_doc(struct state *s, const struct state_doc *doc, struct err *err)
{
	struct doc_row old, row = {.flags = DOC_SOURCE | doc_list_flags(doc) | doc_trait_flags(doc->traits),
				   .attachments = doc->attachments,
				   .conflicts = doc->conflicts};
	int inserted = 0;
	int rc = intern_number(s->db, &s->names, doc->kind, &row.kind, err);
	if (rc == 0)
		rc = doc_ignored_number(s, doc->ignored, &row.ignored, err);
	if (rc == 0)
		rc = insert_row(s, doc->id, &row, &inserted, err);
	if (rc == 0 && !inserted) {
		rc = doc_read(s, doc->id, &old, err);
		if (rc == 0)
			rc = keep_case(s, doc->id, &old, &row, err);
		if (rc == 0)
			rc = doc_change(s, doc->id, &old, &row, err);
	}
	if (rc == 0)
		rc = doc_put_lists(s, doc, err);
	return rc;
}

int state_doc_put(struct state *s, const struct state_doc *doc, struct err *err)
{
	int own = 0;
	int rc = state_op_begin(s, &own, err);
	if (rc != 0)
		return rc;
	rc = put_doc(s, doc, err);
	if (rc == 0 && !doc->same)
		rc = wants_touch(s, doc->id, err);
	return state_op_end(s, own, rc, err);
}

int state_doc_forget(struct state *s, struct slice id, struct err *err)
{
	struct doc_row old, nothing = {0};
	int own = 0;
	int rc = state_op_begin(s, &own, err);
	if (rc != 0)
		return rc;
	rc = doc_read(s, id, &old, err);
	if (rc == 0)
		rc = doc_change(s, id, &old, &nothing, err);
	if (rc == 0 && old.found && !(old.flags & DOC_TOMBSTONE))
		rc = wants_touch(s, id, err);
	return state_op_end(s, own, rc, err);
}

static int text_of(struct state *s, const char *sql, int64_t number, struct arena *a, struct slice *out,
		   struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int row = 0;
	int rc = lite_stmt(s->db, sql, &stmt, err);
	*out = SLICE_NONE;
	if (rc != 0)
		return rc;
	lite_bind_int(stmt, 1, number);
	rc = lite_step(stmt, &row, err);
	if (row)
		*out = arena_slice(a, lite_text(stmt, 0));
	lite_done(stmt);
	return rc;
}

int state_doc_get(struct state *s, struct slice id, struct arena *a, struct state_doc *out, struct err *err)
{
	struct doc_row row;
	int rc = doc_read(s, id, &row, err);
	*out = (struct state_doc){.id = arena_slice(a, id)};
	if (rc == 0 && !row.found)
		return err_set(err, ERR_NOTFOUND, "nothing is known of document %.*s", SLICE_ARG(id));
	if (rc == 0)
		rc = text_of(s, "SELECT text FROM name WHERE n = ?1", row.kind, a, &out->kind, err);
	if (rc == 0 && row.ignored)
		rc = text_of(s, "SELECT text FROM signature WHERE n = ?1", row.ignored, a, &out->ignored, err);
	out->attachments = (uint32_t)row.attachments;
	out->conflicts = (uint32_t)row.conflicts;
	out->traits = doc_traits(row.flags);
	return state_told(rc, err);
}
