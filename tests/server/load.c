/* load.c */
#include "config.h"

#include "tests/server/load.h"

#include "base/json_scan.h"
#include "tests/server/files.h"

#include <stdio.h>

#define FEED_MAX ((size_t)1 << 36)
#define ROW_MEMBERS 16
#define DEPTH_MAX 100000

struct row {
	struct slice id, changes, doc; /* raw; ptr NULL: absent */
	int deleted, is_end;
};

/* 0, or -1 when the text is no JSON object; one that is no row has no id. */
static int read_row(struct slice text, struct row *out)
{
	struct json_part parts[ROW_MEMBERS];
	size_t bad_at;
	int n = json_scan_members(text, parts, ROW_MEMBERS, &bad_at);

	*out = (struct row){0};
	for (int i = 0; i < n && i < ROW_MEMBERS; i++) {
		if (slice_is(parts[i].key, "id"))
			out->id = parts[i].value;
		else if (slice_is(parts[i].key, "changes"))
			out->changes = parts[i].value;
		else if (slice_is(parts[i].key, "doc"))
			out->doc = parts[i].value;
		else if (slice_is(parts[i].key, "deleted"))
			out->deleted = slice_is(parts[i].value, "true");
		else if (slice_is(parts[i].key, "last_seq"))
			out->is_end = 1;
	}
	if (!out->changes.ptr)
		out->id = SLICE_NONE;
	return n < 0 ? -1 : 0;
}

/* Is this losing revision a deleted one? The document's _conflicts tells; without it, one that would beat the winner
 * must be. */
static int loser_is_deleted(const struct doc_parts *winner, const struct json *conflicts, struct slice rev)
{
	uint64_t gen = 0, winner_gen = 0;
	struct slice id, winner_id;

	for (uint32_t i = 0; json_is(conflicts, JSON_ARRAY) && i < conflicts->count; i++)
		if (slice_eq(json_text(&conflicts->items[i]), rev))
			return 0;
	if (json_is(conflicts, JSON_ARRAY) || winner->deleted)
		return 1;
	if (rev_parse(rev, &gen, &id) || rev_parse(winner->rev, &winner_gen, &winner_id))
		return 0;
	return gen > winner_gen || (gen == winner_gen && slice_cmp(id, winner_id) > 0);
}

static const struct refusal *put_losers(struct editor *e, struct db *db, const struct doc_parts *winner,
					const struct json *changes)
{
	struct json conflicts = json_null;

	if (winner->revs.ptr && json_read(winner->revs, e->arena, 0, &conflicts, NULL, NULL))
		return &refusal_bad_json;
	for (uint32_t i = 0; i < changes->count; i++) {
		struct slice rev = json_get_text(&changes->items[i], "rev");
		struct doc_parts parts = {.id = winner->id, .rev = rev, .atts = json_null};
		const struct refusal *no;

		if (slice_eq(rev, winner->rev))
			continue;
		parts.deleted = loser_is_deleted(winner, &conflicts, rev);
		no = rev.ptr ? edit_replicate(e, db, &parts) : &refusal_bad_rev;
		if (no)
			return no;
	}
	return NULL;
}

/* Is it a JSON document, taken apart in *parts? */
static int reads(struct slice doc, struct arena *a, struct doc_parts *parts)
{
	struct json value;

	return json_read(doc, a, DEPTH_MAX, &value, NULL, NULL) == 0 && !parts_read(doc, a, parts);
}

static const struct refusal *put_row(struct editor *e, struct db *db, const struct row *row)
{
	struct doc_parts parts = {.atts = json_null};
	struct json id, changes;
	const struct refusal *no;

	if (json_read(row->id, e->arena, 0, &id, NULL, NULL) ||
	    json_read(row->changes, e->arena, 0, &changes, NULL, NULL) || !json_is(&id, JSON_STRING) ||
	    !json_is(&changes, JSON_ARRAY) || changes.count == 0)
		return &refusal_bad_json;
	if (row->doc.ptr && row->doc.ptr[0] == '{' && !reads(row->doc, e->arena, &parts))
		parts = (struct doc_parts){.atts = json_null, .as_is = row->doc};
	parts.id = id.text;
	parts.deleted |= row->deleted;
	if (!parts.rev.ptr)
		parts.rev = json_get_text(&changes.items[0], "rev");
	no = put_losers(e, db, &parts, &changes);
	return no ? no : edit_replicate(e, db, &parts);
}

/* Skips what stands before the first row. */
static size_t first_row(struct slice all)
{
	static const char opening[] = "\"results\"";
	const char *at = memmem(all.ptr, all.len < 64 ? all.len : 64, opening, sizeof(opening) - 1);
	const char *bracket = at ? memchr(at, '[', (size_t)(all.ptr + all.len - at)) : NULL;

	return bracket ? (size_t)(bracket - all.ptr) + 1 : 0;
}

static int load_rows(struct editor *e, struct db *db, struct slice all, struct err *err)
{
	size_t at = first_row(all);

	for (;;) {
		struct json_scan scan = JSON_SCAN_INIT;
		struct row row;
		const struct refusal *no;
		size_t n;
		int done = 0;

		while (at < all.len && strchr(", \t\r\n", all.ptr[at]) && all.ptr[at])
			at++;
		if (at == all.len || all.ptr[at] == ']')
			return 0;
		n = json_scan_value(&scan, all.ptr + at, all.len - at, &done);
		if (!done || read_row((struct slice){all.ptr + at, n}, &row))
			return err_set(err, ERR_USAGE, "byte %zu: no row of a changes feed", at);
		if (row.is_end)
			return 0;
		no = row.id.ptr ? put_row(e, db, &row) : NULL;
		if (!row.id.ptr)
			fprintf(stderr, "couchd: byte %zu: left out, for it has no id or no changes\n", at);
		if (no)
			return err_set(err, ERR_USAGE, "byte %zu: %s", at, no->reason);
		arena_reset(e->arena);
		if (journal_flush(e->journal, err))
			return err->code;
		at += n;
	}
}

int load_feed(struct editor *e, struct db *db, const char *path, struct err *err)
{
	struct buf text = BUF_INIT(FEED_MAX);
	int rc = file_read(path, &text, err);

	if (!rc)
		rc = load_rows(e, db, buf_slice(&text), err);
	if (rc)
		err_prefix(err, "%s", path);
	buf_release(&text);
	return rc;
}
