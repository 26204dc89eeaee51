/* again_ids: which cases a selection may name: one sorted stream of ids, or two merged, or two one after the other. */
#include "migrate/again_internal.h"

#include "sql/tables.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGE 500

struct stream {
	int (*fill)(struct again_ids *ids, struct stream *s, struct err *err);
	struct arena arena;
	struct slice *v;
	size_t n, at;
	struct buf after, after_kind;
	int more; /* not at its end */
};

struct again_ids {
	struct run *r;
	struct stream first, second;
	int chained; /* second after first, else merged */
	struct buf last;
};

static struct slice *room(struct stream *s, size_t n)
{
	return s->v = ARENA_ARRAY(&s->arena, n ? n : 1, struct slice);
}

/* ---- where ids come from ---- */

static int fill_spooled(struct again_ids *ids, struct stream *s, struct err *err)
{
	struct state_cases cases = {0};

	if (state_case_page(ids->r->lister_state, buf_slice(&s->after), PAGE, &s->arena, &cases, err))
		return err->code;
	room(s, cases.n);
	for (s->n = 0; s->n < cases.n; s->n++)
		s->v[s->n] = cases.v[s->n].id;
	return 0;
}

static int fill_pending(struct again_ids *ids, struct stream *s, struct err *err)
{
	struct state_cases cases = {0};

	if (state_case_pending(ids->r->lister_state, buf_slice(&s->after), PAGE, &s->arena, &cases, err))
		return err->code;
	room(s, cases.n);
	for (s->n = 0; s->n < cases.n; s->n++)
		s->v[s->n] = cases.v[s->n].id;
	return 0;
}

static int fill_from_table(struct again_ids *ids, struct stream *s, const struct sql_table *table, int column,
			   struct err *err)
{
	struct sql_rows rows = {0};

	if (sql_page(ids->r->lister, table, ids->r->env->domain, column, buf_slice(&s->after), PAGE, 1, &s->arena,
		     &rows, err))
		return err->code;
	room(s, rows.n);
	for (s->n = 0; s->n < rows.n; s->n++)
		s->v[s->n] = rows.v[s->n].cells[column];
	return 0;
}

static int fill_rows(struct again_ids *ids, struct stream *s, struct err *err)
{
	return fill_from_table(ids, s, &sql_cases, CASE_ID, err);
}

static int fill_dirty(struct again_ids *ids, struct stream *s, struct err *err)
{
	return fill_from_table(ids, s, &sql_dirty_case, DIRTY_CASE_ID, err);
}

