/* Diff block + SQL-side JSON after -> SQL-side JSON before (decision 25). */
#include "config.h"

#include "base/number.h"
#include "patch/patch_internal.h"

/* ---- what the entries alone give ---- */

/*
 * An entry of one key says what SQL held there. Not the lists that a rule compared in its own way, nor the whole case.
 */
static struct slice undo_key(const struct json *entry)
{
	const struct json *path = json_gets(entry, "path");
	struct slice key;
	if (!json_is(path, JSON_ARRAY) || path->count != 1)
		return SLICE_NONE;
	key = json_text(&path->items[0]);
	if (!key.ptr || slice_is(key, "*") || slice_is(key, "xform_ids"))
		return SLICE_NONE;
	return key;
}

static struct json undo_entries(const struct json *block, const struct json *after, struct arena *a)
{
	const struct json *entries = json_gets(block, "diffs");
	struct json out = json_clone(a, after);
	for (uint32_t i = 0; json_is(entries, JSON_ARRAY) && json_is(&out, JSON_OBJECT) && i < entries->count; i++) {
		struct slice key = undo_key(&entries->items[i]);
		const struct json *held = json_gets(&entries->items[i], "new");
		if (!key.ptr)
			continue;
		if (held)
			json_set(a, &out, key, *held);
		else
			json_del(&out, key);
	}
	return out;
}

/* ---- making edits ---- */

struct edits {
	struct arena *a;
	struct json list;
	struct json path;
};

static struct json *edit_at_path(struct edits *e, struct json *edit)
{
	*edit = json_object();
	json_sets(e->a, edit, "path", json_copy(e->a, &e->path));
	return edit;
}

static void push_edit(struct edits *e, const struct json *edit)
{
	json_push(e->a, &e->list, *edit);
}

static void edit_put(struct edits *e, const struct json *value)
{
	struct json edit;
	json_sets(e->a, edit_at_path(e, &edit), "value", *value);
	push_edit(e, &edit);
}

static void edit_value(struct edits *e, const struct json *from, const struct json *to);

static void edit_object(struct edits *e, const struct json *from, const struct json *to)
{
	for (uint32_t i = 0; i < from->count; i++) {
		struct json edit;
		if (json_get(to, from->members[i].key))
			continue;
		json_push(e->a, &e->path, json_string(from->members[i].key));
		push_edit(e, edit_at_path(e, &edit));
		e->path.count--;
	}
	for (uint32_t i = 0; i < to->count; i++) {
		const struct json *old_value = json_get(from, to->members[i].key);
		json_push(e->a, &e->path, json_string(to->members[i].key));
		if (old_value)
			edit_value(e, old_value, &to->members[i].value);
		else
			edit_put(e, &to->members[i].value);
		e->path.count--;
	}
}

static void edit_array(struct edits *e, const struct json *from, const struct json *to)
{
	uint32_t head = 0, tail = 0, least = from->count < to->count ? from->count : to->count;
	struct json edit, put = json_array();
	while (head < least && json_eq(&from->items[head], &to->items[head]))
		head++;
	while (tail < least - head && json_eq(&from->items[from->count - 1 - tail], &to->items[to->count - 1 - tail]))
		tail++;
	if (head == from->count && head == to->count)
		return;
	for (uint32_t i = head; i < to->count - tail; i++)
		json_push(e->a, &put, to->items[i]);
	edit_at_path(e, &edit);
	json_sets(e->a, &edit, "at", json_int(e->a, head));
	json_sets(e->a, &edit, "drop", json_int(e->a, from->count - head - tail));
	json_sets(e->a, &edit, "put", put);
	push_edit(e, &edit);
}

static void edit_value(struct edits *e, const struct json *from, const struct json *to)
{
	if (from->type == JSON_OBJECT && to->type == JSON_OBJECT)
		edit_object(e, from, to);
	else if (from->type == JSON_ARRAY && to->type == JSON_ARRAY)
		edit_array(e, from, to);
	else if (!json_eq(from, to))
		edit_put(e, to);
}

