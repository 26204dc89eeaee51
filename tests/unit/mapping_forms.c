#include "config.h"

#include "tests/unit/mapping_forms.h"

struct mapping_form map_ok(const struct mapping_doc *d, struct arena *a)
{
	struct mapping_form out;
	struct err err = ERR_INIT;
	if (mapping_form(d, a, &out, &err) != 0)
		fail_msg("%s", err.msg);
	return out;
}

struct json document_ok(const struct sql_row *row, struct arena *a)
{
	struct json out;
	struct err err = ERR_INIT;
	if (mapping_form_document(row, a, &out, &err) != 0)
		fail_msg("%s", err.msg);
	return out;
}

struct sql_row stored_ok(const char *text, const struct profile_kind *kind, struct arena *a)
{
	struct mapping_doc d = doc_of_text(slice_of(text), kind, a);
	struct mapping_form m = map_ok(&d, a);
	return stored_form(&m.form, a);
}
