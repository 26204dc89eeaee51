#include "config.h"

#include "migrate/prepare.h"

#include <stdio.h>

static void reject(struct batch *b, struct batch_doc *d, const char *reason)
{
	d->fate = FATE_REJECT;
	d->reason = arena_slice(&b->arena, slice_of(reason));
	if (!d->id.ptr || d->id.len == 0)
		d->id = arena_printf(&b->arena, "@%llu", (unsigned long long)d->row.offset);
}

static int has_feed_metadata(const struct json *doc)
{
	for (uint32_t i = 0; i < doc->count; i++)
		if (mapping_is_feed_metadata(doc->members[i].key))
			return 1;
	return 0;
}

static void drop_feed_metadata(struct batch *b, struct batch_doc *d)
{
	d->mapped.bytes = d->row.doc;
	d->conflicts = json_gets(&d->doc, "_conflicts");
	if (!json_is(d->conflicts, JSON_ARRAY) || d->conflicts->count == 0)
		d->conflicts = NULL;
	if (!has_feed_metadata(&d->doc))
		return;
	d->doc = json_clone(&b->arena, &d->doc);
	mapping_drop_feed_metadata(&d->doc);
	d->mapped.bytes = json_to_text(&d->doc, JSON_PLAIN, &b->arena);
}

/* Attachments whose bytes the feed does not carry, or carries inline: they are not brought over. */
static uint32_t count_attachments(const struct json *doc)
{
	const struct json *v = json_gets(doc, "_attachments");

	return json_is(v, JSON_OBJECT) ? v->count : 0;
}

static int parse(struct batch *b, struct batch_doc *d)
{
	struct err err = ERR_INIT;
	struct json_info info;

	if (json_read(d->row.doc, &b->arena, 0, &d->doc, &info, &err)) {
		err_prefix(&err, "the document cannot be read");
		reject(b, d, err.msg);
		return 0;
	}
	if (d->doc.type != JSON_OBJECT) {
		reject(b, d, "the document is no JSON object");
		return 0;
	}
	drop_feed_metadata(b, d);
	d->attachments = count_attachments(&d->doc);
	d->mapped.odd = info.odd;
	d->duplicates = info.duplicates;
	d->mapped.doc = &d->doc;
	return 1;
}

static int check_id(struct batch *b, struct batch_doc *d)
{
	struct slice id = json_get_text(&d->doc, "_id");

	if (!id.ptr || id.len == 0)
		reject(b, d, "the document has no _id");
	else if (d->id.ptr && !slice_eq(id, d->id))
		reject(b, d, "the _id of the document is not the id of its row in the feed");
	else
		d->id = id;
	return d->fate != FATE_REJECT;
}

static int is_design(struct slice id)
{
	return slice_starts(id, SLICE("_design/")) || slice_starts(id, SLICE("_local/"));
}

/* 1 when the document is another domain's, or belongs to none. */
static int is_elsewhere(const struct profile *p, struct slice domain, struct batch_doc *d)
{
	struct slice other;

	if (is_design(d->id))
		return 1;
	if (!p->domain_field.ptr)
		return 0;
	other = json_text(json_get(&d->doc, p->domain_field));
	if (other.ptr && slice_eq(other, domain))
		return 0;
	d->other_domain = other;
	return 1;
}

static const struct profile_kind *kind_of(const struct profile *p, struct batch *b, const struct batch_doc *d)
{
	struct slice doc_type = p->type_field.ptr ? json_text(json_get(&d->doc, p->type_field)) : SLICE_NONE;
	const struct profile_kind *known;
	struct profile_kind *kind;

	if (!doc_type.ptr)
		doc_type = SLICE("document");
	known = profile_kind(p, doc_type);
	if (known)
		return known;
	kind = ARENA_NEW(&b->arena, struct profile_kind);
	kind->name = kind->stored_as = doc_type;
	kind->cls = PROFILE_DOCUMENT;
	kind->compared = p->other_kinds;
	return kind;
}

