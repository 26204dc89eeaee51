/*
 * Runs fixtures/explain/cases.json: {couch, forms, cases}. A case is {name, kind?, couch? (what differs in the
 * document), remove? (keys it lacks), forms? (in place of all), wants?, found? ({id: what became of the form}), diffs?,
 * changes?, order?, dates?}; what is left out is empty, or for order: the transactions stay as they came.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "explain/explain.h"
#include "migrate/mapping.h"
#include "tests/unit/replay_forms.h"

#include <stdio.h>

struct place {
	struct arena a;
	struct err err;
	struct profile profile;
	struct json couch;
	struct explain_case question;
};

static const struct json *fixtures; /* the whole file; each test's state is one of its cases */

static struct json read_fixtures(struct arena *a)
{
	const char *top = getenv("top_srcdir");
	struct slice path = arena_printf(a, "%s/fixtures/explain/cases.json", top ? top : ".");
	char *bytes = arena_alloc(a, 1 << 20);
	struct err err = ERR_INIT;
	struct json v;
	FILE *f = fopen(path.ptr, "rb");

	if (!f) {
		perror(path.ptr);
		exit(1);
	}
	size_t n = fread(bytes, 1, 1 << 20, f);

	fclose(f);
	if (json_read((struct slice){bytes, n}, a, 0, &v, NULL, &err)) {
		fprintf(stderr, "%s: %s\n", path.ptr, err.msg);
		exit(1);
	}
	return v;
}

static struct json couch_of(const struct json *test, struct arena *a)
{
	struct json couch = json_clone(a, json_gets(fixtures, "couch"));
	const struct json *other = json_gets(test, "couch"), *removed = json_gets(test, "remove");

	for (uint32_t i = 0; other && i < other->count; i++)
		json_set(a, &couch, other->members[i].key, other->members[i].value);
	for (uint32_t i = 0; removed && i < removed->count; i++)
		json_del(&couch, removed->items[i].text);
	return couch;
}

static void ask(struct place *p, const struct json *test)
{
	const struct json *forms = json_gets(test, "forms");
	struct replay_txn_list txns = {0};

	assert_int_equal(profile_load("commcare", &p->a, &p->profile, &p->err), 0);
	assert_int_equal(blocks_of_forms(forms ? forms : json_gets(fixtures, "forms"), &p->a, &txns, &p->err), 0);
	if (txns.n)
		qsort(txns.v, txns.n, sizeof(*txns.v), replay_txn_order);
	p->couch = couch_of(test, &p->a);
	p->question = (struct explain_case){
	    .rules = &p->profile.rules,
	    .kind = json_gets(test, "kind") ? json_get_text(test, "kind") : SLICE("CommCareCase"),
	    .domain = SLICE("d"),
	    .case_id = SLICE("c1"),
	    .couch = &p->couch,
	    .txns = txns.v,
	    .n_txns = txns.n,
	};
}

static int sql_would_say(void *ctx, const struct replay_txn *txns, size_t n, struct arena *a, struct json *out,
			 struct err *err)
{
	struct place *p = ctx;
	struct mapping_case_source src = {.kind = p->question.kind, .couch = &p->couch};
	struct replay_case folded;
	struct mapping_case mapped;

	replay_fold(&replay_dialect_sql, txns, n, a, &folded);
	if (mapping_case(SLICE("d"), &folded, &src, a, &mapped, err))
		return err->code;
	return mapping_case_sql_json(&mapped.row, &mapped.indices, &mapped.attachments, txns, n, a, out, err);
}

/* ---- what the fixture says of the forms asked for ---- */

static struct explain_form found_form(const struct json *found, struct slice id)
{
	struct slice what = json_text(json_get(found, id));
	struct explain_form f = {.id = id, .references = 1};

	assert_non_null(what.ptr);
	f.in_couch = !slice_is(what, "missing");
	f.in_sql = f.in_couch && !slice_is(what, "rejected");
	f.deleted = slice_is(what, "deleted");
	f.references = !slice_is(what, "unrelated");
	return f;
}

