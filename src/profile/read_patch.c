/* "patch": what a patch form can and cannot write (BEHAVIOUR section 9.3). */
#include "config.h"

#include "profile/profile_internal.h"

static const char *const patch_keys[] = {"unpatchable", "static", "known", "fields", "documents", NULL};

static struct patch_names names_of(struct reader *r, const struct json *patch, const char *key, enum need need)
{
	struct patch_names names = {0};

	names.v = member_texts(r, patch, key, need, &names.n);
	return names;
}

/* One that speaks of plain documents alone says nothing of states. */
static int is_of_documents_alone(const struct json *patch)
{
	return patch->count == 1 && json_gets(patch, "documents");
}

void read_patch(struct reader *r, struct draft *d)
{
	const struct json *patch = member(r, r->root, "patch", JSON_OBJECT, OPTIONAL);
	struct patch_policy *policy = &d->out->patch;

	if (!patch)
		return;
	check_keys(r, patch, patch_keys);
	d->out->patch_documents = member_bool(r, patch, "documents", 0);
	if (is_of_documents_alone(patch))
		return;
	d->out->has_patch = 1;
	policy->unpatchable = names_of(r, patch, "unpatchable", REQUIRED);
	policy->statics = names_of(r, patch, "static", REQUIRED);
	policy->known = names_of(r, patch, "known", REQUIRED);
	policy->fields = names_of(r, patch, "fields", OPTIONAL);
}
