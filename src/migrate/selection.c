#include "migrate/selection.h"

/* The first that is named with this id, of whatever kind; n when there is none. */
static size_t first_of_id(const struct selection *s, struct slice id)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (slice_cmp(s->v[mid].id, id) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int selected_means(const struct selected *one, struct slice kind)
{
	return !one->kind.ptr || slice_eq(one->kind, kind);
}

static int has_id(const struct selection *s, struct slice kind, struct slice id)
{
	for (size_t i = first_of_id(s, id); i < s->n && slice_eq(s->v[i].id, id); i++)
		if (selected_means(&s->v[i], kind))
			return 1;
	return 0;
}

void selection_see(const struct selection *s, struct slice kind, struct slice id)
{
	if (s->what != SELECT_IDS)
		return;
	for (size_t i = first_of_id(s, id); i < s->n && slice_eq(s->v[i].id, id); i++)
		if (selected_means(&s->v[i], kind))
			s->seen[i] = 1;
}

static int has_kind(const struct selection *s, struct slice kind)
{
	for (size_t i = 0; i < s->n; i++)
		if (slice_eq(s->v[i].kind, kind))
			return 1;
	return 0;
}

int selection_is_case(const struct selection *s, struct slice kind)
{
	const struct profile_kind *k = profile_kind(s->profile, kind);

	return k && k->cls == PROFILE_STATE;
}

static int is_form_kind(const struct selection *s, struct slice kind)
{
	const struct profile_kind *k = profile_kind(s->profile, kind);

	return k && k->cls == PROFILE_EVENT;
}

int selection_has_kind(const struct selection *s, struct slice kind)
{
	switch (s->what) {
	case SELECT_FORMS:
		return is_form_kind(s, kind);
	case SELECT_CASES:
		return selection_is_case(s, kind);
	case SELECT_KINDS:
		return has_kind(s, kind);
	case SELECT_IDS:
		return s->word.ptr && slice_eq(s->word, kind);
	case SELECT_ALL:
	case SELECT_PENDING:
	case SELECT_DIFFS:
	case SELECT_CHANGES:
		break;
	}
	return 1;
}

int selection_has(const struct selection *s, struct slice kind, struct slice id)
{
	return selection_has_kind(s, kind) || (s->what == SELECT_IDS && has_id(s, kind, id));
}

int selection_meets_class(const struct selection *s, int is_case)
{
	if (s->what == SELECT_FORMS)
		return !is_case;
	if (s->what == SELECT_CASES || s->what == SELECT_PENDING || s->what == SELECT_CHANGES)
		return is_case;
	if (s->what != SELECT_KINDS)
		return 1;
	for (size_t i = 0; i < s->n; i++)
		if (selection_is_case(s, s->v[i].kind) == is_case)
			return 1;
	return 0;
}
