/* verify_forms: patch forms of the trail, a chunk at a time, and those of SQL that the trail lacks. */
#include "migrate/verify_forms.h"

#include "migrate/patch_forms.h"
#include "migrate/trail.h"

#include <sodium.h>
#include <stdlib.h>

/* ---- one form: what the trail says of it agrees with itself ---- */

static int is_digest_of(const struct json *entry, const char *key, struct slice bytes)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	char hex[2 * sizeof(hash) + 1];

	crypto_hash_sha256(hash, (const unsigned char *)bytes.ptr, bytes.len);
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	return slice_is(json_get_text(entry, key), hex);
}

static void check_reconstruction(struct verify *v, const struct verify_item *item)
{
	const struct json *after = json_gets(&item->entry, "after");
	struct err err = ERR_INIT;
	struct json before;

	if (!after)
		return;
	if (!slice_eq(patch_digest(after, &v->chunk), json_get_text(&item->entry, "after_sha256")))
		verify_found(v, "%.*s: the case after the patch is not the one of its digest", SLICE_ARG(item->path));
	else if (patch_reconstruct(&item->rows.block, after, &v->chunk, &before, &err))
		verify_found(v, "%.*s: the diff block does not reconstruct: %s", SLICE_ARG(item->path), err.msg);
	else if (!slice_eq(patch_digest(&before, &v->chunk), json_get_text(&item->entry, "before_sha256")))
		verify_found(v, "%.*s: the diff block reconstructs another document", SLICE_ARG(item->path));
}

static void check_item(struct verify *v, struct verify_item *item)
{
	const struct json *block = json_gets(&item->entry, "block");
	struct err err = ERR_INIT;

	if (!slice_eq(json_get_text(&item->entry, "form_id"), item->form_id))
		verify_found(v, "%.*s: it speaks of another form", SLICE_ARG(item->path));
	if (!item->xml.ptr) {
		verify_found(v, "patch form %.*s: its XML is neither in the trail nor in SQL",
			     SLICE_ARG(item->form_id));
		return;
	}
	if (!is_digest_of(&item->entry, "xml_sha256", item->xml))
		verify_found(v, "patch form %.*s: its XML is not the one of its digest", SLICE_ARG(item->form_id));
	if (patch_rows_of(v->env->domain, item->xml, &v->chunk, &item->rows, &err)) {
		verify_found(v, "patch form %.*s: %s", SLICE_ARG(item->form_id), err.msg);
		return;
	}
	item->readable = 1;
	if (block && !json_eq(block, &item->rows.block))
		verify_found(v, "%.*s: its diff block is not that of the form", SLICE_ARG(item->path));
	if (!slice_eq(json_get_text(&item->rows.block, "case_id"), json_get_text(&item->entry, "id")))
		verify_found(v, "%.*s: it names another document than the form", SLICE_ARG(item->path));
	check_reconstruction(v, item);
}

/* Where the trail keeps digests the XML is SQL's own. */
static int take_xml_of_sql(struct verify *v, struct err *err)
{
	static const int by_owner[] = {ATT_DOMAIN, ATT_OWNER_KIND, ATT_OWNER_ID};

	for (size_t i = 0; i < v->items.n; i++) {
		struct verify_item *item = &v->items.v[i];
		struct sql_row owner = row_new(&v->chunk, 3);
		struct sql_rows rows = {0};

		if (item->xml.ptr)
			continue;
		owner.cells[0] = v->env->domain;
		owner.cells[1] = SLICE("form");
		owner.cells[2] = item->form_id;
		if (sql_select(v->target, &sql_attachments, by_owner, 3, &owner, 1, &v->chunk, &rows, err))
			return err->code;
		for (size_t k = 0; k < rows.n; k++)
			if (slice_is(rows.v[k].cells[ATT_NAME], PATCH_XML_NAME))
				item->xml = rows.v[k].cells[ATT_BYTES];
	}
	return 0;
}

static int check_chunk(struct verify *v, struct err *err)
{
	int rc = v->items.n ? take_xml_of_sql(v, err) : 0;

	for (size_t i = 0; i < v->items.n && rc == 0; i++)
		check_item(v, &v->items.v[i]);
	if (rc == 0 && v->items.n)
		rc = verify_chunk_rows(v, err);
	v->out->forms += (int64_t)v->items.n;
	v->items.v = NULL;
	v->items.n = v->items.cap = 0;
	arena_reset(&v->chunk);
	return rc;
}

