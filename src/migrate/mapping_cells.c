#include "migrate/mapping_cells.h"

#include "base/number.h"
#include "base/utf8.h"

struct sql_row cells_new(int columns, struct arena *a)
{
	return (struct sql_row){ARENA_ARRAY(a, (size_t)columns, struct slice)};
}

struct slice cell_text(const struct json *v, struct arena *a)
{
	return json_is(v, JSON_STRING) ? utf8_tame(v->text, a) : SLICE_NONE;
}

struct slice cell_json(const struct json *v, struct arena *a)
{
	return json_to_text(v, JSON_PLAIN, a);
}

struct slice cell_json_tamed(const struct json *v, struct arena *a)
{
	struct json tame = json_tame(a, v);
	return cell_json(&tame, a);
}

struct slice cell_time(struct slice text, struct arena *a)
{
	int64_t us;
	return replay_instant(text, &us) ? replay_canonical_date(text, a) : SLICE_NONE;
}

/* Many are made for every form: no printf. */
struct slice cell_decimal(long long n, struct arena *a)
{
	char digits[21], *at = digits + sizeof(digits);
	unsigned long long left = n < 0 ? 0 - (unsigned long long)n : (unsigned long long)n;
	do
		*--at = (char)('0' + left % 10);
	while (left /= 10);
	if (n < 0)
		*--at = '-';
	return arena_slice(a, (struct slice){at, (size_t)(digits + sizeof(digits) - at)});
}

struct slice cell_int(const struct json *v, struct arena *a)
{
	long long n;
	if (!json_is(v, JSON_NUMBER) || !number_to_i64(v->text, &n))
		return SLICE_NONE;
	return cell_decimal(n, a);
}

int cell_read(struct slice cell, const char *what, struct arena *a, struct json *out, struct err *err)
{
	int rc = json_read(cell, a, UINT16_MAX, out, NULL, err);
	return rc ? err_prefix(err, "column %s", what) : 0;
}

int cell_holds(struct slice cell, const struct json *v)
{
	return cell.ptr && json_is(v, JSON_STRING) && slice_eq(cell, v->text);
}

int mapping_name_check(struct slice name, const char *what, struct err *err)
{
	if (name.len <= MAPPING_KEY_MAX)
		return 0;
	return err_set(err, ERR_SYNTAX, "%s is longer than %d bytes", what, MAPPING_KEY_MAX);
}

int mapping_key_check(struct slice key, const char *what, struct err *err)
{
	if (key.len == 0)
		return err_set(err, ERR_SYNTAX, "%s is empty", what);
	if (utf8_odd(key))
		return err_set(err, ERR_SYNTAX, "%s holds U+0000 or an unpaired surrogate", what);
	return mapping_name_check(key, what, err);
}

int mapping_is_feed_metadata(struct slice key)
{
	static const char *const names[] = {"_conflicts", "_deleted_conflicts", "_local_seq",
					    "_revs_info", "_revisions",         NULL};
	for (const char *const *n = names; *n; n++)
		if (slice_is(key, *n))
			return 1;
	return 0;
}

void mapping_drop_feed_metadata(struct json *doc)
{
	for (uint32_t i = doc->count; json_is(doc, JSON_OBJECT) && i-- > 0;)
		if (mapping_is_feed_metadata(doc->members[i].key))
			json_del(doc, doc->members[i].key);
}
