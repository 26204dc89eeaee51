/* Taking the JSON of a profile apart: members of the right type, and findings for everything else. */
#include "config.h"

#include "profile/profile_internal.h"

#include <stdio.h>

#define MAX_FINDINGS 100 /* enough to mend; each costs another look at the text */

PRINTF_LIKE(5, 0)
static void push_finding(struct reader *r, enum finding_kind kind, const struct json *at, enum locate_what what,
			 const char *fmt, va_list args)
{
	struct profile_finding f = {.error = kind == FINDING_ERROR};
	char message[512];

	r->n_found++;
	if (r->findings->n == MAX_FINDINGS)
		return;
	(void)vsnprintf(message, sizeof(message), fmt, args);
	f.message = arena_slice(r->a, slice_of(message));
	locate_line(r->text, locate(r->text, r->root, at, what), &f.line, &f.column);
	ARENA_PUSH(r->a, r->findings, f);
}

void found(struct reader *r, enum finding_kind kind, const struct json *at, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	push_finding(r, kind, at, LOCATE_VALUE, fmt, args);
	va_end(args);
}

void found_key(struct reader *r, const struct json *at, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	push_finding(r, FINDING_ERROR, at, LOCATE_KEY, fmt, args);
	va_end(args);
}

static struct slice list_names(const char *const *names, struct arena *a)
{
	struct slice text = SLICE_NONE;

	for (; *names; names++)
		text = text.ptr ? arena_printf(a, "%.*s, %s", SLICE_ARG(text), *names) : slice_of(*names);
	return text;
}

static int is_among(struct slice key, const char *const *names)
{
	while (*names && !slice_is(key, *names))
		names++;
	return *names != NULL;
}

void check_keys(struct reader *r, const struct json *object, const char *const *names)
{
	for (uint32_t i = 0; i < object->count; i++) {
		const struct json_member *m = &object->members[i];

		if (!is_among(m->key, names)) {
			struct slice known = list_names(names, r->a);

			found_key(r, &m->value, "unknown key \"%.*s\" (known here: %.*s)",
				  (int)(m->key.len < 80 ? m->key.len : 80), m->key.ptr, SLICE_ARG(known));
		}
	}
}

static const char *type_wanted(enum json_type type)
{
	const struct json example = {.type = (uint8_t)type};

	return json_type_name(&example);
}

const struct json *member(struct reader *r, const struct json *object, const char *name, enum json_type type,
			  enum need need)
{
	const struct json *v = json_gets(object, name);

	if (v && (v->type == type || (type == JSON_TRUE && v->type == JSON_FALSE)))
		return v;
	if (v)
		found(r, FINDING_ERROR, v, "\"%s\" must be %s, not %s", name, type_wanted(type), json_type_name(v));
	else if (need == REQUIRED)
		found(r, FINDING_ERROR, object, "\"%s\" is missing (%s)", name, type_wanted(type));
	return NULL;
}

struct slice member_text(struct reader *r, const struct json *object, const char *name, enum need need)
{
	const struct json *v = member(r, object, name, JSON_STRING, need);

	if (v && v->text.len == 0) {
		found(r, FINDING_ERROR, v, "\"%s\" must not be empty", name);
		return SLICE_NONE;
	}
	return json_text(v);
}

int member_bool(struct reader *r, const struct json *object, const char *name, int otherwise)
{
	const struct json *v = member(r, object, name, JSON_TRUE, OPTIONAL);

	return v ? v->type == JSON_TRUE : otherwise;
}

static int is_new_text(struct reader *r, const struct json *v, const char *name, const struct slice *before, size_t n)
{
	if (v->type != JSON_STRING || v->text.len == 0) {
		found(r, FINDING_ERROR, v, "\"%s\" must hold texts that are not empty", name);
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		if (slice_eq(before[i], v->text)) {
			found(r, FINDING_ERROR, v, "\"%.*s\" stands twice in \"%s\"",
			      (int)(v->text.len < 80 ? v->text.len : 80), v->text.ptr, name);
			return 0;
		}
	}
	return 1;
}

struct slice *member_texts(struct reader *r, const struct json *object, const char *name, enum need need, size_t *n)
{
	const struct json *v = member(r, object, name, JSON_ARRAY, need);
	struct slice *texts = ARENA_ARRAY(r->a, v ? v->count : 0, struct slice);

	*n = 0;
	for (uint32_t i = 0; v && i < v->count; i++) {
		if (is_new_text(r, &v->items[i], name, texts, *n))
			texts[(*n)++] = v->items[i].text;
	}
	return texts;
}
