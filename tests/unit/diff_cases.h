/*
 * diff_cases: cases kept as JSON lists below top_srcdir, and lists of differences compared as multisets.
 * Threads: tests have one.
 */
#ifndef TESTS_UNIT_DIFF_CASES_H
#define TESTS_UNIT_DIFF_CASES_H

#include "diff/diff.h"
#include "tests/unit/lines.h"

enum positions { POSITIONS_EXACT, POSITIONS_ANY }; /* POSITIONS_ANY: every list position counts as [*] */

static inline const struct json *cases_read(const char *path, struct arena *a)
{
	struct json *list = ARENA_NEW(a, struct json);
	struct err err = ERR_INIT;

	if (json_read(file_read(path, a), a, 0, list, NULL, &err))
		fail_msg("%s: %s", path, err.msg);
	assert_int_equal(list->type, JSON_ARRAY);
	assert_true(list->count > 0);
	return list;
}

static inline int text_order(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* "b,a" -> "a,b" */
static inline struct slice ids_sorted(struct slice ids, struct arena *a)
{
	struct lines parts = {0};
	struct slice text = SLICE("");

	for (size_t from = 0, i = 0; i <= ids.len; i++) {
		if (i < ids.len && ids.ptr[i] != ',')
			continue;
		ARENA_PUSH(a, &parts, ((struct slice){ids.ptr + from, i - from}));
		from = i + 1;
	}
	qsort(parts.v, parts.n, sizeof(*parts.v), text_order);
	for (size_t i = 0; i < parts.n; i++)
		text = arena_printf(a, "%.*s%s%.*s", SLICE_ARG(text), i ? "," : "", SLICE_ARG(parts.v[i]));
	return text;
}

static inline struct slice diff_text(const struct json *diff, enum positions positions, struct arena *a)
{
	struct json v = json_clone(a, diff), path = json_array();
	const struct json *steps = json_gets(diff, "path");

	for (uint32_t i = 0; i < steps->count; i++) {
		int any = positions == POSITIONS_ANY && steps->items[i].type == JSON_NUMBER;

		json_push(a, &path, any ? json_str("[*]") : steps->items[i]);
	}
	json_sets(a, &v, "path", path);
	if (slice_is(json_get_text(diff, "type"), "set_mismatch")) {
		json_sets(a, &v, "old", json_string(ids_sorted(json_get_text(diff, "old"), a)));
		json_sets(a, &v, "new", json_string(ids_sorted(json_get_text(diff, "new"), a)));
	}
	return json_to_text(&v, JSON_CANONICAL, a);
}

/* One line for each difference, sorted: equal multisets give equal texts. */
static inline struct slice diffs_text(const struct json *diffs, enum positions positions, struct arena *a)
{
	struct lines all = {0};
	struct slice text = SLICE("");

	for (uint32_t i = 0; i < diffs->count; i++)
		ARENA_PUSH(a, &all, diff_text(&diffs->items[i], positions, a));
	if (all.n)
		qsort(all.v, all.n, sizeof(*all.v), text_order);
	for (size_t i = 0; i < all.n; i++)
		text = arena_printf(a, "%.*s  %.*s\n", SLICE_ARG(text), SLICE_ARG(all.v[i]));
	return text;
}

static inline int diffs_are(const struct diff_list *got, const struct json *expected, enum positions positions,
			    struct arena *a)
{
	struct json list = diff_list_to_json(got, a);

	return slice_eq(diffs_text(&list, positions, a), diffs_text(expected, positions, a));
}

static inline void assert_diffs(const char *name, const struct diff_list *got, const struct json *expected,
				enum positions positions, struct arena *a)
{
	struct json list = diff_list_to_json(got, a);
	struct slice is = diffs_text(&list, positions, a), should = diffs_text(expected, positions, a);

	if (!slice_eq(is, should))
		fail_msg("%s: differences are\n%.*s and should be\n%.*s", name, SLICE_ARG(is), SLICE_ARG(should));
}

#endif
