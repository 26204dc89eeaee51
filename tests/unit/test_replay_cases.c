/* Runs the cases of fixtures/replay: each file is a list of {name, forms, couch|sql|both, transactions, error}. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/replay_forms.h"

#include <dirent.h>
#include <stdio.h>

struct test_list {
	struct CMUnitTest *v;
	size_t n, cap;
};

static struct slice read_file(const char *path, struct arena *a)
{
	FILE *f = fopen(path, "rb");
	char *bytes = arena_alloc(a, 1 << 20);
	if (!f) {
		perror(path);
		exit(1);
	}
	size_t n = fread(bytes, 1, 1 << 20, f);
	fclose(f);
	return (struct slice){bytes, n};
}

static void assert_json_eq(const char *what, const struct json *got, const struct json *wanted, struct arena *a)
{
	struct slice g = json_to_text(got, JSON_CANONICAL, a), w = json_to_text(wanted, JSON_CANONICAL, a);
	if (!json_eq(got, wanted))
		fail_msg("%s\ngot    %.*s\nwanted %.*s", what, SLICE_ARG(g), SLICE_ARG(w));
}

/* As the fixture tells it: the actions only when it does. */
static struct json dump_transactions(const struct replay_txn_list *txns, const struct json *wanted, struct arena *a)
{
	static const char *const kinds[] = {"form", "touch", "patch"};
	struct json out = json_array();
	for (size_t i = 0; i < txns->n; i++) {
		struct json txn = json_object();
		json_sets(a, &txn, "case_id", json_string(txns->v[i].case_id));
		json_sets(a, &txn, "form_id", json_string(txns->v[i].form_id));
		json_sets(a, &txn, "position", json_int(a, txns->v[i].position));
		json_sets(a, &txn, "kind", json_str(kinds[txns->v[i].kind]));
		if (i < wanted->count && json_gets(&wanted->items[i], "actions"))
			json_sets(a, &txn, "actions", txns->v[i].actions);
		json_push(a, &out, txn);
	}
	return out;
}

static void check_case(const struct replay_dialect *d, const struct json *test, const struct replay_txn_list *txns,
		       struct arena *a)
{
	const struct json *wanted = json_gets(test, d->name) ? json_gets(test, d->name) : json_gets(test, "both");
	if (!wanted)
		return;
	struct json got = fold_and_dump(d, txns, txns->v[0].case_id, a);
	assert_json_eq(d->name, &got, wanted, a);
	for (size_t i = 0; i < txns->n; i++) { /* arrival order does not matter */
		struct replay_txn first = txns->v[0];
		memmove(txns->v, txns->v + 1, (txns->n - 1) * sizeof(first));
		txns->v[txns->n - 1] = first;
		got = fold_and_dump(d, txns, first.case_id, a);
		assert_json_eq("in another order of arrival", &got, wanted, a);
	}
}

static void run_case(void **state)
{
	const struct json *test = *state, *wanted = json_gets(test, "transactions"), *error = json_gets(test, "error");
	struct arena a = ARENA_INIT;
	struct replay_txn_list txns = {0};
	struct err err = ERR_INIT;
	int rc = blocks_of_forms(json_gets(test, "forms"), &a, &txns, &err);
	if (error) {
		assert_int_equal(rc, ERR_SYNTAX);
		assert_int_equal(txns.n, 0);
		if (!strstr(err.msg, arena_str(&a, error->text)))
			fail_msg("%s", err.msg);
	} else {
		if (rc)
			fail_msg("%s", err.msg);
		assert_true(wanted || json_gets(test, "both") || (json_gets(test, "couch") && json_gets(test, "sql")));
	}
	if (wanted) {
		struct json got = dump_transactions(&txns, wanted, &a);
		assert_json_eq("transactions", &got, wanted, &a);
	}
	check_case(&replay_dialect_couch, test, &txns, &a);
	check_case(&replay_dialect_sql, test, &txns, &a);
	arena_release(&a);
}

static void add_file(const char *path, const char *file, struct arena *a, struct test_list *tests)
{
	struct json *list = ARENA_NEW(a, struct json);
	struct err err = ERR_INIT;
	if (json_read(read_file(path, a), a, 0, list, NULL, &err) != 0) {
		fprintf(stderr, "%s: %s\n", path, err.msg);
		exit(1);
	}
	for (uint32_t i = 0; i < list->count; i++) {
		struct slice name = json_get_text(&list->items[i], "name");
		struct CMUnitTest test = {
		    .name =
			arena_printf(a, "test_replay_%.*s__%.*s", (int)(strlen(file) - 5), file, SLICE_ARG(name)).ptr,
		    .test_func = run_case,
		    .initial_state = &list->items[i],
		};
		ARENA_PUSH(a, tests, test);
	}
}

static void add_directory(struct arena *a, struct test_list *tests)
{
	const char *top = getenv("top_srcdir");
	const char *directory = arena_printf(a, "%s/fixtures/replay", top ? top : ".").ptr;
	struct dirent **files;
	int n = scandir(directory, &files, NULL, alphasort);
	if (n < 0) {
		perror(directory);
		exit(1);
	}
	for (int i = 0; i < n; i++) {
		if (strstr(files[i]->d_name, ".json"))
			add_file(arena_printf(a, "%s/%s", directory, files[i]->d_name).ptr, files[i]->d_name, a, tests);
		free(files[i]);
	}
	free(files);
}

int main(void)
{
	struct arena a = ARENA_INIT;
	struct test_list tests = {0};
	add_directory(&a, &tests);
	int failed = tests.n < 60 ? 1 : _cmocka_run_group_tests("replay_cases", tests.v, tests.n, NULL, NULL);
	arena_release(&a);
	return failed;
}
