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

/* ---- files ---- */

#define MAX_FIELDS 2

struct csv { /* a file being read */
	const char *path;
	struct slice left;
	size_t line;
	struct arena *a;
};

static int complain(const struct csv *f, size_t line, const char *what, struct err *err)
{
	return err_set(err, ERR_USAGE, "%s line %zu: %s", f->path, line, what);
}

/* Where the quote that begins the text is closed; 0 when it is not. */
static size_t closing_quote(struct slice text)
{
	for (size_t i = 1; i < text.len; i++) {
		if (text.ptr[i] != '"')
			continue;
		if (i + 1 == text.len || text.ptr[i + 1] != '"')
			return i;
		i++;
	}
	return 0;
}

/* A field in quotes, in which a quote stands twice; it may hold commas and ends of lines. */
static int take_quoted(struct csv *f, struct slice *out, struct err *err)
{
	size_t end = closing_quote(f->left), n = 0;
	char *text;
	if (!end)
		return complain(f, f->line, "a quote is not closed", err);
	text = arena_alloc(f->a, end);
	for (size_t i = 1; i < end; i++) {
		i += f->left.ptr[i] == '"';
		f->line += f->left.ptr[i] == '\n';
		text[n++] = f->left.ptr[i];
	}
	*out = (struct slice){text, n};
	f->left.ptr += end + 1;
	f->left.len -= end + 1;
	return 0;
}

static void take_plain(struct csv *f, struct slice *out)
{
	size_t n = 0;
	while (n < f->left.len && f->left.ptr[n] != ',' && f->left.ptr[n] != '\n')
		n++;
	*out = (struct slice){f->left.ptr, n};
	f->left.ptr += n;
	f->left.len -= n;
	while (out->len && strchr(" \t\r", out->ptr[out->len - 1]))
		out->len--;
}

static int ends_line(struct csv *f)
{
	if (f->left.len && f->left.ptr[0] == '\r')
		(void)take(&f->left, '\r');
	return f->left.len == 0 || f->left.ptr[0] == '\n';
}

/* The fields of one line; what follows the second is an error. */
static int take_line(struct csv *f, struct slice fields[MAX_FIELDS], struct err *err)
{
	size_t line = f->line;
	for (size_t n = 0;; n++) {
		struct slice field = SLICE_NONE;
		if (n == MAX_FIELDS)
			return complain(f, line, "wanted an id, or a kind and an id", err);
		if (f->left.len && f->left.ptr[0] == '"') {
			if (take_quoted(f, &field, err))
				return err->code;
		} else {
			take_plain(f, &field);
		}
		fields[n] = field;
		if (ends_line(f))
			break;
		if (f->left.ptr[0] != ',')
			return complain(f, f->line, "a comma is missing after a quote", err);
		(void)take(&f->left, ',');
	}
	(void)take(&f->left, '\n');
	f->line++;
	return 0;
}

/* One id a line, or KIND,ID. */
static int read_ids(const char *path, struct arena *a, struct selection *out, struct err *err)
{
	struct csv f = {.path = path, .line = 1, .a = a};
	out->what = SELECT_IDS;
	if (read_file(path, a, &f.left, err))
		return err->code;
	while (f.left.len) {
		struct slice fields[MAX_FIELDS] = {SLICE_NONE, SLICE_NONE};
		if (take_line(&f, fields, err))
			return err->code;
		if (fields[1].len)
			ARENA_PUSH(a, out, ((struct selected){fields[0], fields[1]}));
		else if (fields[0].len)
			ARENA_PUSH(a, out, ((struct selected){SLICE_NONE, fields[0]}));
	}
	return 0;
}

static int is_file(const char *text)
{
	size_t n = strlen(text);
	return text[0] == '/' || strncmp(text, "./", 2) == 0 || (n > 4 && strcmp(text + n - 4, ".csv") == 0);
}

/* ---- words ---- */

