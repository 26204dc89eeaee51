#include "couch/couch_internal.h"

#define ROW_MEMBERS 32

struct slice row_unquoted(struct slice raw)
{
	if (raw.len < 2 || raw.ptr[0] != '"')
		return SLICE_NONE;
	return (struct slice){raw.ptr + 1, raw.len - 2};
}

static size_t skip_blanks(struct slice s, size_t at)
{
	while (at < s.len && (s.ptr[at] == ' ' || s.ptr[at] == '\t' || s.ptr[at] == '\n' || s.ptr[at] == '\r'))
		at++;
	return at;
}

static struct slice member(struct slice object, const char *key)
{
	struct json_part parts[ROW_MEMBERS];
	size_t bad;
	struct slice found = SLICE_NONE;
	int n = json_scan_members(object, parts, ROW_MEMBERS, &bad);
	for (int i = 0; i < n && i < ROW_MEMBERS; i++)
		if (slice_is(parts[i].key, key))
			found = parts[i].value;
	return found;
}

struct slice row_first_rev(struct slice changes, int *more)
{
	struct json_scan scan = JSON_SCAN_INIT;
	int done = 0;
	*more = 0;
	if (changes.len == 0 || changes.ptr[0] != '[')
		return SLICE_NONE;
	size_t at = skip_blanks(changes, 1);
	if (at == changes.len || changes.ptr[at] != '{')
		return SLICE_NONE;
	size_t len = json_scan_value(&scan, changes.ptr + at, changes.len - at, &done);
	size_t after = skip_blanks(changes, at + len);
	*more = after < changes.len && changes.ptr[after] == ',';
	return row_unquoted(member((struct slice){changes.ptr + at, len}, "rev"));
}

/* A document has as many members as it likes; the few before its _rev must not hide it. */
static struct slice document_rev(struct slice doc)
{
	struct json_part few[ROW_MEMBERS], *parts = few;
	struct slice rev = SLICE_NONE;
	struct arena a = ARENA_INIT;
	size_t bad;
	int n = json_scan_members(doc, few, ROW_MEMBERS, &bad);
	if (n > ROW_MEMBERS) {
		parts = ARENA_ARRAY(&a, (size_t)n, struct json_part);
		n = json_scan_members(doc, parts, n, &bad);
	}
	for (int i = 0; i < n; i++)
		if (slice_is(parts[i].key, "_rev"))
			rev = row_unquoted(parts[i].value);
	arena_release(&a);
	return rev;
}

/*
 * With style=all_docs the list holds every leaf, and PouchDB does not put the winner first; then, and when there is no
 * list, the document says it.
 */
static struct slice winning_rev(struct slice changes, struct slice doc)
{
	int more;
	struct slice rev = row_first_rev(changes, &more);
	if ((more || !rev.ptr) && doc.ptr) {
		struct slice own = document_rev(doc);
		if (own.ptr)
			return own;
	}
	return rev;
}

void row_cut(struct slice text, struct couch_row *row)
{
	struct json_part parts[ROW_MEMBERS];
	struct slice changes = SLICE_NONE, seq = SLICE_NONE;
	size_t bad;
	int n = json_scan_members(text, parts, ROW_MEMBERS, &bad);
	row->text = text;
	row->length = text.len;
	for (int i = 0; i < n && i < ROW_MEMBERS; i++) {
		struct slice key = parts[i].key, value = parts[i].value;
		if (slice_eq(key, SLICE("id")))
			row->id = row_unquoted(value);
		else if (slice_eq(key, SLICE("seq")))
			seq = value;
		else if (slice_eq(key, SLICE("changes")))
			changes = value;
		else if (slice_eq(key, SLICE("doc")))
			row->doc = slice_eq(value, SLICE("null")) ? SLICE_NONE : value;
		else if (slice_eq(key, SLICE("deleted")))
			row->deleted = slice_eq(value, SLICE("true"));
	}
	row->seq = seq.ptr ? seq : SLICE("null");
	row->rev = winning_rev(changes, row->doc);
	row->malformed = n < 0 || n > ROW_MEMBERS || !row->id.ptr;
}

void couch_row_cut(struct slice text, struct couch_row *row)
{
	*row = (struct couch_row){0};
	row_cut(text, row);
}
