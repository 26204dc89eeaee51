/* Damaged objects of the audit trail: what is in force and what no longer is tell them by name. */
#include "config.h"

#include "tests/unit/audit_place.h"

#include <stdio.h>

#define N_COMMITS 3

struct damage_case {
	const char *name;
	const char *damaged[2]; /* as git names objects */
	const char *prefix;
	const char *in_force; /* under the prefix: "path=bytes\n", or "path!\n" where it is damaged */
	const char *earlier;  /* "number of the commit, path\n", of the damaged only */
};

static const struct damage_case cases[] = {
    {"nothing", {NULL}, "", "a/changed=4\na/good=good\nb/file=kept\n", ""},
    {"a file", {"demo:a/changed"}, "", "a/changed!\na/good=good\nb/file=kept\n", ""},
    {"a directory", {"demo:b"}, "", "a/changed=4\na/good=good\nb!\n", ""},
    {"a directory that is asked for", {"demo:b"}, "b", "b!\n", ""},
    {"files no longer in force",
     {"demo~1:a/changed", "demo~2:b/c/gone"},
     "",
     "a/changed=4\na/good=good\nb/file=kept\n",
     "2 a/changed\n1 b/c/gone\n"},
    {"a directory no longer in force", {"demo~2:b/c"}, "", "a/changed=4\na/good=good\nb/file=kept\n", "1 b/c\n"},
    {"a directory and a file no longer in force",
     {"demo~1:a/changed", "demo~2:b"},
     "",
     "a/changed=4\na/good=good\nb/file=kept\n",
     "2 a/changed\n1 b\n"},
};

static void make_trail(const struct fixture *f, char ids[N_COMMITS][AUDIT_ID_SIZE])
{
	struct audit *t = trail_open(f, "demo", 0);
	struct err err = ERR_INIT;

	trail_begin(t);
	trail_put(t, "a/changed", SLICE("1"));
	trail_put(t, "a/good", SLICE("good"));
	trail_put(t, "b/file", SLICE("kept"));
	trail_put(t, "b/c/gone", SLICE("2"));
	trail_commit(t, "start", 0, ids[0]);
	trail_begin(t);
	trail_put(t, "a/changed", SLICE("3"));
	assert_int_equal(audit_remove(t, SLICE("b/c/gone"), &err), 0);
	trail_commit(t, "end", 0, ids[1]);
	trail_begin(t);
	trail_put(t, "a/changed", SLICE("4"));
	trail_commit(t, "end", 0, ids[2]);
	audit_close(t);
}

/* The object gets the bytes of another. */
static void damage(const struct fixture *f, const char *object)
{
	struct buf b = BUF_INIT(1000);

	buf_fmt(&b,
		"cd @/audit.git && bad=$(git rev-parse %s) && good=$(git rev-parse demo:a/good) && "
		"chmod u+w objects/*/* && cp objects/$(echo $good | sed 's,..,&/,') "
		"objects/$(echo $bad | sed 's,..,&/,')",
		object);
	assert_int_equal(shell(f, b.ptr), 0);
	buf_release(&b);
}

static void tell_in_force(struct audit *t, const char *prefix, struct buf *told)
{
	struct audit_cursor *c = open_cursor(t, prefix);
	struct audit_file file;

	while (next_file(c, &file)) {
		buf_adds(told, file.path);
		if (!file.why.ptr)
			buf_fmt(told, "=%.*s\n", SLICE_ARG(file.bytes));
		else
			buf_str(told, file.bytes.ptr ? "! but read\n" : "!\n");
	}
	audit_cursor_close(c);
}

struct earlier {
	char ids[N_COMMITS][AUDIT_ID_SIZE];
	struct buf told;
};

static int note_damage(void *ctx, const char *commit, struct slice path, struct slice why, struct err *err)
{
	struct earlier *e = ctx;
	int number = 0;

	(void)err;
	assert_non_null(why.ptr);
	while (number < N_COMMITS && strcmp(e->ids[number], commit) != 0)
		number++;
	buf_fmt(&e->told, "%d %.*s\n", number + 1, SLICE_ARG(path));
	return 0;
}

static void must_tell(const struct damage_case *c, const char *where, const struct buf *told, const char *want)
{
	const char *text = told->len ? told->ptr : "";

	if (strcmp(text, want) != 0)
		fail_msg("%s, %s: '%s', not '%s'", c->name, where, text, want);
}

static void try_case(const struct damage_case *c, const struct fixture *f)
{
	struct earlier e = {.told = BUF_INIT(1000)};
	struct buf told = BUF_INIT(1000);
	struct err err = ERR_INIT;
	struct audit *t;

	make_trail(f, e.ids);
	for (size_t i = 0; i < 2 && c->damaged[i]; i++)
		damage(f, c->damaged[i]);
	t = trail_open(f, "demo", AUDIT_READ_ONLY);
	tell_in_force(t, c->prefix, &told);
	must_tell(c, "in force", &told, c->in_force);
	if (audit_history(t, note_damage, &e, &err))
		fail_msg("%s: %s", c->name, err.msg);
	must_tell(c, "earlier", &e.told, c->earlier);
	audit_close(t);
	buf_release(&told);
	buf_release(&e.told);
}

static void test_audit__damage_is_told_by_name_and_commit(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture own = {0};

		snprintf(own.dir, sizeof(own.dir), "%.50s/%zu", f->dir, i);
		try_case(&cases[i], &own);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(test_audit__damage_is_told_by_name_and_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
