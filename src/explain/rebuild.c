/* The Couch case that its forms would make today: the fold in Couch's dialect, in the shape of a document (DOCUMENTS.md
 * section 2). */
#include "explain/internal.h"

static struct json text_or(struct slice text, struct json otherwise)
{
	return text.ptr ? json_string(text) : otherwise;
}

static void set_fields(const struct explain_case *c, const struct replay_case *folded, struct arena *a,
		       struct json *out)
{
	struct json empty = json_str("");

	json_sets(a, out, "_id", json_string(c->case_id));
	json_sets(a, out, "doc_type", json_string(c->kind));
	json_sets(a, out, "domain", json_string(c->domain));
	json_sets(a, out, "type", text_or(folded->type, json_null));
	json_sets(a, out, "name", text_or(folded->name, json_null));
	json_sets(a, out, "external_id", text_or(folded->external_id, json_null));
	json_sets(a, out, "owner_id", text_or(folded->owner_id, empty));
	json_sets(a, out, "user_id", text_or(folded->user_id, empty));
	json_sets(a, out, "modified_on", text_or(folded->modified_on, json_null));
	json_sets(a, out, "server_modified_on", text_or(folded->server_modified_on, json_null));
	json_sets(a, out, "closed", json_bool(folded->closed));
	json_sets(a, out, "closed_on", text_or(folded->closed_on, json_null));
	json_sets(a, out, "closed_by", text_or(folded->closed_by, empty));
	json_sets_text(a, out, "location_id", folded->location_id);
}

/* What the Couch form processor leaves alone when it rebuilds a case. */
static void keep_stored(const struct explain_case *c, struct arena *a, struct json *out)
{
	static const char *const kept[] = {"opened_by", "opened_on", "-deletion_id", "-deletion_date"};

	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		const struct json *v = json_gets(c->couch, kept[i]);

		if (v)
			json_sets(a, out, kept[i], *v);
	}
}

static void set_properties(const struct replay_case *folded, struct arena *a, struct json *out)
{
	for (uint32_t i = 0; i < folded->properties.count; i++)
		json_set(a, out, folded->properties.members[i].key, folded->properties.members[i].value);
}

static void set_xform_ids(const struct replay_case *folded, struct arena *a, struct json *out)
{
	struct json ids = json_array();

	for (size_t i = 0; i < folded->n_forms; i++)
		json_push(a, &ids, json_string(folded->form_ids[i]));
	json_sets(a, out, "xform_ids", ids);
}

/* Rules ask what kinds of actions there are; nothing else of them is compared. */
static void set_actions(const struct explain_case *c, struct arena *a, struct json *out)
{
	struct json actions = json_array();

	for (size_t i = 0; i < c->n_txns; i++)
		for (uint32_t k = 1; k < c->txns[i].actions.count; k++) {
			struct json action = json_object();
			struct slice type = json_get_text(&c->txns[i].actions.items[k], "action");

			json_sets(a, &action, "action_type", json_string(type));
			json_sets(a, &action, "xform_id", json_string(c->txns[i].form_id));
			json_push(a, &actions, action);
		}
	json_sets(a, out, "actions", actions);
}

static void set_indices(const struct replay_case *folded, struct arena *a, struct json *out)
{
	struct json indices = json_array();

	for (uint32_t i = 0; i < folded->indices.count; i++) {
		struct json index = json_clone(a, &folded->indices.items[i]);

		json_sets(a, &index, "doc_type", json_str("CommCareCaseIndex"));
		json_push(a, &indices, index);
	}
	json_sets(a, out, "indices", indices);
}

static struct json value_or_null(const struct json *object, const char *key)
{
	const struct json *v = json_gets(object, key);

	return v ? *v : json_null;
}

static struct json attachment(struct slice name, const struct json *said, struct arena *a)
{
	struct json out = json_object();

	json_sets(a, &out, "doc_type", json_str("CommCareCaseAttachment"));
	json_sets(a, &out, "identifier", json_string(name));
	json_sets(a, &out, "attachment_src", value_or_null(said, "src"));
	json_sets(a, &out, "attachment_from", value_or_null(said, "from"));
	json_sets(a, &out, "attachment_name", value_or_null(said, "name"));
	json_sets(a, &out, "attachment_size", value_or_null(said, "content_length"));
	json_sets(a, &out, "server_mime", value_or_null(said, "content_type"));
	return out;
}

static void set_attachments(const struct replay_case *folded, struct arena *a, struct json *out)
{
	struct json attachments = json_object();

	for (uint32_t i = 0; i < folded->attachments.count; i++) {
		const struct json_member *m = &folded->attachments.members[i];

		json_set(a, &attachments, m->key, attachment(m->key, &m->value, a));
	}
	json_sets(a, out, "case_attachments", attachments);
}

struct json explain_rebuild_couch(const struct explain_case *c, struct arena *a)
{
	struct json out = json_object();
	struct replay_case folded;

	replay_fold(&replay_dialect_couch, c->txns, c->n_txns, a, &folded);
	set_properties(&folded, a, &out);
	set_fields(c, &folded, a, &out);
	keep_stored(c, a, &out);
	set_xform_ids(&folded, a, &out);
	set_actions(c, a, &out);
	set_indices(&folded, a, &out);
	set_attachments(&folded, a, &out);
	return out;
}
