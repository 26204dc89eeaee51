#include "config.h"

#include "state/state_internal.h"

/* ---- putting ---- */

static int spooled_revision_is(struct state *s, int64_t n, struct slice rev, int *same, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int row = 0;
	*same = 0;
	int rc = lite_stmt(s->db, "SELECT rev FROM spool WHERE n = ?1", &stmt, err);
	if (rc != 0)
		return rc;
	lite_bind_int(stmt, 1, n);
	rc = lite_step(stmt, &row, err);
	if (row)
		*same = slice_eq(lite_text(stmt, 0), rev);
	lite_done(stmt);
	return rc;
}

/* Puts the body into the spool, in the place *n or (0) in one of its own, which *n then is. */
static int spool_body(struct state *s, const struct state_case *c, int64_t *n, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int rc = lite_stmt(s->db,
			   "INSERT INTO spool (n, rev, body) VALUES (?1, ?2, ?3)"
			   " ON CONFLICT (n) DO UPDATE SET rev = excluded.rev, body = excluded.body",
			   &stmt, err);
	if (rc != 0)
		return rc;
	if (*n)
		lite_bind_int(stmt, 1, *n);
	lite_bind_bytes(stmt, 2, c->rev);
	lite_bind_bytes(stmt, 3, c->deleted ? SLICE_NONE : c->body);
	rc = lite_run(stmt, err);
	if (rc == 0 && !*n)
		*n = lite_last_id(s->db);
	return rc;
}

static int put_case(struct state *s, const struct state_case *c, int *same, struct err *err)
{
	struct doc_row old, next;
	int same_rev = 0;
	int rc = doc_read(s, c->id, &old, err);
	if (rc == 0 && old.spool)
		rc = spooled_revision_is(s, old.spool, c->rev, &same_rev, err);
	if (rc != 0)
		return rc;
	*same = same_rev;
	next = old;
	next.flags = (next.flags & ~(DOC_REJECT | DOC_TRAITS)) | doc_trait_flags(c->traits);
	next.attachments = c->attachments;
	next.conflicts = c->conflicts;
	if (*same)
		return doc_change(s, c->id, &old, &next, err);
	if (!old.spool) { /* what was known was not known about a case */
		next.flags = next.flags & (DOC_MISSING | DOC_TRAITS);
		next.ignored = 0;
	}
	next.flags &= ~(DOC_SOURCE | DOC_TOMBSTONE);
	next.flags |= DOC_PENDING | (c->deleted ? DOC_TOMBSTONE : DOC_SOURCE);
	rc = intern_number(s->db, &s->names, c->kind, &next.kind, err);
	if (rc == 0 && !same_rev)
		rc = spool_body(s, c, &next.spool, err);
	if (rc == 0 && !(old.flags & DOC_PENDING))
		rc = state_run_id(s, "INSERT INTO pending VALUES (?1)", c->id, err);
	if (rc == 0)
		rc = doc_change(s, c->id, &old, &next, err);
	if (rc == 0 && old.found && !old.spool)
		rc = wants_touch(s, c->id, err);
	return rc;
}

int state_case_put(struct state *s, const struct state_case *c, int *same, struct err *err)
{
	int own = 0, unused;
	int rc = state_op_begin(s, &own, err);
	if (rc != 0)
		return rc;
	rc = put_case(s, c, same ? same : &unused, err);
	return state_op_end(s, own, rc, err);
}

int case_touch(struct state *s, struct slice id, struct err *err)
{
	struct doc_row old, next;
	int rc = doc_read(s, id, &old, err);
	next = old;
	next.flags |= DOC_PENDING;
	if (rc != 0 || !old.spool || old.flags & DOC_PENDING)
		return rc;
	rc = state_run_id(s, "INSERT INTO pending VALUES (?1)", id, err);
	return rc == 0 ? doc_change(s, id, &old, &next, err) : rc;
}

int state_case_touch(struct state *s, struct slice id, struct err *err)
{
	int own = 0;
	int rc = state_op_begin(s, &own, err);
	if (rc != 0)
		return rc;
	rc = case_touch(s, id, err);
	return state_op_end(s, own, rc, err);
}

/* The row is of another document of the source, which is no case, and only its id was compared. */
static int is_of_another(const struct doc_row *row)
{
	return row->flags & DOC_SOURCE && !row->spool && !(row->flags & DOC_SQL_ONLY);
}

static int put_compared(struct state *s, const struct state_doc *doc, enum state_missing missing,
			const struct doc_row *old, struct err *err)
{
	struct doc_row next = *old;
	int rc = old->flags & DOC_WANTS ? state_run_id(s, "DELETE FROM wanted WHERE id = ?1", doc->id, err) : 0;

	next.flags &= DOC_SOURCE | DOC_TOMBSTONE | DOC_REJECT | DOC_PENDING | DOC_TRAITS;
	next.flags |= doc->n_wants ? DOC_WANTS : 0;
	next.flags |= doc_list_flags(doc);
	next.flags |= doc_list_flags(doc) && !old->spool ? DOC_SQL_ONLY : 0;
	if (missing == STATE_MISSING && !(next.flags & DOC_REJECT))
		next.flags |= DOC_MISSING;
	if (rc == 0)
		rc = intern_number(s->db, &s->names, doc->kind, &next.kind, err);
	if (rc == 0)
		rc = doc_ignored_number(s, doc->ignored, &next.ignored, err);
	if (rc == 0)
		rc = doc_change(s, doc->id, old, &next, err);
	if (rc == 0)
		rc = doc_put_lists(s, doc, err);
	if (rc == 0)
		rc = wants_put(s, doc, err);
	if (rc == 0 && (next.flags & DOC_MISSING))
		rc = doc_put_missing(s, doc->kind, doc->id, err);
	return rc;
}

