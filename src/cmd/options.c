#include "config.h"

#include "cmd/options.h"

#include "base/number.h"

#include <ctype.h>
#include <stdlib.h>

int word_distance(const char *a, const char *b)
{
	enum { MOST = 40 };
	int row[MOST + 1], n = (int)strlen(a), m = (int)strlen(b);
	if (n > MOST || m > MOST)
		return 99;
	for (int j = 0; j <= m; j++)
		row[j] = j;
	for (int i = 1; i <= n; i++) {
		int diagonal = row[0];
		row[0] = i;
		for (int j = 1; j <= m; j++) {
			int replaced = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			row[j] = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
			row[j] = replaced < row[j] ? replaced : row[j];
		}
	}
	return row[m];
}

/* ---- values ---- */

static int bad_value(const struct option_spec *o, const char *what, const char *value, struct err *err)
{
	return err_set(err, ERR_USAGE, "--%s wants %s, not \"%s\"", o->name, what, value);
}

static int set_int(const struct option_spec *o, const char *value, int64_t *to, struct err *err)
{
	long long n;
	if (!number_to_i64(slice_of(value), &n) || strspn(value, "-0123456789") != strlen(value))
		return bad_value(o, "a whole number", value, err);
	if (n < o->least)
		return err_set(err, ERR_USAGE, "--%s must be at least %lld, not %lld", o->name, (long long)o->least, n);
	*to = n;
	return 0;
}

static int set_size(const struct option_spec *o, const char *value, int64_t *to, struct err *err)
{
	size_t digits = strspn(value, "0123456789");
	long long n;
	static const char units[] = "KMG";
	const char *unit = isalpha((unsigned char)value[digits]) ? strchr(units, value[digits] & ~0x20) : NULL;
	if (!number_to_i64((struct slice){value, digits}, &n) || (value[digits] && (!unit || value[digits + 1])))
		return bad_value(o, "a size such as 512K, 64M or 1G", value, err);
	for (ptrdiff_t i = unit ? unit - units : -1; i >= 0; i--)
		if (__builtin_mul_overflow(n, 1024, &n))
			return bad_value(o, "a smaller size", value, err);
	if (n < o->least)
		return err_set(err, ERR_USAGE, "--%s must be at least %lld bytes", o->name, (long long)o->least);
	*to = n;
	return 0;
}

static int set_choice(const struct option_spec *o, const char *value, int *to, struct err *err)
{
	int place = 0;
	for (const char *word = o->argument; word; place++) {
		const char *bar = strchr(word, '|');
		struct slice choice = {word, bar ? (size_t)(bar - word) : strlen(word)};
		if (slice_is(choice, value)) {
			*to = place;
			return 0;
		}
		word = bar ? bar + 1 : NULL;
	}
	return bad_value(o, o->argument, value, err);
}

static int add_to_list(const struct option_spec *o, const char *value, struct option_list *to, struct err *err)
{
	if (to->n == OPTION_LIST_MAX)
		return err_set(err, ERR_USAGE, "--%s is given more than %d times", o->name, OPTION_LIST_MAX);
	to->v[to->n++] = value;
	return 0;
}

static int set_value(const struct option_set *set, const struct option_spec *o, const char *value, struct err *err)
{
	void *to = (char *)set->values + o->offset;
	switch (o->kind) {
	case OPT_FLAG:
		++*(int *)to;
		return 0;
	case OPT_TEXT:
		*(const char **)to = value;
		return 0;
	case OPT_INT:
		return set_int(o, value, to, err);
	case OPT_LIST:
		return add_to_list(o, value, to, err);
	case OPT_SIZE:
		return set_size(o, value, to, err);
	default:
		return set_choice(o, value, to, err);
	}
}

/* An empty word is a variable of a script that was not set: it does not mean the default. */
static int set_given(const struct option_set *set, const struct option_spec *o, const char *value, struct err *err)
{
	if (*value || o->optional_argument || (o->kind != OPT_TEXT && o->kind != OPT_LIST))
		return set_value(set, o, value, err);
	err_set(err, ERR_USAGE, "--%s is empty", o->name);
	return err_hint(err, "it wants a value: %s", o->argument);
}

int options_environment(const struct option_set *set, struct err *err)
{
	for (const struct option_spec *o = set->specs; o && o->name; o++) {
		const char *value = o->environment ? getenv(o->environment) : NULL;
		if (value && *value && set_value(set, o, value, err))
			return err_prefix(err, "%s", o->environment);
	}
	return 0;
}

/* ---- finding ---- */

static const struct option_spec *by_name(const struct option_spec *table, struct slice name)
{
	for (const struct option_spec *o = table; o && o->name; o++)
		if (slice_is(name, o->name))
			return o;
	return NULL;
}

