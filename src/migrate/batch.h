/*
 * batch: the documents that are read, written, compared and committed together. Everything in it lives in its arena and
 * goes with it. A batch ends where the feed gave a sequence, so that its checkpoint is exact, and never holds an id
 * twice. Threads: made by the fetcher, then owned by one worker.
 */
#ifndef SETTLE_MIGRATE_BATCH_H
#define SETTLE_MIGRATE_BATCH_H

#include "base/arena.h"
#include "couch/couch.h"
#include "migrate/idset.h"
#include "migrate/mapping.h"
#include "migrate/migrate.h"
#include "migrate/pipeline.h"
#include "state/state.h"

/* Ids of the design documents that settle puts into a source (shutter.h). */
#define SHUTTER_PREFIX "_design/settle-"

enum batch_fate {
	FATE_UNKNOWN,
	FATE_REJECT,    /* cannot be read or stored: kept whole with the reason */
	FATE_SKIP,      /* another domain's, or a design document */
	FATE_OWN,       /* settle's own: in no count */
	FATE_EVENT,     /* -> forms */
	FATE_DOCUMENT,  /* -> documents */
	FATE_CASE,      /* -> spool */
	FATE_TOMBSTONE, /* deleted in the source */
};

struct batch_doc {
	struct couch_row row; /* slices live in the batch's arena */
	enum batch_fate fate;
	struct slice id;           /* decoded; SLICE_NONE if it has none */
	struct json doc;           /* parsed, without feed metadata */
	struct mapping_doc mapped; /* id, kind, ... as mapping wants them */
	struct mapping_form form;  /* FATE_EVENT */
	struct sql_row document;   /* FATE_DOCUMENT */
	struct slice other_domain; /* FATE_SKIP */
	struct slice reason;       /* FATE_REJECT */
	uint32_t attachments;
	int ledgers;                  /* a processed form with stock in it */
	uint32_t duplicates;          /* keys that stood there before, in one object: the last value counts */
	const struct json *conflicts; /* losing revisions: array of strings, or NULL */
	struct slice *losing;       /* their bodies, SLICE_NONE for one that stays in the source; NULL = all stay (losing.h) */
	uint32_t n_losing;          /* bodies there are */
	enum sql_outcome outcome;
	int kept;                    /* FATE_DOCUMENT: its row stays as it is, for the patch pass to set */
	int unwanted;                /* FATE_SKIP: of this domain, but not of a kind that --only names */
	int found;                   /* of one that is gone from the domain: SQL held it as a form or plain document */
	struct slice diffs, ignored; /* results, for the state file */
};

struct batch {
	struct pipeline_job job; /* first: see pipeline.h */
	struct arena arena;
	struct {
		struct batch_doc *v;
		size_t n, cap;
	} docs;
	size_t bytes;        /* of the rows */
	uint64_t feed_bytes; /* length of the feed up to the batch's end */
	struct slice seq;    /* checkpoint after this batch, JSON text */
	int last;            /* the feed ended here */
	int again;           /* what hangs on forms is written anew, and their cases folded, even if nothing changed */
	struct idset ids;    /* hashes of the ids in it */
	struct migrate_counters counters;
};

struct batch *batch_new(void);
void batch_free(struct batch *b);
/* Copies a row into the batch. 0: its document is in the batch already (or its hash is), the row was not added. */
int batch_add(struct batch *b, const struct couch_row *row);

#endif
