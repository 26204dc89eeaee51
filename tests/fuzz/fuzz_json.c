/*
 * Any bytes: json_read either refuses them or gives a value that survives writing, in every style; the scanner ends
 * where the value ends.
 */
#include "base/json.h"
#include "base/json_scan.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth)
{
	if (!truth)
		abort();
}

static void check_style(const struct json *v, enum json_style style, struct arena *a)
{
	struct json back;
	struct json_info info;
	struct slice text = json_to_text(v, style, a);
	check(json_read(text, a, 0, &back, &info, NULL) == 0);
	check(json_eq(v, &back) && info.odd == json_odd(&back) && info.duplicates == 0);
	check(slice_eq(json_to_text(&back, style, a), text));
}

static void check_scan(struct slice text)
{
	struct json_scan scan = JSON_SCAN_INIT;
	int done;
	size_t n = json_scan_value(&scan, text.ptr, text.len, &done);
	check(scan.started && n <= text.len && (done || n == text.len));
	for (; n < text.len; n++)
		check(strchr(" \t\r\n", text.ptr[n]) != NULL);
}

static void check_value(struct slice text, const struct json *v, struct arena *a)
{
	struct json tame = json_tame(a, v), copy = json_copy(a, v);
	check_scan(text);
	check_style(v, JSON_PLAIN, a);
	check_style(v, JSON_CANONICAL, a);
	check_style(v, JSON_PRETTY, a);
	check(json_odd(&tame) == 0 && json_eq(v, &copy));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct slice text = {(const char *)data, size};
	struct json_part parts[4];
	struct json v;
	size_t bad = 0;
	int members = json_scan_members(text, parts, 4, &bad);
	check(members >= 0 || bad <= size);
	if (json_read(text, &a, 0, &v, NULL, NULL) == 0) {
		check_value(text, &v, &a);
		check((members >= 0) == (v.type == JSON_OBJECT));
	}
	arena_release(&a);
	return 0;
}
