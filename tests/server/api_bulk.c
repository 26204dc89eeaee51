/* api_bulk.c: many documents in one request. */
#include "config.h"

#include "tests/server/server.h"

#include "base/json_scan.h"

#include <sodium.h>

static const struct refusal no_docs = {400, "bad_request", "POST body must include `docs` parameter."};
static const struct refusal only_post = {405, "method_not_allowed", "Only POST allowed"};

/* The raw text of one member of the body, or ptr NULL. */
static struct slice raw_member(struct conn *c, const char *key)
{
	struct json_part parts[16];
	size_t bad_at;
	int n = json_scan_members(c->req.body, parts, 16, &bad_at);
	struct slice found = SLICE_NONE;

	for (int i = 0; i < n && i < 16; i++)
		if (slice_is(parts[i].key, key))
			found = parts[i].value;
	return found;
}

/* The next item of an array's raw text; 0 at its end. */
static int next_item(struct slice *rest, struct slice *item)
{
	struct json_scan scan = JSON_SCAN_INIT;
	int done = 0;
	size_t n;

	while (rest->len && strchr("[, \t\r\n", rest->ptr[0]))
		rest->ptr++, rest->len--;
	if (rest->len == 0 || rest->ptr[0] == ']')
		return 0;
	n = json_scan_value(&scan, rest->ptr, rest->len, &done);
	*item = (struct slice){rest->ptr, n};
	rest->ptr += n;
	rest->len -= n;
	return done;
}

static void write_failed(struct slice id, const struct refusal *no, struct buf *out)
{
	buf_str(out, "{\"id\":");
	json_write_string(id, out);
	buf_fmt(out, ",\"error\":\"%s\",\"reason\":\"%s\"}", no->error, no->reason);
}

static void write_done(const struct doc_parts *parts, const struct leaf *made, struct buf *out)
{
	buf_str(out, "{\"ok\":true,\"id\":");
	json_write_string(parts->id, out);
	buf_str(out, ",\"rev\":\"");
	leaf_rev(made, out);
	buf_str(out, "\"}");
}

static void write_one(struct editor *e, struct db *db, struct slice text, int new_edits, struct buf *out)
{
	struct doc_parts parts;
	const struct leaf *made = NULL;
	const struct refusal *no = parts_read(text, e->arena, &parts);

	if (!no && !parts.id.ptr)
		parts.id = arena_printf(e->arena, "%08x%08x%08x%08x", randombytes_random(), randombytes_random(),
					randombytes_random(), randombytes_random());
	if (!no)
		no = doc_id_check(parts.id);
	if (!no)
		no = new_edits ? edit_put(e, db, &parts, &made) : edit_replicate(e, db, &parts);
	if (!no && !made)
		return;
	if (out->len > 1)
		buf_ch(out, ',');
	if (no)
		write_failed(parts.id, no, out);
	else
		write_done(&parts, made, out);
}

void api_bulk_docs(struct conn *c, struct db *db)
{
	struct editor e = site_editor(c);
	struct arena scratch = ARENA_INIT;
	struct buf body = BUF_INIT(SIZE_MAX / 2);
	struct slice docs, item;
	struct json json;
	int new_edits;

	if (!slice_is(c->req.method, "POST")) {
		respond_refusal(c, &only_post);
		return;
	}
	if (request_json(c, &json))
		return;
	if (!json_is(json_gets(&json, "docs"), JSON_ARRAY)) {
		respond_refusal(c, &no_docs);
		return;
	}
	new_edits = !json_is(json_gets(&json, "new_edits"), JSON_FALSE);
	docs = raw_member(c, "docs");
	e.arena = &scratch;
	buf_ch(&body, '[');
	while (next_item(&docs, &item)) {
		write_one(&e, db, item, new_edits, &body);
		arena_reset(&scratch);
	}
	buf_ch(&body, ']');
	respond_json(c, 201, buf_slice(&body));
	buf_release(&body);
	arena_release(&scratch);
}

static void write_not_found(struct slice id, struct slice rev, struct buf *out)
{
	buf_str(out, "{\"error\":{\"rev\":");
	json_write_string(rev.ptr ? rev : SLICE("undefined"), out);
	buf_str(out, ",\"reason\":\"missing\",\"id\":");
	json_write_string(id, out);
	buf_str(out, ",\"error\":\"not_found\"}}");
}

