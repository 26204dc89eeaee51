/* "kinds", "parts" and "other_kinds": what documents there are. */
#include "config.h"

#include "profile/profile_internal.h"

static const char *const kind_keys[] = {"name",      "class",   "group",    "stored_as",
					"processed", "deleted", "compared", NULL};

static const char *const class_names[] = {
    [PROFILE_EVENT] = "event", [PROFILE_STATE] = "state", [PROFILE_DOCUMENT] = "document"};

static enum profile_class read_class(struct reader *r, const struct json *v)
{
	struct slice name = member_text(r, v, "class", REQUIRED);

	for (size_t i = 0; name.ptr && i < sizeof(class_names) / sizeof(*class_names); i++) {
		if (slice_is(name, class_names[i]))
			return (enum profile_class)i;
	}
	if (name.ptr)
		found(r, FINDING_ERROR, json_gets(v, "class"), "unknown class (known: event, state, document)");
	return PROFILE_DOCUMENT;
}

static void add_to_group(struct reader *r, struct groups *groups, struct slice group, struct slice kind)
{
	struct rule_group *g = NULL;
	struct slice *kinds;

	for (size_t i = 0; i < groups->n; i++) {
		if (slice_eq(groups->v[i].name, group))
			g = &groups->v[i];
	}
	if (!g) {
		ARENA_PUSH(r->a, groups, ((struct rule_group){.name = group}));
		g = &groups->v[groups->n - 1];
	}
	kinds = ARENA_ARRAY(r->a, g->n_kinds + 1, struct slice);
	if (g->n_kinds)
		memcpy(kinds, g->kinds, g->n_kinds * sizeof(*kinds));
	kinds[g->n_kinds++] = kind;
	g->kinds = kinds;
}

static int is_listed(const struct profile_kind *kinds, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++) {
		if (slice_eq(kinds[i].name, name))
			return 1;
	}
	return 0;
}

static void read_kind(struct reader *r, struct draft *d, const struct json *v, struct profile_kind *kinds)
{
	struct profile_kind k = {.name = member_text(r, v, "name", REQUIRED)};
	struct slice group = member_text(r, v, "group", OPTIONAL);

	check_keys(r, v, kind_keys);
	k.cls = read_class(r, v);
	k.stored_as = member_text(r, v, "stored_as", OPTIONAL);
	k.processed = member_bool(r, v, "processed", 0);
	k.deleted = member_bool(r, v, "deleted", 0);
	k.compared = member_bool(r, v, "compared", 1);
	if (k.processed && k.cls != PROFILE_EVENT)
		found_key(r, json_gets(v, "processed"), "only events are processed");
	if (!k.name.ptr)
		return;
	if (!k.stored_as.ptr)
		k.stored_as = k.name;
	if (is_listed(kinds, d->out->n_kinds, k.name)) {
		found(r, FINDING_ERROR, json_gets(v, "name"), "kind \"%.*s\" is listed twice", SLICE_ARG(k.name));
		return;
	}
	kinds[d->out->n_kinds++] = k;
	if (group.ptr)
		add_to_group(r, &d->groups, group, k.name);
}

static void check_groups(struct reader *r, const struct draft *d, const struct json *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		struct slice group = json_get_text(&list->items[i], "group");

		if (group.ptr && is_listed(d->out->kinds, d->out->n_kinds, group))
			found(r, FINDING_ERROR, json_gets(&list->items[i], "group"),
			      "group \"%.*s\" has the name of a kind", SLICE_ARG(group));
	}
}

static void check_parts(struct reader *r, const struct draft *d)
{
	for (size_t i = 0; i < d->parts.n; i++) {
		if (is_listed(d->out->kinds, d->out->n_kinds, d->parts.v[i]))
			found_key(r, json_gets(r->root, "parts"), "part \"%.*s\" is also a kind",
				  SLICE_ARG(d->parts.v[i]));
	}
}

static int read_other_kinds(struct reader *r)
{
	struct slice what = member_text(r, r->root, "other_kinds", OPTIONAL);

	if (what.ptr && !slice_is(what, "compared") && !slice_is(what, "copied"))
		found(r, FINDING_ERROR, json_gets(r->root, "other_kinds"),
		      "\"other_kinds\" is \"compared\" or \"copied\"");
	return slice_is(what, "compared");
}

void read_kinds(struct reader *r, struct draft *d)
{
	const struct json *list = member(r, r->root, "kinds", JSON_ARRAY, REQUIRED);
	struct profile_kind *kinds = ARENA_ARRAY(r->a, list ? list->count : 0, struct profile_kind);

	for (uint32_t i = 0; list && i < list->count; i++) {
		if (json_is(&list->items[i], JSON_OBJECT))
			read_kind(r, d, &list->items[i], kinds);
		else
			found(r, FINDING_ERROR, &list->items[i], "a kind is an object, not %s",
			      json_type_name(&list->items[i]));
	}
	d->out->kinds = kinds;
	d->parts.v = member_texts(r, r->root, "parts", OPTIONAL, &d->parts.n);
	d->out->other_kinds = read_other_kinds(r);
	if (list)
		check_groups(r, d, list);
	check_parts(r, d);
}
