/* api_changes.c: the changes feed: normal, continuous and long poll. Framing as recorded from CouchDB 3.4.3. */
#include "config.h"

#include "tests/server/server.h"

#include "base/clock.h"
#include "tests/server/selector.h"

#include <stdlib.h>

#define ENOUGH ((size_t)1 << 20) /* bytes made in one go */
#define NO_LIMIT 1000000000000000LL
#define DEFAULT_MS 60000

enum feed_kind { FEED_NORMAL, FEED_LONGPOLL, FEED_CONTINUOUS };
enum filter_kind { FILTER_NONE, FILTER_DOC_IDS, FILTER_DESIGN, FILTER_SELECTOR };

struct feed {
	struct stream stream;
	struct arena arena; /* filter arguments */
	struct db *db;
	enum feed_kind kind;
	enum filter_kind filter;
	struct slice *doc_ids; /* sorted */
	size_t doc_id_count;
	struct json selector;
	uint64_t since, at, upto; /* at: all up to here has been looked at; upto: where a normal feed ends */
	uint64_t last_sent;       /* sequence of the last row */
	long long limit, sent;
	long long seq_interval; /* 0: none */
	int include_docs, all_revs, begun;
	unsigned flags;
	int64_t heartbeat_us, timeout_us; /* heartbeat 0: none */
	int64_t quiet_since;
	struct chunker chunks;
	struct buf row;
};

static const struct refusal bad_since = {400, "bad_request", "Malformed sequence supplied in 'since' parameter."};
static const struct refusal bad_feed = {400, "bad_request",
					"Supported `feed` types: normal, continuous, live, longpoll, eventsource"};
static const struct refusal bad_number = {400, "bad_request", "Invalid value for a number."};
static const struct refusal bad_selector = {400, "bad_request", "Selector error: not served by the stand-in"};
static const struct refusal bad_doc_ids = {400, "bad_request", "`doc_ids` filter parameter is not a list of doc ids."};
static const struct refusal no_filter = {404, "not_found", "missing"};
static const struct refusal not_served = {400, "bad_request", "The stand-in does not serve descending or eventsource."};

/* ---- which documents ---- */

