/* The diff block: what a patch form records of the differences it is made for. */
#include "config.h"

#include "base/hex.h"
#include "patch/patch_internal.h"

#include <stdlib.h>

/* ---- entries ---- */

static struct json entry_of(const struct diff *d, int patchable, struct arena *a)
{
	struct json v = diff_to_json(d, a), entry = json_object();
	const struct json *side;
	json_sets(a, &entry, "path", *json_gets(&v, "path"));
	json_sets(a, &entry, "patch", json_bool(patchable));
	if ((side = json_gets(&v, "old")) != NULL)
		json_sets(a, &entry, "old", *side);
	if ((side = json_gets(&v, "new")) != NULL)
		json_sets(a, &entry, "new", *side);
	json_sets_text(a, &entry, "reason", d->reason);
	return entry;
}

/* Positions before keys, positions by number, keys by bytes. */
static int step_order(const struct json *x, const struct json *y)
{
	if (x->type != y->type)
		return x->type == JSON_NUMBER ? -1 : 1;
	if (x->type == JSON_NUMBER && x->text.len != y->text.len)
		return x->text.len < y->text.len ? -1 : 1;
	return slice_cmp(x->text, y->text);
}

static int path_order(const struct json *x, const struct json *y)
{
	for (uint32_t i = 0; i < x->count && i < y->count; i++) {
		int c = step_order(&x->items[i], &y->items[i]);
		if (c)
			return c;
	}
	return (x->count > y->count) - (x->count < y->count);
}

struct ordered {
	struct json entry;
	size_t at;
};

static int entry_order(const void *left, const void *right)
{
	const struct ordered *x = left, *y = right;
	int c = path_order(json_gets(&x->entry, "path"), json_gets(&y->entry, "path"));
	return c ? c : (x->at > y->at) - (x->at < y->at);
}

static struct json sorted(const struct json *entries, struct arena *a)
{
	struct ordered *v = ARENA_ARRAY(a, entries->count + 1, struct ordered);
	struct json out = json_array();
	for (uint32_t i = 0; i < entries->count; i++)
		v[i] = (struct ordered){entries->items[i], i};
	qsort(v, entries->count, sizeof(*v), entry_order);
	for (uint32_t i = 0; i < entries->count; i++)
		json_push(a, &out, v[i].entry);
	return out;
}

struct json patch_block_make(const struct patch_policy *policy, struct slice id, const struct diff_list *diffs,
			     struct arena *a)
{
	struct json entries = json_array(), block = json_object();
	for (size_t i = 0; i < diffs->n; i++)
		json_push(a, &entries,
			  entry_of(&diffs->v[i], !policy || !patch_is_unpatchable(policy, &diffs->v[i]), a));
	json_sets(a, &block, "case_id", json_string(id));
	json_sets(a, &block, "diffs", sorted(&entries, a));
	return block;
}

void patch_plan_record(const struct patch_policy *policy, const struct diff *d, const struct json *before,
		       struct arena *a, struct patch_plan *plan)
{
	struct json entries = json_clone(a, json_gets(&plan->block, "diffs"));
	struct diff was = *d;
	was.new_value = d->npath == 1 && !d->path[0].is_position ? json_get(before, d->path[0].key) : NULL;
	json_push(a, &entries, entry_of(&was, !patch_is_unpatchable(policy, d), a));
	json_sets(a, &plan->block, "diffs", sorted(&entries, a));
}

/* ---- what a block records ---- */

static int same_side(const struct json *x, const struct json *y)
{
	return x && y ? json_eq(x, y) : !x && !y;
}

int patch_block_records(const struct patch_policy *policy, const struct json *block, const struct diff *d)
{
	const struct json *entries = json_gets(block, "diffs");
	struct arena a = ARENA_INIT;
	struct json wanted = entry_of(d, !patch_is_unpatchable(policy, d), &a);
	int found = 0;
	for (uint32_t i = 0; json_is(entries, JSON_ARRAY) && i < entries->count && !found; i++) {
		const struct json *e = &entries->items[i];
		found = same_side(json_gets(e, "path"), json_gets(&wanted, "path")) &&
			same_side(json_gets(e, "patch"), json_gets(&wanted, "patch")) &&
			same_side(json_gets(e, "old"), d->old_value);
	}
	arena_release(&a);
	return found;
}

