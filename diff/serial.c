/* Differences as JSON, the form in which the state file, `diff show` and patch blocks keep them. */
#include "config.h"

#include "diff/diff.h"

#include "base/number.h"

static const char *const type_names[] = {
    [DIFF_DIFF] = "diff",
    [DIFF_TYPE] = "type",
    [DIFF_MISSING] = "missing",
    [DIFF_COMPLEX] = "complex",
    [DIFF_SET_MISMATCH] = "set_mismatch",
    [DIFF_MISSING_FORMS] = "missing-forms",
};

const char *diff_type_name(enum diff_type type)
{
	return type_names[type];
}

int diff_type_parse(struct slice name, enum diff_type *out)
{
	for (size_t i = 0; i < sizeof(type_names) / sizeof(*type_names); i++) {
		if (slice_is(name, type_names[i])) {
			*out = (enum diff_type)i;
			return 0;
		}
	}
	return -1;
}

static struct json path_to_json(const struct diff *d, struct arena *a)
{
	struct json path = json_array();

	for (uint32_t i = 0; i < d->npath; i++) {
		const struct diff_step *step = &d->path[i];

		json_push(a, &path, step->is_position ? json_int(a, step->position) : json_string(step->key));
	}
	return path;
}

struct json diff_to_json(const struct diff *d, struct arena *a)
{
	struct json v = json_object();

	json_sets(a, &v, "type", json_str(diff_type_name(d->type)));
	json_sets(a, &v, "path", path_to_json(d, a));
	if (d->old_value)
		json_sets(a, &v, "old", *d->old_value);
	if (d->new_value)
		json_sets(a, &v, "new", *d->new_value);
	json_sets_text(a, &v, "reason", d->reason);
	return v;
}

struct json diff_list_to_json(const struct diff_list *list, struct arena *a)
{
	struct json v = json_array();

	for (size_t i = 0; i < list->n; i++)
		json_push(a, &v, diff_to_json(&list->v[i], a));
	return v;
}

static int step_from_json(const struct json *v, uint32_t at, struct diff_step *out, struct err *err)
{
	long long position;

	if (v->type == JSON_STRING) {
		*out = (struct diff_step){.key = v->text};
		return 0;
	}
	if (v->type != JSON_NUMBER)
		return err_set(err, ERR_SYNTAX, "path element %u is %s, not a key or a position", at,
			       json_type_name(v));
	if (!number_to_i64(v->text, &position) || position < 0 || position > UINT32_MAX)
		return err_set(err, ERR_SYNTAX, "path element %u is no list position: %.*s", at,
			       (int)(v->text.len < 40 ? v->text.len : 40), v->text.ptr);
	*out = (struct diff_step){.is_position = 1, .position = (uint32_t)position};
	return 0;
}

static int path_from_json(const struct json *v, struct arena *a, struct diff *out, struct err *err)
{
	struct diff_step *path;

	if (!json_is(v, JSON_ARRAY))
		return err_set(err, ERR_SYNTAX, "a difference needs \"path\", a list of keys and positions");
	path = ARENA_ARRAY(a, v->count, struct diff_step);
	for (uint32_t i = 0; i < v->count; i++) {
		int rc = step_from_json(&v->items[i], i, &path[i], err);

		if (rc)
			return rc;
	}
	out->path = path;
	out->npath = v->count;
	return 0;
}

int diff_from_json(const struct json *v, struct arena *a, struct diff *out, struct err *err)
{
	struct slice type = json_get_text(v, "type");
	const struct json *reason = json_gets(v, "reason");
	int rc;

	*out = (struct diff){0};
	if (!json_is(v, JSON_OBJECT))
		return err_set(err, ERR_SYNTAX, "a difference is an object, not %s", json_type_name(v));
	if (!type.ptr)
		return err_set(err, ERR_SYNTAX, "a difference needs \"type\", a text");
	if (diff_type_parse(type, &out->type)) {
		err_set(err, ERR_SYNTAX, "unknown type of difference \"%.*s\"", (int)(type.len < 40 ? type.len : 40),
			type.ptr);
		return err_hint(err, "known are diff, type, missing, complex, set_mismatch, missing-forms");
	}
	rc = path_from_json(json_gets(v, "path"), a, out, err);
	if (rc)
		return rc;
	if (reason && !json_is(reason, JSON_STRING))
		return err_set(err, ERR_SYNTAX, "\"reason\" of a difference is %s, not a text", json_type_name(reason));
	out->reason = json_text(reason);
	out->old_value = json_gets(v, "old");
	out->new_value = json_gets(v, "new");
	if (!out->old_value && !out->new_value)
		return err_set(err, ERR_SYNTAX, "a difference needs \"old\", \"new\" or both");
	return 0;
}

int diff_list_from_json(const struct json *v, struct arena *a, struct diff_list *out, struct err *err)
{
	if (!json_is(v, JSON_ARRAY))
		return err_set(err, ERR_SYNTAX, "differences are a list, not %s", v ? json_type_name(v) : "absent");
	for (uint32_t i = 0; i < v->count; i++) {
		struct diff d;
		int rc = diff_from_json(&v->items[i], a, &d, err);

		if (rc) {
			err_prefix(err, "difference %u", i + 1);
			return rc;
		}
		ARENA_PUSH(a, out, d);
	}
	return 0;
}
