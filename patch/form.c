/* Plan -> the body of a patch form: one case block (version 2) and one diff block (BEHAVIOUR section 9.4). */
#include "config.h"

#include "base/hex.h"
#include "patch/patch_internal.h"
#include "replay/replay.h"

#define CASE_V2_XMLNS "http://commcarehq.org/case/transaction/v2"
#define META_XMLNS "http://openrosa.org/jr/xforms"

/* ---- the case block ---- */

/* A text of the Couch case, or of its old name; SLICE_NONE when neither is a text with something in it. */
static struct slice couch_text(const struct json *couch, const char *key, const char *old_name)
{
	struct slice text = json_get_text(couch, key);
	if (text.len == 0 && old_name)
		text = json_get_text(couch, old_name);
	return text.len ? text : SLICE_NONE;
}

static void set_names(const struct json *couch, struct arena *a, struct json *to)
{
	json_sets_text(a, to, "case_type", couch_text(couch, "type", NULL));
	json_sets_text(a, to, "case_name", couch_text(couch, "name", NULL));
	json_sets_text(a, to, "owner_id", couch_text(couch, "owner_id", NULL));
}

static int plan_has_diff(const struct patch_plan *plan, const char *key)
{
	const struct json *entries = json_gets(&plan->block, "diffs");
	for (uint32_t i = 0; i < entries->count; i++) {
		const struct json *path = json_gets(&entries->items[i], "path");
		if (path->count == 1 && slice_is(json_text(&path->items[0]), key))
			return 1;
	}
	return 0;
}

/* An empty case_name would be passed over; an update of `name` is not. */
static void set_empty_name(const struct patch_plan *plan, struct arena *a, struct json *update)
{
	const struct json *name = json_gets(plan->couch, "name");
	int is_empty = json_is(name, JSON_NULL) || (json_is(name, JSON_STRING) && name->text.len == 0);
	if (is_empty && plan_has_diff(plan, "name"))
		json_sets(a, update, "name", json_str(""));
}

static struct json update_of(const struct patch_plan *plan, struct arena *a)
{
	const struct json *couch = plan->couch;
	struct json update = json_object();
	int64_t at;
	set_names(couch, a, &update);
	set_empty_name(plan, a, &update);
	json_sets_text(a, &update, "external_id", couch_text(couch, "external_id", "hq_user_id"));
	json_sets_text(a, &update, "location_id", couch_text(couch, "location_id", NULL));
	if (replay_instant(json_get_text(couch, "opened_on"), &at))
		json_sets_text(a, &update, "date_opened", couch_text(couch, "opened_on", NULL));
	for (uint32_t i = 0; i < plan->properties.count; i++)
		json_set(a, &update, plan->properties.members[i].key, plan->properties.members[i].value);
	return update;
}

static struct json index_of(const struct patch_plan *plan, struct arena *a)
{
	struct json index = json_object();
	for (uint32_t i = 0; i < plan->indices.count; i++) {
		const struct json_member *m = &plan->indices.members[i];
		struct json child = json_object();
		json_sets(a, &child, "@case_type", *json_gets(&m->value, "referenced_type"));
		json_sets(a, &child, "@relationship", *json_gets(&m->value, "relationship"));
		json_sets(a, &child, "#text", *json_gets(&m->value, "referenced_id"));
		json_set(a, &index, m->key, child);
	}
	return index;
}

static struct slice block_date(const struct patch_plan *plan, const struct patch_stamp *stamp, struct arena *a)
{
	struct slice date = couch_text(plan->couch, "modified_on", "@date_modified");
	if (date.ptr && replay_repair_date(date, a).ptr)
		return date;
	return stamp->modified_on.ptr && replay_repair_date(stamp->modified_on, a).ptr ? stamp->modified_on
										       : SLICE_NONE;
}

static struct json case_of(const struct patch_plan *plan, const struct patch_stamp *stamp, struct arena *a)
{
	struct json block = json_object(), create = json_object();
	json_sets(a, &block, "@xmlns", json_str(CASE_V2_XMLNS));
	json_sets(a, &block, "@case_id", json_string(json_get_text(plan->couch, "_id")));
	json_sets_text(a, &block, "@user_id", couch_text(plan->couch, "user_id", "@user_id"));
	json_sets_text(a, &block, "@date_modified", block_date(plan, stamp, a));
	if (plan->actions & PATCH_CREATE) {
		set_names(plan->couch, a, &create);
		json_sets(a, &block, "create", create);
	}
	if (plan->actions & PATCH_UPDATE)
		json_sets(a, &block, "update", update_of(plan, a));
	if (plan->actions & PATCH_CLOSE)
		json_sets(a, &block, "close", json_str(""));
	if (plan->indices.count)
		json_sets(a, &block, "index", index_of(plan, a));
	return block;
}

/* ---- the rest of the form ---- */