static void answer(struct place *p, const struct json *test, struct explain_verdict *verdict)
{
	const struct json *wants = json_gets(test, "wants");
	struct explain_form *forms = ARENA_ARRAY(&p->a, verdict->wants.n + 1, struct explain_form);

	assert_int_equal(verdict->wants.n, wants ? wants->count : 0);
	if (verdict->wants.n == 0)
		return;
	for (size_t i = 0; i < verdict->wants.n; i++) {
		assert_true(slice_eq(verdict->wants.v[i], json_text(&wants->items[i])));
		forms[i] = found_form(json_gets(test, "found"), verdict->wants.v[i]);
	}
	p->question.forms = forms;
	p->question.n_forms = verdict->wants.n;
	explain(&p->question, &p->a, verdict);
	assert_int_equal(verdict->wants.n, 0);
}

/* ---- checks ---- */

static void assert_list(const char *what, const struct diff_list *list, const struct json *wanted, struct arena *a)
{
	struct json got = diff_list_to_json(list, a), none = json_array();

	wanted = wanted ? wanted : &none;
	if (!json_eq(&got, wanted))
		fail_msg("%s\ngot    %.*s\nwanted %.*s", what, SLICE_ARG(json_to_text(&got, JSON_SORTED, a)),
			 SLICE_ARG(json_to_text(wanted, JSON_SORTED, a)));
}

static void assert_order(const struct json *test, const struct replay_txn *sorted, size_t n)
{
	const struct json *order = json_gets(test, "order"), *dates = json_gets(test, "dates");

	if (!order) {
		assert_null(sorted);
		return;
	}
	assert_non_null(sorted);
	assert_int_equal(order->count, n);
	for (size_t i = 0; i < n; i++) {
		const struct json *date = json_get(dates, sorted[i].form_id);

		assert_true(slice_eq(sorted[i].form_id, order->items[i].text));
		assert_true(i == 0 || replay_txn_order(&sorted[i - 1], &sorted[i]) < 0);
		if (date)
			assert_true(slice_eq(sorted[i].server_date, date->text));
	}
}

static void run_case(void **state)
{
	const struct json *test = *state;
	struct place *p = &(struct place){.err = ERR_INIT};
	struct explain_verdict verdict;
	struct replay_txn *sorted;
	struct json sql;

	ask(p, test);
	assert_int_equal(explain_order(&p->question, sql_would_say, p, &p->a, &sorted, &p->err), 0);
	assert_order(test, sorted, p->question.n_txns);
	if (p->question.n_txns) {
		assert_int_equal(
		    sql_would_say(p, sorted ? sorted : p->question.txns, p->question.n_txns, &p->a, &sql, &p->err), 0);
		p->question.sql = &sql;
	}
	explain(&p->question, &p->a, &verdict);
	answer(p, test, &verdict);
	assert_list("differences", &verdict.diffs, json_gets(test, "diffs"), &p->a);
	assert_list("changes", &verdict.changes, json_gets(test, "changes"), &p->a);
	arena_release(&p->a);
}

/* ---- by hand ---- */

static int fails(void *ctx, const struct replay_txn *txns, size_t n, struct arena *a, struct json *out, struct err *err)
{
	int *calls = ctx;

	(void)txns;
	(void)n;
	(void)a;
	*out = json_object();
	return --*calls < 0 ? err_set(err, ERR_TARGET, "the row cannot be read") : 0;
}

static const struct json *case_named(const char *name)
{
	const struct json *cases = json_gets(fixtures, "cases");

	for (uint32_t i = 0; i < cases->count; i++)
		if (slice_is(json_get_text(&cases->items[i], "name"), name))
			return &cases->items[i];
	fail_msg("no case \"%s\"", name);
	return NULL;
}

