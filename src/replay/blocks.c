/* Finding and reading case blocks: DOCUMENTS.md section 3. */
#include "replay/internal.h"

#include <stdarg.h>
#include <stdio.h>

#define DEVICE_REPORT_XMLNS "http://code.javarosa.org/devicereport"
#define CASE_V2_XMLNS "http://commcarehq.org/case/transaction/v2"
#define SHOWN_ID_BYTES 80

struct walk {
	const struct replay_form *form;
	struct arena *a;
	struct replay_txn_list *out;
	struct slice user_id; /* form.meta.userID */
	int64_t at;
	int is_patch;
	uint32_t position;
	struct err *err;
};

const struct json *replay_single(const struct json *v)
{
	while (v) {
		if (json_is(v, JSON_ARRAY)) {
			v = v->count ? &v->items[v->count - 1] : NULL;
			continue;
		}
		const struct json *text = json_gets(v, "#text");
		if (!text)
			return v;
		v = text;
	}
	return NULL;
}

struct slice replay_text(const struct json *v, struct arena *a)
{
	v = replay_single(v);
	if (!v || json_is(v, JSON_NULL))
		return SLICE_NONE;
	if (json_is(v, JSON_STRING))
		return v->text;
	return json_to_text(v, JSON_PLAIN, a);
}

int replay_block_err(const struct replay_block *b, struct err *err, const char *fmt, ...)
{
	char what[512];
	va_list args;
	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	int shown = b->case_id.len < SHOWN_ID_BYTES ? (int)b->case_id.len : SHOWN_ID_BYTES;
	return err_set(err, ERR_SYNTAX, "case block %u (case %.*s): %s", (unsigned)b->position + 1, shown,
		       b->case_id.ptr ? b->case_id.ptr : "", what);
}

/* A head field: attribute in version 2, child element in version 1; the other place when its own is not there. */
static const struct json *head_field(const struct replay_block *b, const char *attribute)
{
	const struct json *v2 = json_gets(b->value, attribute);
	const struct json *v1 = json_gets(b->value, attribute + 1);
	const struct json *own = b->version == 1 ? v1 : v2;
	if (own && !json_is(own, JSON_NULL))
		return own;
	return b->version == 1 ? v2 : v1;
}

static int has_case_id(const struct json *block)
{
	const struct json *v2 = json_gets(block, "@case_id"), *v1 = json_gets(block, "case_id");
	return (v2 && !json_is(v2, JSON_NULL)) || (v1 && !json_is(v1, JSON_NULL));
}

static int read_version(struct replay_block *b, struct err *err)
{
	struct slice xmlns = replay_text(json_gets(b->value, "@xmlns"), b->a);
	if (xmlns.len && !slice_is(xmlns, CASE_V2_XMLNS)) {
		b->case_id = replay_text(head_field(b, "@case_id"), b->a);
		return replay_block_err(b, err, "unknown namespace %.*s", xmlns.len < 200 ? (int)xmlns.len : 200,
					xmlns.ptr);
	}
	b->version = xmlns.len ? 2 : 1;
	return 0;
}

static int read_case_id(struct replay_block *b, struct err *err)
{
	const struct json *v = replay_single(head_field(b, "@case_id"));
	if (!v || (v->type != JSON_STRING && v->type != JSON_NUMBER))
		return replay_block_err(b, err, "the case id is %s, not text", v ? json_type_name(v) : "an empty list");
	b->case_id = replay_text(v, b->a);
	if (b->case_id.len == 0)
		return replay_block_err(b, err, "the case id is empty");
	return 0;
}

/* The block's own date, the form's received_on where there is none, or SLICE_NONE. */
static int read_date(const struct replay_block *b, struct slice *date, struct err *err)
{
	int64_t us;
	struct slice text = replay_text(head_field(b, "@date_modified"), b->a);
	if (text.len == 0) {
		*date = replay_instant(b->form->received_on, &us) ? b->form->received_on : SLICE_NONE;
		return 0;
	}
	*date = replay_repair_date(text, b->a);
	if (!date->ptr)
		return replay_block_err(b, err, "date_modified \"%.*s\" is no date", text.len < 60 ? (int)text.len : 60,
					text.ptr);
	return 0;
}

