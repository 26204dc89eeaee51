/* Loading a profile: text -> JSON -> kinds and rules. */
#include "config.h"

#include "base/hex.h"
#include "profile/profile_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_PROFILE ((size_t)1024 * 1024)
#define MAX_DEPTH 32

static const char *const profile_keys[] = {"name",  "summary", "domain_field", "type_field", "other_kinds",
					   "kinds", "parts", "columns",   "rules",        "patch",      NULL};

/* ---- reading ---- */

/* The field's name, or SLICE_NONE for null. */
static struct slice read_field(struct reader *r, const char *name)
{
	if (json_is(json_gets(r->root, name), JSON_NULL))
		return SLICE_NONE;
	return member_text(r, r->root, name, REQUIRED);
}

static struct slice digest_of(const struct json *v, struct arena *a)
{
	return hex_sha256(json_to_text(v, JSON_CANONICAL, a), a);
}

static void read_object(struct reader *r, struct draft *d)
{
	struct profile *p = d->out;

	check_keys(r, r->root, profile_keys);
	p->name = member_text(r, r->root, "name", REQUIRED);
	(void)member_text(r, r->root, "summary", OPTIONAL);
	p->domain_field = read_field(r, "domain_field");
	p->type_field = read_field(r, "type_field");
	read_kinds(r, d);
	read_columns(r, d);
	read_rules(r, d);
	read_patch(r, d);
	rules_build(d->rules, d->n_rules, d->groups.v, d->groups.n, r->a, &p->rules);
	p->source = *r->root;
	p->digest = digest_of(r->root, r->a);
}

static int syntax_error(struct slice text, const char *file, struct err *err)
{
	uint32_t line, column;
	size_t offset = err->native > 0 ? (size_t)err->native : 0;

	locate_line(text, offset, &line, &column);
	err->code = ERR_USAGE;
	err->native = 0;
	return err_prefix(err, "%s:%u:%u", file, line, column);
}

/* Findings of everything that is wrong; a profile with errors among them is not to be used. ERR_USAGE: no JSON. */
static int read_profile(struct slice text, const char *file, struct arena *a, struct profile *out,
			struct profile_findings *findings, struct err *err)
{
	struct draft d = {.out = out};
	struct json_info info;
	struct json *root = ARENA_NEW(a, struct json);
	struct reader r = {.a = a, .text = arena_slice(a, text), .root = root, .findings = findings};

	*out = (struct profile){0};
	if (text.len > MAX_PROFILE)
		return err_set(err, ERR_USAGE, "%s: a profile is no larger than %zu bytes", file, MAX_PROFILE);
	if (json_read(r.text, a, MAX_DEPTH, root, &info, err))
		return syntax_error(text, file, err);
	if (root->type != JSON_OBJECT) {
		found(&r, FINDING_ERROR, root, "a profile is an object, not %s", json_type_name(root));
		return 0;
	}
	if (info.duplicates)
		found(&r, FINDING_ERROR, root, "a key stands twice in the same object (%u times in the file)",
		      info.duplicates);
	read_object(&r, &d);
	if (!findings->n)
		lint_rules(&r, &d);
	return 0;
}

static int finding_order(const void *a, const void *b)
{
	const struct profile_finding *x = a, *y = b;

	if (x->line != y->line)
		return (x->line > y->line) - (x->line < y->line);
	return (x->column > y->column) - (x->column < y->column);
}

int profile_check(struct slice text, struct arena *a, struct profile_findings *out, struct err *err)
{
	struct profile p;
	struct err mine = ERR_INIT;
	int rc = read_profile(text, "profile", a, &p, out, err ? err : &mine);

	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), finding_order);
	return rc;
}

int profile_parse(struct slice text, const char *file, struct arena *a, struct profile *out, struct err *err)
{
	struct profile_findings findings = {0};
	struct err mine = ERR_INIT;
	int rc = read_profile(text, file, a, out, &findings, err ? err : &mine);

	if (rc)
		return rc;
	if (findings.n)
		qsort(findings.v, findings.n, sizeof(*findings.v), finding_order);
	for (size_t i = 0; i < findings.n; i++) {
		const struct profile_finding *f = &findings.v[i];

		if (!f->error)
			continue;
		err_set(err, ERR_USAGE, "%s:%u:%u: %.*s", file, f->line, f->column, SLICE_ARG(f->message));
		return err_hint(err, "settle profile check %s tells everything that is wrong with it", file);
	}
	return 0;
}

/* ---- finding ---- */

static int read_file(FILE *f, const char *path, struct buf *text, struct err *err)
{
	char *room;
	size_t got;

	while ((room = buf_room(text, 4096)) && (got = fread(room, 1, 4096, f)) > 0)
		text->len += got;
	if (ferror(f))
		return err_sys(err, ERR_USAGE, errno, "cannot read profile %s", path);
	if (!room)
		return err_set(err, ERR_USAGE, "%s: a profile is no larger than %zu bytes", path, MAX_PROFILE);
	return 0;
}

static int load_file(const char *path, struct arena *a, struct profile *out, struct err *err)
{
	struct buf text = BUF_INIT(MAX_PROFILE + 8192);
	FILE *f = fopen(path, "rbe");
	int rc;

	if (!f)
		return err_sys(err, ERR_USAGE, errno, "cannot open profile %s", path);
	rc = read_file(f, path, &text, err);
	if (!rc)
		rc = profile_parse(buf_slice(&text), path, a, out, err);
	(void)fclose(f);
	buf_release(&text);
	return rc;
}

static int is_path(const char *name)
{
	size_t n = strlen(name);

	return strchr(name, '/') || (n > 5 && strcmp(name + n - 5, ".json") == 0);
}

int profile_load(const char *name, struct arena *a, struct profile *out, struct err *err)
{
	for (const struct profile_builtin *b = profile_builtins; b->name; b++) {
		if (strcmp(b->name, name) == 0)
			return profile_parse(b->text, b->name, a, out, err);
	}
	if (is_path(name))
		return load_file(name, a, out, err);
	err_set(err, ERR_USAGE, "no profile is called \"%s\"", name);
	return err_hint(err, "settle profile list names the built-in ones; a file is named with a / or ends in .json");
}

const struct profile_kind *profile_kind(const struct profile *p, struct slice doc_type)
{
	for (size_t i = 0; i < p->n_kinds; i++) {
		if (slice_eq(p->kinds[i].name, doc_type))
			return &p->kinds[i];
	}
	return NULL;
}
