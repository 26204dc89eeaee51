/* What one case block does, as self-contained JSON: DOCUMENTS.md section 4. */
#include "replay/internal.h"

struct known_name {
	const char *v1, *v2; /* element name in a block of that version */
	const char *field;   /* name in "known" */
};

static const struct known_name known_names[] = {
    {"case_name", "case_name", "name"},   {"case_type_id", "case_type", "type"},
    {"owner_id", "owner_id", "owner_id"}, {"external_id", "external_id", "external_id"},
    {"user_id", "user_id", "user_id"},    {"date_opened", "date_opened", "opened_on"},
};

static const char *known_field(int version, struct slice name)
{
	for (size_t i = 0; i < sizeof(known_names) / sizeof(known_names[0]); i++)
		if (slice_is(name, version == 1 ? known_names[i].v1 : known_names[i].v2))
			return known_names[i].field;
	return NULL;
}

static struct json new_action(struct arena *a, const char *name)
{
	struct json action = json_object();
	json_sets(a, &action, "action", json_str(name));
	return action;
}

/* "known" of create and update, "properties" of update only: what else stands in create has no effect. */
static int add_changes(const struct replay_block *b, const char *name, const struct json *element, struct json *actions)
{
	struct json action = new_action(b->a, name), known = json_object(), properties = json_object();
	for (uint32_t i = 0; i < element->count; i++) {
		const struct json_member *m = &element->members[i];
		const char *field = known_field(b->version, m->key);
		const struct json *value = replay_single(&m->value);
		if (field) {
			struct slice text = replay_text(value, b->a);
			json_sets(b->a, &known, field, json_string(text.ptr ? text : SLICE("")));
		} else {
			json_set(b->a, &properties, m->key, value ? *value : json_str(""));
		}
	}
	json_sets(b->a, &action, "known", known);
	if (strcmp(name, "update") == 0)
		json_sets(b->a, &action, "properties", properties);
	json_push(b->a, actions, action);
	return 0;
}

static int add_create(const struct replay_block *b, const struct json *element, struct json *actions, struct err *err)
{
	(void)err;
	return add_changes(b, "create", element, actions);
}

static int add_update(const struct replay_block *b, const struct json *element, struct json *actions, struct err *err)
{
	(void)err;
	return add_changes(b, "update", element, actions);
}

/* Attributes and text of the index or attachment element itself name no child. */
static int is_child(struct slice name)
{
	return name.len > 0 && name.ptr[0] != '@' && name.ptr[0] != '#';
}

static const struct json *last_item(const struct json *v)
{
	while (json_is(v, JSON_ARRAY) && v->count)
		v = &v->items[v->count - 1];
	return v;
}

static int add_index_child(const struct replay_block *b, const struct json_member *m, struct json *indices,
			   struct err *err)
{
	const struct json *child = last_item(&m->value);
	struct slice type = replay_text(json_gets(child, "@case_type"), b->a);
	struct slice relationship = replay_text(json_gets(child, "@relationship"), b->a);
	struct slice text = replay_text(json_gets(child, "#text"), b->a);
	if (!type.ptr)
		return replay_block_err(b, err, "index %.*s has no @case_type",
					m->key.len < 100 ? (int)m->key.len : 100, m->key.ptr);
	struct json index = json_object();
	json_sets(b->a, &index, "identifier", json_string(m->key));
	json_sets(b->a, &index, "referenced_type", json_string(type));
	json_sets(b->a, &index, "referenced_id", json_string(text.ptr ? text : SLICE("")));
	json_sets(b->a, &index, "relationship", json_string(relationship.len ? relationship : SLICE("child")));
	json_push(b->a, indices, index);
	return 0;
}

static int add_index(const struct replay_block *b, const struct json *element, struct json *actions, struct err *err)
{
	struct json action = new_action(b->a, "index"), indices = json_array();
	for (uint32_t i = 0; i < element->count; i++) {
		int rc =
		    is_child(element->members[i].key) ? add_index_child(b, &element->members[i], &indices, err) : 0;
		if (rc)
			return rc;
	}
	json_sets(b->a, &action, "indices", indices);
	json_push(b->a, actions, action);
	return 0;
}

static void copy_member(struct arena *a, struct json *to, const char *to_key, const struct json *from,
			const char *from_key)
{
	const struct json *v = json_gets(from, from_key);
	if (v && !json_is(v, JSON_NULL))
		json_sets(a, to, to_key, *v);
}

/* Size, type and place of the form's attachment that the case attachment names by src. */
static void add_blob(const struct replay_block *b, struct slice src, struct json *attachment)
{
	const struct json *blob = json_get(b->form->attachments, src);
	copy_member(b->a, attachment, "content_type", blob, "content_type");
	copy_member(b->a, attachment, "content_length", blob, "length");
	copy_member(b->a, attachment, "content_length", blob, "content_length");
	copy_member(b->a, attachment, "key", blob, "id");
	copy_member(b->a, attachment, "key", blob, "key");
}

static struct json attachment_child(const struct replay_block *b, const struct json *child)
{
	static const char *const fields[] = {"src", "from", "name"};
	static const char *const attributes[] = {"@src", "@from", "@name"};
	struct json attachment = json_object();
	for (int i = 0; i < 3; i++) {
		struct slice text = replay_text(json_gets(child, attributes[i]), b->a);
		if (text.len)
			json_sets(b->a, &attachment, fields[i], json_string(text));
	}
	if (attachment.count == 0)
		return json_null;
	add_blob(b, json_get_text(&attachment, "src"), &attachment);
	return attachment;
}

static int add_attachment(const struct replay_block *b, const struct json *element, struct json *actions,
			  struct err *err)
{
	(void)err;
	struct json action = new_action(b->a, "attachment"), attachments = json_object();
	for (uint32_t i = 0; i < element->count; i++) {
		const struct json_member *m = &element->members[i];
		if (is_child(m->key))
			json_set(b->a, &attachments, m->key, attachment_child(b, last_item(&m->value)));
	}
	json_sets(b->a, &action, "attachments", attachments);
	json_push(b->a, actions, action);
	return 0;
}

typedef int add_action_fn(const struct replay_block *b, const struct json *element, struct json *actions,
			  struct err *err);

/* Calls add for the element, or for each of a list in order, where it has children: an empty element is no action. */
static int each_element(const struct replay_block *b, const char *name, add_action_fn *add, struct json *actions,
			struct err *err)
{
	const struct json *v = json_gets(b->value, name);
	const struct json *items = json_is(v, JSON_ARRAY) ? v->items : v;
	uint32_t n = json_is(v, JSON_ARRAY) ? v->count : v ? 1 : 0;
	for (uint32_t i = 0; i < n; i++) {
		int rc = json_is(&items[i], JSON_OBJECT) && items[i].count ? add(b, &items[i], actions, err) : 0;
		if (rc)
			return rc;
	}
	return 0;
}

int replay_block_actions(const struct replay_block *b, struct json *actions, struct err *err)
{
	int rc;
	if ((rc = each_element(b, "create", add_create, actions, err)) != 0 ||
	    (rc = each_element(b, "update", add_update, actions, err)) != 0)
		return rc;
	if (json_gets(b->value, "close"))
		json_push(b->a, actions, new_action(b->a, "close"));
	if (b->version == 1)
		return 0;
	if ((rc = each_element(b, "index", add_index, actions, err)) != 0)
		return rc;
	return each_element(b, "attachment", add_attachment, actions, err);
}
