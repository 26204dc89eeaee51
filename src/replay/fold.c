/* Transactions in order -> one case: DOCUMENTS.md section 4. */
#include "replay/replay.h"

#include "base/datetime.h"

struct form_list {
	struct slice *v;
	size_t n, cap;
};

struct fold {
	const struct replay_dialect *d;
	struct arena *a;
	struct replay_case *c;
	struct form_list forms;
	int64_t server_at; /* latest readable received_on so far */
	int has_server_at;
};

int replay_txn_order(const void *left, const void *right)
{
	const struct replay_txn *a = left, *b = right;
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	int c = slice_cmp(a->form_id, b->form_id);
	if (c)
		return c;
	return (a->position > b->position) - (a->position < b->position);
}

static int unset(struct slice s)
{
	return s.len == 0;
}

static struct slice *known_place(struct replay_case *c, struct slice field)
{
	if (slice_is(field, "name"))
		return &c->name;
	if (slice_is(field, "type"))
		return &c->type;
	if (slice_is(field, "owner_id"))
		return &c->owner_id;
	if (slice_is(field, "external_id"))
		return &c->external_id;
	if (slice_is(field, "user_id"))
		return &c->user_id;
	if (slice_is(field, "opened_on"))
		return &c->opened_on;
	return NULL;
}

static void apply_known(struct fold *f, const struct json *known, int empty_overwrites)
{
	for (uint32_t i = 0; json_is(known, JSON_OBJECT) && i < known->count; i++) {
		const struct json_member *m = &known->members[i];
		struct slice *place = known_place(f->c, m->key), text = json_text(&m->value);
		if (!place || !text.ptr || (text.len == 0 && !empty_overwrites))
			continue;
		*place = place == &f->c->opened_on ? replay_canonical_date(text, f->a) : text;
	}
}

static void apply_property(struct fold *f, const struct json_member *m)
{
	struct slice text = json_text(&m->value);
	if (text.ptr && slice_is(m->key, "name")) {
		f->c->name = text;
		return;
	}
	if (text.ptr && slice_is(m->key, "location_id")) {
		f->c->location_id = text;
		return;
	}
	if (!replay_is_property(f->d, m->key))
		return;
	json_set(f->a, &f->c->properties, m->key, m->value);
	if (f->d->hq_user_id_is_external_id && text.len && slice_is(m->key, "hq_user_id"))
		f->c->external_id = text;
}

static void apply_update(struct fold *f, const struct json *action)
{
	const struct json *properties = json_gets(action, "properties");
	apply_known(f, json_gets(action, "known"), f->d->empty_known_overwrites);
	for (uint32_t i = 0; json_is(properties, JSON_OBJECT) && i < properties->count; i++)
		apply_property(f, &properties->members[i]);
}

static void apply_create(struct fold *f, const struct json *action, struct slice date, struct slice user)
{
	apply_known(f, json_gets(action, "known"), 0);
	if (unset(f->c->opened_on))
		f->c->opened_on = date;
	if (unset(f->c->opened_by))
		f->c->opened_by = user;
}

static void apply_close(struct fold *f, struct slice date, struct slice user)
{
	f->c->closed = 1;
	f->c->closed_on = date;
	f->c->closed_by = user;
}

/* Where the case's index of this identifier stands, or count. */
static uint32_t index_at(const struct json *indices, struct slice identifier)
{
	uint32_t i = 0;
	while (i < indices->count && !slice_eq(json_get_text(&indices->items[i], "identifier"), identifier))
		i++;
	return i;
}

static void remove_item(struct json *array, uint32_t at)
{
	for (uint32_t i = at + 1; i < array->count; i++)
		array->items[i - 1] = array->items[i];
	array->count--;
}

static void apply_index(struct fold *f, const struct json *index)
{
	struct json *indices = &f->c->indices;
	uint32_t at = index_at(indices, json_get_text(index, "identifier"));
	int removes = json_get_text(index, "referenced_id").len == 0;
	if (at == indices->count) {
		if (!removes)
			json_push(f->a, indices, *index);
	} else if (removes && f->d->empty_index_removes) {
		remove_item(indices, at);
	} else {
		indices->items[at] = *index;
	}
}

