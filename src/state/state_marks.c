#include "config.h"

#include "state/state_internal.h"

/* ---- missing ---- */

int doc_put_missing(struct state *s, struct slice kind, struct slice id, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int rc = lite_stmt(s->db,
			   "INSERT INTO missing (id, kind) VALUES (?1, ?2)"
			   " ON CONFLICT (id) DO UPDATE SET kind = excluded.kind",
			   &stmt, err);
	if (rc != 0)
		return rc;
	lite_bind_bytes(stmt, 1, id);
	lite_bind_bytes(stmt, 2, kind);
	return lite_run(stmt, err);
}

static int mark_missing(struct state *s, struct slice kind, struct slice id, struct err *err)
{
	struct doc_row old, next;
	int rc = doc_read(s, id, &old, err);
	next = old;
	next.flags |= DOC_MISSING;
	if (rc != 0 || (old.flags & DOC_REJECT))
		return rc;
	if (!old.found)
		rc = intern_number(s->db, &s->names, kind, &next.kind, err);
	if (rc == 0)
		rc = doc_change(s, id, &old, &next, err);
	return rc == 0 ? doc_put_missing(s, kind, id, err) : rc;
}

int state_missing_put(struct state *s, struct slice kind, struct slice id, struct err *err)
{
	int own = 0;
	int rc = state_op_begin(s, &own, err);
	if (rc != 0)
		return rc;
	rc = mark_missing(s, kind, id, err);
	return state_op_end(s, own, rc, err);
}

/* Takes one flag, and what hangs on it, from an id. */
static int clear_flag(struct state *s, struct slice id, int64_t flag, struct err *err)
{
	struct doc_row old, next;
	int own = 0;
	int rc = state_op_begin(s, &own, err);
	if (rc != 0)
		return rc;
	rc = doc_read(s, id, &old, err);
	next = old;
	next.flags &= ~flag;
	if (rc == 0)
		rc = doc_change(s, id, &old, &next, err);
	return state_op_end(s, own, rc, err);
}

int state_missing_del(struct state *s, struct slice id, struct err *err)
{
	return clear_flag(s, id, DOC_MISSING, err);
}

/* ---- rejects ---- */

static int write_reject(struct state *s, const struct state_reject *r, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int rc = lite_stmt(s->db,
			   "INSERT OR REPLACE INTO reject (id, kind, rev, reason, offset, length, sha256, body)"
			   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
			   &stmt, err);
	if (rc != 0)
		return rc;
	lite_bind_bytes(stmt, 1, r->id);
	lite_bind_bytes(stmt, 2, r->kind.ptr ? r->kind : SLICE(""));
	lite_bind_bytes(stmt, 3, r->rev);
	lite_bind_bytes(stmt, 4, r->reason.ptr ? r->reason : SLICE(""));
	lite_bind_int(stmt, 5, (int64_t)r->offset);
	lite_bind_int(stmt, 6, (int64_t)r->length);
	lite_bind_bytes(stmt, 7, r->sha256);
	lite_bind_bytes(stmt, 8, r->body);
	return lite_run(stmt, err);
}

static int put_reject(struct state *s, const struct state_reject *r, struct err *err)
{
	struct doc_row old, next;
	int rc = doc_read(s, r->id, &old, err);
	next = old;
	next.flags = (next.flags | DOC_REJECT) & ~DOC_MISSING;
	if (rc == 0 && !(old.flags & DOC_SOURCE))
		rc = intern_number(s->db, &s->names, r->kind.ptr ? r->kind : SLICE(""), &next.kind, err);
	if (rc == 0)
		rc = doc_change(s, r->id, &old, &next, err);
	if (rc == 0 && !(old.flags & DOC_REJECT))
		rc = wants_touch(s, r->id, err);
	return rc == 0 ? write_reject(s, r, err) : rc;
}

int state_reject_put(struct state *s, const struct state_reject *r, struct err *err)
{
	int own = 0;
	int rc = state_op_begin(s, &own, err);
	if (rc != 0)
		return rc;
	rc = put_reject(s, r, err);
	return state_op_end(s, own, rc, err);
}

