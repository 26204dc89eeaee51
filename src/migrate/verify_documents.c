/* verify_documents: patch forms of plain documents: what they set, what they undo, and the rows that SQL holds. */
#include "migrate/verify_forms.h"

#include <stdlib.h>

static void check_form(struct verify *v, const struct verify_item *item)
{
	const struct patch_rows *rows = &item->rows;
	struct err err = ERR_INIT;
	struct json before;

	if (!slice_eq(json_get_text(&rows->block, "case_id"), rows->document.id) ||
	    !slice_eq(json_get_text(&rows->doc, "_id"), rows->document.id))
		verify_found(v, "patch form %.*s: its document is another than its diff block's",
			     SLICE_ARG(item->form_id));
	if (!slice_eq(patch_digest(&rows->doc, &v->chunk), json_get_text(&item->entry, "after_sha256")))
		verify_found(v, "patch form %.*s: its document is not the one of its digest", SLICE_ARG(item->form_id));
	else if (patch_reconstruct(&rows->block, &rows->doc, &v->chunk, &before, &err))
		verify_found(v, "patch form %.*s: the diff block does not reconstruct: %s", SLICE_ARG(item->form_id),
			     err.msg);
	else if (!slice_eq(patch_digest(&before, &v->chunk), json_get_text(&item->entry, "before_sha256")))
		verify_found(v, "patch form %.*s: the diff block reconstructs another document",
			     SLICE_ARG(item->form_id));
}

/* A row of another revision was written by a migration since. */
static void check_row(struct verify *v, const struct verify_item *item, const struct sql_row *held)
{
	const struct patch_document *document = &item->rows.document;
	const char *column;

	if (!held) {
		verify_found(v, "documents: patched document %.*s is not there", SLICE_ARG(document->id));
		return;
	}
	if (!slice_eq(held->cells[DOC_COUCH_REV], document->rev))
		return;
	column = verify_differing_column(&sql_documents, &item->rows.row, held, &v->chunk);
	if (column)
		verify_found(v, "documents: %s of patched document %.*s is not what its patch form says", column,
			     SLICE_ARG(document->id));
}

static int by_document_id(const void *key, const void *row)
{
	return slice_cmp(*(const struct slice *)key, ((const struct sql_row *)row)->cells[DOC_ID]);
}

int verify_chunk_documents(struct verify *v, struct err *err)
{
	static const int by_id[] = {DOC_DOMAIN, DOC_ID};
	struct sql_rows keys = {0}, rows = {0};

	for (size_t i = 0; i < v->items.n; i++)
		if (v->items.v[i].readable && v->items.v[i].rows.is_document)
			ARENA_PUSH(&v->chunk, &keys,
				   row_pair(&v->chunk, v->env->domain, v->items.v[i].rows.document.id));
	if (keys.n == 0)
		return 0;
	if (sql_select(v->target, &sql_documents, by_id, 2, keys.v, keys.n, &v->chunk, &rows, err))
		return err->code;
	for (size_t i = 0; i < v->items.n; i++) {
		const struct verify_item *item = &v->items.v[i];

		if (!item->readable || !item->rows.is_document)
			continue;
		check_form(v, item);
		check_row(v, item,
			  rows.n ? bsearch(&item->rows.document.id, rows.v, rows.n, sizeof(*rows.v), by_document_id)
				 : NULL);
	}
	return 0;
}
