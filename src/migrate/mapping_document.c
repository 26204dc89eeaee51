/* Plain documents <-> rows of `documents`. The body is the whole document. */
#include "migrate/mapping_cells.h"

int mapping_document(const struct mapping_doc *d, struct arena *a, struct sql_row *out, struct err *err)
{
	struct json type = json_string(d->doc_type), rev = json_string(d->rev);
	int rc;
	if ((rc = mapping_key_check(d->domain, "the domain", err)) != 0 ||
	    (rc = mapping_key_check(d->id, "the document's _id", err)) != 0)
		return rc;
	*out = cells_new(DOC_COLUMNS, a);
	out->cells[DOC_DOMAIN] = d->domain;
	out->cells[DOC_ID] = d->id;
	out->cells[DOC_TYPE] = cell_text(&type, a);
	out->cells[DOC_COUCH_REV] = d->rev.ptr ? cell_text(&rev, a) : SLICE_NONE;
	out->cells[DOC_DELETED] = cell_bool(d->kind->deleted);
	out->cells[DOC_BODY] = d->odd ? cell_json_tamed(d->doc, a) : cell_json(d->doc, a);
	if (d->odd)
		out->cells[DOC_RAW] = d->bytes;
	return 0;
}

int mapping_document_document(const struct sql_row *row, struct arena *a, struct json *out, struct err *err)
{
	struct json exact;
	int rc = cell_read(row->cells[DOC_BODY], "documents.body", a, out, err);
	if (rc || !row->cells[DOC_RAW].ptr)
		return rc;
	if ((rc = cell_read(row->cells[DOC_RAW], "documents.raw", a, &exact, err)) != 0)
		return rc;
	mapping_drop_feed_metadata(&exact);
	struct json tame = json_tame(a, &exact);
	if (json_eq(out, &tame))
		*out = exact;
	return 0;
}