static int is_form_ids(const struct diff *d)
{
	return d->npath && !d->path[0].is_position && slice_is(d->path[0].key, "xform_ids");
}

/* Is id among those of a list "a,b,c"? */
static int lists(struct slice list, struct slice id)
{
	size_t at = 0;
	while (at <= list.len && list.ptr) {
		const char *comma = memchr(list.ptr + at, ',', list.len - at);
		size_t end = comma ? (size_t)(comma - list.ptr) : list.len;
		if (slice_eq((struct slice){list.ptr + at, end - at}, id))
			return 1;
		at = end + 1;
	}
	return 0;
}

int patch_is_blanked(const struct diff *d)
{
	return !d->old_value && json_is(d->new_value, JSON_STRING) && d->new_value->text.len == 0;
}

int patch_is_patched(const struct patch_policy *policy, const struct diff_list *diffs, const struct json *block,
		     struct slice form_id, struct arena *a)
{
	int shown = 0;
	(void)a;
	for (size_t i = 0; i < diffs->n; i++) {
		const struct diff *d = &diffs->v[i];
		if (is_form_ids(d) && d->type == DIFF_SET_MISMATCH) {
			shown |= lists(json_text(d->new_value), form_id);
			if (json_text(d->old_value).len == 0 && d->old_value)
				continue;
		}
		if (!patch_is_unpatchable(policy, d) && !patch_is_blanked(d))
			return 0;
		if (!patch_block_records(policy, block, d))
			return 0;
	}
	return shown;
}

struct slice patch_digest(const struct json *v, struct arena *a)
{
	return hex_sha256(json_to_text(v, JSON_CANONICAL, a), a);
}

/* ---- for people and programs ---- */

static struct json actions_to_json(unsigned actions, struct arena *a)
{
	struct json list = json_array();
	if (actions & PATCH_CREATE)
		json_push(a, &list, json_str("create"));
	if (actions & PATCH_UPDATE)
		json_push(a, &list, json_str("update"));
	if (actions & PATCH_CLOSE)
		json_push(a, &list, json_str("close"));
	return list;
}

struct json patch_plan_to_json(const struct patch_plan *plan, struct slice xml, struct arena *a)
{
	struct json v = json_object();
	json_sets(a, &v, "patchable", json_bool(!plan->refused.ptr));
	if (plan->refused.ptr) {
		json_sets(a, &v, "refused", json_string(plan->refused));
		return v;
	}
	json_sets(a, &v, "updates", actions_to_json(plan->actions, a));
	json_sets(a, &v, "properties", plan->properties);
	json_sets(a, &v, "indices", plan->indices);
	json_sets(a, &v, "diff_block", plan->block);
	json_sets(a, &v, "form_xml", json_string(xml));
	return v;
}

/* The type is not kept in the block: it is told from the sides. */
struct json patch_entry_diff(const struct json *entry, struct arena *a)
{
	const struct json *path = json_gets(entry, "path"), *old_value = json_gets(entry, "old"),
			  *new_value = json_gets(entry, "new");
	struct json v = json_object();
	const char *type = "diff";
	if (!old_value || !new_value)
		type = "missing";
	else if (json_is(path, JSON_ARRAY) && path->count == 2 && slice_is(json_text(&path->items[0]), "xform_ids"))
		type = "set_mismatch";
	else if (strcmp(json_type_name(old_value), json_type_name(new_value)) != 0)
		type = "type";
	json_sets(a, &v, "type", json_str(type));
	for (uint32_t i = 0; entry->type == JSON_OBJECT && i < entry->count; i++)
		json_set(a, &v, entry->members[i].key, entry->members[i].value);
	return v;
}
