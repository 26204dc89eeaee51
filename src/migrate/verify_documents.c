/* verify_documents: patch forms of plain documents: what they set, what they undo, and the rows that SQL holds. */
#include "migrate/verify_forms.h"

#include <stdlib.h>

static void check_form(struct verify_job *j, const struct verify_item *item)
{
	const struct patch_rows *rows = &item->rows;
	size_t findings = j->findings.n;

	if (!slice_eq(json_get_text(&rows->block, "case_id"), rows->document.id) ||
	    !slice_eq(json_get_text(&rows->doc, "_id"), rows->document.id))
		verify_job_found(j, "patch form %.*s: its document is another than its diff block's",
				 SLICE_ARG(item->form_id));
	if (!slice_eq(patch_digest(&rows->doc, &j->arena), json_get_text(&item->entry, "after_sha256")))
		verify_job_found(j, "patch form %.*s: its document is not the one of its digest",
				 SLICE_ARG(item->form_id));
	else
		verify_block(j, item, &rows->doc);
	if (j->findings.n == findings)
		++*(item->xml_of_sql ? &j->from_sql : &j->from_trail);
}

/* A row of another revision was written by a migration since. */
static void check_row(struct verify_job *j, const struct verify_item *item, const struct sql_row *held)
{
	const struct patch_document *document = &item->rows.document;
	const char *column;

	if (!held) {
		verify_job_found(j, "documents: patched document %.*s is not there", SLICE_ARG(document->id));
		return;
	}
	if (!slice_eq(held->cells[DOC_COUCH_REV], document->rev))
		return;
	column = verify_differing_column(&sql_documents, &item->rows.row, held, &j->arena);
	if (column)
		verify_job_found(j, "documents: %s of patched document %.*s is not what its patch form says", column,
				 SLICE_ARG(document->id));
}

static int by_document_id(const void *key, const void *row)
{
	return slice_cmp(*(const struct slice *)key, ((const struct sql_row *)row)->cells[DOC_ID]);
}

int verify_documents(struct verify_job *j, struct err *err)
{
	static const int by_id[] = {DOC_DOMAIN, DOC_ID};
	struct sql_rows keys = {0}, rows = {0};

	for (size_t i = 0; i < j->items.n; i++)
		if (j->items.v[i].readable && j->items.v[i].rows.is_document)
			ARENA_PUSH(&j->arena, &keys,
				   row_pair(&j->arena, j->v->env->domain, j->items.v[i].rows.document.id));
	if (keys.n == 0)
		return 0;
	if (sql_select(j->target, &sql_documents, by_id, 2, keys.v, keys.n, &j->arena, &rows, err))
		return err->code;
	for (size_t i = 0; i < j->items.n; i++) {
		const struct verify_item *item = &j->items.v[i];

		if (!item->readable || !item->rows.is_document)
			continue;
		check_form(j, item);
		check_row(j, item,
			  rows.n ? bsearch(&item->rows.document.id, rows.v, rows.n, sizeof(*rows.v), by_document_id)
				 : NULL);
	}
	return 0;
}
