/* What the files of the patch room share. Threads: a planning belongs to one thread. */
#ifndef PATCH_PATCH_INTERNAL_H
#define PATCH_PATCH_INTERNAL_H

#include "base/utf8.h"
#include "patch/patch.h"

struct planning {
	const struct patch_policy *policy;
	struct patch_plan *plan;
	struct arena *a;
};

int patch_has_name(const struct patch_names *names, struct slice name);
/* The block of the differences; policy NULL: a patch makes every one of them go. */
struct json patch_block_make(const struct patch_policy *policy, struct slice id, const struct diff_list *diffs,
			     struct arena *a);
/* A form with the block, and nothing between its meta and its block yet. */
struct json patch_form_head(struct slice user, const struct patch_stamp *stamp, struct arena *a);
/* The block as text in which XML can carry every character. */
struct json patch_block_text(const struct json *block, struct arena *a);

/* Can XML 1.0 carry the text (WTF-8)? */
int patch_xml_carries(struct slice text);
/* Is it an XML name without a colon? */
int patch_xml_is_name(struct slice text);
/* The inside of a JSON string that XML can carry, and back (ERR_SYNTAX). */
void patch_json_inside(struct slice text, struct buf *out);
MUST_CHECK int patch_json_outside(struct slice inside, struct arena *a, struct slice *text, struct err *err);

#endif