/* The first of two chained streams has had it. */
static int is_among_diffs(struct again_ids *ids, struct stream *s, struct slice id, int *had, struct err *err)
{
	struct state_item item;
	int rc = state_get(ids->r->lister_state, STATE_DIFFS, id, &s->arena, &item, err);

	*had = rc == 0;
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* A page of a list in (kind, id) order, of which only cases count; pages without any are passed over. */
static int fill_list(struct again_ids *ids, struct stream *s, enum state_list which, struct err *err)
{
	struct state_items items;

	do {
		items = (struct state_items){0};
		if (state_list(ids->r->lister_state, which, buf_slice(&s->after_kind), buf_slice(&s->after), PAGE,
			       &s->arena, &items, err))
			return err->code;
		if (items.n == 0)
			return 0;
		buf_clear(&s->after_kind);
		buf_adds(&s->after_kind, items.v[items.n - 1].kind);
		buf_clear(&s->after);
		buf_adds(&s->after, items.v[items.n - 1].id);
		room(s, items.n);
		for (size_t i = 0; i < items.n; i++) {
			int had = 0;

			if (which == STATE_CHANGES && ids->chained && is_among_diffs(ids, s, items.v[i].id, &had, err))
				return err->code;
			if (!had && selection_is_case(ids->r->again->selection, items.v[i].kind))
				s->v[s->n++] = items.v[i].id;
		}
	} while (s->n == 0);
	return 0;
}

static int fill_diffs(struct again_ids *ids, struct stream *s, struct err *err)
{
	return fill_list(ids, s, STATE_DIFFS, err);
}

static int fill_changes(struct again_ids *ids, struct stream *s, struct err *err)
{
	return fill_list(ids, s, STATE_CHANGES, err);
}

static int fill_named(struct again_ids *ids, struct stream *s, struct err *err)
{
	const struct selection *named = ids->r->again->selection;

	(void)err;
	if (s->after_kind.len) /* they all came at once */
		return 0;
	buf_ch(&s->after_kind, '.');
	room(s, named->n);
	for (s->n = 0; s->n < named->n; s->n++)
		s->v[s->n] = named->v[s->n].id;
	return 0;
}

/* ---- one after the other ---- */

/* Makes sure that s->v[s->at] is there, or that the stream has ended. */
static int look(struct again_ids *ids, struct stream *s, struct err *err)
{
	int lists = s->fill == fill_diffs || s->fill == fill_changes;

	if (s->at < s->n || !s->more)
		return 0;
	arena_reset(&s->arena);
	s->at = s->n = 0;
	if (s->fill(ids, s, err))
		return err->code;
	s->more = s->n > 0;
	if (s->more && !lists) {
		buf_clear(&s->after);
		buf_adds(&s->after, s->v[s->n - 1]);
	}
	return 0;
}

static int order_of(const struct again_ids *ids)
{
	const struct stream *x = &ids->first, *y = &ids->second;

	if (x->at >= x->n)
		return 1;
	if (y->at >= y->n || ids->chained)
		return -1;
	return slice_cmp(x->v[x->at], y->v[y->at]);
}

static int next(struct again_ids *ids, struct slice *id, struct err *err)
{
	int order;

	*id = SLICE_NONE;
	if (look(ids, &ids->first, err) || look(ids, &ids->second, err))
		return err->code;
	if (ids->first.at >= ids->first.n && ids->second.at >= ids->second.n)
		return 0;
	order = order_of(ids);
	*id = order <= 0 ? ids->first.v[ids->first.at] : ids->second.v[ids->second.at];
	ids->first.at += order <= 0;
	ids->second.at += order >= 0;
	return 0;
}

int again_ids_next(struct again_ids *ids, struct slice *id, struct err *err)
{
	do {
		if (next(ids, id, err))
			return err->code;
	} while (id->ptr && ids->last.len && slice_eq(*id, buf_slice(&ids->last)));
	buf_clear(&ids->last);
	buf_adds(&ids->last, *id);
	return 0;
}

/* ---- opening ---- */

static void choose(struct again_ids *ids, const struct again *again)
{
	ids->first.fill = fill_spooled;
	ids->second.fill = fill_rows;
	switch (again->selection->what) {
	case SELECT_PENDING:
		ids->first.fill = fill_pending;
		ids->second.fill = fill_dirty;
		return;
	case SELECT_DIFFS:
		ids->first.fill = fill_diffs;
		ids->second.fill = NULL;
		return;
	case SELECT_CHANGES:
		ids->first.fill = fill_changes;
		ids->second.fill = NULL;
		return;
	case SELECT_IDS:
		if (!again->selection->word.ptr) {
			ids->first.fill = fill_named;
			ids->second.fill = NULL;
			return;
		}
		break;
	case SELECT_ALL:
	case SELECT_FORMS:
	case SELECT_CASES:
	case SELECT_KINDS:
		break;
	}
	if (again->narrowed) {
		ids->first.fill = fill_diffs;
		ids->second.fill = fill_changes;
		ids->chained = 1;
	}
}

int again_ids_open(struct again_ids **out, struct run *r, struct err *err)
{
	struct again_ids *ids = calloc(1, sizeof(*ids));

	if (!ids)
		return err_set(err, ERR_INTERNAL, "out of memory");
	ids->r = r;
	ids->last.max = ids->first.after.max = ids->first.after_kind.max = SIZE_MAX / 2;
	ids->second.after.max = ids->second.after_kind.max = SIZE_MAX / 2;
	choose(ids, r->again);
	ids->first.more = 1;
	ids->second.more = ids->second.fill != NULL;
	*out = ids;
	return 0;
}

static void stream_release(struct stream *s)
{
	arena_release(&s->arena);
	buf_release(&s->after);
	buf_release(&s->after_kind);
}

void again_ids_close(struct again_ids *ids)
{
	if (!ids)
		return;
	stream_release(&ids->first);
	stream_release(&ids->second);
	buf_release(&ids->last);
	free(ids);
}