static int slice_order(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static int matches_selector(const struct feed *f, const struct doc *doc)
{
	struct arena a = ARENA_INIT;
	struct json value;
	int yes = json_read((struct slice){doc->leaves->text, doc->leaves->text_len}, &a, 0, &value, NULL, NULL) == 0 &&
		  selector_matches(&f->selector, &value);

	arena_release(&a);
	return yes;
}

static int is_wanted(const struct feed *f, const struct doc *doc)
{
	switch (f->filter) {
	case FILTER_DOC_IDS:
		return bsearch(&doc->id, f->doc_ids, f->doc_id_count, sizeof(struct slice), slice_order) != NULL;
	case FILTER_DESIGN:
		return slice_starts(doc->id, SLICE("_design/"));
	case FILTER_SELECTOR:
		return matches_selector(f, doc);
	default:
		return 1;
	}
}

/* ---- rows ---- */

static void write_revs(struct feed *f, const struct doc *doc)
{
	const char *lead = ",\"changes\":[{\"rev\":\"";

	for (const struct leaf *leaf = doc->leaves; leaf; leaf = f->all_revs ? leaf->next : NULL) {
		buf_str(&f->row, lead);
		leaf_rev(leaf, &f->row);
		buf_str(&f->row, "\"}");
		lead = ",{\"rev\":\"";
	}
	buf_ch(&f->row, ']');
}

static void write_row(struct feed *f, const struct doc *doc)
{
	/* CouchDB counts down from the limit and shows the sequences of those rows that the interval divides. */
	int shown = f->seq_interval == 0 || (f->limit - f->sent) % f->seq_interval == 0;

	buf_clear(&f->row);
	if (f->kind != FEED_CONTINUOUS && f->sent)
		buf_str(&f->row, ",\r\n");
	buf_str(&f->row, shown ? "{\"seq\":\"" : "{\"seq\":null");
	if (shown) {
		seq_write(f->db, doc->seq, &f->row);
		buf_ch(&f->row, '"');
	}
	buf_str(&f->row, ",\"id\":");
	buf_adds(&f->row, doc->id_json);
	write_revs(f, doc);
	if (doc->leaves->deleted)
		buf_str(&f->row, ",\"deleted\":true");
	if (f->include_docs) {
		buf_str(&f->row, ",\"doc\":");
		leaf_render(doc, doc->leaves, f->flags, &f->row);
	}
	buf_str(&f->row, f->kind == FEED_CONTINUOUS ? "}\n" : "}");
}

static uint64_t bound(const struct feed *f)
{
	return f->kind == FEED_NORMAL ? f->upto : f->db->update_seq;
}

static void send_rows(struct feed *f, struct conn *c, int64_t now)
{
	while (f->at < bound(f) && f->sent < f->limit && c->out.len - c->out_at < ENOUGH) {
		const struct doc *doc = f->db->by_seq[f->at++];

		if (!doc || !is_wanted(f, doc))
			continue;
		write_row(f, doc);
		chunker_add(&f->chunks, c, buf_slice(&f->row));
		f->sent++;
		f->last_sent = doc->seq;
		f->quiet_since = now;
	}
}

/* Under a limit that was reached, what was looked at ends with the last row; otherwise with the feed. */
static uint64_t last_seq(const struct feed *f)
{
	if (f->sent >= f->limit && f->filter != FILTER_DOC_IDS && f->filter != FILTER_DESIGN)
		return f->sent ? f->last_sent : f->since;
	return bound(f);
}

static uint64_t pending(const struct feed *f)
{
	if (f->filter == FILTER_DOC_IDS || f->filter == FILTER_DESIGN)
		return db_pending(f->db, f->since, f->db->update_seq) - (uint64_t)f->sent;
	return db_pending(f->db, last_seq(f), f->db->update_seq);
}

static enum fill finish(struct feed *f, struct conn *c)
{
	buf_clear(&f->row);
	if (f->kind == FEED_CONTINUOUS)
		chunker_flush(&f->chunks, c);
	buf_str(&f->row, f->kind == FEED_CONTINUOUS ? "{\"last_seq\":\"" : "\n],\n\"last_seq\":\"");
	seq_write(f->db, last_seq(f), &f->row);
	buf_fmt(&f->row, "\",\"pending\":%llu}\n", (unsigned long long)pending(f));
	chunker_add(&f->chunks, c, buf_slice(&f->row));
	chunker_flush(&f->chunks, c);
	chunk_last(c);
	return FILL_END;
}

/* Nothing to send: heartbeats, or the end of patience. */
static enum fill wait_for_more(struct feed *f, struct conn *c, int64_t now)
{
	int64_t patience = f->heartbeat_us ? f->heartbeat_us : f->timeout_us;

	chunker_flush(&f->chunks, c);
	if (f->db->dropped)
		return finish(f, c);
	if (now - f->quiet_since >= patience) {
		if (!f->heartbeat_us)
			return finish(f, c);
		chunk_write(c, SLICE("\n"));
		f->quiet_since = now;
	}
	c->stream_wake = f->quiet_since + patience;
	return FILL_WAIT;
}

static enum fill fill_feed(struct stream *stream, struct conn *c, int64_t now)
{
	struct feed *f = (struct feed *)stream;

	if (!f->begun && f->kind != FEED_CONTINUOUS)
		chunk_write(c, SLICE("{\"results\":[\n"));
	f->begun = 1;
	send_rows(f, c, now);
	if (f->sent >= f->limit)
		return finish(f, c);
	if (f->at < bound(f))
		return FILL_MORE;
	if (f->kind == FEED_NORMAL || (f->kind == FEED_LONGPOLL && f->sent))
		return finish(f, c);
	return wait_for_more(f, c, now);
}

static void free_feed(struct stream *stream)
{
	struct feed *f = (struct feed *)stream;

	chunker_release(&f->chunks);
	buf_release(&f->row);
	arena_release(&f->arena);
	db_let_go(f->db);
	free(f);
}

/* ---- what was asked ---- */

static const struct refusal *read_kind(struct conn *c, struct feed *f)
{
	struct slice feed = query_get(c, "feed");

	if (query_is(c, "descending", "true") || (feed.ptr && slice_is(feed, "eventsource")))
		return &not_served;
	if (!feed.ptr || slice_is(feed, "normal"))
		f->kind = FEED_NORMAL;
	else if (slice_is(feed, "longpoll"))
		f->kind = FEED_LONGPOLL;
	else if (slice_is(feed, "continuous") || slice_is(feed, "live"))
		f->kind = FEED_CONTINUOUS;
	else
		return &bad_feed;
	return NULL;
}

static const struct refusal *read_since(struct conn *c, struct feed *f)
{
	struct slice since = query_get(c, "since");

	f->upto = f->db->update_seq;
	if (since.len > 1 && since.ptr[0] == '"')
		since = (struct slice){since.ptr + 1, since.len - 2};
	if (since.ptr && slice_is(since, "now"))
		f->since = f->db->update_seq;
	else if (since.ptr && seq_parse(f->db, since, &f->since))
		return &bad_since;
	if (f->since > f->db->update_seq)
		f->since = f->db->update_seq;
	f->at = f->since;
	return NULL;
}

static const struct refusal *read_numbers(struct conn *c, struct feed *f)
{
	long long heartbeat = query_is(c, "heartbeat", "true") ? DEFAULT_MS : query_number(c, "heartbeat", 0);
	long long timeout = query_number(c, "timeout", DEFAULT_MS);

	if (query_is(c, "heartbeat", "false"))
		heartbeat = 0;
	f->limit = query_number(c, "limit", NO_LIMIT);
	f->seq_interval = query_number(c, "seq_interval", 0);
	if (heartbeat < 0 || timeout < 0 || f->limit < 0 || f->seq_interval < 0)
		return &bad_number;
	f->heartbeat_us = heartbeat * 1000;
	f->timeout_us = timeout * 1000;
	return NULL;
}

static const struct refusal *read_doc_ids(struct conn *c, struct feed *f, const struct json *body)
{
	const struct json *ids = json_gets(body, "doc_ids");
	struct slice text = query_get(c, "doc_ids");
	struct json parsed;

	if (!ids && text.ptr && json_read(arena_slice(&f->arena, text), &f->arena, 0, &parsed, NULL, NULL) == 0)
		ids = &parsed;
	if (!json_is(ids, JSON_ARRAY))
		return &bad_doc_ids;
	f->filter = FILTER_DOC_IDS;
	f->doc_ids = ARENA_ARRAY(&f->arena, ids->count + 1, struct slice);
	for (uint32_t i = 0; i < ids->count; i++) {
		if (!json_is(&ids->items[i], JSON_STRING))
			return &bad_doc_ids;
		f->doc_ids[f->doc_id_count++] = ids->items[i].text;
	}
	qsort(f->doc_ids, f->doc_id_count, sizeof(struct slice), slice_order);
	return NULL;
}

static const struct refusal *read_selector(struct feed *f, const struct json *body)
{
	const struct json *selector = json_gets(body, "selector");

	if (!selector || selector_check(selector))
		return &bad_selector;
	f->filter = FILTER_SELECTOR;
	f->selector = *selector;
	return NULL;
}

static const struct refusal *read_filter(struct conn *c, struct feed *f)
{
	struct slice filter = query_get(c, "filter");
	struct json body = json_null;

	if (slice_is(c->req.method, "POST") && c->req.body.len &&
	    json_read(arena_slice(&f->arena, c->req.body), &f->arena, 0, &body, NULL, NULL))
		return &refusal_bad_json;
	if (!filter.ptr)
		return NULL;
	if (slice_is(filter, "_doc_ids"))
		return read_doc_ids(c, f, &body);
	if (slice_is(filter, "_selector"))
		return read_selector(f, &body);
	if (!slice_is(filter, "_design"))
		return &no_filter;
	f->filter = FILTER_DESIGN;
	return NULL;
}

static void read_flags(struct conn *c, struct feed *f)
{
	f->include_docs = query_is(c, "include_docs", "true");
	f->all_revs = query_is(c, "style", "all_docs");
	f->flags = query_is(c, "conflicts", "true") ? RENDER_CONFLICTS : 0;
	f->flags |= query_is(c, "attachments", "true") ? RENDER_ATTACHMENTS : 0;
}

static const struct refusal *read_request(struct conn *c, struct feed *f)
{
	const struct refusal *no = read_kind(c, f);

	if (!no)
		no = read_since(c, f);
	if (!no)
		no = read_numbers(c, f);
	if (!no)
		no = read_filter(c, f);
	read_flags(c, f);
	return no;
}

void api_changes(struct conn *c, struct db *db)
{
	struct feed *f = xalloc(sizeof(*f));
	struct head head = {.status = 200, .length = -1};
	const struct refusal *no;

	f->stream = (struct stream){fill_feed, free_feed};
	f->db = db_hold(db);
	f->row.max = SIZE_MAX / 2;
	f->quiet_since = clock_mono_us();
	no = read_request(c, f);
	if (no) {
		free_feed(&f->stream);
		respond_refusal(c, no);
		return;
	}
	if (f->kind == FEED_NORMAL)
		head.etag = arena_printf(&c->arena, "\"%.12s%llX\"", db->uuid, (unsigned long long)db->update_seq);
	respond_head(c, &head);
	respond_stream(c, &f->stream);
}