static void write_found(const struct doc *doc, const struct leaf *leaf, unsigned flags, struct buf *out)
{
	buf_str(out, "{\"ok\":");
	leaf_render(doc, leaf, flags, out);
	buf_ch(out, '}');
}

/* One document asked for: the revision that was named, or all leaves. */
static void write_asked(struct conn *c, const struct db *db, const struct json *asked, unsigned flags, struct buf *out)
{
	struct slice id = json_get_text(asked, "id"), rev = json_get_text(asked, "rev"), rev_id;
	const struct doc *doc = id.ptr ? db_doc(db, id) : NULL;
	const struct leaf **leaves = NULL, *leaf = NULL;
	uint64_t gen;
	size_t n = 0;

	buf_str(out, "{\"id\":");
	json_write_string(id, out);
	buf_str(out, ",\"docs\":[");
	if (doc && rev.ptr) {
		leaf = rev_parse(rev, &gen, &rev_id) == 0 ? doc_leaf(doc, gen, rev_id) : NULL;
		leaves = &leaf;
		n = leaf != NULL;
	} else if (doc) {
		n = leaves_by_rev(doc, &c->arena, &leaves);
	}
	for (size_t i = 0; i < n; i++) {
		buf_str(out, i ? "," : "");
		write_found(doc, leaves[i], flags, out);
	}
	if (n == 0)
		write_not_found(id, rev, out);
	buf_str(out, "]}");
}

void api_bulk_get(struct conn *c, struct db *db)
{
	struct buf body = BUF_INIT(SIZE_MAX / 2);
	struct json json;
	const struct json *docs;
	unsigned flags = 0;

	if (!slice_is(c->req.method, "POST")) {
		respond_refusal(c, &only_post);
		return;
	}
	if (request_json(c, &json))
		return;
	docs = json_gets(&json, "docs");
	if (!json_is(docs, JSON_ARRAY)) {
		respond_refusal(c, &no_docs);
		return;
	}
	flags |= query_is(c, "revs", "true") ? RENDER_REVS : 0;
	flags |= query_is(c, "attachments", "true") ? RENDER_ATTACHMENTS : 0;
	buf_str(&body, "{\"results\":[");
	for (uint32_t i = 0; i < docs->count; i++) {
		buf_str(&body, i ? "," : "");
		write_asked(c, db, &docs->items[i], flags, &body);
	}
	buf_str(&body, "]}");
	respond_json(c, 200, buf_slice(&body));
	buf_release(&body);
}

static void write_missing_revs(const struct doc *doc, const struct json_member *asked, struct buf *out)
{
	const char *lead = "\":[";
	struct buf missing = BUF_INIT(SIZE_MAX / 2);

	for (uint32_t i = 0; json_is(&asked->value, JSON_ARRAY) && i < asked->value.count; i++) {
		struct slice rev = json_text(&asked->value.items[i]), id;
		uint64_t gen;

		if (!rev.ptr || rev_parse(rev, &gen, &id) || (doc && doc_knows(doc, gen, id)))
			continue;
		if (missing.len)
			buf_ch(&missing, ',');
		json_write_string(rev, &missing);
	}
	if (missing.len) {
		if (out->len > 1)
			buf_ch(out, ',');
		json_write_string(asked->key, out);
		buf_str(out, ":{\"missing\":[");
		buf_adds(out, buf_slice(&missing));
		buf_ch(out, ']');
		for (const struct leaf *leaf = doc ? doc->leaves : NULL; leaf; leaf = leaf->next) {
			buf_fmt(out, "%s%s", lead[0] == '"' ? ",\"possible_ancestors" : "", lead);
			lead = ",";
			buf_ch(out, '"');
			leaf_rev(leaf, out);
			buf_ch(out, '"');
		}
		buf_str(out, lead[0] == ',' ? "]}" : "}");
	}
	buf_release(&missing);
}

void api_revs_diff(struct conn *c, struct db *db)
{
	struct buf body = BUF_INIT(SIZE_MAX / 2);
	struct json json;

	if (!slice_is(c->req.method, "POST")) {
		respond_refusal(c, &only_post);
		return;
	}
	if (request_json(c, &json))
		return;
	buf_ch(&body, '{');
	for (uint32_t i = 0; json_is(&json, JSON_OBJECT) && i < json.count; i++)
		write_missing_revs(db_doc(db, json.members[i].key), &json.members[i], &body);
	buf_ch(&body, '}');
	respond_json(c, 200, buf_slice(&body));
	buf_release(&body);
}
