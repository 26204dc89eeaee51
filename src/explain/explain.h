/*
 * explain: why does a Couch case differ from its SQL case? Pure: the two sides in, a verdict out, or the ids of forms
 * it must know more about, which the caller looks up (BEHAVIOUR.md section 7 with DESIGN.md decisions 16 to 19).
 *
 * The steps, each a function of its own: compare (explain.c); is a form missing that the Couch case was made of
 * (missing_forms.c); does the Couch case, rebuilt from its forms, agree (rebuild.c); would SQL agree if it took the
 * forms in Couch's order (order.c, with dates that say so, sort.c); and, without an SQL case, were its forms deleted or
 * did they never speak of it (missing_case.c).
 *
 * A verdict depends on what is handed in alone, never on an earlier one: whoever asks again after forms or the Couch
 * case changed gets what a first run would say. Patch forms are forms like any other, but for the order: Couch knows
 * nothing of them.
 *
 * Everything is borrowed from what was handed in or lives in the arena. Threads: functions are reentrant.
 */
#ifndef SETTLE_EXPLAIN_EXPLAIN_H
#define SETTLE_EXPLAIN_EXPLAIN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "diff/rules.h"
#include "replay/replay.h"

#define EXPLAIN_REBUILD "rebuild case"
#define EXPLAIN_DELETED_FORMS "deleted forms"
#define EXPLAIN_ORPHANED "orphaned case"

struct explain_ids { /* in an arena; ARENA_PUSH */
	struct slice *v;
	size_t n, cap;
};

struct explain_form { /* what became of a form the verdict asked for */
	struct slice id;
	int in_couch;   /* the source has a form of that id in this domain */
	int in_sql;     /* the target has */
	int deleted;    /* in SQL, and marked deleted there */
	int references; /* see explain_form_references; 1 when it cannot be found */
};

struct explain_case { /* one Couch case with its SQL side */
	const struct ruleset *rules;
	struct slice kind, domain, case_id;
	const struct json *couch;      /* the Couch document, never NULL */
	const struct json *sql;        /* what SQL says, or NULL: it has no such case */
	const struct replay_txn *txns; /* of the case, with the dates their forms came with, in order of application */
	size_t n_txns;
	const struct explain_form *forms; /* one for each id of `wants`, or NULL: not asked yet */
	size_t n_forms;
};

struct explain_verdict {
	struct diff_list diffs;      /* differences without a known cause */
	struct diff_list changes;    /* differences with one, in .reason; never both */
	struct ignored_list ignored; /* what the rules dropped when the two sides were compared */
	struct explain_ids wants;    /* not empty: no verdict yet, look these forms up and ask again */
};
void explain(const struct explain_case *c, struct arena *a, struct explain_verdict *out);

/* The ids of forms that touch the case without doing anything (decision 7): every block is a touch. In order of txns.
 */
struct explain_ids explain_touching_forms(const struct replay_txn *txns, size_t n, struct arena *a);

/*
 * Does the form, whatever its kind, speak of the case? A body without blocks does not; one whose blocks cannot be read,
 * and an absent one (NULL), count as if it did.
 */
int explain_form_references(const struct json *body, struct slice case_id, struct arena *a);

/* What SQL would say of the case after these transactions. 0 or an error, which ends the question. */
typedef int explain_sql_fn(void *ctx, const struct replay_txn *txns, size_t n, struct arena *a, struct json *out,
			   struct err *err);
/*
 * The order in which SQL is to apply the case's transactions (decision 17). *sorted is NULL when it stays as it is.
 * Otherwise both sides know the same forms, Couch applied them in another order, the sides differ as they stand, and in
 * Couch's order they agree: *sorted is then a copy of c->txns in that order, its dates repaired so that they say so.
 * c->sql and c->forms are not looked at. Patch transactions are to be left out of c->txns: they keep their dates.
 */
MUST_CHECK int explain_order(const struct explain_case *c, explain_sql_fn *sql_of, void *ctx, struct arena *a,
			     struct replay_txn **sorted, struct err *err);

/*
 * Makes dates strictly ascending with as few changes as possible (BEHAVIOUR section 7, "Date repair when sorting"): the
 * longest strictly increasing subsequence is kept. Kept dates leave a microsecond for each date between them, so that
 * there is always room. REPLAY_AT_UNREADABLE is no date and gets one. 1, or 0 when there is no date to go by; then
 * nothing is changed.
 */
int explain_repair_dates(int64_t *at, size_t n, struct arena *a);

#endif
