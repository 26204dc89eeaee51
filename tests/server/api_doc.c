/* api_doc.c: one document, one local document, one attachment. */
#include "config.h"

#include "tests/server/server.h"

#include "base/pct.h"
#include "tests/server/attachments.h"
#include "tests/server/md5.h"

#include <stdlib.h>

static const struct refusal bad_method = {405, "method_not_allowed", "Only DELETE,GET,HEAD,PUT allowed"};
static const struct refusal no_attachment = {404, "not_found", "Document is missing attachment"};

static unsigned render_flags(struct conn *c)
{
	static const struct {
		const char *name;
		unsigned flags;
	} known[] = {
	    {"conflicts", RENDER_CONFLICTS},
	    {"deleted_conflicts", RENDER_DELETED_CONFLICTS},
	    {"revs", RENDER_REVS},
	    {"revs_info", RENDER_REVS_INFO},
	    {"attachments", RENDER_ATTACHMENTS},
	    {"meta", RENDER_CONFLICTS | RENDER_DELETED_CONFLICTS | RENDER_REVS_INFO},
	};
	unsigned flags = 0;

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (query_is(c, known[i].name, "true"))
			flags |= known[i].flags;
	return flags;
}

static int leaf_order(const void *a, const void *b)
{
	const struct leaf *x = *(const struct leaf *const *)a, *y = *(const struct leaf *const *)b;

	if (x->gen != y->gen)
		return x->gen < y->gen ? -1 : 1;
	return slice_cmp(leaf_rev_id(x), leaf_rev_id(y));
}

size_t leaves_by_rev(const struct doc *doc, struct arena *a, const struct leaf ***out)
{
	size_t n = 0;

	for (const struct leaf *leaf = doc->leaves; leaf; leaf = leaf->next)
		n++;
	*out = ARENA_ARRAY(a, n, const struct leaf *);
	n = 0;
	for (const struct leaf *leaf = doc->leaves; leaf; leaf = leaf->next)
		(*out)[n++] = leaf;
	qsort(*out, n, sizeof(**out), leaf_order);
	return n;
}

static void write_open_rev(struct conn *c, const char *lead, const struct doc *doc, const struct leaf *leaf,
			   unsigned flags)
{
	struct buf text = BUF_INIT(SIZE_MAX / 2);

	buf_str(&text, lead);
	buf_str(&text, "{\"ok\":");
	leaf_render(doc, leaf, flags, &text);
	buf_ch(&text, '}');
	chunk_write(c, buf_slice(&text));
	buf_release(&text);
}

static void write_open_missing(struct conn *c, const char *lead, struct slice rev)
{
	struct buf text = BUF_INIT(SIZE_MAX / 2);

	buf_str(&text, lead);
	buf_str(&text, "{\"missing\":");
	json_write_string(rev, &text);
	buf_ch(&text, '}');
	chunk_write(c, buf_slice(&text));
	buf_release(&text);
}

static void named_revs(struct conn *c, const struct doc *doc, const struct json *revs)
{
	for (uint32_t i = 0; i < revs->count; i++) {
		struct slice rev = json_text(&revs->items[i]), id;
		uint64_t gen;
		const struct leaf *leaf = rev.ptr && rev_parse(rev, &gen, &id) == 0 ? doc_leaf(doc, gen, id) : NULL;

		if (leaf)
			write_open_rev(c, i ? "," : "", doc, leaf, render_flags(c));
		else
			write_open_missing(c, i ? "," : "", rev);
	}
}

static void get_open_revs(struct conn *c, const struct doc *doc, struct slice wanted)
{
	const struct leaf **leaves;
	struct json revs;
	size_t n = leaves_by_rev(doc, &c->arena, &leaves);

	if (!slice_is(wanted, "all") &&
	    (json_read(wanted, &c->arena, 0, &revs, NULL, NULL) || !json_is(&revs, JSON_ARRAY))) {
		respond_refusal(c, &refusal_bad_json);
		return;
	}
	respond_head(c, &(struct head){.status = 200, .length = -1});
	chunk_write(c, SLICE("["));
	if (slice_is(wanted, "all"))
		for (size_t i = 0; i < n; i++)
			write_open_rev(c, i ? "," : "", doc, leaves[i], render_flags(c));
	else
		named_revs(c, doc, &revs);
	chunk_write(c, SLICE("]"));
	chunk_last(c);
}

