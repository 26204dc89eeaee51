/* The patch form of a plain document: the document itself and the diff block (patch.h). */
#include "config.h"

#include "patch/patch_internal.h"

struct json patch_document_block(struct slice id, const struct diff_list *diffs, struct arena *a)
{
	return patch_block_make(NULL, id, diffs, a);
}

static struct json element_of(const struct patch_document *document, struct arena *a)
{
	struct json v = json_object();
	json_sets(a, &v, "@id", json_string(document->id));
	json_sets_text(a, &v, "@rev", document->rev);
	json_sets(a, &v, "@kind", json_string(document->kind));
	json_sets(a, &v, "#text", json_string(document->text));
	return v;
}

struct json patch_document_body(const struct patch_document *document, const struct json *block,
				const struct patch_stamp *stamp, struct arena *a)
{
	struct json body = patch_form_head(SLICE(""), stamp, a);
	json_sets(a, &body, "document", element_of(document, a));
	json_sets(a, &body, "diff", patch_block_text(block, a));
	return body;
}

int patch_document_of(const struct json *body, struct patch_document *out, struct err *err)
{
	const struct json *v = json_gets(body, "document");
	if (!v)
		return err_set(err, ERR_NOTFOUND, "the form is not that of a plain document");
	*out = (struct patch_document){
	    .id = json_get_text(v, "@id"),
	    .rev = json_get_text(v, "@rev"),
	    .kind = json_get_text(v, "@kind"),
	    .text = json_get_text(v, "#text"),
	};
	if (out->id.ptr && out->kind.ptr && out->text.ptr)
		return 0;
	return err_set(err, ERR_SYNTAX, "the form's document lacks its id, its kind or its text");
}
