/* The journal of a patch pass: what is planned and not yet known to be in the target. */
#include "config.h"

#include "state/state_internal.h"

int state_patch_put(struct state *s, const struct state_patch *p, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int own = 0;
	int rc = state_op_begin(s, &own, err);
	if (rc != 0)
		return rc;
	rc = lite_stmt(s->db,
		       "INSERT INTO patch (form_id, kind, id, received_on, xml, entry) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
		       " ON CONFLICT (form_id) DO NOTHING",
		       &stmt, err);
	if (rc == 0) {
		lite_bind_bytes(stmt, 1, p->form_id);
		lite_bind_bytes(stmt, 2, p->kind);
		lite_bind_bytes(stmt, 3, p->id);
		lite_bind_text(stmt, 4, p->received_on);
		lite_bind_bytes(stmt, 5, p->xml);
		lite_bind_bytes(stmt, 6, p->entry);
		rc = lite_run(stmt, err);
	}
	return state_op_end(s, own, rc, err);
}

static struct state_patch patch_from(struct lite_stmt *stmt, struct arena *a)
{
	return (struct state_patch){
	    .n = lite_int(stmt, 0),
	    .form_id = arena_slice(a, lite_text(stmt, 1)),
	    .kind = arena_slice(a, lite_text(stmt, 2)),
	    .id = arena_slice(a, lite_text(stmt, 3)),
	    .received_on = arena_slice(a, lite_text(stmt, 4)),
	    .xml = arena_slice(a, lite_text(stmt, 5)),
	    .entry = arena_slice(a, lite_text(stmt, 6)),
	};
}

int state_patch_page(struct state *s, int64_t after, int limit, struct arena *a, struct state_patches *out,
		     struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int row = 0;
	*out = (struct state_patches){0};
	int rc = lite_stmt(
	    s->db, "SELECT n, form_id, kind, id, received_on, xml, entry FROM patch WHERE n > ?1 ORDER BY n LIMIT ?2",
	    &stmt, err);
	if (rc != 0)
		return state_told(rc, err);
	lite_bind_int(stmt, 1, after);
	lite_bind_int(stmt, 2, limit);
	while ((rc = lite_step(stmt, &row, err)) == 0 && row)
		ARENA_PUSH(a, out, patch_from(stmt, a));
	lite_done(stmt);
	return state_told(rc, err);
}

int state_patch_del(struct state *s, int64_t n, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int own = 0;
	int rc = state_op_begin(s, &own, err);
	if (rc != 0)
		return rc;
	rc = lite_stmt(s->db, "DELETE FROM patch WHERE n = ?1", &stmt, err);
	if (rc == 0) {
		lite_bind_int(stmt, 1, n);
		rc = lite_run(stmt, err);
	}
	return state_op_end(s, own, rc, err);
}

int state_patch_count(struct state *s, int64_t *out, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int row = 0;
	int rc = lite_stmt(s->db, "SELECT count(*) FROM patch", &stmt, err);
	if (rc == 0)
		rc = lite_step(stmt, &row, err);
	if (rc == 0)
		*out = lite_int(stmt, 0);
	lite_done(stmt);
	return state_told(rc, err);
}
