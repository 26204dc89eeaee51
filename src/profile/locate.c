/* json_read keeps no positions; a message needs one. So the text is cut again, along the way to the value. */
#include "config.h"

#include "profile/profile_internal.h"

#include "base/json_scan.h"

struct spot {
	struct slice key; /* with its quotes; ptr NULL in a list and at the root */
	struct slice value;
};

static int holds(const struct json *v, const struct json *target)
{
	int yes = v == target;

	for (uint32_t i = 0; !yes && v->type == JSON_ARRAY && i < v->count; i++)
		yes = holds(&v->items[i], target);
	for (uint32_t i = 0; !yes && v->type == JSON_OBJECT && i < v->count; i++)
		yes = holds(&v->members[i].value, target);
	return yes;
}

static int key_is(struct slice quoted, struct slice key)
{
	struct arena a = ARENA_INIT;
	struct json decoded;
	int same = json_read(quoted, &a, 0, &decoded, NULL, NULL) == 0 && slice_eq(json_text(&decoded), key);

	arena_release(&a);
	return same;
}

/* Of duplicate keys the last counts, as in json_read. */
static struct spot spot_of_member(struct slice object, struct slice key, struct arena *a)
{
	struct spot spot = {SLICE_NONE, SLICE_NONE};
	size_t bad;
	int n = json_scan_members(object, NULL, 0, &bad);
	struct json_part *parts = ARENA_ARRAY(a, n > 0 ? (size_t)n : 0, struct json_part);

	if (n > 0)
		n = json_scan_members(object, parts, n, &bad);
	for (int i = 0; i < n; i++) {
		struct slice quoted = {parts[i].key.ptr - 1, parts[i].key.len + 2};

		if (key_is(quoted, key))
			spot = (struct spot){quoted, parts[i].value};
	}
	return spot;
}

static const char *skip_to_item(const char *at, const char *end)
{
	while (at < end && strchr(" \t\r\n,", *at))
		at++;
	return at;
}

static struct spot spot_of_item(struct slice array, uint32_t number)
{
	const char *at = array.ptr + 1, *end = array.ptr + array.len;
	struct spot spot = {SLICE_NONE, SLICE_NONE};

	for (uint32_t i = 0; i <= number; i++) {
		struct json_scan scan = JSON_SCAN_INIT;
		int done;

		at = skip_to_item(at, end);
		spot.value.ptr = at;
		spot.value.len = json_scan_value(&scan, at, (size_t)(end - at), &done);
		at += spot.value.len;
	}
	return spot;
}

static struct spot descend(struct spot at, const struct json *v, const struct json *target, struct arena *a)
{
	if (v == target)
		return at;
	for (uint32_t i = 0; v->type == JSON_ARRAY && i < v->count; i++) {
		if (holds(&v->items[i], target))
			return descend(spot_of_item(at.value, i), &v->items[i], target, a);
	}
	for (uint32_t i = 0; v->type == JSON_OBJECT && i < v->count; i++) {
		const struct json_member *m = &v->members[i];

		if (holds(&m->value, target))
			return descend(spot_of_member(at.value, m->key, a), &m->value, target, a);
	}
	return (struct spot){SLICE_NONE, SLICE_NONE};
}

static struct slice trimmed(struct slice text)
{
	while (text.len && strchr(" \t\r\n", text.ptr[0]))
		text = (struct slice){text.ptr + 1, text.len - 1};
	while (text.len && strchr(" \t\r\n", text.ptr[text.len - 1]))
		text.len--;
	return text;
}

size_t locate(struct slice text, const struct json *root, const struct json *target, enum locate_what what)
{
	struct arena a = ARENA_INIT;
	struct spot spot = descend((struct spot){SLICE_NONE, trimmed(text)}, root, target, &a);
	const char *at = what == LOCATE_KEY && spot.key.ptr ? spot.key.ptr : spot.value.ptr;

	arena_release(&a);
	return at ? (size_t)(at - text.ptr) : text.len;
}

void locate_line(struct slice text, size_t offset, uint32_t *line, uint32_t *column)
{
	*line = *column = 1;
	for (size_t i = 0; i < offset && i < text.len; i++) {
		if (text.ptr[i] == '\n') {
			++*line;
			*column = 1;
		} else if (((unsigned char)text.ptr[i] & 0xC0) != 0x80) {
			++*column;
		}
	}
}