int state_reject_del(struct state *s, struct slice id, struct err *err)
{
	return clear_flag(s, id, DOC_REJECT, err);
}

int state_reject_get(struct state *s, struct slice id, struct arena *a, struct state_reject *out, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int row = 0;
	int rc = state_find(s, "SELECT kind, rev, reason, offset, length, sha256, body FROM reject WHERE id = ?1", id,
			    &stmt, &row, err);
	if (row)
		*out = (struct state_reject){
		    .id = arena_slice(a, id),
		    .kind = arena_keep(a, lite_text(stmt, 0)),
		    .rev = arena_keep(a, lite_text(stmt, 1)),
		    .reason = arena_keep(a, lite_text(stmt, 2)),
		    .offset = (uint64_t)lite_int(stmt, 3),
		    .length = (uint64_t)lite_int(stmt, 4),
		    .sha256 = arena_keep(a, lite_text(stmt, 5)),
		    .body = arena_keep(a, lite_text(stmt, 6)),
		};
	lite_done(stmt);
	if (rc == 0 && !row)
		return err_set(err, ERR_NOTFOUND, "document %.*s is not among the rejects", SLICE_ARG(id));
	return rc;
}

/* ---- ids of other domains ---- */

/* *is_news = 0 when it was known to belong there. */
static int remember_skipped(struct state *s, struct slice id, struct slice domain, int *is_news, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int64_t number = 0;
	int rc = intern_number(s->db, &s->names, domain, &number, err);
	if (rc == 0)
		rc = lite_stmt(
		    s->db,
		    "INSERT INTO skipped VALUES (?1, ?2)"
		    " ON CONFLICT (id) DO UPDATE SET domain = excluded.domain WHERE domain <> excluded.domain",
		    &stmt, err);
	if (rc != 0)
		return rc;
	s->any_skipped = 1;
	lite_bind_bytes(stmt, 1, id);
	lite_bind_int(stmt, 2, number);
	rc = lite_run(stmt, err);
	*is_news = rc == 0 && lite_changes(s->db) > 0;
	return rc;
}

/* What was known goes; forms of this domain may use the id, so that what they make of it is to be looked at again. */
static int forget_but_compare(struct state *s, struct slice id, struct err *err)
{
	struct doc_row old, next;
	int rc = doc_read(s, id, &old, err);
	next = (struct doc_row){.kind = old.kind, .flags = old.found ? DOC_PENDING : 0};
	if (rc == 0 && old.found && !(old.flags & DOC_PENDING))
		rc = state_run_id(s, "INSERT INTO pending VALUES (?1)", id, err);
	return rc == 0 ? doc_change(s, id, &old, &next, err) : rc;
}

/* What is known of such an id comes from this domain's forms that use it (its case differs in the domain): it stays
 * when nothing changed. */
static int put_skipped(struct state *s, struct slice id, struct slice domain, struct err *err)
{
	int is_news = 0;
	int rc = remember_skipped(s, id, domain, &is_news, err);
	if (rc == 0 && is_news)
		rc = forget_but_compare(s, id, err);
	if (rc == 0 && is_news)
		rc = wants_touch(s, id, err);
	return rc;
}

int state_skipped_put(struct state *s, struct slice id, struct slice domain, struct err *err)
{
	int own = 0;
	int rc = state_op_begin(s, &own, err);
	if (rc != 0)
		return rc;
	rc = put_skipped(s, id, domain, err);
	return state_op_end(s, own, rc, err);
}

int state_skipped_get(struct state *s, struct slice id, struct arena *a, struct slice *domain, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int row = 0;
	*domain = SLICE_NONE;
	int rc = state_find(s, "SELECT name.text FROM skipped CROSS JOIN name ON name.n = domain WHERE id = ?1", id,
			    &stmt, &row, err);
	if (row)
		*domain = arena_slice(a, lite_text(stmt, 0));
	lite_done(stmt);
	return rc;
}
