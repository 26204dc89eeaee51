#include "migrate/origin.h"

#include "migrate/rows.h"
#include "migrate/status.h"

#include <stdlib.h>

struct origins {
	struct sql_target *t;
	struct slice domain;
};

int origins_open(struct origins **out, const struct migrate_env *env, struct err *err)
{
	struct origins *own = calloc(1, sizeof(*own));
	int rc;

	*out = NULL;
	if (!own)
		return err_set(err, ERR_INTERNAL, "out of memory");
	own->domain = env->domain;
	rc = status_open_made(env, &own->t, err);
	if (rc == ERR_NOTFOUND) {
		err->code = ERR_STATE;
		rc = err_prefix(err, "%.*s", SLICE_ARG(env->domain));
	}
	if (rc)
		origins_close(own);
	else
		*out = own;
	return rc;
}

void origins_close(struct origins *o)
{
	if (!o)
		return;
	sql_close(o->t);
	free(o);
}

/* Rows are in order of id; a document's are found by halving. */
static void fill(const struct sql_rows *rows, int user, int date, const struct state_item *items, size_t n,
		 struct origin *out)
{
	for (size_t i = 0; i < n; i++) {
		size_t low = 0, high = rows->n;

		while (low < high) {
			size_t mid = low + (high - low) / 2;

			if (slice_cmp(rows->v[mid].cells[1], items[i].id) < 0)
				low = mid + 1;
			else
				high = mid;
		}
		if (low == rows->n || !slice_eq(rows->v[low].cells[1], items[i].id))
			continue;
		out[i].user_id = rows->v[low].cells[user];
		out[i].server_date = rows->v[low].cells[date];
	}
}

int origins_of(struct origins *o, const struct state_item *items, size_t n, struct arena *a, struct origin *out,
	       struct err *err)
{
	static const int by_id[] = {0, 1};
	struct sql_row *keys = ARENA_ARRAY(a, n + 1, struct sql_row);
	struct sql_rows forms = {0}, cases = {0};

	for (size_t i = 0; i < n; i++) {
		keys[i] = row_pair(a, o->domain, items[i].id);
		out[i] = (struct origin){SLICE_NONE, SLICE_NONE};
	}
	if (sql_select(o->t, &sql_forms, by_id, 2, keys, n, a, &forms, err) ||
	    sql_select(o->t, &sql_cases, by_id, 2, keys, n, a, &cases, err))
		return err->code;
	fill(&forms, FORM_USER_ID, FORM_RECEIVED_ON, items, n, out);
	fill(&cases, CASE_MODIFIED_BY, CASE_SERVER_MODIFIED_ON, items, n, out);
	return 0;
}
