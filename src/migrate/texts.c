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

static struct slice ignored_text(const struct ignored_list *ignored, struct arena *a)
{
	struct tallies t = {0};
	struct json v = json_object();

	for (size_t i = 0; i < ignored->n; i++)
		count(&t, ignored->v[i].rule, a);
	for (size_t i = 0; i < t.n; i++)
		json_set(a, &v, t.v[i].rule->name, json_int(a, t.v[i].n));
	return t.n ? json_to_text(&v, JSON_CANONICAL, a) : SLICE_NONE;
}

void comparison_texts(const struct migrate_comparison *c, struct arena *a, struct slice *diffs, struct slice *ignored)
{
	struct json list;

	*diffs = SLICE_NONE;
	*ignored = ignored_text(&c->ignored, a);
	if (c->diffs.n == 0)
		return;
	list = diff_list_to_json(&c->diffs, a);
	*diffs = json_to_text(&list, JSON_PLAIN, a);
}