static void apply_attachment(struct fold *f, const struct json_member *m, struct slice form_id)
{
	if (!json_is(&m->value, JSON_OBJECT)) {
		json_del(&f->c->attachments, m->key);
		return;
	}
	struct json attachment = json_clone(f->a, &m->value);
	json_sets(f->a, &attachment, "form_id", json_string(form_id));
	json_set(f->a, &f->c->attachments, m->key, attachment);
}

static void apply_action(struct fold *f, const struct replay_txn *txn, const struct json *action, struct slice date,
			 struct slice user)
{
	struct slice name = json_get_text(action, "action");
	const struct json *indices = json_gets(action, "indices"), *attachments = json_gets(action, "attachments");
	if (slice_is(name, "create"))
		apply_create(f, action, date, user);
	else if (slice_is(name, "update"))
		apply_update(f, action);
	else if (slice_is(name, "close"))
		apply_close(f, date, user);
	for (uint32_t i = 0; json_is(indices, JSON_ARRAY) && i < indices->count; i++)
		apply_index(f, &indices->items[i]);
	for (uint32_t i = 0; json_is(attachments, JSON_OBJECT) && i < attachments->count; i++)
		apply_attachment(f, &attachments->members[i], txn->form_id);
}

/* What holds after every block with actions. */
static void apply_block_end(struct fold *f, struct slice date, struct slice user, int creates)
{
	struct replay_case *c = f->c;
	int64_t old_at, block_at;
	if (user.len)
		c->user_id = user;
	if (date.ptr &&
	    (!replay_instant(c->modified_on, &old_at) || (replay_instant(date, &block_at) && block_at > old_at)))
		c->modified_on = date;
	if (f->d->defaults_need_create && !creates)
		return;
	if (unset(c->opened_on))
		c->opened_on = date;
	if (unset(c->opened_by))
		c->opened_by = user;
	if (unset(c->owner_id))
		c->owner_id = user;
}

/* Transactions are in order, so those of one form stand side by side. */
static void note_form(struct fold *f, const struct replay_txn *txn)
{
	if (f->forms.n == 0 || !slice_eq(f->forms.v[f->forms.n - 1], txn->form_id))
		ARENA_PUSH(f->a, &f->forms, txn->form_id);
}

static void note_server_date(struct fold *f, const struct replay_txn *txn)
{
	if (txn->at == REPLAY_AT_UNREADABLE || (f->has_server_at && txn->at <= f->server_at))
		return;
	f->server_at = txn->at;
	f->has_server_at = 1;
}

static void apply_txn(struct fold *f, const struct replay_txn *txn)
{
	uint32_t n = json_is(&txn->actions, JSON_ARRAY) ? txn->actions.count : 0;
	note_server_date(f, txn);
	if (n > 1 || f->d->touch_adds_form)
		note_form(f, txn);
	if (n <= 1)
		return;
	const struct json *head = &txn->actions.items[0];
	struct slice user = json_get_text(head, "user_id");
	struct slice date = json_get_text(head, "date");
	int creates = 0;
	if (date.ptr)
		date = replay_canonical_date(date, f->a);
	for (uint32_t i = 1; i < n; i++) {
		apply_action(f, txn, &txn->actions.items[i], date, user);
		creates |= slice_is(json_get_text(&txn->actions.items[i], "action"), "create");
	}
	apply_block_end(f, date, user, creates);
}

void replay_fold(const struct replay_dialect *d, const struct replay_txn *txns, size_t n, struct arena *a,
		 struct replay_case *out)
{
	struct fold f = {.d = d, .a = a, .c = out};
	memset(out, 0, sizeof(*out));
	out->properties = json_object();
	out->indices = json_array();
	out->attachments = json_object();
	if (n)
		out->case_id = txns[0].case_id;
	for (size_t i = 0; i < n; i++)
		apply_txn(&f, &txns[i]);
	out->form_ids = f.forms.v;
	out->n_forms = f.forms.n;
	char text[DATETIME_TEXT_SIZE];
	if (f.has_server_at && datetime_format(f.server_at, text))
		out->server_modified_on = arena_slice(a, slice_of(text));
}