static struct slice block_user(const struct walk *w, const struct replay_block *b)
{
	struct slice user = SLICE_NONE;
	if (b->version == 2)
		user = replay_text(json_gets(b->value, "@user_id"), b->a);
	return user.len ? user : w->user_id;
}

static struct json block_head(const struct walk *w, const struct replay_block *b, struct slice date)
{
	struct json head = json_object();
	json_sets(w->a, &head, "block", json_number(b->version == 1 ? SLICE("1") : SLICE("2")));
	json_sets_text(w->a, &head, "date", date);
	json_sets_text(w->a, &head, "user_id", block_user(w, b));
	json_sets_text(w->a, &head, "sync_log_id", w->form->sync_token);
	return head;
}

static int read_block(struct walk *w, const struct json *value)
{
	struct replay_block b = {.form = w->form, .value = value, .position = w->position, .a = w->a};
	struct json actions = json_array();
	struct slice date;
	int rc;
	if ((rc = read_version(&b, w->err)) != 0 || (rc = read_case_id(&b, w->err)) != 0 ||
	    (rc = read_date(&b, &date, w->err)) != 0)
		return rc;
	json_push(w->a, &actions, block_head(w, &b, date));
	if ((rc = replay_block_actions(&b, &actions, w->err)) != 0)
		return rc;
	struct replay_txn txn = {
	    .case_id = b.case_id,
	    .form_id = w->form->form_id,
	    .position = w->position++,
	    .kind = w->is_patch         ? REPLAY_PATCH
		    : actions.count > 1 ? REPLAY_FORM
					: REPLAY_TOUCH,
	    .server_date = w->form->received_on,
	    .at = w->at,
	    .actions = actions,
	};
	ARENA_PUSH(w->a, w->out, txn);
	return 0;
}

static int read_blocks(struct walk *w, const struct json *value)
{
	if (json_is(value, JSON_OBJECT))
		return has_case_id(value) ? read_block(w, value) : 0;
	if (!json_is(value, JSON_ARRAY))
		return 0;
	for (uint32_t i = 0; i < value->count; i++) {
		int rc = read_blocks(w, &value->items[i]);
		if (rc)
			return rc;
	}
	return 0;
}

/* The depth of the recursion is bounded by json_read's max_depth. */
static int walk_form(struct walk *w, const struct json *v)
{
	int rc = 0;
	if (json_is(v, JSON_ARRAY)) {
		for (uint32_t i = 0; i < v->count && rc == 0; i++)
			rc = walk_form(w, &v->items[i]);
		return rc;
	}
	if (!json_is(v, JSON_OBJECT) || slice_is(json_get_text(v, "@xmlns"), DEVICE_REPORT_XMLNS))
		return 0;
	for (uint32_t i = 0; i < v->count && rc == 0; i++) {
		const struct json_member *m = &v->members[i];
		rc = slice_is(m->key, "case") ? read_blocks(w, &m->value) : walk_form(w, &m->value);
	}
	return rc;
}

int replay_form_blocks(const struct replay_form *form, struct arena *a, struct replay_txn_list *out, struct err *err)
{
	size_t before = out->n;
	struct walk w = {.form = form, .a = a, .out = out, .err = err};
	w.user_id = replay_text(json_gets(json_gets(form->body, "meta"), "userID"), a);
	w.is_patch = slice_is(json_get_text(form->body, "@xmlns"), REPLAY_PATCH_XMLNS);
	if (!replay_instant(form->received_on, &w.at))
		w.at = REPLAY_AT_UNREADABLE;
	int rc = walk_form(&w, form->body);
	if (rc)
		out->n = before;
	return rc;
}
