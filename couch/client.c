#include "config.h"

#include "base/number.h"
#include "base/pct.h"
#include "couch/couch_internal.h"

#include <stdlib.h>

#define INFO_MAX ((size_t)1024 * 1024)
#define DOCUMENT_MAX ((size_t)64 * 1024 * 1024)
#define URL_MAX ((size_t)64 * 1024)
#define INFO_MEMBERS 64

struct couch_client {
	struct couch_options o;
	struct http *http;
};

int couch_client_open(struct couch_client **out, const struct couch_options *o, struct err *err)
{
	*out = NULL;
	if (o->url->scheme != URL_HTTP && o->url->scheme != URL_HTTPS)
		return err_set(err, ERR_USAGE, "%s is a recorded feed, no server that could be asked", o->url->shown);
	struct couch_client *c = calloc(1, sizeof(*c));
	if (!c)
		return err_set(err, ERR_INTERNAL, "out of memory");
	c->o = *o;
	int rc = http_open(&c->http, o, err);
	if (rc)
		couch_client_close(c);
	else
		*out = c;
	return rc;
}

void couch_client_close(struct couch_client *c)
{
	if (!c)
		return;
	http_close(c->http);
	free(c);
}

int couch_since(struct slice seq, struct buf *out, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct json v;
	int rc = json_read(seq, &a, 0, &v, NULL, err);
	if (rc)
		err_prefix(err, "sequence");
	else if (v.type == JSON_NULL)
		buf_ch(out, '0');
	else
		pct_url(v.type == JSON_STRING ? v.text : seq, out);
	arena_release(&a);
	return rc;
}

/* ---- asking ---- */

static int read_body(struct couch_client *c, struct buf *body, struct err *err)
{
	for (;;) {
		struct slice bytes;
		int rc = http_read(c->http, &bytes, err);
		if (rc)
			return rc;
		if (!bytes.len)
			return 0;
		buf_adds(body, bytes);
		rc = buf_check(body, "the answer", err);
		if (rc)
			return rc;
	}
}

/* GET url; the whole body is added to `body`. */
static int ask(struct couch_client *c, const struct buf *url, struct buf *body, struct err *err)
{
	int rc = buf_check(url, "the address", err);
	if (!rc)
		rc = http_begin(c->http, url->ptr, err);
	if (!rc)
		rc = read_body(c, body, err);
	if (rc && rc != ERR_STOPPED)
		err_prefix(err, "%s", c->o.url->shown);
	return rc;
}

/* The members of an answer that must be one object; their text lies in the arena. */
struct answer {
	struct json_part parts[INFO_MEMBERS];
	int n;
	struct json value;
};

static int ask_object(struct couch_client *c, const struct buf *url, struct arena *a, struct answer *out,
		      struct err *err)
{
	struct buf body = BUF_INIT(INFO_MAX);
	size_t bad;
	int rc = ask(c, url, &body, err);
	if (!rc) {
		struct slice text = arena_slice(a, buf_slice(&body));
		if (json_read(text, a, 0, &out->value, NULL, NULL) != 0 || out->value.type != JSON_OBJECT) {
			rc = err_set(err, ERR_SOURCE, "%s: the answer is no JSON object", c->o.url->shown);
			err_hint(err, "is this the address of a CouchDB database?");
		} else {
			while (text.len && strchr(" \t\r\n", text.ptr[0]))
				text = (struct slice){text.ptr + 1, text.len - 1};
			out->n = json_scan_members(text, out->parts, INFO_MEMBERS, &bad);
		}
	}
	buf_release(&body);
	return rc;
}

/* The exact text of a member, or SLICE_NONE. */
static struct slice raw_member(const struct answer *v, const char *key)
{
	struct slice found = SLICE_NONE;
	for (int i = 0; i < v->n && i < INFO_MEMBERS; i++)
		if (slice_is(v->parts[i].key, key))
			found = v->parts[i].value;
	return found;
}

static int64_t integer_of(const struct json *v, int64_t otherwise)
{
	long long n;
	return json_is(v, JSON_NUMBER) && number_to_i64(v->text, &n) ? (int64_t)n : otherwise;
}

static struct slice text_or_number(const struct json *v)
{
	if (json_is(v, JSON_NUMBER) || json_is(v, JSON_STRING))
		return v->text;
	return SLICE("");
}

/* 7, or "7-opaque". */
static int64_t leading_number(const struct json *v)
{
	struct slice text = json_is(v, JSON_STRING) ? v->text : SLICE_NONE;
	long long n;
	if (!text.ptr)
		return integer_of(v, 0);
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] == '-')
			text.len = i;
	return number_to_i64(text, &n) ? n : 0;
}

/* ---- the questions ---- */

static struct slice vendor_of(const struct json *answer)
{
	struct slice name = json_get_text(json_gets(answer, "vendor"), "name");
	if (json_gets(answer, "express-pouchdb") || slice_starts(name, SLICE("PouchDB")))
		return SLICE("PouchDB");
	if (!json_gets(answer, "couchdb"))
		return SLICE("");
	return !name.len || slice_starts(name, SLICE("The Apache")) ? SLICE("CouchDB") : name;
}

