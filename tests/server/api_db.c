/* api_db.c: databases as a whole, and the stand-in's own door. */
#include "config.h"

#include "tests/server/server.h"

#include <sodium.h>
#include <stdlib.h>
#include <time.h>

static const struct refusal exists = {412, "file_exists",
				      "The database could not be created, the file already exists."};
static const struct refusal no_db = {404, "not_found", "Database does not exist."};
static const struct refusal bad_name = {
    400, "illegal_database_name",
    "Only lowercase characters (a-z), digits (0-9), and any of the characters _, $, (, ), +, -, "
    "and / are allowed. Must begin with a letter."};
static const struct refusal bad_method = {405, "method_not_allowed", "Only DELETE,GET,HEAD,POST,PUT allowed"};

struct editor site_editor(struct conn *c)
{
	return (struct editor){&c->site->store, c->site->journal, &c->arena};
}

void api_db_info(struct conn *c, const struct db *db)
{
	struct buf body = BUF_INIT(8192);

	buf_fmt(&body, "{\"instance_start_time\":\"%lld\",\"db_name\":\"%s\",\"purge_seq\":\"", db->start_time,
		db->name);
	seq_write(db, db->purges, &body);
	buf_str(&body, "\",\"update_seq\":\"");
	seq_write(db, db->update_seq, &body);
	buf_fmt(&body,
		"\",\"sizes\":{\"file\":%llu,\"external\":%llu,\"active\":%llu},\"props\":{},\"doc_del_count\":%llu,"
		"\"doc_count\":%llu,"
		"\"disk_format_version\":8,\"compact_running\":false,\"cluster\":{\"q\":2,\"n\":1,\"w\":1,\"r\":1}}",
		(unsigned long long)db->text_bytes, (unsigned long long)db->text_bytes,
		(unsigned long long)db->text_bytes, (unsigned long long)db->del_count,
		(unsigned long long)db->doc_count);
	respond_json(c, 200, buf_slice(&body));
	buf_release(&body);
}

static int name_is_legal(struct slice name)
{
	if (name.len == 0 || name.ptr[0] < 'a' || name.ptr[0] > 'z')
		return 0;
	for (size_t i = 0; i < name.len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_$()+-/", name.ptr[i]) || !name.ptr[i])
			return 0;
	return 1;
}

static void location(const struct conn *c, struct buf *out)
{
	buf_fmt(out, "http://%.*s%.*s", SLICE_ARG(c->req.host.ptr ? c->req.host : SLICE("127.0.0.1")),
		SLICE_ARG(c->req.path));
}

static void create(struct conn *c, struct slice name)
{
	unsigned char bytes[16];
	char uuid[33];
	long long now = (long long)time(NULL);
	struct buf where = BUF_INIT(SIZE_MAX / 2);

	if (!name_is_legal(name)) {
		respond_refusal(c, &bad_name);
		return;
	}
	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2hex(uuid, sizeof(uuid), bytes, sizeof(bytes));
	store_create(&c->site->store, name, uuid, now);
	journal_add(c->site->journal, &(struct journal_record){JOURNAL_CREATE, (uint64_t)now, name, slice_of(uuid)});
	location(c, &where);
	respond_json_head(c, &(struct head){.status = 201, .location = buf_slice(&where)}, SLICE("{\"ok\":true}"));
	buf_release(&where);
}

static void drop(struct conn *c, struct db *db)
{
	journal_add(c->site->journal, &(struct journal_record){.type = JOURNAL_DROP, .db = slice_of(db->name)});
	store_drop(&c->site->store, db);
	respond_ok(c, 200);
}

/* POST /db: a document, with an id made here when it has none. */
static void post_doc(struct conn *c, struct db *db)
{
	struct json body;
	struct slice id;

	if (request_json(c, &body))
		return;
	id = json_get_text(&body, "_id");
	if (!id.ptr)
		id = arena_printf(&c->arena, "%08x%08x%08x%08x", randombytes_random(), randombytes_random(),
				  randombytes_random(), randombytes_random());
	c->req.method = SLICE("PUT");
	api_doc(c, db, id);
}

void api_db(struct conn *c, struct slice name)
{
	struct db *db = store_db(&c->site->store, name);

	if (slice_is(c->req.method, "PUT") && db)
		respond_refusal(c, &exists);
	else if (slice_is(c->req.method, "PUT"))
		create(c, name);
	else if (!db)
		respond_refusal(c, &no_db);
	else if (slice_is(c->req.method, "DELETE"))
		drop(c, db);
	else if (slice_is(c->req.method, "POST"))
		post_doc(c, db);
	else if (slice_is(c->req.method, "GET") || slice_is(c->req.method, "HEAD"))
		api_db_info(c, db);
	else
		respond_refusal(c, &bad_method);
}

void api_security(struct conn *c, struct db *db)
{
	struct json body;
	struct slice text;

	if (!slice_is(c->req.method, "PUT")) {
		respond_json(c, 200, slice_of(db->security));
		return;
	}
	if (request_json(c, &body))
		return;
	text = json_to_text(&body, JSON_PLAIN, &c->arena);
	free(db->security);
	db->security = (char *)xslice(text).ptr;
	journal_add(c->site->journal,
		    &(struct journal_record){.type = JOURNAL_SECURITY, .db = slice_of(db->name), .text = text});
	respond_ok(c, 200);
}

/* GET: counters; POST: more rules; DELETE: no rules, counters at 0. */
void api_standin(struct conn *c)
{
	struct buf body = BUF_INIT(SIZE_MAX / 2);
	struct json rules;
	struct err err = ERR_INIT;

	if (slice_is(c->req.method, "POST")) {
		if (request_json(c, &rules))
			return;
		if (faults_add(&c->site->faults, &rules, &err)) {
			buf_str(&body, "{\"error\":\"bad_request\",\"reason\":");
			json_write_string(slice_of(err.msg), &body);
			buf_ch(&body, '}');
			respond_json(c, 400, buf_slice(&body));
			buf_release(&body);
			return;
		}
	}
	if (slice_is(c->req.method, "DELETE"))
		faults_clear(&c->site->faults);
	faults_write(&c->site->faults, &body);
	respond_json(c, 200, buf_slice(&body));
	buf_release(&body);
}
