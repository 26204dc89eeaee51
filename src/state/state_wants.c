/*
 * Forms that a case's outcome depends on though they hold nothing for the case: missing ones, archived ones. When such
 * a form comes, changes or goes, the case must be compared again.
 */
#include "config.h"

#include "state/state_internal.h"

int wants_put(struct state *s, const struct state_doc *doc, struct err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < doc->n_wants; i++) {
		struct lite_stmt *stmt = NULL;
		rc = lite_stmt(s->db, "INSERT INTO wanted VALUES (?1, ?2) ON CONFLICT (form, id) DO NOTHING", &stmt,
			       err);
		if (rc != 0)
			break;
		lite_bind_bytes(stmt, 1, doc->wants[i]);
		lite_bind_bytes(stmt, 2, doc->id);
		rc = lite_run(stmt, err);
	}
	s->any_wanted |= doc->n_wants > 0;
	return rc;
}

struct ids {
	struct slice *v;
	size_t n, cap;
};

static int who_wants(struct state *s, struct slice form_id, struct arena *a, struct ids *out, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int row = 0;
	int rc = lite_stmt(s->db, "SELECT id FROM wanted WHERE form = ?1", &stmt, err);
	if (rc != 0)
		return rc;
	lite_bind_bytes(stmt, 1, form_id);
	while ((rc = lite_step(stmt, &row, err)) == 0 && row)
		ARENA_PUSH(a, out, arena_slice(a, lite_text(stmt, 0)));
	lite_done(stmt);
	return rc;
}

int wants_touch(struct state *s, struct slice form_id, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct ids cases = {0};
	int rc = s->any_wanted ? who_wants(s, form_id, &a, &cases, err) : 0;
	for (size_t i = 0; rc == 0 && i < cases.n; i++)
		rc = case_touch(s, cases.v[i], err);
	arena_release(&a);
	return rc;
}

int wants_look(struct state *s, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int row = 0;
	int rc = lite_stmt(s->db, "SELECT EXISTS (SELECT 1 FROM wanted)", &stmt, err);
	if (rc == 0)
		rc = lite_step(stmt, &row, err);
	if (rc == 0)
		s->any_wanted = lite_int(stmt, 0) != 0;
	lite_done(stmt);
	return rc;
}
