/*
 * replay_forms: documents -> transactions -> a case as JSON, for tests. Threads: tests have one.
 */
#ifndef TESTS_UNIT_REPLAY_FORMS_H
#define TESTS_UNIT_REPLAY_FORMS_H

#include "replay/replay.h"

#include <stdlib.h>

/* The blocks of a list of form documents, in the order given. */
static inline int blocks_of_forms(const struct json *forms, struct arena *a, struct replay_txn_list *out,
				  struct err *err)
{
	for (uint32_t i = 0; forms && i < forms->count; i++) {
		const struct json *doc = &forms->items[i];
		struct replay_form form = {
		    .form_id = json_get_text(doc, "_id"),
		    .received_on = json_get_text(doc, "received_on"),
		    .body = json_gets(doc, "form"),
		    .attachments = json_gets(doc, "external_blobs"),
		    .sync_token = json_get_text(doc, "last_sync_token"),
		};
		int rc = replay_form_blocks(&form, a, out, err);
		if (rc)
			return rc;
	}
	return 0;
}

static inline void dump_text(struct arena *a, struct json *out, const char *key, struct slice text)
{
	if (text.ptr)
		json_sets(a, out, key, json_string(text));
}

static inline void dump_value(struct arena *a, struct json *out, const char *key, struct json value)
{
	if (value.count)
		json_sets(a, out, key, value);
}

/* The case as JSON: what was never set, and empty lists, are left out. */
static inline struct json dump_case(const struct replay_case *c, struct arena *a)
{
	struct json out = json_object(), ids = json_array();
	dump_text(a, &out, "case_id", c->case_id);
	dump_text(a, &out, "type", c->type);
	dump_text(a, &out, "name", c->name);
	dump_text(a, &out, "owner_id", c->owner_id);
	dump_text(a, &out, "external_id", c->external_id);
	dump_text(a, &out, "location_id", c->location_id);
	dump_text(a, &out, "user_id", c->user_id);
	dump_text(a, &out, "opened_by", c->opened_by);
	dump_text(a, &out, "closed_by", c->closed_by);
	dump_text(a, &out, "opened_on", c->opened_on);
	dump_text(a, &out, "modified_on", c->modified_on);
	dump_text(a, &out, "closed_on", c->closed_on);
	dump_text(a, &out, "server_modified_on", c->server_modified_on);
	if (c->closed)
		json_sets(a, &out, "closed", json_true);
	dump_value(a, &out, "properties", c->properties);
	dump_value(a, &out, "indices", c->indices);
	dump_value(a, &out, "attachments", c->attachments);
	for (size_t i = 0; i < c->n_forms; i++)
		json_push(a, &ids, json_string(c->form_ids[i]));
	dump_value(a, &out, "xform_ids", ids);
	return out;
}

/* Orders a copy of the transactions and folds those of one case. */
static inline struct json fold_and_dump(const struct replay_dialect *d, const struct replay_txn_list *txns,
					struct slice case_id, struct arena *a)
{
	struct replay_txn *own = ARENA_ARRAY(a, txns->n, struct replay_txn);
	struct replay_case c;
	size_t n = 0;
	for (size_t i = 0; i < txns->n; i++)
		if (slice_eq(txns->v[i].case_id, case_id))
			own[n++] = txns->v[i];
	if (n > 1)
		qsort(own, n, sizeof(*own), replay_txn_order);
	replay_fold(d, own, n, a, &c);
	return dump_case(&c, a);
}

#endif
