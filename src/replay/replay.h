/*
 * replay: forms -> case transactions -> cases. Pure: memory in, memory out, nothing about SQL or rules.
 * Semantics: DOCUMENTS.md sections 3 and 4, BEHAVIOUR.md section 3 (malformed dates), DESIGN.md decisions 4, 13, 15, 16.
 * The Couch and SQL form processors share one fold; where they differ is data in struct replay_dialect.
 * Threads: functions are reentrant.
 */
#ifndef SETTLE_REPLAY_REPLAY_H
#define SETTLE_REPLAY_REPLAY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

/* ---- form -> transactions ---- */

struct replay_form {          /* what a form brings besides its body */
	struct slice form_id;
	struct slice received_on; /* as in the document; may be unreadable or SLICE_NONE */
	const struct json *body;  /* the `form` subtree */
	const struct json *attachments; /* the form's external_blobs (or _attachments) object, or NULL: size and type of case attachments */
	struct slice sync_token;  /* last_sync_token or SLICE_NONE */
};

enum replay_kind { REPLAY_FORM, REPLAY_TOUCH, REPLAY_PATCH };

struct replay_txn {
	struct slice case_id;
	struct slice form_id;
	uint32_t position;        /* of the block among the form's case blocks, from 0 */
	enum replay_kind kind;
	struct slice server_date; /* the form's received_on as text; SLICE_NONE if absent */
	/*
	 * The block, self-contained, in order of application; first element is the block itself:
	 *   {"block":2,"date":TEXT,"user_id":TEXT,"sync_log_id":TEXT?}
	 * then one object per action: {"action":"create"|"update"|"close"|"index"|"attachment", ...}
	 *   create/update: "known":{name,type,owner_id,external_id,user_id,opened_on,...}, "properties":{...}
	 *   index: "indices":[{"identifier","referenced_type","referenced_id","relationship"}]
	 *   attachment: "attachments":{name:{"src","from","name","content_type","content_length"}|null}   null = delete
	 */
	struct json actions;
};

struct replay_txn_list {
	struct replay_txn *v;
	size_t n, cap;
};

/* Every case block of the form, in document order. ERR_SYNTAX when a block cannot be read (unknown namespace, bad date, index without type, ...),
 * with the block's place in the message; nothing is appended then. */
MUST_CHECK int replay_form_blocks(const struct replay_form *form, struct arena *a, struct replay_txn_list *out, struct err *err);

/* ---- transactions -> case ---- */

struct replay_dialect {
	const char *name;
	int empty_known_overwrites;   /* an empty name, type, ... in update replaces the old value (Couch) */
	int empty_index_removes;      /* index with empty text removes it (SQL); kept with an empty reference (Couch) */
	int hq_user_id_is_external_id;/* update of hq_user_id also sets external_id (SQL) */
	int defaults_from_block;      /* opened_on, opened_by, owner_id from the first block when unset (SQL covers updates without create) */
	const char *const *reserved;  /* property names an update may not set; NULL-terminated */
};
extern const struct replay_dialect replay_dialect_couch, replay_dialect_sql;

struct replay_case {
	struct slice case_id;
	/* SLICE_NONE = never set */
	struct slice type, name, owner_id, external_id, location_id, user_id /* = modified_by */, opened_by, closed_by;
	struct slice opened_on, modified_on, closed_on, server_modified_on; /* date texts as found in blocks */
	int closed;
	struct json properties;   /* object: dynamic properties, strings */
	struct json indices;      /* array of {"identifier","referenced_type","referenced_id","relationship"} in order of first use */
	struct json attachments;  /* object name -> {"content_type","content_length","src","from","name"} */
	const struct slice *form_ids; /* each once, in order */
	size_t n_forms;
};

/* Order of application (DESIGN section 3): received_on as an instant with unreadable last, form id bytes, position. For qsort. */
int replay_txn_order(const void *a, const void *b);
/* Folds transactions already in order (all of one case). n may be 0: an empty case. */
void replay_fold(const struct replay_dialect *d, const struct replay_txn *txns, size_t n, struct arena *a, struct replay_case *out);
/* BEHAVIOUR section 3: a malformed @date_modified repaired, or the text itself. SLICE_NONE when it is no date at all. */
struct slice replay_repair_date(struct slice text, struct arena *a);

#endif
