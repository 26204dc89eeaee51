/* api_purge.c: revisions that go as if they had never been. */
#include "config.h"

#include "tests/server/server.h"

static const struct refusal only_post = {405, "method_not_allowed", "Only POST allowed"};
static const struct refusal bad_body = {400, "bad_request",
					"Request body must be a JSON object of ids and lists of revisions"};

int purge_revision(struct store *s, struct db *db, struct slice id, struct slice rev)
{
	struct doc *doc = db_doc(db, id);
	struct leaf *leaf = NULL;
	struct slice rev_id;
	uint64_t gen;

	if (doc && rev_parse(rev, &gen, &rev_id) == 0)
		leaf = doc_leaf(doc, gen, rev_id);
	if (leaf)
		db_purge_leaf(s, db, doc, leaf);
	return leaf != NULL;
}

static void purge_one(struct conn *c, struct db *db, struct slice id, const struct json *revs, struct buf *out)
{
	const char *lead = "";

	json_write_string(id, out);
	buf_str(out, ":[");
	for (uint32_t i = 0; i < revs->count; i++) {
		struct slice rev = json_text(&revs->items[i]), text;

		if (!purge_revision(&c->site->store, db, id, rev))
			continue;
		text = arena_printf(&c->arena, "%.*s%c%.*s", SLICE_ARG(id), 0, SLICE_ARG(rev));
		journal_add(c->site->journal,
			    &(struct journal_record){.type = JOURNAL_PURGE, .db = slice_of(db->name), .text = text});
		buf_str(out, lead);
		json_write_string(rev, out);
		lead = ",";
	}
	buf_ch(out, ']');
}

void api_purge(struct conn *c, struct db *db)
{
	struct buf body = BUF_INIT(SIZE_MAX / 2);
	struct json asked;

	if (!slice_is(c->req.method, "POST")) {
		respond_refusal(c, &only_post);
		return;
	}
	if (request_json(c, &asked))
		return;
	for (uint32_t i = 0; json_is(&asked, JSON_OBJECT) && i < asked.count; i++)
		if (!json_is(&asked.members[i].value, JSON_ARRAY))
			asked.type = JSON_NULL;
	if (!json_is(&asked, JSON_OBJECT)) {
		respond_refusal(c, &bad_body);
		return;
	}
	buf_str(&body, "{\"purge_seq\":null,\"purged\":{");
	for (uint32_t i = 0; i < asked.count; i++) {
		if (i)
			buf_ch(&body, ',');
		purge_one(c, db, asked.members[i].key, &asked.members[i].value, &body);
	}
	buf_str(&body, "}}");
	respond_json(c, 201, buf_slice(&body));
	buf_release(&body);
}