void patch_block_set_before(struct json *block, const struct json *before, const struct json *after, struct arena *a)
{
	struct edits e = {.a = a, .list = json_array(), .path = json_array()};
	struct json said = json_object();
	if (before) {
		struct json base = undo_entries(block, after, a);
		edit_value(&e, &base, before);
		json_sets(a, &said, "edits", e.list);
		json_sets(a, &said, "sha256", json_string(patch_digest(before, a)));
	} else {
		json_sets(a, &said, "edits", json_null);
	}
	json_sets(a, block, "before", said);
}

/* ---- following edits ---- */

static int cannot_follow(struct err *err)
{
	return err_set(err, ERR_SYNTAX, "the diff block's \"before\" cannot be followed");
}

static int read_count(const struct json *edit, const char *key, uint32_t *out)
{
	const struct json *v = json_gets(edit, key);
	long long n;
	if (!json_is(v, JSON_NUMBER) || !number_to_i64(v->text, &n) || n < 0 || n > UINT32_MAX)
		return -1;
	*out = (uint32_t)n;
	return 0;
}

static int splice(const struct json *edit, struct json *list, struct arena *a)
{
	const struct json *put = json_gets(edit, "put");
	uint32_t at, drop;
	struct json out = json_array();
	if (list->type != JSON_ARRAY || !json_is(put, JSON_ARRAY) || read_count(edit, "at", &at) ||
	    read_count(edit, "drop", &drop) || at > list->count || drop > list->count - at)
		return -1;
	for (uint32_t i = 0; i < at; i++)
		json_push(a, &out, list->items[i]);
	for (uint32_t i = 0; i < put->count; i++)
		json_push(a, &out, put->items[i]);
	for (uint32_t i = at + drop; i < list->count; i++)
		json_push(a, &out, list->items[i]);
	*list = out;
	return 0;
}

/* Makes one edit in a copy of the lists of members on its way, so that what is shared stays as it is. */
static int follow_edit(const struct json *edit, const struct json *path, uint32_t step, struct json *v, struct arena *a)
{
	const struct json *value = json_gets(edit, "value"), *child;
	struct slice key;
	struct json inner;
	if (step == path->count) {
		if (json_gets(edit, "put"))
			return splice(edit, v, a);
		if (!value)
			return -1;
		*v = *value;
		return 0;
	}
	key = json_text(&path->items[step]);
	if (!key.ptr || v->type != JSON_OBJECT)
		return -1;
	child = json_get(v, key);
	*v = json_clone(a, v);
	if (step + 1 == path->count && !value && !json_gets(edit, "put")) {
		json_del(v, key);
		return child ? 0 : -1;
	}
	if (!child && step + 1 < path->count)
		return -1;
	inner = child ? *child : json_null;
	if (follow_edit(edit, path, step + 1, &inner, a))
		return -1;
	json_set(a, v, key, inner);
	return 0;
}

int patch_reconstruct(const struct json *block, const struct json *after, struct arena *a, struct json *before,
		      struct err *err)
{
	const struct json *said = json_gets(block, "before"), *edits = json_gets(said, "edits");
	if (!said)
		return err_set(err, ERR_NOTFOUND, "the diff block does not say what was before");
	if (json_is(edits, JSON_NULL)) {
		*before = json_null;
		return 0;
	}
	if (!json_is(edits, JSON_ARRAY))
		return cannot_follow(err);
	*before = undo_entries(block, after, a);
	for (uint32_t i = 0; i < edits->count; i++) {
		const struct json *path = json_gets(&edits->items[i], "path");
		if (!json_is(path, JSON_ARRAY) || follow_edit(&edits->items[i], path, 0, before, a))
			return cannot_follow(err);
	}
	if (!slice_eq(patch_digest(before, a), json_get_text(said, "sha256")))
		return err_set(err, ERR_SYNTAX,
			       "the diff block gives something else than was before: the document is not the one the "
			       "patch left, or the block was altered");
	return 0;
}
