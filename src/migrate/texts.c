/* texts: results of a comparison in the form that the state file keeps. */
#include "migrate/run.h"

#include <stdlib.h>

struct tally {
	const struct rule *rule;
	long long n;
};

struct tallies {
	struct tally *v;
	size_t n, cap;
};

static void count(struct tallies *t, const struct rule *rule, struct arena *a)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].rule == rule) {
			t->v[i].n++;
			return;
		}
	ARENA_PUSH(a, t, ((struct tally){rule, 1}));
}

struct slice ignored_text(const struct ignored_list *ignored, struct arena *a)
{
	struct tallies t = {0};
	struct json v = json_object();

	for (size_t i = 0; i < ignored->n; i++)
		count(&t, ignored->v[i].rule, a);
	for (size_t i = 0; i < t.n; i++)
		json_set(a, &v, t.v[i].rule->name, json_int(a, t.v[i].n));
	return t.n ? json_to_text(&v, JSON_CANONICAL, a) : SLICE_NONE;
}

static int step_order(const struct diff_step *a, const struct diff_step *b)
{
	if (a->is_position != b->is_position)
		return b->is_position - a->is_position;
	if (a->is_position)
		return (a->position > b->position) - (a->position < b->position);
	return slice_cmp(a->key, b->key);
}

static int by_path(const void *pa, const void *pb)
{
	const struct diff *a = pa, *b = pb;

	for (uint32_t i = 0; i < a->npath && i < b->npath; i++) {
		int order = step_order(&a->path[i], &b->path[i]);

		if (order)
			return order;
	}
	if (a->npath != b->npath)
		return a->npath < b->npath ? -1 : 1;
	return (int)a->type - (int)b->type;
}

/* The same differences give the same bytes, whatever order a target gives the members of an object. */
struct slice differences_text(const struct diff_list *diffs, struct arena *a)
{
	struct diff_list sorted = {.n = diffs->n};
	struct json list;

	if (diffs->n == 0)
		return SLICE_NONE;
	sorted.v = ARENA_ARRAY(a, diffs->n, struct diff);
	memcpy(sorted.v, diffs->v, diffs->n * sizeof(*diffs->v));
	qsort(sorted.v, sorted.n, sizeof(*sorted.v), by_path);
	list = diff_list_to_json(&sorted, a);
	return json_to_text(&list, JSON_SORTED, a);
}

void comparison_texts(const struct migrate_comparison *c, struct arena *a, struct slice *diffs, struct slice *ignored)
{
	*diffs = differences_text(&c->diffs, a);
	*ignored = ignored_text(&c->ignored, a);
}
