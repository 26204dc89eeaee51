/*
 * patch: differences -> plan -> form and diff block -> back. Pure: no I/O, memory from the caller's arena.
 * Semantics: BEHAVIOUR.md section 9 with DESIGN.md decisions 18 and 25-28. old = Couch side, new = SQL side.
 *
 * The diff block (JSON text of the element `diff`):
 *
 *   {"case_id", "diffs": [{"path", "patch", "old"?, "new"?, "reason"?}] sorted by path,
 *    "before"?: {"edits": [...], "sha256": HEX} | {"edits": null}}
 *
 * `before` is what `diffs` lack to give back the SQL-side JSON before the patch from the one after it. Take the
 * document after; for each entry whose path is one key ("*" and "xform_ids" excepted), in order, put `new` there or,
 * where it is absent, remove the key; then make the edits in order. An edit is {"path", "value"} (put), {"path"}
 * (remove the key) or {"path", "at", "drop", "put"} (in the list at path take `drop` items out from position `at`, put
 * others there). edits null: there was no such document. sha256: of the canonical JSON before.
 *
 * XML: attributes are "@name" in JSON, the namespace "@xmlns" (only where it is another than the parent's), the root's
 * name "#type", text beside attributes "#text", a repeated element is a list. What XML 1.0 cannot carry (control
 * characters, U+0000, unpaired surrogates, U+FFFE, U+FFFF, names that are no XML names) is written as the inside of a
 * JSON string and marked by an attribute or element of the namespace PATCH_JSON_XMLNS, prefix j:
 *
 *   <x j:text="json">a\u0001b</x>      {"x": "a\u0001b"}
 *   <j:e j:name="a b">1</j:e>          {"a b": "1"}
 *   <case j:case_id="a\u0001b"/>       {"case": {"@case_id": "a\u0001b"}}
 *
 * A carriage return, and in attributes line feed and tab, is a character reference. Reading gives every value back.
 *
 * The form of a plain document (one that no form made) has no case block but the document itself, as its JSON text:
 *
 *   <document id="ID" rev="REVISION" kind="KIND">{"_id": "ID", ...}</document>
 *
 * Such a patch sets the row to that document. The diff block is the same ("case_id" is the document's id, every entry
 * has "patch": true); what was before follows from the form alone, whatever became of the row since. Threads: functions
 * are reentrant.
 */
#ifndef PATCH_PATCH_H
#define PATCH_PATCH_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "diff/diff.h"

#define PATCH_DEVICE_ID "couch-to-sql/patch-case-diff"
#define PATCH_OPERATION "Couch to SQL case patch"
#define PATCH_JSON_XMLNS "urn:settle:json-text"
#define PATCH_ID_BYTES 16 /* of a form id: 32 hex digits */

/* ---- policy: what a form can write (a profile fills it) ---- */

struct patch_names {
	const struct slice *v;
	size_t n;
};

struct patch_policy {
	struct patch_names unpatchable; /* recorded, never written */
	struct patch_names statics;     /* never written as a dynamic property (unpatchable ones neither) */
	struct patch_names known;       /* written by an update in their own way */
	struct patch_names fields;      /* further fields of the Couch document that are no dynamic properties */
};

/* ---- plan ---- */

enum patch_actions { PATCH_CREATE = 1u << 0, PATCH_UPDATE = 1u << 1, PATCH_CLOSE = 1u << 2 };

struct patch_plan {
	struct slice refused;     /* why there is no plan, or SLICE_NONE */
	unsigned actions;         /* enum patch_actions bits; may be 0: the form only records */
	struct json properties;   /* object: dynamic property -> text */
	struct json indices;      /* object: identifier -> {referenced_type, referenced_id, relationship} */
	struct json block;        /* the diff block, without `before` */
	const struct json *couch; /* borrowed */
};

/* couch NULL: there is no such document, which is refused. Total: what it cannot do it refuses. */
void patch_plan(const struct patch_policy *policy, const struct json *couch, const struct diff_list *diffs,
		struct arena *a, struct patch_plan *out);