int couch_server_info(struct couch_client *c, struct arena *a, struct couch_server_info *out, struct err *err)
{
	struct buf url = BUF_INIT(URL_MAX);
	struct answer v;
	const char *path = c->o.url->path, *slash = strrchr(path, '/');
	buf_str(&url, c->o.url->base);
	buf_adds(&url, (struct slice){path, slash ? (size_t)(slash - path) : 0});
	buf_ch(&url, '/');
	int rc = ask_object(c, &url, a, &v, err);
	if (!rc) {
		out->vendor = vendor_of(&v.value);
		out->version = text_or_number(json_gets(&v.value, "version"));
		out->uuid = text_or_number(json_gets(&v.value, "uuid"));
	}
	buf_release(&url);
	return rc;
}

int couch_db_info(struct couch_client *c, struct arena *a, struct couch_db_info *out, struct err *err)
{
	struct buf url = BUF_INIT(URL_MAX);
	struct answer v;
	buf_fmt(&url, "%s%s", c->o.url->base, c->o.url->path);
	int rc = ask_object(c, &url, a, &v, err);
	if (!rc && !json_gets(&v.value, "update_seq")) {
		rc = err_set(err, ERR_SOURCE, "%s: the answer is about no database", c->o.url->shown);
		err_hint(err, "the URL must name a database: http://HOST/DB");
	} else if (!rc) {
		struct slice start = text_or_number(json_gets(&v.value, "instance_start_time"));
		/* CouchDB 1 tells when it opened the file, which is new with every start. */
		if (json_gets(&v.value, "committed_update_seq"))
			start = SLICE("0");
		out->name = text_or_number(json_gets(&v.value, "db_name"));
		out->instance_start_time = start.len ? start : SLICE("0");
		out->update_seq = raw_member(&v, "update_seq");
		out->purges = leading_number(json_gets(&v.value, "purge_seq"));
		out->doc_count = integer_of(json_gets(&v.value, "doc_count"), 0);
		out->doc_del_count = integer_of(json_gets(&v.value, "doc_del_count"), 0);
		out->external_bytes = integer_of(json_gets(json_gets(&v.value, "sizes"), "external"), -1);
	} else if (rc == ERR_SOURCE && http_status(c->http) == 404) {
		if (err)
			err->code = ERR_NOTFOUND;
		rc = ERR_NOTFOUND;
	}
	buf_release(&url);
	return rc;
}

int couch_pending(struct couch_client *c, struct slice since, int64_t *out, struct err *err)
{
	struct buf url = BUF_INIT(URL_MAX);
	struct arena a = ARENA_INIT;
	struct answer v;
	*out = -1;
	buf_fmt(&url, "%s%s/_changes?limit=0&since=", c->o.url->base, c->o.url->path);
	int rc = since.ptr ? couch_since(since, &url, err) : 0;
	if (!since.ptr)
		buf_ch(&url, '0');
	if (!rc)
		rc = ask_object(c, &url, &a, &v, err);
	if (!rc)
		*out = integer_of(json_gets(&v.value, "pending"), -1);
	arena_release(&a);
	buf_release(&url);
	return rc;
}

/* `_design/` and `_local/` keep their slash; every other one belongs to the id. */
static void add_document_path(struct slice id, struct buf *url)
{
	static const char *const kept[] = {"_design/", "_local/"};
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		struct slice prefix = slice_of(kept[i]);
		if (slice_starts(id, prefix)) {
			buf_adds(url, prefix);
			id = (struct slice){id.ptr + prefix.len, id.len - prefix.len};
			break;
		}
	}
	pct_url(id, url);
}

static struct slice trimmed(struct slice s)
{
	while (s.len && strchr(" \t\r\n", s.ptr[s.len - 1]))
		s.len--;
	return s;
}

static void add_rev(struct slice rev, struct buf *url)
{
	buf_str(url, "?rev=");
	pct_url(rev, url);
}

static void add_document_url(struct couch_client *c, struct slice id, struct buf *url)
{
	buf_fmt(url, "%s%s/", c->o.url->base, c->o.url->path);
	add_document_path(id, url);
}

static int get_document(struct couch_client *c, struct slice id, const struct buf *url, size_t max, struct arena *a,
			struct slice *out, struct err *err)
{
	struct buf body = BUF_INIT(max);
	*out = SLICE_NONE;
	int rc = ask(c, url, &body, err);
	if (!rc && (!body.len || body.ptr[0] != '{'))
		rc = err_set(err, ERR_SOURCE, "%s: the answer is no JSON object", c->o.url->shown);
	if (!rc)
		*out = arena_slice(a, trimmed(buf_slice(&body)));
	else if (rc == ERR_SOURCE && http_status(c->http) == 404 && !couch_said_no_database(http_refusal(c->http)))
		rc = err_set(err, ERR_NOTFOUND, "%s: the document is not there (deleted, or never was)",
			     c->o.url->shown);
	if (rc && rc != ERR_STOPPED)
		err_prefix(err, "document %.*s", (int)(id.len > 200 ? 200 : id.len), id.ptr);
	buf_release(&body);
	return rc;
}

