/* Finding the few rules that may speak of a difference: by its first path element, and by the kind of the document. */
#include "config.h"

#include "diff/rules_internal.h"

#include <stdlib.h>

static int bucket_order(const void *a, const void *b)
{
	return slice_cmp(((const struct rule_bucket *)a)->key, ((const struct rule_bucket *)b)->key);
}

const struct rule_bucket *index_bucket(const struct rule_index *index, struct slice key)
{
	struct rule_bucket want = {.key = key};

	if (!index->n_buckets)
		return NULL;
	return bsearch(&want, index->buckets, index->n_buckets, sizeof(want), bucket_order);
}

static uint32_t scope_number(struct rule_index *index, struct slice group)
{
	uint32_t i = 0;

	while (i < index->n_scopes && !slice_eq(index->scopes[i], group))
		i++;
	if (i == index->n_scopes)
		index->scopes[index->n_scopes++] = group;
	return i;
}

/* Keys are few when a set is built, so a linear look does; they are sorted once at the end. */
static struct rule_bucket *bucket_for(struct rule_index *index, struct slice key)
{
	for (size_t i = 0; i < index->n_buckets; i++) {
		if (slice_eq(index->buckets[i].key, key))
			return &index->buckets[i];
	}
	index->buckets[index->n_buckets].key = key;
	return &index->buckets[index->n_buckets++];
}

static void index_rule(struct rule_index *index, const struct rule *r, uint32_t number, struct arena *a)
{
	if (r->action == RULE_RENAME) {
		ARENA_PUSH(a, &bucket_for(index, r->old_name)->replacing, number);
		ARENA_PUSH(a, &bucket_for(index, r->new_name)->replacing, number);
	} else if (r->action != RULE_IGNORE) {
		ARENA_PUSH(a, &bucket_for(index, r->path[0].key)->replacing, number);
	} else if (r->any_path) {
		ARENA_PUSH(a, &index->any_path, number);
	} else if (r->npath && r->path[0].kind == STEP_KEY) {
		ARENA_PUSH(a, &bucket_for(index, r->path[0].key)->plain, number);
	} else {
		ARENA_PUSH(a, &index->wild, number);
	}
}

void rules_build(const struct rule *rules, size_t n, const struct rule_group *groups, size_t n_groups, struct arena *a,
		 struct ruleset *out)
{
	struct rule_index *index = ARENA_NEW(a, struct rule_index);

	index->groups = groups;
	index->n_groups = n_groups;
	index->scopes = ARENA_ARRAY(a, n, struct slice);
	index->scope_of = ARENA_ARRAY(a, n, uint32_t);
	index->buckets = ARENA_ARRAY(a, 2 * n, struct rule_bucket);
	for (size_t i = 0; i < n; i++) {
		index->scope_of[i] = scope_number(index, rules[i].group);
		index_rule(index, &rules[i], (uint32_t)i, a);
	}
	qsort(index->buckets, index->n_buckets, sizeof(*index->buckets), bucket_order);
	*out = (struct ruleset){.v = rules, .n = n, .index = index};
}

static int group_holds(const struct rule_group *group, struct slice kind)
{
	for (size_t i = 0; i < group->n_kinds; i++) {
		if (slice_eq(group->kinds[i], kind))
			return 1;
	}
	return 0;
}

static int prefix_holds(struct slice pattern, struct slice kind)
{
	return pattern.len && pattern.ptr[pattern.len - 1] == '*' &&
	       slice_starts(kind, (struct slice){pattern.ptr, pattern.len - 1});
}

enum scope_rank index_rank(const struct rule_index *index, struct slice scope, struct slice kind)
{
	if (slice_eq(scope, kind))
		return SCOPE_OWN;
	for (size_t i = 0; i < index->n_groups; i++) {
		if (slice_eq(index->groups[i].name, scope))
			return group_holds(&index->groups[i], kind) ? SCOPE_SHARED : SCOPE_NONE;
	}
	return prefix_holds(scope, kind) ? SCOPE_SHARED : SCOPE_NONE;
}

const uint8_t *index_ranks(const struct rule_index *index, struct slice kind, struct arena *a)
{
	uint8_t *ranks = ARENA_ARRAY(a, index->n_scopes, uint8_t);

	for (size_t i = 0; i < index->n_scopes; i++)
		ranks[i] = (uint8_t)index_rank(index, index->scopes[i], kind);
	return ranks;
}