/* ---- files of the trail: FORM.json, then FORM.xml ---- */

static int add_entry(struct verify *v, struct slice path, struct slice bytes, struct slice form_id)
{
	struct verify_item item = {.path = arena_slice(&v->chunk, path), .form_id = arena_slice(&v->chunk, form_id)};
	struct err err = ERR_INIT;

	if (json_read(arena_slice(&v->chunk, bytes), &v->chunk, 0, &item.entry, NULL, &err))
		verify_found(v, "%.*s: %s", SLICE_ARG(path), err.msg);
	ARENA_PUSH(&v->all, &v->ids, arena_slice(&v->all, form_id));
	ARENA_PUSH(&v->chunk, &v->items, item);
	return 0;
}

static void add_xml(struct verify *v, struct slice path, struct slice bytes, struct slice form_id)
{
	struct verify_item *last = v->items.n ? &v->items.v[v->items.n - 1] : NULL;

	if (last && slice_eq(last->form_id, form_id))
		last->xml = arena_slice(&v->chunk, bytes);
	else
		verify_found(v, "%.*s: there is no file .json beside it", SLICE_ARG(path));
}

static int add_file(void *ctx, struct slice path, struct slice bytes, struct slice why, struct err *err)
{
	struct verify *v = ctx;
	struct buf id = BUF_INIT(1u << 20);
	int rc = 0;

	if (why.ptr)
		verify_found(v, "%.*s: %.*s", SLICE_ARG(path), SLICE_ARG(why));
	else if (audit_path_id(TRAIL_PATCHES, ".xml", path, &id) == 0)
		add_xml(v, path, bytes, buf_slice(&id));
	else {
		if (v->items.n >= VERIFY_CHUNK)
			rc = check_chunk(v, err);
		buf_clear(&id);
		if (rc == 0 && audit_path_id(TRAIL_PATCHES, ".json", path, &id) == 0)
			rc = add_entry(v, path, bytes, buf_slice(&id));
		else if (rc == 0 && slice_starts(path, SLICE(TRAIL_PATCHES "/")))
			verify_found(v, "%.*s: it is no file of the trail", SLICE_ARG(path));
	}
	buf_release(&id);
	return rc;
}

int verify_trail_forms(struct verify *v, struct err *err)
{
	int rc = audit_files(v->trail, SLICE(""), add_file, v, err);

	if (rc == ERR_STATE) {
		verify_found(v, "%s: %s", audit_ref(v->trail), err->msg);
		*err = (struct err)ERR_INIT;
		rc = 0;
	}
	return rc ? rc : check_chunk(v, err);
}

/* ---- forms of SQL ---- */

static int by_slice(const void *left, const void *right)
{
	return slice_cmp(*(const struct slice *)left, *(const struct slice *)right);
}

static void check_known(struct verify *v, struct slice form_id, const char *table)
{
	if (!v->ids.n || !bsearch(&form_id, v->ids.v, v->ids.n, sizeof(*v->ids.v), by_slice))
		verify_found(v, "%s: patch form %.*s is not in the trail", table, SLICE_ARG(form_id));
}

/* Transactions say it too, where somebody took the operation away. */
static int check_transactions(struct verify *v, struct err *err)
{
	static const int by_kind[] = {TXN_DOMAIN, TXN_KIND};
	struct sql_row key = row_pair(&v->chunk, v->env->domain, SLICE("patch"));
	struct sql_rows rows = {0};

	if (sql_select(v->target, &sql_case_transactions, by_kind, 2, &key, 1, &v->chunk, &rows, err))
		return err->code;
	for (size_t i = 0; i < rows.n; i++)
		check_known(v, rows.v[i].cells[TXN_FORM_ID], "case_transactions");
	return 0;
}

int verify_sql_forms(struct verify *v, struct err *err)
{
	struct sql_rows rows = {0};
	int rc;

	if (v->ids.n)
		qsort(v->ids.v, v->ids.n, sizeof(*v->ids.v), by_slice);
	rc = patch_form_ids(v->target, v->env->domain, &v->chunk, &rows, err);
	for (size_t i = 0; i < rows.n && rc == 0; i++)
		check_known(v, rows.v[i].cells[OP_FORM_ID], "form_operations");
	arena_reset(&v->chunk);
	return rc ? rc : check_transactions(v, err);
}
