/* "patch": what a patch form can and cannot write (BEHAVIOUR section 9.3). The patch room reads it; here its shape is
 * checked. */
#include "config.h"

#include "profile/profile_internal.h"

static const char *const patch_keys[] = {"unpatchable", "static", "known", NULL};

void read_patch(struct reader *r)
{
	const struct json *patch = member(r, r->root, "patch", JSON_OBJECT, OPTIONAL);
	size_t n;

	if (!patch)
		return;
	check_keys(r, patch, patch_keys);
	for (const char *const *name = patch_keys; *name; name++)
		(void)member_texts(r, patch, *name, REQUIRED, &n);
}
