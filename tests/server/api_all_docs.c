/* api_all_docs.c: _all_docs, ids in byte order. */
#include "config.h"

#include "tests/server/server.h"

#include <stdio.h>
#include <stdlib.h>

#define ENOUGH ((size_t)1 << 20) /* bytes made in one go */

static const struct refusal bad_key = {400, "bad_request", "invalid UTF-8 JSON"};
static const struct refusal not_served = {400, "query_parse_error", "The stand-in does not serve descending."};
static const struct refusal bad_number = {400, "query_parse_error", "Invalid value for a number."};
static const struct refusal bad_keys = {400, "bad_request", "`keys` body member must be an array."};

/* One row: a document, or (doc NULL) a key that is not there. */
struct row {
	const struct doc *doc;
	struct slice key_json;
};

struct listing {
	struct stream stream;
	struct arena arena;
	struct db *db;
	struct row *rows;
	size_t count, at;
	int include_docs;
	unsigned flags;
	struct chunker chunks;
	struct buf row;
};

struct range {
	struct slice start, end; /* decoded; ptr NULL: open */
	int exclusive_end;
	long long skip, limit;
};

static void write_row(struct listing *l, const struct row *row)
{
	const struct leaf *leaf = row->doc ? row->doc->leaves : NULL;

	buf_clear(&l->row);
	buf_str(&l->row, l->at ? ",\r\n" : "\r\n");
	if (!leaf) {
		buf_str(&l->row, "{\"key\":");
		buf_adds(&l->row, row->key_json);
		buf_str(&l->row, ",\"error\":\"not_found\"}");
		return;
	}
	buf_str(&l->row, "{\"id\":");
	buf_adds(&l->row, row->doc->id_json);
	buf_str(&l->row, ",\"key\":");
	buf_adds(&l->row, row->doc->id_json);
	buf_str(&l->row, ",\"value\":{\"rev\":\"");
	leaf_rev(leaf, &l->row);
	buf_str(&l->row, leaf->deleted ? "\",\"deleted\":true}" : "\"}");
	if (l->include_docs && leaf->deleted)
		buf_str(&l->row, ",\"doc\":null");
	if (l->include_docs && !leaf->deleted) {
		buf_str(&l->row, ",\"doc\":");
		leaf_render(row->doc, leaf, l->flags, &l->row);
	}
	buf_ch(&l->row, '}');
}

static enum fill fill_listing(struct stream *stream, struct conn *c, int64_t now)
{
	struct listing *l = (struct listing *)stream;

	(void)now;
	for (; l->at < l->count && c->out.len - c->out_at < ENOUGH; l->at++) {
		write_row(l, &l->rows[l->at]);
		chunker_add(&l->chunks, c, buf_slice(&l->row));
	}
	if (l->at < l->count)
		return FILL_MORE;
	chunker_add(&l->chunks, c, SLICE("\r\n]}"));
	chunker_flush(&l->chunks, c);
	chunk_last(c);
	return FILL_END;
}

static void free_listing(struct stream *stream)
{
	struct listing *l = (struct listing *)stream;

	chunker_release(&l->chunks);
	buf_release(&l->row);
	free(l->rows);
	arena_release(&l->arena);
	db_let_go(l->db);
	free(l);
}

static int is_listed(const struct doc *doc)
{
	return !doc->leaves->deleted;
}

/* Takes the documents of the range; returns how many live ones stand before the first of them. */
static size_t take_range(struct listing *l, const struct range *r)
{
	struct db *db = l->db;
	size_t offset = 0, i = 0;
	long long skip = r->skip;

	db_sort(db);
	l->rows = xgrow(NULL, (db->doc_count + 1) * sizeof(*l->rows));
	for (; i < db->doc_total; i++) {
		const struct doc *doc = db->by_id[i];

		if (r->start.ptr && slice_cmp(doc->id, r->start) < 0) {
			offset += (size_t)is_listed(doc);
			continue;
		}
		if (r->end.ptr && slice_cmp(doc->id, r->end) >= (r->exclusive_end ? 0 : 1))
			break;
		if (!is_listed(doc))
			continue;
		if (skip > 0) {
			skip--;
			offset++;
			continue;
		}
		if (r->limit >= 0 && l->count >= (size_t)r->limit)
			break;
		l->rows[l->count++] = (struct row){.doc = doc};
	}
	return offset;
}

