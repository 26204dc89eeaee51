/* parts.c: a document's text taken apart into special and ordinary members. */
#include "config.h"

#include "base/json_scan.h"
#include "base/number.h"
#include "tests/server/edit.h"

#define PARTS_FIRST 64

const struct refusal refusal_conflict = {409, "conflict", "Document update conflict."};
const struct refusal refusal_missing = {404, "not_found", "missing"};
const struct refusal refusal_deleted = {404, "not_found", "deleted"};
const struct refusal refusal_bad_json = {400, "bad_request", "invalid UTF-8 JSON"};
const struct refusal refusal_bad_rev = {400, "bad_request", "Invalid rev format"};
static const struct refusal not_object = {400, "bad_request", "Document must be a JSON object"};
static const struct refusal bad_member = {400, "doc_validation", "Bad special document member"};
static const struct refusal bad_atts = {400, "bad_request", "Attachments must be a JSON object"};
static const struct refusal empty_id = {400, "illegal_docid", "Document id must not be empty"};
static const struct refusal reserved_id = {400, "illegal_docid",
					   "Only reserved document ids may start with underscore."};

const struct refusal *doc_id_check(struct slice id)
{
	if (id.len == 0)
		return &empty_id;
	if (id.ptr[0] == '_' && !slice_starts(id, SLICE("_design/")) && !slice_starts(id, SLICE("_local/")))
		return &reserved_id;
	return NULL;
}

/* Copies JSON text, leaving out white space between tokens, so that a document never breaks the lines of a feed. */
static void squeeze(struct slice json, struct buf *out)
{
	size_t from = 0;
	int in_string = 0;

	for (size_t i = 0; i < json.len; i++) {
		char c = json.ptr[i];

		if (in_string && c == '\\') {
			i++;
		} else if (c == '"') {
			in_string = !in_string;
		} else if (!in_string && (c == ' ' || c == '\n' || c == '\r' || c == '\t')) {
			buf_add(out, json.ptr + from, i - from);
			from = i + 1;
		}
	}
	buf_add(out, json.ptr + from, json.len - from);
}

static int read_text(struct slice json, struct arena *a, struct slice *out)
{
	struct json value;

	if (json_read(json, a, 0, &value, NULL, NULL) || value.type != JSON_STRING)
		return -1;
	*out = value.text;
	return 0;
}

/* _revisions: {"start":2,"ids":["b","a"]} */
static const struct refusal *read_revisions(struct slice json, struct arena *a, struct doc_parts *out)
{
	struct json value;
	const struct json *ids;
	struct buf path = BUF_INIT(SIZE_MAX / 2);
	const struct json *start;
	long long gen;

	if (json_read(json, a, 0, &value, NULL, NULL))
		return &refusal_bad_json;
	ids = json_gets(&value, "ids");
	start = json_gets(&value, "start");
	if (!json_is(ids, JSON_ARRAY) || ids->count == 0 || !json_is(start, JSON_NUMBER) ||
	    !number_to_i64(start->text, &gen) || gen < 1)
		return &refusal_bad_rev;
	for (uint32_t i = 0; i < ids->count; i++) {
		if (i)
			buf_ch(&path, ',');
		json_write_string(json_text(&ids->items[i]), &path);
	}
	out->path = arena_slice(a, buf_slice(&path));
	out->gen = (uint64_t)gen;
	buf_release(&path);
	return NULL;
}

static const struct refusal *read_special(const struct json_part *part, struct arena *a, struct doc_parts *out)
{
	static const char *const dropped[] = {"_revs_info", "_deleted_conflicts", "_local_seq"};

	if (slice_is(part->key, "_id"))
		return read_text(part->value, a, &out->id) ? &empty_id : NULL;
	if (slice_is(part->key, "_rev"))
		return read_text(part->value, a, &out->rev) ? &refusal_bad_rev : NULL;
	if (slice_is(part->key, "_deleted")) {
		out->deleted = slice_is(part->value, "true");
		return NULL;
	}
	if (slice_is(part->key, "_revisions"))
		return read_revisions(part->value, a, out);
	if (slice_is(part->key, "_conflicts")) {
		out->revs = part->value;
		return NULL;
	}
	if (slice_is(part->key, "_attachments"))
		return json_read(part->value, a, 0, &out->atts, NULL, NULL) || out->atts.type != JSON_OBJECT ? &bad_atts
													     : NULL;
	for (size_t i = 0; i < sizeof(dropped) / sizeof(*dropped); i++)
		if (slice_is(part->key, dropped[i]))
			return NULL;
	return &bad_member;
}

static const struct refusal *sort_parts(const struct json_part *parts, int n, struct arena *a, struct doc_parts *out,
					struct buf *members)
{
	for (int i = 0; i < n; i++) {
		const struct refusal *no;

		if (parts[i].key.len && parts[i].key.ptr[0] == '_') {
			no = read_special(&parts[i], a, out);
			if (no)
				return no;
			continue;
		}
		if (members->len)
			buf_ch(members, ',');
		buf_ch(members, '"');
		buf_adds(members, parts[i].key);
		buf_str(members, "\":");
		squeeze(parts[i].value, members);
	}
	return NULL;
}

const struct refusal *parts_read(struct slice text, struct arena *a, struct doc_parts *out)
{
	struct json_part *parts = ARENA_ARRAY(a, PARTS_FIRST, struct json_part);
	struct buf members = BUF_INIT(SIZE_MAX / 2);
	const struct refusal *no;
	size_t bad_at;
	int n = json_scan_members(text, parts, PARTS_FIRST, &bad_at);

	*out = (struct doc_parts){.atts = json_null};
	if (n < 0)
		return &not_object;
	if (n > PARTS_FIRST) {
		parts = ARENA_ARRAY(a, (size_t)n, struct json_part);
		n = json_scan_members(text, parts, n, &bad_at);
	}
	no = sort_parts(parts, n, a, out, &members);
	out->members = arena_slice(a, buf_slice(&members));
	buf_release(&members);
	return no;
}
