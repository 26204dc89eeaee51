/* verify_item: one patch form of the trail: its file, its XML and its diff block agree with each other. */
#include "base/hex.h"
#include "migrate/verify_forms.h"

int verify_is_after(struct verify_job *j, const struct verify_item *item, const struct json *after)
{
	return slice_eq(patch_digest(after, &j->arena), json_get_text(&item->entry, "after_sha256"));
}

void verify_block(struct verify_job *j, const struct verify_item *item, const struct json *after)
{
	struct err err = ERR_INIT;
	struct json before;

	if (patch_reconstruct(&item->rows.block, after, &j->arena, &before, &err))
		verify_job_found(j, "%.*s: the diff block does not reconstruct: %s", SLICE_ARG(item->path), err.msg);
	else if (!slice_eq(patch_digest(&before, &j->arena), json_get_text(&item->entry, "before_sha256")))
		verify_job_found(j, "%.*s: the diff block reconstructs another document", SLICE_ARG(item->path));
}

/* With the case that the trail keeps. */
static void check_reconstruction(struct verify_job *j, const struct verify_item *item)
{
	const struct json *after = json_gets(&item->entry, "after");
	size_t n = j->findings.n;

	if (!after)
		return;
	if (verify_is_after(j, item, after))
		verify_block(j, item, after);
	else
		verify_job_found(j, "%.*s: the case after the patch is not the one of its digest",
				 SLICE_ARG(item->path));
	j->from_trail += j->findings.n == n;
}

void verify_item(struct verify_job *j, struct verify_item *item, struct slice xml_of_sql)
{
	const struct json *block = json_gets(&item->entry, "block");
	struct err err = ERR_INIT;

	if (!slice_eq(json_get_text(&item->entry, "form_id"), item->form_id))
		verify_job_found(j, "%.*s: it speaks of another form", SLICE_ARG(item->path));
	item->xml_of_sql = !item->xml.ptr;
	if (item->xml_of_sql)
		item->xml = xml_of_sql;
	if (!item->xml.ptr) {
		verify_job_found(j, "patch form %.*s: its XML is neither in the trail nor in SQL",
				 SLICE_ARG(item->form_id));
		return;
	}
	if (!slice_eq(json_get_text(&item->entry, "xml_sha256"), hex_sha256(item->xml, &j->arena)))
		verify_job_found(j, "patch form %.*s: its XML is not the one of its digest", SLICE_ARG(item->form_id));
	if (patch_rows_of(j->v->env->domain, item->xml, &j->arena, &item->rows, &err)) {
		verify_job_found(j, "patch form %.*s: %s", SLICE_ARG(item->form_id), err.msg);
		return;
	}
	item->readable = 1;
	if (block && !json_eq(block, &item->rows.block))
		verify_job_found(j, "%.*s: its diff block is not that of the form", SLICE_ARG(item->path));
	if (!slice_eq(json_get_text(&item->rows.block, "case_id"), json_get_text(&item->entry, "id")))
		verify_job_found(j, "%.*s: it names another document than the form", SLICE_ARG(item->path));
	if (!item->rows.is_document)
		check_reconstruction(j, item);
}