/* Is every word a kind of the profile? Then they are the selection. */
static int take_kinds(struct slice words, struct arena *a, struct selection *out)
{
	for (struct slice rest = words; rest.len;)
		if (!profile_kind(out->profile, take(&rest, ',')))
			return 0;
	out->what = SELECT_KINDS;
	while (words.len)
		ARENA_PUSH(a, out, ((struct selected){take(&words, ','), SLICE_NONE}));
	return 1;
}

/* A profile need not list its kinds: then both readings of KIND and KIND:ID hold. */
static void parse_words(struct slice text, struct arena *a, struct selection *out)
{
	struct slice rest = text, head = take(&rest, ':');
	int has_colon = head.len < text.len;
	if (take_kinds(text, a, out))
		return;
	if (has_colon && profile_kind(out->profile, head)) {
		add_ids(rest, head, a, out);
		return;
	}
	add_ids(text, SLICE_NONE, a, out);
	if (out->profile->other_kinds && has_colon)
		add_ids(rest, head, a, out);
	else if (out->profile->other_kinds && !memchr(text.ptr, ',', text.len))
		out->word = text;
	else
		return;
	out->either = text;
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
	if (is_file(text))
		rc = read_ids(text, a, out, err);
	else
		parse_words(slice_of(text), a, out);
	if (rc == 0 && out->what == SELECT_IDS && out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_id);
	out->seen = arena_zalloc(a, out->n + 1, 1);
	return rc;
}

/* ---- what nobody knows ---- */

#define MOST_NAMED 5

static int tell_unknown(const struct cmd_context *c, const struct unknown_ids *unknown, const char *what,
			struct err *err)
{
	struct slice names = SLICE("");
	for (size_t i = 0; i < unknown->n && i < MOST_NAMED; i++)
		names = arena_printf(c->arena, "%.*s%s%.*s", SLICE_ARG(names), i ? ", " : "", SLICE_ARG(unknown->v[i]));
	if (unknown->n == 1)
		return err_set(err, ERR_USAGE, "no %s %.*s in %.*s", what, SLICE_ARG(names), SLICE_ARG(c->domain));
	return err_set(err, ERR_USAGE, "%zu of those named are no %ss of %.*s: %.*s%s", unknown->n, what,
		       SLICE_ARG(c->domain), SLICE_ARG(names), unknown->n > MOST_NAMED ? ", ..." : "");
}

/* A list may hold forms and cases; one that holds nothing of the class was not meant for the command. */
static int check_class(struct cmd_context *c, const struct selection *s, unsigned class, struct err *err)
{
	struct migrate_env env = cmd_env(c);
	struct unknown_ids others;
	if (migrate_unknown(&env, s, class, c->arena, &others, err))
		return err->code;
	if (others.n == 0 || (!s->either.ptr && others.n < s->n))
		return 0;
	tell_unknown(c, &others, class == AGAIN_CASES ? "case" : "form or plain document", err);
	return err_hint(err, "`settle diff %s` is for the others", class == AGAIN_CASES ? "forms" : "cases");
}

int selection_check(struct cmd_context *c, const struct selection *s, unsigned classes, int *unknown, struct err *err)
{
	struct migrate_env env = cmd_env(c);
	struct unknown_ids ids;
	*unknown = 0;
	if (migrate_unknown(&env, s, AGAIN_CASES | AGAIN_FORMS, c->arena, &ids, err))
		return err->code;
	if (ids.n == 0)
		return classes == (AGAIN_CASES | AGAIN_FORMS) ? 0 : check_class(c, s, classes, err);
	tell_unknown(c, &ids, "document", err);
	if (s->either.ptr || ids.n == s->n)
		return err_hint(err, "--select takes %s", SELECT_HELP);
	log_err(c->log, LOG_WARN, err);
	*err = (struct err)ERR_INIT;
	*unknown = 1;
	return 0;
}