static void take_keys(struct listing *l, const struct json *keys, const struct range *r)
{
	l->rows = xgrow(NULL, (keys->count + 1) * sizeof(*l->rows));
	for (uint32_t i = (uint32_t)r->skip; i < keys->count && (r->limit < 0 || l->count < (size_t)r->limit); i++) {
		struct slice id = json_text(&keys->items[i]);
		struct row *row = &l->rows[l->count++];

		row->doc = id.ptr ? db_doc(l->db, id) : NULL;
		row->key_json = json_to_text(&keys->items[i], JSON_PLAIN, &l->arena);
	}
}

/* A parameter that holds a JSON string; ids are strings, so other values are refused. */
static int read_key(struct conn *c, const char *name, const char *other_name, struct slice *out)
{
	struct slice text = query_get(c, name);
	struct json value;

	if (!text.ptr)
		text = query_get(c, other_name);
	if (!text.ptr)
		return 0;
	if (json_read(text, &c->arena, 0, &value, NULL, NULL) || !json_is(&value, JSON_STRING))
		return -1;
	*out = value.text;
	return 0;
}

static const struct refusal *read_range(struct conn *c, struct range *r)
{
	*r = (struct range){.start = SLICE_NONE, .end = SLICE_NONE};
	r->skip = query_number(c, "skip", 0);
	r->limit = query_get(c, "limit").ptr ? query_number(c, "limit", 0) : -1;
	r->exclusive_end = query_is(c, "inclusive_end", "false");
	if (r->skip < 0 || (query_get(c, "limit").ptr && r->limit < 0))
		return &bad_number;
	if (query_is(c, "descending", "true"))
		return &not_served;
	if (read_key(c, "startkey", "start_key", &r->start) || read_key(c, "endkey", "end_key", &r->end))
		return &bad_key;
	if (query_get(c, "key").ptr && (read_key(c, "key", "key", &r->start) || read_key(c, "key", "key", &r->end)))
		return &bad_key;
	return NULL;
}

/* keys of the query or of the body: *found is set when there are some. */
static const struct refusal *read_keys(struct conn *c, struct json *keys, int *found)
{
	struct slice text = query_get(c, "keys");
	const struct json *member;
	struct json body;

	*found = 0;
	if (!text.ptr && slice_is(c->req.method, "POST"))
		text = c->req.body;
	if (!text.ptr)
		return NULL;
	if (json_read(text, &c->arena, 0, &body, NULL, NULL))
		return &refusal_bad_json;
	member = json_is(&body, JSON_OBJECT) ? json_gets(&body, "keys") : &body;
	if (!member)
		return NULL;
	*keys = *member;
	*found = 1;
	return json_is(keys, JSON_ARRAY) ? NULL : &bad_keys;
}

static void begin(struct conn *c, struct listing *l, const char *offset)
{
	struct buf first = BUF_INIT(1024);

	buf_fmt(&first, "{\"total_rows\":%llu,\"offset\":%s,\"rows\":[", (unsigned long long)l->db->doc_count, offset);
	respond_head(c, &(struct head){.status = 200, .length = -1});
	chunker_add(&l->chunks, c, buf_slice(&first));
	buf_release(&first);
	respond_stream(c, &l->stream);
}

void api_all_docs(struct conn *c, struct db *db)
{
	struct listing *l;
	struct range range;
	struct json keys;
	int by_keys;
	char offset[24] = "null";
	const struct refusal *no = read_range(c, &range);

	if (!no)
		no = read_keys(c, &keys, &by_keys);
	if (no) {
		respond_refusal(c, no);
		return;
	}
	l = xalloc(sizeof(*l));
	l->stream = (struct stream){fill_listing, free_listing};
	l->db = db_hold(db);
	l->row.max = SIZE_MAX / 2;
	l->include_docs = query_is(c, "include_docs", "true");
	l->flags = query_is(c, "conflicts", "true") ? RENDER_CONFLICTS : 0;
	l->flags |= query_is(c, "attachments", "true") ? RENDER_ATTACHMENTS : 0;
	if (by_keys)
		take_keys(l, &keys, &range);
	else
		snprintf(offset, sizeof(offset), "%zu", take_range(l, &range));
	begin(c, l, offset);
}