/* A form may not make this difference go: it is recorded with "patch": false. */
int patch_is_unpatchable(const struct patch_policy *policy, const struct diff *d);
/* A property that SQL alone had cannot be removed: it is left as "". */
int patch_is_blanked(const struct diff *d);
/* Is the difference recorded in the block (path, flag and old equal)? */
int patch_block_records(const struct patch_policy *policy, const struct json *block, const struct diff *d);
/*
 * Adds a difference that a form cannot remove to the plan's block, in order of path. before: the SQL-side document
 * before the patch, or NULL.
 */
void patch_plan_record(const struct patch_policy *policy, const struct diff *d, const struct json *before,
		       struct arena *a, struct patch_plan *plan);
/*
 * BEHAVIOUR 9.5: is what still differs all recorded by the patch form form_id of this case?  xform_ids must show that
 * form among the ids only SQL has (decision 26).
 */
int patch_is_patched(const struct patch_policy *policy, const struct diff_list *diffs, const struct json *block,
		     struct slice form_id, struct arena *a);

/* {"patchable", "refused"?, "updates", "properties", "indices", "diff_block", "form_xml"} */
struct json patch_plan_to_json(const struct patch_plan *plan, struct slice xml, struct arena *a);
/* An entry of a diff block with its type, which the block does not keep. */
struct json patch_entry_diff(const struct json *entry, struct arena *a);

/* ---- form ---- */

struct patch_stamp {              /* what makes two forms of one plan different */
	struct slice form_id;     /* 32 hex digits */
	struct slice received_on; /* canonical date-time */
	struct slice modified_on; /* date of the block where the Couch case has none; may be SLICE_NONE */
};

/* The `form` subtree; plan->refused must be SLICE_NONE. Borrows from the plan. */
struct json patch_form_body(const struct patch_plan *plan, const struct patch_stamp *stamp, struct arena *a);
/* ERR_LIMIT when it does not fit into out. */
MUST_CHECK int patch_xml_write(const struct json *body, struct buf *out, struct err *err);
/* ERR_SYNTAX (no XML, a document type declaration, ...) or ERR_LIMIT (depth). Values live in the arena. */
MUST_CHECK int patch_xml_read(struct slice xml, struct arena *a, struct json *body, struct err *err);
/* The diff block of a form's body: ERR_NOTFOUND when it has none, ERR_SYNTAX when it cannot be read. */
MUST_CHECK int patch_block_of(const struct json *body, struct arena *a, struct json *block, struct err *err);

struct patch_document {             /* what the form of a plain document sets */
	struct slice id, rev, kind; /* rev may be SLICE_NONE */
	struct slice text;          /* JSON */
};
/* The diff block of a plain document, without `before`. */
struct json patch_document_block(struct slice id, const struct diff_list *diffs, struct arena *a);
/* The `form` subtree. Borrows from document and block. */
struct json patch_document_body(const struct patch_document *document, const struct json *block,
				const struct patch_stamp *stamp, struct arena *a);
/* ERR_NOTFOUND when the form is not one of a plain document, ERR_SYNTAX when it lacks something. Borrows from the body.
 */
MUST_CHECK int patch_document_of(const struct json *body, struct patch_document *out, struct err *err);

/* The document as stored: the fields of a form around its body. */
struct json patch_form_document(const struct json *body, struct slice domain, struct slice xml, struct arena *a);
/* Name of the attachment that holds the XML. */
#define PATCH_XML_NAME "form.xml"

/* ---- there and back ---- */

/* Sets block.before, so that patch_reconstruct(after, block) is `before` (NULL: there was no such document). */
void patch_block_set_before(struct json *block, const struct json *before, const struct json *after, struct arena *a);
/*
 * *before = the SQL-side JSON before the patch, JSON null when there was none. ERR_NOTFOUND: the block has no `before`.
 * ERR_SYNTAX: it cannot be followed, or what it gives is not what it was (`after` is not the document the patch left,
 * or the block was altered).
 */
MUST_CHECK int patch_reconstruct(const struct json *block, const struct json *after, struct arena *a,
				 struct json *before, struct err *err);
/* Hex SHA-256 of the canonical JSON. */
struct slice patch_digest(const struct json *v, struct arena *a);

#endif
