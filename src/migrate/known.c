#include "migrate/known.h"

#include "migrate/rows.h"
#include "migrate/status.h"
#include "sql/tables.h"
#include "state/state.h"

struct asker { /* one migrate_unknown */
	const struct migrate_env *env;
	const struct selection *selection;
	unsigned classes;
	struct state *state;  /* NULL: there is none */
	struct sql_target *t; /* NULL: none was named, or settle's tables are not there */
	struct arena arena;   /* of one id */
};

static int fits(const struct asker *k, const struct selected *one, struct slice kind)
{
	unsigned class = selection_is_case(k->selection, kind) ? AGAIN_CASES : AGAIN_FORMS;

	return selected_means(one, kind) && (k->classes & class);
}

/* ---- the state file ---- */

static int in_list(struct asker *k, const struct selected *one, enum state_list which, int *yes, struct err *err)
{
	struct state_item item;
	int rc = state_get(k->state, which, one->id, &k->arena, &item, err);

	if (rc == 0)
		*yes = fits(k, one, item.kind);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* A reject may be of no kind that anybody could tell. */
static int in_rejects(struct asker *k, const struct selected *one, int *yes, struct err *err)
{
	struct state_reject reject;
	int rc = state_reject_get(k->state, one->id, &k->arena, &reject, err);

	if (rc == 0)
		*yes = !reject.kind.len || fits(k, one, reject.kind);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int in_state(struct asker *k, const struct selected *one, int *yes, struct err *err)
{
	struct slice kind;
	int rc = state_kind_get(k->state, one->id, &k->arena, &kind, err);

	if (rc == 0 && kind.ptr)
		*yes = fits(k, one, kind);
	if (rc == 0 && !*yes)
		rc = in_list(k, one, STATE_DIFFS, yes, err);
	if (rc == 0 && !*yes)
		rc = in_list(k, one, STATE_CHANGES, yes, err);
	if (rc == 0 && !*yes)
		rc = in_rejects(k, one, yes, err);
	return rc;
}

/* ---- the target ---- */

static int in_target(struct asker *k, const struct selected *one, int *yes, struct err *err)
{
	static const struct {
		const struct sql_table *table;
		int kind;
		unsigned class;
	} places[] = {{&sql_cases, CASE_DOC_TYPE, AGAIN_CASES},
		      {&sql_forms, FORM_DOC_TYPE, AGAIN_FORMS},
		      {&sql_documents, DOC_TYPE, AGAIN_FORMS}};
	static const int by_id[] = {0, 1};
	struct sql_row key = row_pair(&k->arena, k->env->domain, one->id);

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && !*yes; i++) {
		struct sql_rows rows = {0};

		if (!(k->classes & places[i].class))
			continue;
		if (sql_select(k->t, places[i].table, by_id, 2, &key, 1, &k->arena, &rows, err))
			return err->code;
		*yes = rows.n && selected_means(one, rows.v[0].cells[places[i].kind]);
	}
	return 0;
}

/* ---- a selection ---- */

static int is_known(struct asker *k, size_t i, int *yes, struct err *err)
{
	const struct selected *one = &k->selection->v[i];
	int rc = 0;

	arena_reset(&k->arena);
	*yes = k->selection->seen[i] != 0;
	if (k->state && !*yes)
		rc = in_state(k, one, yes, err);
	if (rc == 0 && k->t && !*yes)
		rc = in_target(k, one, yes, err);
	return rc;
}

static int is_kind_of_source(struct asker *k, struct slice word, int *yes, struct err *err)
{
	struct state_kinds kinds = {0};

	if (!word.ptr || !k->state)
		return 0;
	if (state_kinds(k->state, &k->arena, &kinds, err))
		return err->code;
	for (size_t i = 0; i < kinds.n && !*yes; i++)
		*yes = slice_eq(kinds.v[i].kind, word);
	return 0;
}

/* As --select takes it. */
static struct slice name_of(const struct selected *one, struct arena *a)
{
	return one->kind.ptr ? arena_printf(a, "%.*s:%.*s", SLICE_ARG(one->kind), SLICE_ARG(one->id)) : one->id;
}

static int ask(struct asker *k, struct arena *a, struct unknown_ids *out, struct err *err)
{
	const struct selection *s = k->selection;
	int any = 0;

	for (size_t i = 0; i < s->n; i++) {
		int yes = 0;

		if (is_known(k, i, &yes, err))
			return err->code;
		any |= yes;
		if (!yes && !s->either.ptr)
			ARENA_PUSH(a, out, name_of(&s->v[i], a));
	}
	if (!s->either.ptr || any)
		return 0;
	if (is_kind_of_source(k, s->word, &any, err))
		return err->code;
	if (!any)
		ARENA_PUSH(a, out, s->either);
	return 0;
}

static int open_both(struct asker *k, struct err *err)
{
	const struct migrate_env *env = k->env;
	int rc = state_open(&k->state, env->state_dir, env->domain, STATE_READ_ONLY, err);

	if ((rc == 0 || rc == ERR_NOTFOUND) && env->target)
		rc = status_open_made(env, &k->t, err);
	if (rc == ERR_NOTFOUND && k->t) {
		sql_close(k->t);
		k->t = NULL;
	}
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int migrate_unknown(const struct migrate_env *env, const struct selection *s, unsigned classes, struct arena *a,
		    struct unknown_ids *out, struct err *err)
{
	struct asker k = {.env = env, .selection = s, .classes = classes, .arena = ARENA_INIT};
	int rc;

	*out = (struct unknown_ids){0};
	if (s->what != SELECT_IDS || s->n == 0)
		return 0;
	rc = open_both(&k, err);
	if (rc == 0)
		rc = ask(&k, a, out, err);
	sql_close(k.t);
	state_close(k.state);
	arena_release(&k.arena);
	return rc;
}
