#include "config.h"

#include "state/state_internal.h"

/* The SQL of each list, in the order of enum state_list. */
static const struct {
	const char *page, *get, *none;
} lists[] = {
    [STATE_DIFFS] = {"SELECT kind, id, json FROM diff WHERE (kind, id) > (?1, ?2) ORDER BY kind, id LIMIT ?3",
		     "SELECT kind, id, json FROM diff WHERE id = ?1", "has no diffs"},
    [STATE_CHANGES] = {"SELECT kind, id, json FROM change WHERE (kind, id) > (?1, ?2) ORDER BY kind, id LIMIT ?3",
		       "SELECT kind, id, json FROM change WHERE id = ?1", "has no changes"},
    [STATE_MISSING_DOCS] = {"SELECT kind, id, NULL FROM missing WHERE (kind, id) > (?1, ?2) ORDER BY kind, id LIMIT ?3",
			    "SELECT kind, id, NULL FROM missing WHERE id = ?1", "is not missing"},
    [STATE_REJECTS] = {"SELECT kind, id, reason FROM reject WHERE (kind, id) > (?1, ?2) ORDER BY kind, id LIMIT ?3",
		       "SELECT kind, id, reason FROM reject WHERE id = ?1", "is not among the rejects"},
};

static struct state_item item_from(struct lite_stmt *stmt, struct arena *a)
{
	return (struct state_item){
	    .kind = arena_slice(a, lite_text(stmt, 0)),
	    .id = arena_slice(a, lite_text(stmt, 1)),
	    .json = arena_keep(a, lite_text(stmt, 2)),
	};
}

int state_list(struct state *s, enum state_list which, struct slice after_kind, struct slice after_id, int limit,
	       struct arena *a, struct state_items *out, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	*out = (struct state_items){0};
	int rc = lite_stmt(s->db, lists[which].page, &stmt, err);
	if (rc != 0)
		return state_told(rc, err);
	lite_bind_bytes(stmt, 1, after_kind.ptr ? after_kind : SLICE(""));
	lite_bind_bytes(stmt, 2, after_id.ptr ? after_id : SLICE(""));
	lite_bind_int(stmt, 3, limit);
	int row = 0;
	while ((rc = lite_step(stmt, &row, err)) == 0 && row)
		ARENA_PUSH(a, out, item_from(stmt, a));
	lite_done(stmt);
	return state_told(rc, err);
}

int state_get(struct state *s, enum state_list which, struct slice id, struct arena *a, struct state_item *out,
	      struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int row = 0;
	int rc = state_find(s, lists[which].get, id, &stmt, &row, err);
	if (row)
		*out = item_from(stmt, a);
	lite_done(stmt);
	if (rc == 0 && !row)
		return err_set(err, ERR_NOTFOUND, "document %.*s %s", SLICE_ARG(id), lists[which].none);
	return rc;
}