static const struct option_spec *by_letter(const struct option_spec *table, char letter)
{
	for (const struct option_spec *o = table; o && o->name; o++)
		if (o->letter && o->letter == letter)
			return o;
	return NULL;
}

/* The name in "--name=value". */
static struct slice name_of(const char *arg)
{
	return (struct slice){arg + 2, strcspn(arg + 2, "=")};
}

static int is_long(const char *arg)
{
	return arg[0] == '-' && arg[1] == '-' && arg[2];
}

static int is_letters(const char *arg)
{
	return arg[0] == '-' && arg[1] && arg[1] != '-';
}

static int wants_value(const struct option_spec *o)
{
	return o->kind != OPT_FLAG && !o->optional_argument;
}

static int letters_width(const struct option_spec *const *tables, int n, const char *letters)
{
	for (; *letters; letters++) {
		const struct option_spec *o = NULL;
		for (int i = 0; i < n && !o; i++)
			o = by_letter(tables[i], *letters);
		if (o && wants_value(o))
			return letters[1] ? 1 : 2;
	}
	return 1;
}

int options_width(const struct option_spec *const *tables, int n, int argc, char *const *argv)
{
	int width = 1;
	if (is_letters(argv[0]))
		width = letters_width(tables, n, argv[0] + 1);
	if (is_long(argv[0]) && !strchr(argv[0], '=')) {
		const struct option_spec *o = NULL;
		for (int i = 0; i < n && !o; i++)
			o = by_name(tables[i], slice_of(argv[0] + 2));
		width = o && wants_value(o) ? 2 : 1;
	}
	return width < argc ? width : argc;
}

/* ---- parsing ---- */

struct reader {
	const struct option_set *sets;
	int n_sets, argc, at;
	char **argv;
};

static int unknown_option(const struct reader *r, struct slice name, struct err *err)
{
	const char *best = NULL;
	char word[64];
	int best_distance = 3;
	err_set(err, ERR_USAGE, "there is no option --%.*s here", SLICE_ARG(name));
	if (name.len >= sizeof(word))
		return ERR_USAGE;
	memcpy(word, name.ptr, name.len);
	word[name.len] = 0;
	for (int i = 0; i < r->n_sets; i++) {
		for (const struct option_spec *o = r->sets[i].specs; o && o->name; o++) {
			int distance = word_distance(word, o->name);
			if (distance < best_distance) {
				best_distance = distance;
				best = o->name;
			}
		}
	}
	return best ? err_hint(err, "did you mean --%s?", best) : ERR_USAGE;
}

/* The value that stands apart, or NULL with err set. */
static const char *next_value(struct reader *r, const struct option_spec *o, struct err *err)
{
	if (r->at < r->argc)
		return r->argv[r->at++];
	err_set(err, ERR_USAGE, "--%s wants a value: %s", o->name, o->argument);
	return NULL;
}

static int parse_long(struct reader *r, const char *arg, struct err *err)
{
	struct slice name = name_of(arg);
	const char *value = name.ptr[name.len] == '=' ? name.ptr + name.len + 1 : NULL;
	const struct option_spec *o = NULL;
	int i = 0;
	while (i < r->n_sets && !(o = by_name(r->sets[i].specs, name)))
		i++;
	if (!o)
		return unknown_option(r, name, err);
	if (value && o->kind == OPT_FLAG)
		return err_set(err, ERR_USAGE, "--%s takes no value", o->name);
	if (!value && wants_value(o) && !(value = next_value(r, o, err)))
		return err->code;
	return set_given(&r->sets[i], o, value ? value : "", err);
}

static int parse_letters(struct reader *r, const char *letters, struct err *err)
{
	for (; *letters; letters++) {
		const struct option_spec *o = NULL;
		const char *value = "";
		int i = 0;
		while (i < r->n_sets && !(o = by_letter(r->sets[i].specs, *letters)))
			i++;
		if (!o)
			return err_set(err, ERR_USAGE, "there is no option -%c here", *letters);
		int valued = wants_value(o);
		if (valued && !(value = letters[1] ? letters + 1 : next_value(r, o, err)))
			return err->code;
		if (set_given(&r->sets[i], o, value, err))
			return err->code;
		if (valued)
			break;
	}
	return 0;
}

int options_parse(const struct option_set *sets, int n_sets, int argc, char **argv, char **words, int *n_words,
		  struct err *err)
{
	struct reader r = {sets, n_sets, argc, 0, argv};
	int only_words = 0;
	*n_words = 0;
	while (r.at < argc) {
		char *arg = argv[r.at++];
		int rc = 0;
		if (!only_words && strcmp(arg, "--") == 0)
			only_words = 1;
		else if (!only_words && is_long(arg))
			rc = parse_long(&r, arg, err);
		else if (!only_words && is_letters(arg))
			rc = parse_letters(&r, arg + 1, err);
		else
			words[(*n_words)++] = arg;
		if (rc)
			return rc;
	}
	return 0;
}