static void test_explain_order__an_error_of_the_caller_comes_back(void **state)
{
	struct place *p = &(struct place){.err = ERR_INIT};
	struct replay_txn *sorted;

	(void)state;
	ask(p, case_named("another order that a rebuild does not explain is followed"));
	for (int good = 0; good < 2; good++) {
		int calls = good;

		assert_int_equal(explain_order(&p->question, fails, &calls, &p->a, &sorted, &p->err), ERR_TARGET);
		assert_null(sorted);
	}
	arena_release(&p->a);
}

static int references(const char *body, const char *case_id)
{
	struct arena a = ARENA_INIT;
	struct json v;
	int answer;

	assert_int_equal(json_read(slice_of(body), &a, 0, &v, NULL, NULL), 0);
	answer = explain_form_references(&v, slice_of(case_id), &a);
	arena_release(&a);
	return answer;
}

static void test_explain_form_references__blocks_and_what_cannot_be_read(void **state)
{
	static const char two[] = "{\"case\":{\"case_id\":\"c1\",\"date_modified\":\"2016-01-01\"},\"b\":{\"case\":"
				  "{\"case_id\":\"c2\",\"date_modified\":\"2016-01-01\"}}}";

	(void)state;
	assert_true(references(two, "c1"));
	assert_true(references(two, "c2"));
	assert_false(references(two, "c3"));
	assert_false(references("{\"village\":\"c1\"}", "c1"));
	assert_true(references("{\"case\":{\"@case_id\":\"c2\",\"@xmlns\":\"http://unknown\"}}", "c1"));
	assert_true(explain_form_references(NULL, SLICE("c1"), NULL));
}

static void touch(struct replay_txn_list *list, struct arena *a, const char *form_id, enum replay_kind kind)
{
	struct replay_txn txn = {.case_id = SLICE("c1"), .form_id = slice_of(form_id), .kind = kind};

	ARENA_PUSH(a, list, txn);
}

static void test_explain_touching_forms__every_block_is_a_touch(void **state)
{
	struct arena a = ARENA_INIT;
	struct replay_txn_list list = {0};
	struct explain_ids ids;

	(void)state;
	touch(&list, &a, "all", REPLAY_TOUCH);
	touch(&list, &a, "all", REPLAY_TOUCH);
	touch(&list, &a, "first", REPLAY_FORM);
	touch(&list, &a, "first", REPLAY_TOUCH);
	touch(&list, &a, "second", REPLAY_TOUCH);
	touch(&list, &a, "second", REPLAY_FORM);
	touch(&list, &a, "patch", REPLAY_PATCH);
	touch(&list, &a, "last", REPLAY_TOUCH);
	ids = explain_touching_forms(list.v, list.n, &a);
	assert_int_equal(ids.n, 2);
	assert_true(slice_is(ids.v[0], "all"));
	assert_true(slice_is(ids.v[1], "last"));
	assert_int_equal(explain_touching_forms(NULL, 0, &a).n, 0);
	arena_release(&a);
}

int main(void)
{
	static const struct CMUnitTest by_hand[] = {
	    cmocka_unit_test(test_explain_order__an_error_of_the_caller_comes_back),
	    cmocka_unit_test(test_explain_form_references__blocks_and_what_cannot_be_read),
	    cmocka_unit_test(test_explain_touching_forms__every_block_is_a_touch),
	};
	enum { BY_HAND = sizeof(by_hand) / sizeof(*by_hand) };
	struct arena a = ARENA_INIT;
	struct json v = read_fixtures(&a);
	const struct json *cases = json_gets(&v, "cases");
	struct CMUnitTest *tests = ARENA_ARRAY(&a, cases->count + BY_HAND, struct CMUnitTest);
	int rc;

	fixtures = &v;
	for (uint32_t i = 0; i < cases->count; i++)
		tests[i] = (struct CMUnitTest){
		    .name = arena_str(&a, json_get_text(&cases->items[i], "name")),
		    .test_func = run_case,
		    .initial_state = &cases->items[i],
		};
	memcpy(tests + cases->count, by_hand, sizeof(by_hand));
	rc = _cmocka_run_group_tests("explain", tests, cases->count + BY_HAND, NULL, NULL);
	arena_release(&a);
	return rc;
}
