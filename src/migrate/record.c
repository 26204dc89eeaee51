/* record: what the state file keeps of a batch. Runs with the turn, inside the state file's transaction. */
#include "base/hex.h"
#include "base/utf8.h"
#include "migrate/rows.h"
#include "migrate/run.h"

/* Losing revisions that stay in the source. */
static uint32_t conflicts_of(const struct batch_doc *d)
{
	return d->conflicts ? d->conflicts->count - d->n_losing : 0;
}

unsigned record_traits(const struct batch_doc *d)
{
	if (d->fate != FATE_EVENT && d->fate != FATE_DOCUMENT && d->fate != FATE_CASE)
		return 0;
	return (d->ledgers ? STATE_LEDGERS : 0u) | (d->duplicates ? STATE_KEY_TWICE : 0u);
}

static void count_stored(struct migrate_counters *c, enum sql_outcome outcome)
{
	if (outcome == SQL_SAME)
		c->unchanged++;
	else
		c->written++;
}

static int record_stored(struct run *r, struct batch *b, const struct batch_doc *d, struct err *err)
{
	struct state_doc doc = {
	    .kind = d->mapped.kind->name,
	    .id = d->id,
	    .ignored = d->ignored,
	    .attachments = d->attachments,
	    .conflicts = conflicts_of(d),
	    .traits = record_traits(d),
	    .diffs = d->diffs,
	    .same = d->outcome == SQL_SAME,
	};

	count_stored(&b->counters, d->outcome);
	return state_doc_put(r->state, &doc, err);
}

static int record_case(struct run *r, struct batch *b, const struct batch_doc *d, struct err *err)
{
	struct state_case c = {
	    .kind = d->mapped.kind->name,
	    .id = d->id,
	    .rev = d->mapped.rev,
	    .body = d->mapped.bytes,
	    .pending = 1,
	    .attachments = d->attachments,
	    .conflicts = conflicts_of(d),
	    .traits = record_traits(d),
	};
	int same = 0;

	if (state_case_put(r->state, &c, &same, err))
		return err->code;
	count_stored(&b->counters, same ? SQL_SAME : SQL_INSERTED);
	return 0;
}

static int record_skipped(struct run *r, struct batch *b, const struct batch_doc *d, struct err *err)
{
	b->counters.skipped++;
	if (d->unwanted || slice_starts(d->id, SLICE("_design/")))
		return 0;
	return state_skipped_put(r->state, d->id, d->other_domain.ptr ? d->other_domain : SLICE(""), err);
}

/*
 * A deleted document whose kind is not known is kept as a deleted case: should forms mention that id, its case is
 * marked deleted and makes no difference (decision 19).
 */
static int record_tombstone(struct run *r, struct batch *b, const struct batch_doc *d, struct err *err)
{
	struct state_case c = {.kind = SLICE(""), .id = d->id, .rev = d->mapped.rev, .deleted = 1, .pending = 1};
	struct slice domain = SLICE_NONE;
	int same;

	if (d->found) {
		b->counters.deleted++;
		return state_doc_forget(r->state, d->id, err);
	}
	if (state_skipped_get(r->state, d->id, &b->arena, &domain, err))
		return err->code;
	if (domain.ptr) {
		b->counters.skipped++;
		return 0;
	}
	b->counters.deleted++;
	if (utf8_odd(d->id)) /* no key of SQL: no form can have mentioned it, every one that did was rejected */
		return state_doc_forget(r->state, d->id, err);
	return state_case_put(r->state, &c, &same, err);
}

static struct slice kind_of_reject(const struct run *r, const struct batch_doc *d)
{
	struct slice kind = SLICE_NONE;

	if (d->mapped.kind)
		return d->mapped.kind->name;
	if (r->profile->type_field.ptr && d->doc.type == JSON_OBJECT)
		kind = json_text(json_get(&d->doc, r->profile->type_field));
	return kind.ptr ? kind : SLICE("");
}

static struct slice digest_of(struct batch *b, const struct batch_doc *d)
{
	if (d->row.too_large)
		return hex_text(d->row.sha256, sizeof(d->row.sha256), &b->arena);
	return hex_sha256(d->row.text, &b->arena);
}

static int record_reject(struct run *r, struct batch *b, const struct batch_doc *d, struct err *err)
{
	struct state_reject reject = {
	    .id = d->id,
	    .kind = kind_of_reject(r, d),
	    .rev = d->mapped.rev.ptr ? d->mapped.rev : d->row.rev,
	    .reason = d->reason,
	    .body = d->row.too_large ? SLICE_NONE
		    : d->row.doc.ptr ? d->row.doc
				     : d->row.text,
	    .offset = d->row.offset,
	    .length = d->row.too_large ? d->row.length
		      : d->row.doc.ptr ? d->row.doc.len
				       : d->row.text.len,
	    .sha256 = digest_of(b, d),
	};

	b->counters.rejected++;
	if (r->options.stop_on_error) {
		err_set(err, ERR_SOURCE, "document %.*s cannot be stored: %.*s", SLICE_ARG(d->id), SLICE_ARG(d->reason));
		return err_hint(err, "without --stop-on-error it is set aside and the run goes on");
	}
	log_at(r->env->log, LOG_WARN, "document rejected: %.*s id=%.*s", SLICE_ARG(d->reason), SLICE_ARG(d->id));
	return state_reject_put(r->state, &reject, err);
}

static int record(struct run *r, struct batch *b, const struct batch_doc *d, struct err *err)
{
	switch (d->fate) {
	case FATE_EVENT:
	case FATE_DOCUMENT:
		return record_stored(r, b, d, err);
	case FATE_CASE:
		return record_case(r, b, d, err);
	case FATE_SKIP:
		return record_skipped(r, b, d, err);
	case FATE_OWN:
		return 0;
	case FATE_TOMBSTONE:
		return record_tombstone(r, b, d, err);
	case FATE_REJECT:
	case FATE_UNKNOWN:
		break;
	}
	return record_reject(r, b, d, err);
}

int record_batch(struct run *r, struct batch *b, struct err *err)
{
	for (size_t i = 0; i < b->docs.n; i++) {
		if (record(r, b, &b->docs.v[i], err))
			return err->code;
		b->counters.read += b->docs.v[i].fate != FATE_OWN;
	}
	b->counters.bytes = (int64_t)b->bytes;
	return 0;
}
