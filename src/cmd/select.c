#include "config.h"

#include "cmd/select.h"

#include "cmd/print.h"

#include <stdlib.h>

static int by_id(const void *a, const void *b)
{
	const struct selected *x = a, *y = b;
	return slice_cmp(x->id, y->id);
}

/* Takes what stands before the separator off the text; all of it where there is none. */
static struct slice take(struct slice *text, char separator)
{
	const char *at = text->len ? memchr(text->ptr, separator, text->len) : NULL;
	struct slice part = {text->ptr, at ? (size_t)(at - text->ptr) : text->len};
	size_t taken = part.len + (at ? 1 : 0);
	text->ptr += taken;
	text->len -= taken;
	return part;
}

static void add_ids(struct slice ids, struct slice kind, struct arena *a, struct selection *out)
{
	out->what = SELECT_IDS;
	while (ids.len) {
		struct slice id = take(&ids, ',');
		if (id.len)
			ARENA_PUSH(a, out, ((struct selected){kind, id}));
	}
}

static struct slice trimmed(struct slice s)
{
	while (s.len && strchr(" \t\r", s.ptr[s.len - 1]))
		s.len--;
	if (s.len > 1 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"')
		s = (struct slice){s.ptr + 1, s.len - 2};
	return s;
}

/* One id a line, or KIND,ID. */
static int read_ids(const char *path, struct arena *a, struct selection *out, struct err *err)
{
	struct slice text;
	out->what = SELECT_IDS;
	if (read_file(path, a, &text, err))
		return err->code;
	for (size_t number = 1; text.len; number++) {
		struct slice line = take(&text, '\n'), first = trimmed(take(&line, ',')), second = trimmed(line);
		if (memchr(second.ptr, ',', second.len))
			return err_set(err, ERR_USAGE, "%s line %zu: wanted an id, or a kind and an id", path, number);
		if (second.len)
			ARENA_PUSH(a, out, ((struct selected){first, second}));
		else if (first.len)
			ARENA_PUSH(a, out, ((struct selected){SLICE_NONE, first}));
	}
	return 0;
}

static void parse_word(struct slice word, struct arena *a, struct selection *out)
{
	struct slice rest = word, head = take(&rest, ':');
	if (head.len < word.len && profile_kind(out->profile, head)) {
		add_ids(rest, head, a, out);
	} else if (profile_kind(out->profile, word)) {
		out->what = SELECT_KIND;
		out->kind = word;
	} else {
		add_ids(word, SLICE_NONE, a, out);
	}
}

int selection_parse(const char *text, const struct profile *profile, struct arena *a, struct selection *out,
		    struct err *err)
{
	static const struct {
		const char *word;
		enum selection_what what;
	} words[] = {{"pending", SELECT_PENDING},
		     {"with-diffs", SELECT_DIFFS},
		     {"with-changes", SELECT_CHANGES},
		     {"forms", SELECT_FORMS},
		     {"cases", SELECT_CASES}};
	int rc = 0;
	*out = (struct selection){.profile = profile};
	if (!text)
		return 0;
	if (!*text)
		return err_set(err, ERR_USAGE, "--select is empty");
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(text, words[i].word) == 0) {
			out->what = words[i].what;
			return 0;
		}
	}
	if (text[0] == '/' || strncmp(text, "./", 2) == 0)
		rc = read_ids(text, a, out, err);
	else
		parse_word(slice_of(text), a, out);
	if (rc == 0 && out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_id);
	return rc;
}

static int has_id(const struct selection *s, struct slice kind, struct slice id)
{
	size_t low = 0, high = s->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (slice_cmp(s->v[mid].id, id) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < s->n && slice_eq(s->v[low].id, id); low++)
		if (!s->v[low].kind.ptr || slice_eq(s->v[low].kind, kind))
			return 1;
	return 0;
}

static int is_class(const struct selection *s, struct slice kind, enum profile_class cls)
{
	const struct profile_kind *k = profile_kind(s->profile, kind);
	return k && k->cls == cls;
}

int selection_has(const struct selection *s, struct slice kind, struct slice id)
{
	switch (s->what) {
	case SELECT_FORMS:
		return is_class(s, kind, PROFILE_EVENT);
	case SELECT_CASES:
		return is_class(s, kind, PROFILE_STATE);
	case SELECT_KIND:
		return slice_eq(kind, s->kind);
	case SELECT_IDS:
		return has_id(s, kind, id);
	default:
		return 1;
	}
}