static struct json meta_of(struct slice user, const struct patch_stamp *stamp, struct arena *a)
{
	struct json meta = json_object();
	json_sets(a, &meta, "@xmlns", json_str(META_XMLNS));
	json_sets(a, &meta, "deviceID", json_str(PATCH_DEVICE_ID));
	json_sets(a, &meta, "timeStart", json_string(stamp->received_on));
	json_sets(a, &meta, "timeEnd", json_string(stamp->received_on));
	json_sets(a, &meta, "username", json_str(""));
	json_sets(a, &meta, "userID", json_string(user.ptr ? user : SLICE("")));
	json_sets(a, &meta, "instanceID", json_string(stamp->form_id));
	return meta;
}

struct json patch_block_text(const struct json *block, struct arena *a)
{
	struct buf out = BUF_INIT(SIZE_MAX / 2);
	struct slice text = json_to_text(block, JSON_PLAIN, a);
	for (size_t i = 0; i < text.len; i++) {
		if (i + 2 < text.len && memcmp(text.ptr + i, "\xef\xbf", 2) == 0 &&
		    ((unsigned char)text.ptr[i + 2] & 0xfe) == 0xbe) {
			buf_str(&out, text.ptr[i + 2] & 1 ? "\\uffff" : "\\ufffe");
			i += 2;
		} else {
			buf_ch(&out, text.ptr[i]);
		}
	}
	text = arena_slice(a, buf_slice(&out));
	buf_release(&out);
	return json_string(text);
}

struct json patch_form_head(struct slice user, const struct patch_stamp *stamp, struct arena *a)
{
	struct json body = json_object();
	json_sets(a, &body, "#type", json_str("system"));
	json_sets(a, &body, "@uiVersion", json_str("1"));
	json_sets(a, &body, "@version", json_str("1"));
	json_sets(a, &body, "@name", json_str(PATCH_OPERATION));
	json_sets(a, &body, "@xmlns", json_str(REPLAY_PATCH_XMLNS));
	json_sets(a, &body, "meta", meta_of(user, stamp, a));
	return body;
}

struct json patch_form_body(const struct patch_plan *plan, const struct patch_stamp *stamp, struct arena *a)
{
	struct json body = patch_form_head(couch_text(plan->couch, "user_id", "@user_id"), stamp, a);
	json_sets(a, &body, "case", case_of(plan, stamp, a));
	json_sets(a, &body, "diff", patch_block_text(&plan->block, a));
	return body;
}

int patch_block_of(const struct json *body, struct arena *a, struct json *block, struct err *err)
{
	struct slice text = json_get_text(body, "diff");
	if (!text.ptr)
		return err_set(err, ERR_NOTFOUND, "the form has no diff block");
	if (json_read(text, a, 0, block, NULL, err))
		return err_prefix(err, "diff block");
	if (block->type != JSON_OBJECT)
		return err_set(err, ERR_SYNTAX, "the diff block is %s, not an object", json_type_name(block));
	return 0;
}

/* ---- the document around it ---- */

static struct json operation_of(struct slice received_on, struct arena *a)
{
	struct json list = json_array(), op = json_object();
	json_sets(a, &op, "doc_type", json_str("XFormOperation"));
	json_sets(a, &op, "user", json_str("system"));
	json_sets(a, &op, "date", json_string(received_on));
	json_sets(a, &op, "operation", json_str(PATCH_OPERATION));
	json_push(a, &list, op);
	return list;
}

static struct json blobs_of(struct slice xml, struct arena *a)
{
	struct json blobs = json_object(), blob = json_object();
	json_sets(a, &blob, "doc_type", json_str("BlobMeta"));
	json_sets(a, &blob, "content_type", json_str("text/xml"));
	json_sets(a, &blob, "content_length", json_int(a, (long long)xml.len));
	json_sets(a, &blob, "digest", json_string(arena_printf(a, "sha256-%.*s", SLICE_ARG(hex_sha256(xml, a)))));
	json_sets(a, &blobs, PATCH_XML_NAME, blob);
	return blobs;
}

struct json patch_form_document(const struct json *body, struct slice domain, struct slice xml, struct arena *a)
{
	const struct json *meta = json_gets(body, "meta");
	struct slice received_on = json_get_text(meta, "timeEnd");
	struct json doc = json_object();
	json_sets(a, &doc, "_id", json_string(json_get_text(meta, "instanceID")));
	json_sets(a, &doc, "doc_type", json_str("XFormInstance"));
	json_sets(a, &doc, "domain", json_string(domain));
	json_sets(a, &doc, "xmlns", json_str(REPLAY_PATCH_XMLNS));
	json_sets(a, &doc, "received_on", json_string(received_on));
	json_sets(a, &doc, "server_modified_on", json_string(received_on));
	json_sets(a, &doc, "form", *body);
	json_sets(a, &doc, "history", operation_of(received_on, a));
	json_sets(a, &doc, "initial_processing_complete", json_true);
	json_sets(a, &doc, "partial_submission", json_false);
	json_sets(a, &doc, "auth_context", json_object());
	json_sets(a, &doc, "openrosa_headers", json_object());
	json_sets(a, &doc, "external_blobs", blobs_of(xml, a));
	return doc;
}