int couch_doc_get(struct couch_client *c, struct slice id, struct arena *a, struct slice *out, struct err *err)
{
	struct buf url = BUF_INIT(URL_MAX);
	*out = SLICE_NONE;
	if (!id.len)
		return err_set(err, ERR_NOTFOUND, "%s: a document without an id", c->o.url->shown);
	add_document_url(c, id, &url);
	buf_str(&url, "?conflicts=true");
	int rc = get_document(c, id, &url, DOCUMENT_MAX, a, out, err);
	buf_release(&url);
	return rc;
}

int couch_rev_get(struct couch_client *c, struct slice id, struct slice rev, size_t max, struct arena *a,
		  struct slice *out, struct err *err)
{
	struct buf url = BUF_INIT(URL_MAX);
	add_document_url(c, id, &url);
	add_rev(rev, &url);
	int rc = get_document(c, id, &url, max, a, out, err);
	buf_release(&url);
	return rc;
}

/* ---- are they still there? ---- */

static void add_ids(const struct slice *ids, size_t n, struct buf *url)
{
	struct arena a = ARENA_INIT;
	struct json list = json_array();
	for (size_t i = 0; i < n; i++)
		json_push(&a, &list, json_string(ids[i]));
	pct_url(json_to_text(&list, JSON_PLAIN, &a), url);
	arena_release(&a);
}

static struct slice revision_in(const struct json *rows, struct slice id)
{
	for (uint32_t i = 0; json_is(rows, JSON_ARRAY) && i < rows->count; i++) {
		const struct json *changes = json_gets(&rows->items[i], "changes");
		if (slice_eq(json_get_text(&rows->items[i], "id"), id) && json_is(changes, JSON_ARRAY) &&
		    changes->count)
			return json_get_text(&changes->items[0], "rev");
	}
	return SLICE_NONE;
}

int couch_current_revs(struct couch_client *c, const struct slice *ids, size_t n, struct arena *a, struct slice *revs,
		       struct err *err)
{
	struct buf url = BUF_INIT(URL_MAX);
	struct answer v;
	buf_fmt(&url, "%s%s/_changes?filter=_doc_ids&doc_ids=", c->o.url->base, c->o.url->path);
	add_ids(ids, n, &url);
	int rc = ask_object(c, &url, a, &v, err);
	for (size_t i = 0; i < n && !rc; i++)
		revs[i] = revision_in(json_gets(&v.value, "results"), ids[i]);
	buf_release(&url);
	return rc;
}

/* ---- writing: only settle's own documents ---- */

/* {"id":...,"_rev":...} -> the revision that the server holds; SLICE_NONE when the document is not there. */
static int held_revision(struct couch_client *c, struct slice id, struct arena *a, struct slice *rev, struct err *err)
{
	struct slice text;
	struct json v;
	int rc = couch_doc_get(c, id, a, &text, err);
	*rev = SLICE_NONE;
	if (rc == ERR_NOTFOUND)
		return 0;
	if (!rc)
		rc = json_read(text, a, 0, &v, NULL, err);
	if (!rc)
		*rev = json_get_text(&v, "_rev");
	return rc;
}

static int send(struct couch_client *c, const char *method, struct slice id, struct slice rev, struct slice body,
		struct err *err)
{
	struct buf url = BUF_INIT(URL_MAX), answer = BUF_INIT(INFO_MAX);
	add_document_url(c, id, &url);
	if (rev.ptr)
		add_rev(rev, &url);
	int rc = buf_check(&url, "the address", err);
	if (!rc)
		rc = http_send(c->http, method, url.ptr, body, err);
	if (!rc)
		rc = read_body(c, &answer, err);
	if (rc && rc != ERR_STOPPED)
		err_prefix(err, "%s: writing %.*s", c->o.url->shown, SLICE_ARG(id));
	if (rc == ERR_SOURCE && http_status(c->http) == 403)
		err_hint(err, "the user lacks the right to write it; a design document needs an admin of the database");
	buf_release(&url);
	buf_release(&answer);
	return rc;
}

int couch_doc_put(struct couch_client *c, struct slice id, const struct json *doc, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct slice rev;
	int rc = held_revision(c, id, &a, &rev, err);
	if (!rc)
		rc = send(c, "PUT", id, rev, json_to_text(doc, JSON_PLAIN, &a), err);
	arena_release(&a);
	return rc;
}

int couch_doc_delete(struct couch_client *c, struct slice id, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct slice rev;
	int rc = held_revision(c, id, &a, &rev, err);
	if (!rc && rev.ptr)
		rc = send(c, "DELETE", id, rev, SLICE_NONE, err);
	arena_release(&a);
	return rc;
}