static void get_doc(struct conn *c, struct db *db, struct slice id)
{
	const struct doc *doc = db_doc(db, id);
	struct slice rev = query_get(c, "rev"), rev_id, open_revs = query_get(c, "open_revs");
	const struct leaf *leaf = doc ? doc->leaves : NULL;
	struct buf body = BUF_INIT(SIZE_MAX / 2), etag = BUF_INIT(4096);
	struct head head = {.status = 200};
	uint64_t gen;

	if (doc && open_revs.ptr) {
		get_open_revs(c, doc, open_revs);
		return;
	}
	if (rev.ptr)
		leaf = doc && rev_parse(rev, &gen, &rev_id) == 0 ? doc_leaf(doc, gen, rev_id) : NULL;
	if (!leaf || (leaf->deleted && !rev.ptr)) {
		respond_refusal(c, leaf ? &refusal_deleted : &refusal_missing);
		return;
	}
	leaf_render(doc, leaf, render_flags(c), &body);
	buf_ch(&etag, '"');
	leaf_rev(leaf, &etag);
	buf_ch(&etag, '"');
	if (c->req.query.len == 0)
		head.etag = buf_slice(&etag);
	respond_json_head(c, &head, buf_slice(&body));
	buf_release(&body);
	buf_release(&etag);
}

/* 201 {"ok":true,"id":...,"rev":...} */
static void respond_written(struct conn *c, const struct db *db, struct slice id, struct slice rev, const char *etag)
{
	struct buf body = BUF_INIT(SIZE_MAX / 2), where = BUF_INIT(SIZE_MAX / 2);
	struct head head = {.status = 201, .etag = slice_of(etag)};

	buf_fmt(&where, "http://%.*s/", SLICE_ARG(c->req.host.ptr ? c->req.host : SLICE("127.0.0.1")));
	pct_url(slice_of(db->name), &where);
	buf_ch(&where, '/');
	pct_url(id, &where);
	head.location = buf_slice(&where);
	buf_str(&body, "{\"ok\":true,\"id\":");
	json_write_string(id, &body);
	buf_str(&body, ",\"rev\":\"");
	buf_adds(&body, rev);
	buf_str(&body, "\"}");
	if (slice_is(c->req.method, "DELETE"))
		head.status = 200;
	respond_json_head(c, &head, buf_slice(&body));
	buf_release(&body);
	buf_release(&where);
}

static void put_parts(struct conn *c, struct db *db, const struct doc_parts *parts)
{
	struct editor e = site_editor(c);
	const struct leaf *made = NULL;
	struct buf rev = BUF_INIT(SIZE_MAX / 2);
	const struct refusal *no;

	if (query_is(c, "new_edits", "false")) {
		no = edit_replicate(&e, db, parts);
		buf_adds(&rev, parts->rev);
	} else {
		no = edit_put(&e, db, parts, &made);
		if (made)
			leaf_rev(made, &rev);
	}
	if (no)
		respond_refusal(c, no);
	else
		respond_written(c, db, parts->id, buf_slice(&rev),
				arena_printf(&c->arena, "\"%.*s\"", SLICE_ARG(buf_slice(&rev))).ptr);
	buf_release(&rev);
}

/* The revision the client edits: ?rev=, If-Match, or what the body says. */
static struct slice edited_rev(struct conn *c, struct slice in_body)
{
	struct slice rev = query_get(c, "rev");

	if (rev.ptr)
		return rev;
	rev = c->req.if_match;
	if (rev.len > 2 && rev.ptr[0] == '"')
		rev = (struct slice){rev.ptr + 1, rev.len - 2};
	return rev.ptr ? rev : in_body;
}

static void put_doc(struct conn *c, struct db *db, struct slice id)
{
	struct json body;
	struct doc_parts parts;
	const struct refusal *no = doc_id_check(id);

	if (no) {
		respond_refusal(c, no);
		return;
	}
	if (request_json(c, &body))
		return;
	no = parts_read(c->req.body, &c->arena, &parts);
	if (no) {
		respond_refusal(c, no);
		return;
	}
	parts.id = id;
	parts.rev = edited_rev(c, parts.rev);
	put_parts(c, db, &parts);
}

static void delete_doc(struct conn *c, struct db *db, struct slice id)
{
	struct doc_parts parts = {.id = id, .deleted = 1, .atts = json_null};
	const struct doc *doc = db_doc(db, id);

	parts.rev = edited_rev(c, SLICE_NONE);
	if (!doc)
		respond_refusal(c, &refusal_missing);
	else if (!parts.rev.ptr)
		respond_refusal(c, doc->leaves->deleted ? &refusal_deleted : &refusal_conflict);
	else
		put_parts(c, db, &parts);
}

void api_doc(struct conn *c, struct db *db, struct slice id)
{
	if (slice_is(c->req.method, "GET") || slice_is(c->req.method, "HEAD"))
		get_doc(c, db, id);
	else if (slice_is(c->req.method, "PUT"))
		put_doc(c, db, id);
	else if (slice_is(c->req.method, "DELETE"))
		delete_doc(c, db, id);
	else
		respond_refusal(c, &bad_method);
}

