/* route.c: which answer a path asks for. */
#include "config.h"

#include "tests/server/server.h"

#include "base/pct.h"

#define PATH_MAX_LEN ((size_t)1 << 16)

static const struct refusal no_access = {401, "unauthorized", "You are not authorized to access this db."};
static const struct refusal no_db = {404, "not_found", "Database does not exist."};

/* Takes the first part of the path off, decoded, in the arena. */
static struct slice next_part(struct conn *c, struct slice *rest)
{
	const char *slash = rest->len ? memchr(rest->ptr, '/', rest->len) : NULL;
	struct slice part = {rest->ptr, slash ? (size_t)(slash - rest->ptr) : rest->len};
	struct buf text = BUF_INIT(PATH_MAX_LEN);

	*rest = slash ? (struct slice){slash + 1, rest->len - part.len - 1} : (struct slice){rest->ptr + rest->len, 0};
	if (pct_decode(part, &text))
		buf_clear(&text);
	part = arena_slice(&c->arena, buf_slice(&text));
	buf_release(&text);
	return part;
}

static struct slice decoded(struct conn *c, struct slice rest)
{
	struct buf text = BUF_INIT(PATH_MAX_LEN);
	struct slice whole;

	if (pct_decode(rest, &text))
		buf_clear(&text);
	whole = arena_slice(&c->arena, buf_slice(&text));
	buf_release(&text);
	return whole;
}

static void welcome(struct conn *c)
{
	struct buf body = BUF_INIT(1024);

	buf_fmt(&body,
		"{\"couchdb\":\"Welcome\",\"version\":\"3.4.3\",\"git_sha\":\"e12b967\",\"uuid\":\"%s\",\"features\":["
		"\"quickjs\","
		"\"access-ready\",\"partitioned\",\"pluggable-storage-engines\",\"reshard\",\"scheduler\"],"
		"\"vendor\":{\"name\":\"The Apache Software Foundation\"}}",
		c->site->uuid);
	respond_json(c, 200, buf_slice(&body));
	buf_release(&body);
}

static void list_dbs(struct conn *c)
{
	struct buf body = BUF_INIT(SIZE_MAX / 2);

	buf_ch(&body, '[');
	for (const struct db *db = c->site->store.dbs; db; db = db->next) {
		if (body.len > 1)
			buf_ch(&body, ',');
		json_write_string(slice_of(db->name), &body);
	}
	buf_ch(&body, ']');
	respond_json(c, 200, buf_slice(&body));
	buf_release(&body);
}

static void full_commit(struct conn *c, const struct db *db)
{
	struct buf body = BUF_INIT(256);

	buf_fmt(&body, "{\"ok\":true,\"instance_start_time\":\"%lld\"}", db->start_time);
	respond_json(c, 201, buf_slice(&body));
	buf_release(&body);
}

/* Paths of one part below the database that are no document; 1 when it was one of them. */
static int route_special(struct conn *c, struct db *db, struct slice part)
{
	static const struct {
		const char *name;
		void (*api)(struct conn *c, struct db *db);
	} known[] = {
	    {"_changes", api_changes},   {"_all_docs", api_all_docs},   {"_bulk_docs", api_bulk_docs},
	    {"_bulk_get", api_bulk_get}, {"_revs_diff", api_revs_diff}, {"_security", api_security},
	    {"_purge", api_purge},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (slice_is(part, known[i].name)) {
			known[i].api(c, db);
			return 1;
		}
	if (!slice_is(part, "_ensure_full_commit"))
		return 0;
	full_commit(c, db);
	return 1;
}

static void route_in_db(struct conn *c, struct db *db, struct slice rest)
{
	struct slice part = next_part(c, &rest), id = part;

	if (rest.len == 0 && route_special(c, db, part))
		return;
	if (slice_is(part, "_local")) {
		api_local(c, db, decoded(c, rest));
		return;
	}
	if (slice_is(part, "_design"))
		id = arena_printf(&c->arena, "_design/%s", next_part(c, &rest).ptr);
	if (slice_starts(part, SLICE("_local/")))
		api_local(c, db, (struct slice){part.ptr + 7, part.len - 7});
	else if (part.ptr[0] == '_' && !slice_starts(id, SLICE("_design/")))
		respond_refusal(c, &refusal_missing);
	else if (rest.len)
		api_attachment(c, db, id, decoded(c, rest));
	else
		api_doc(c, db, id);
}

static int route_server(struct conn *c, struct slice part)
{
	if (part.len == 0)
		welcome(c);
	else if (slice_is(part, "_up"))
		respond_json(c, 200, SLICE("{\"status\":\"ok\",\"seeds\":{}}"));
	else if (slice_is(part, "_all_dbs"))
		list_dbs(c);
	else
		return 0;
	return 1;
}

void route(struct conn *c)
{
	struct slice rest = {c->req.path.ptr + 1, c->req.path.len - 1}, name = next_part(c, &rest);
	struct db *db;
	int known;

	if (slice_is(name, "_standin")) {
		api_standin(c);
		return;
	}
	if (slice_is(name, "_session")) {
		api_session(c);
		return;
	}
	known = auth_check(c);
	if (known < 0 || route_server(c, name))
		return;
	db = store_db(&c->site->store, name);
	if (!known)
		respond_refusal(c, &no_access);
	else if (rest.len == 0)
		api_db(c, name);
	else if (!db)
		respond_refusal(c, &no_db);
	else
		route_in_db(c, db, rest);
}