static int put_outcome(struct state *s, const struct state_doc *doc, enum state_missing missing, struct err *err)
{
	struct doc_row old;
	int rc = doc_read(s, doc->id, &old, err);
	if (rc == 0 && is_of_another(&old) && !doc_list_flags(doc) && missing != STATE_MISSING)
		return 0;
	return rc ? rc : put_compared(s, doc, missing, &old, err);
}

int state_case_compared(struct state *s, const struct state_doc *doc, enum state_missing missing, struct err *err)
{
	int own = 0;
	int rc = state_op_begin(s, &own, err);
	if (rc != 0)
		return rc;
	rc = put_outcome(s, doc, missing, err);
	return state_op_end(s, own, rc, err);
}

static int run_range(struct state *s, const char *sql, struct slice high, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int rc = lite_stmt(s->db, sql, &stmt, err);
	if (rc != 0)
		return rc;
	lite_bind_bytes(stmt, 1, high);
	lite_bind_int(stmt, 2, ~(int64_t)DOC_PENDING);
	return lite_run(stmt, err);
}

int state_pending_clear(struct state *s, struct slice high, struct err *err)
{
	int own = 0;
	int rc = state_op_begin(s, &own, err);
	if (rc != 0)
		return rc;
	rc = run_range(s, "UPDATE doc SET flags = flags & ?2 WHERE id IN (SELECT id FROM pending WHERE id <= ?1)", high,
		       err);
	if (rc == 0) /* of which nothing else is known */
		rc = state_run_id(s,
				  "DELETE FROM doc WHERE id IN (SELECT id FROM pending WHERE id <= ?1)"
				  " AND flags = 0 AND ignored = 0 AND spool = 0",
				  high, err);
	if (rc == 0)
		rc = state_run_id(s, "DELETE FROM pending WHERE id <= ?1", high, err);
	return state_op_end(s, own, rc, err);
}

/* ---- reading ---- */

#define CASE_COLUMNS " d.id, name.text, spool.rev, spool.body, d.flags, d.attachments, d.conflicts "
#define CASE_TABLES " CROSS JOIN spool ON spool.n = d.spool CROSS JOIN name ON name.n = d.kind "

static struct state_case case_from(struct lite_stmt *stmt, struct arena *a)
{
	int64_t flags = lite_int(stmt, 4);
	return (struct state_case){
	    .id = arena_keep(a, lite_text(stmt, 0)),
	    .kind = arena_keep(a, lite_text(stmt, 1)),
	    .rev = arena_keep(a, lite_text(stmt, 2)),
	    .body = arena_keep(a, lite_text(stmt, 3)),
	    .deleted = (flags & DOC_TOMBSTONE) != 0,
	    .pending = (flags & DOC_PENDING) != 0,
	    .attachments = (uint32_t)lite_int(stmt, 5),
	    .conflicts = (uint32_t)lite_int(stmt, 6),
	    .traits = doc_traits(flags),
	};
}

int state_case_get(struct state *s, struct slice id, struct arena *a, struct state_case *out, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int row = 0;
	int rc = state_find(s, "SELECT" CASE_COLUMNS "FROM doc d" CASE_TABLES "WHERE d.id = ?1", id, &stmt, &row, err);
	if (row)
		*out = case_from(stmt, a);
	lite_done(stmt);
	if (rc == 0 && !row)
		return err_set(err, ERR_NOTFOUND, "no case %.*s is kept in the state file", SLICE_ARG(id));
	return rc;
}

static int page_of_cases(struct state *s, const char *sql, struct slice after, int limit, struct arena *a,
			 struct state_cases *out, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	*out = (struct state_cases){0};
	int rc = lite_stmt(s->db, sql, &stmt, err);
	if (rc != 0)
		return state_told(rc, err);
	lite_bind_bytes(stmt, 1, after.ptr ? after : SLICE(""));
	lite_bind_int(stmt, 2, limit);
	int row = 0;
	while ((rc = lite_step(stmt, &row, err)) == 0 && row)
		ARENA_PUSH(a, out, case_from(stmt, a));
	lite_done(stmt);
	return state_told(rc, err);
}

int state_case_pending(struct state *s, struct slice after, int limit, struct arena *a, struct state_cases *out,
		       struct err *err)
{
	return page_of_cases(s,
			     "SELECT" CASE_COLUMNS "FROM pending CROSS JOIN doc d ON d.id = pending.id"
			     " LEFT JOIN spool ON spool.n = d.spool CROSS JOIN name ON name.n = d.kind "
			     "WHERE pending.id > ?1 ORDER BY pending.id LIMIT ?2",
			     after, limit, a, out, err);
}

int state_case_page(struct state *s, struct slice after, int limit, struct arena *a, struct state_cases *out,
		    struct err *err)
{
	return page_of_cases(
	    s, "SELECT" CASE_COLUMNS "FROM doc d" CASE_TABLES "WHERE d.id > ?1 AND d.spool > 0 ORDER BY d.id LIMIT ?2",
	    after, limit, a, out, err);
}