static void fill_mapped(const struct profile *p, struct slice domain, struct batch *b, struct batch_doc *d)
{
	d->mapped.domain = domain;
	d->mapped.id = d->id;
	d->mapped.rev = json_get_text(&d->doc, "_rev");
	if (!d->mapped.rev.ptr)
		d->mapped.rev = d->row.rev;
	d->mapped.kind = kind_of(p, b, d);
	d->mapped.doc_type = d->mapped.kind->name;
}

#define LEDGER_XMLNS "http://commcarehq.org/ledger/"

/* The depth of the recursion is bounded by json_read. */
static int has_ledger(const struct json *v)
{
	int found = slice_starts(json_get_text(v, "@xmlns"), SLICE(LEDGER_XMLNS));

	for (uint32_t i = 0; !found && json_is(v, JSON_OBJECT) && i < v->count; i++)
		found = has_ledger(&v->members[i].value);
	for (uint32_t i = 0; !found && json_is(v, JSON_ARRAY) && i < v->count; i++)
		found = has_ledger(&v->items[i]);
	return found;
}

/* Most forms hold no such word, and are not walked for it. */
static int brings_ledgers(const struct batch_doc *d)
{
	return d->mapped.kind->processed && memmem(d->row.doc.ptr, d->row.doc.len, "ledger", strlen("ledger")) &&
	       has_ledger(json_gets(&d->doc, "form"));
}

static void map(struct batch *b, struct batch_doc *d)
{
	struct err err = ERR_INIT;
	int rc = 0;

	switch (d->mapped.kind->cls) {
	case PROFILE_EVENT:
		d->fate = FATE_EVENT;
		d->ledgers = brings_ledgers(d);
		rc = mapping_form(&d->mapped, &b->arena, &d->form, &err);
		break;
	case PROFILE_DOCUMENT:
		d->fate = FATE_DOCUMENT;
		rc = mapping_document(&d->mapped, &b->arena, &d->document, &err);
		break;
	case PROFILE_STATE:
		d->fate = FATE_CASE;
		rc = mapping_key_check(d->id, "the case's _id", &err);
		break;
	}
	if (rc)
		reject(b, d, err.msg);
}

static void prepare(const struct profile *p, struct slice domain, struct batch *b, struct batch_doc *d)
{
	if (d->row.too_large) {
		char reason[128];

		snprintf(reason, sizeof(reason), "the document is larger than allowed: %llu bytes (--max-doc)",
			 (unsigned long long)d->row.length);
		reject(b, d, reason);
		return;
	}
	if (d->row.malformed) {
		reject(b, d, "the row of the feed cannot be read");
		return;
	}
	if (d->id.ptr && is_design(d->id)) {
		d->fate = slice_starts(d->id, SLICE(SHUTTER_PREFIX)) ? FATE_OWN : FATE_SKIP;
		return;
	}
	if (d->row.deleted && !d->row.doc.ptr && d->id.ptr && d->id.len) {
		d->fate = FATE_TOMBSTONE;
		d->mapped.rev = d->row.rev;
		return;
	}
	if (!d->row.doc.ptr) {
		reject(b, d, "the row has no document (was the feed recorded with include_docs=true?)");
		return;
	}
	if (!parse(b, d) || !check_id(b, d))
		return;
	fill_mapped(p, domain, b, d);
	if (d->row.deleted || json_is(json_gets(&d->doc, "_deleted"), JSON_TRUE)) {
		d->fate = FATE_TOMBSTONE;
		if (p->domain_field.ptr && json_get(&d->doc, p->domain_field) && is_elsewhere(p, domain, d))
			d->fate = FATE_SKIP;
		return;
	}
	if (is_elsewhere(p, domain, d))
		d->fate = FATE_SKIP;
	else
		map(b, d);
}

void prepare_batch(const struct profile *profile, struct slice domain, struct batch *b)
{
	for (size_t i = 0; i < b->docs.n; i++)
		prepare(profile, domain, b, &b->docs.v[i]);
}
