/*
 * replay: forms -> case transactions -> cases. Pure: memory in, memory out, nothing about SQL or rules.
 * Semantics: DOCUMENTS.md sections 3 and 4, BEHAVIOUR.md section 3 (malformed dates), DESIGN.md decisions 4, 13,
 * 15, 16. The Couch and SQL form processors share one fold; where they differ is data in struct replay_dialect.
 *
 * Dates: a transaction keeps the text of a date (repaired where BEHAVIOUR section 3 repairs it); order and "later of"
 * compare instants (replay_instant); a folded case holds canonical text (base/datetime.h), a bare date being midnight
 * UTC. Text that no reading makes a date stays as it is: nothing is dropped, a case may hold it.
 *
 * Values: of several where one is expected the last wins. A known name, user, date or reference is text: an element
 * with "#text" is that text, numbers and booleans are their JSON text, any other object its JSON. A dynamic property is
 * a string in every stored form; one that is a number, boolean, null or an object without "#text" keeps its JSON value,
 * as CommCare keeps it.
 *
 * Strings and values are borrowed from what was handed in; what is made lives in the arena.
 * Threads: functions are reentrant.
 */
#ifndef SETTLE_REPLAY_REPLAY_H
#define SETTLE_REPLAY_REPLAY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

/* ---- form -> transactions ---- */

#define REPLAY_PATCH_XMLNS "http://commcarehq.org/couch-to-sql/patch-case-diff"

struct replay_form { /* what a form brings besides its body */
	struct slice form_id;
	struct slice received_on;       /* as in the document; may be unreadable or SLICE_NONE */
	const struct json *body;        /* the `form` subtree; NULL or no object: no blocks */
	const struct json *attachments; /* the form's external_blobs (or _attachments) object, or NULL: size and type of
					   case attachments */
	struct slice sync_token;        /* last_sync_token or SLICE_NONE */
};

enum replay_kind {
	REPLAY_FORM,
	REPLAY_TOUCH, /* no actions */
	REPLAY_PATCH, /* of a patch form, with actions or without */
};

#define REPLAY_AT_UNREADABLE INT64_MAX

struct replay_txn {
	struct slice case_id; /* never empty */
	struct slice form_id;
	uint32_t position; /* of the block among the form's case blocks, from 0, in document order */
	enum replay_kind kind;
	struct slice server_date; /* the form's received_on as text; SLICE_NONE if absent */
	int64_t at;               /* server_date as an instant (microseconds), or REPLAY_AT_UNREADABLE */
	/*
	 * The block, self-contained, in order of application. The first element is the block itself:
	 *
	 * - {"block":1|2,"date":TEXT?,"user_id":TEXT?,"sync_log_id":TEXT?}; no date: neither block nor form has one
	 *
	 * then one object per action:
	 *
	 * - {"action":"create","known":{name,type,owner_id,external_id,user_id,opened_on}}
	 * - {"action":"update","known":{as in create},"properties":{NAME:VALUE}}
	 * - {"action":"close"}
	 * - {"action":"index","indices":[{"identifier","referenced_type","referenced_id","relationship"}]}
	 * - {"action":"attachment","attachments":{NAME:null, or what it is}}; null deletes; what it is:
	 *   {"src"?,"from"?,"name"?,"content_type"?,"content_length"?,"key"?}
	 */
	struct json actions;
};

struct replay_txn_list {
	struct replay_txn *v;
	size_t n, cap;
};

/*
 * Every case block of the form, in document order, appended to *out. ERR_SYNTAX when a block cannot be read (unknown
 * namespace, no case id, bad date, index without type, ...), with the block's place in the message; nothing is appended
 * then. An empty @date_modified or @user_id is an absent one. A version 1 block without case_id may carry @case_id, and
 * the other way round.
 */
MUST_CHECK int replay_form_blocks(const struct replay_form *form, struct arena *a, struct replay_txn_list *out,
				  struct err *err);

/* ---- transactions -> case ---- */

struct replay_dialect {
	const char *name;
	int empty_known_overwrites; /* an empty name, type, ... in update replaces the old value (Couch) */
	int empty_index_removes;    /* index with empty text removes it (SQL); kept with an empty reference (Couch) */
	int hq_user_id_is_external_id; /* update of hq_user_id also sets external_id (SQL) */
	int defaults_need_create;      /* opened_on, opened_by, owner_id come only from a block that creates (Couch) */
	int touch_adds_form; /* a block without actions puts its form among the case's forms (SQL, decision 13) */
	const char *const *reserved; /* property names an update may not set; NULL-terminated */
};
extern const struct replay_dialect replay_dialect_couch, replay_dialect_sql;

struct replay_case {
	struct slice case_id; /* SLICE_NONE when there was no transaction */
	/* SLICE_NONE = never set */
	struct slice type, name, owner_id, external_id, location_id, user_id /* = modified_by */, opened_by, closed_by;
	struct slice opened_on, modified_on, closed_on; /* canonical, or the text itself when it is no date */
	struct slice server_modified_on; /* canonical: the last form with a readable received_on, touches included */
	int closed;
	struct json properties;  /* object: dynamic properties */
	struct json indices;     /* array of {"identifier","referenced_type","referenced_id","relationship"} in order of
				    first use */
	struct json attachments; /* object name -> what the action says, plus "form_id" */
	const struct slice *form_ids; /* each once, in order */
	size_t n_forms;
};

/* Order of application (DESIGN section 3): received_on as an instant with unreadable last, form id bytes, position. For
 * qsort. */
int replay_txn_order(const void *a, const void *b);
/*
 * Folds transactions already in order (all of one case). n may be 0: an empty case. Pure and total: actions that are
 * not of the shape above are passed over. A block without actions changes nothing but the list of forms and
 * server_modified_on.
 */
void replay_fold(const struct replay_dialect *d, const struct replay_txn *txns, size_t n, struct arena *a,
		 struct replay_case *out);
/* Can an update set a property of this name? (It starts with a letter and is not reserved; name and location_id go to
 * the fields.) */
int replay_is_property(const struct replay_dialect *d, struct slice name);

/* ---- dates ---- */

/*
 * The instant of any date text that stored documents are known to hold: what datetime_parse reads, a bare date
 * (midnight UTC), an offset (+02:00, +0200, +02) or none (UTC) instead of Z, "+00:00Z", a blank instead of T, more than
 * six fraction digits (cut). 1 or 0.
 */
int replay_instant(struct slice text, int64_t *us);
/* Canonical text of it, or the text itself when it is no date. */
struct slice replay_canonical_date(struct slice text, struct arena *a);
/*
 * BEHAVIOUR section 3: a malformed @date_modified repaired, or the text itself when replay_instant reads it. SLICE_NONE
 * when it is no date at all. "MM-DD-YYYY", "YYYY-MM-0DD", "MM/DD/YY hh:mm:ss".
 */
struct slice replay_repair_date(struct slice text, struct arena *a);

#endif