static const char *etag_of(struct conn *c, struct slice body)
{
	struct md5 m;
	char hex[MD5_HEX_SIZE];

	md5_init(&m);
	md5_add(&m, body);
	md5_end_hex(&m, hex);
	return arena_printf(&c->arena, "\"%.25s\"", hex).ptr;
}

static void get_local(struct conn *c, const struct local_doc *doc)
{
	struct buf body = BUF_INIT(SIZE_MAX / 2);

	if (!doc) {
		respond_refusal(c, &refusal_missing);
		return;
	}
	buf_str(&body, "{\"_id\":");
	json_write_string(arena_printf(&c->arena, "_local/%.*s", SLICE_ARG(doc->id)), &body);
	buf_fmt(&body, ",\"_rev\":\"0-%llu\"%s%.*s}", (unsigned long long)doc->rev, doc->body.len ? "," : "",
		SLICE_ARG(doc->body));
	respond_json_head(c, &(struct head){.status = 200, .etag = slice_of(etag_of(c, doc->body))}, buf_slice(&body));
	buf_release(&body);
}

static void journal_local(struct conn *c, const struct db *db, struct slice id, struct slice body, uint64_t rev)
{
	struct buf text = BUF_INIT(SIZE_MAX / 2);

	buf_adds(&text, id);
	buf_ch(&text, 0);
	buf_adds(&text, body);
	journal_add(c->site->journal,
		    &(struct journal_record){JOURNAL_LOCAL, rev, slice_of(db->name), buf_slice(&text)});
	buf_release(&text);
}

/* As CouchDB 3 does: the new revision counts on from the one given, whatever stands there. */
static uint64_t local_rev_given(struct slice rev)
{
	uint64_t n = 0;

	for (size_t i = 2; i < rev.len && rev.ptr[i] >= '0' && rev.ptr[i] <= '9'; i++)
		n = n * 10 + (uint64_t)(rev.ptr[i] - '0');
	return n;
}

static void put_local(struct conn *c, struct db *db, struct slice id)
{
	struct json body;
	struct doc_parts parts;
	const struct refusal *no;
	uint64_t rev;

	if (request_json(c, &body))
		return;
	no = parts_read(c->req.body, &c->arena, &parts);
	if (no) {
		respond_refusal(c, no);
		return;
	}
	rev = local_rev_given(edited_rev(c, parts.rev)) + 1;
	local_put(db, id, parts.members, rev);
	journal_local(c, db, id, parts.members, rev);
	respond_written(c, db, arena_printf(&c->arena, "_local/%.*s", SLICE_ARG(id)),
			arena_printf(&c->arena, "0-%llu", (unsigned long long)rev), etag_of(c, parts.members));
}

static void delete_local(struct conn *c, struct db *db, struct slice id)
{
	if (!local_get(db, id)) {
		respond_refusal(c, &refusal_missing);
		return;
	}
	local_put(db, id, SLICE_NONE, 0);
	journal_local(c, db, id, SLICE_NONE, 0);
	respond_written(c, db, arena_printf(&c->arena, "_local/%.*s", SLICE_ARG(id)), SLICE("0-0"), "\"0-0\"");
}

void api_local(struct conn *c, struct db *db, struct slice id)
{
	if (slice_is(c->req.method, "GET") || slice_is(c->req.method, "HEAD"))
		get_local(c, local_get(db, id));
	else if (slice_is(c->req.method, "PUT"))
		put_local(c, db, id);
	else if (slice_is(c->req.method, "DELETE"))
		delete_local(c, db, id);
	else
		respond_refusal(c, &bad_method);
}

void api_attachment(struct conn *c, struct db *db, struct slice id, struct slice name)
{
	const struct doc *doc = db_doc(db, id);
	struct slice rev = query_get(c, "rev"), rev_id;
	const struct leaf *leaf = doc ? doc->leaves : NULL;
	const struct attachment *att;
	struct json type;
	uint64_t gen;

	if (rev.ptr)
		leaf = doc && rev_parse(rev, &gen, &rev_id) == 0 ? doc_leaf(doc, gen, rev_id) : NULL;
	att = leaf ? leaf_attachment(leaf, name) : NULL;
	if (!slice_is(c->req.method, "GET") && !slice_is(c->req.method, "HEAD")) {
		respond_refusal(c, &bad_method);
		return;
	}
	if (!att || !att->data.ptr || json_read(att->type_json, &c->arena, 0, &type, NULL, NULL)) {
		respond_refusal(c, leaf ? &no_attachment : &refusal_missing);
		return;
	}
	respond_head(c, &(struct head){.status = 200,
				       .type = arena_str(&c->arena, type.text),
				       .length = (long long)att->length,
				       .etag = arena_printf(&c->arena, "\"%s\"", att->digest.ptr + 4),
				       .flags = HEAD_ATTACHMENT});
	if (!slice_is(c->req.method, "HEAD"))
		buf_adds(&c->out, att->data);
}
