/* sides: one document as Couch and as SQL tell it. */
#include "migrate/migrate.h"

#include "couch/couch.h"
#include "explain/explain.h"
#include "migrate/rows.h"
#include "migrate/run.h"
#include "migrate/status.h"

/* ---- SQL ---- */

static int one_row(struct sql_target *t, const struct sql_table *table, const struct migrate_env *env, struct slice id,
		   struct arena *a, struct sql_row *out, struct err *err)
{
	static const int by_id[] = {0, 1};
	struct sql_row key = row_pair(a, env->domain, id);
	struct sql_rows rows = {0};

	if (sql_select(t, table, by_id, 2, &key, 1, a, &rows, err))
		return err->code;
	if (rows.n == 0)
		return ERR_NOTFOUND;
	*out = rows.v[0];
	return 0;
}

static int sql_form_side(struct sql_target *t, const struct migrate_env *env, struct slice id, struct arena *a,
			 struct json *out, struct slice *kind, struct err *err)
{
	struct sql_row row;
	int rc = one_row(t, &sql_forms, env, id, a, &row, err);

	if (rc)
		return rc;
	*kind = row.cells[FORM_DOC_TYPE];
	return mapping_form_sql_json(&row, a, out, err);
}

static int sql_document_side(struct sql_target *t, const struct migrate_env *env, struct slice id, struct arena *a,
			     struct json *out, struct slice *kind, struct err *err)
{
	struct sql_row row;
	int rc = one_row(t, &sql_documents, env, id, a, &row, err);

	if (rc)
		return rc;
	*kind = row.cells[DOC_TYPE];
	return mapping_document_document(&row, a, out, err);
}

static int sql_case_side(struct sql_target *t, const struct migrate_env *env, struct slice id, struct arena *a,
			 struct json *out, struct slice *kind, struct explain_ids *touching, struct err *err)
{
	static const int by_case[] = {0, 1};
	static const int by_owner[] = {ATT_DOMAIN, ATT_OWNER_KIND, ATT_OWNER_ID};
	struct sql_row row, key = row_pair(a, env->domain, id), owner = row_new(a, 3);
	struct sql_rows rows = {0}, indices = {0}, attachments = {0};
	struct replay_txn *txns;
	int rc = one_row(t, &sql_cases, env, id, a, &row, err);

	if (rc)
		return rc;
	owner.cells[0] = env->domain;
	owner.cells[1] = SLICE("case");
	owner.cells[2] = id;
	if (sql_select(t, &sql_case_transactions, by_case, 2, &key, 1, a, &rows, err) ||
	    sql_select(t, &sql_case_indices, by_case, 2, &key, 1, a, &indices, err) ||
	    sql_select(t, &sql_attachments, by_owner, 3, &owner, 1, a, &attachments, err) ||
	    mapping_transactions(rows.v, rows.n, a, &txns, err))
		return err->code;
	*kind = row.cells[CASE_DOC_TYPE];
	*touching = explain_touching_forms(txns, rows.n, a);
	return mapping_case_sql_json(&row, &indices, &attachments, txns, rows.n, a, out, err);
}

static int sql_side(const struct migrate_env *env, struct slice id, struct arena *a, struct json *out,
		    struct slice *kind, struct explain_ids *touching, struct err *err)
{
	struct sql_target *t = NULL;
	int rc = status_open_made(env, &t, err), made = rc == 0;

	if (rc == 0)
		rc = sql_case_side(t, env, id, a, out, kind, touching, err);
	if (rc == ERR_NOTFOUND && made)
		rc = sql_form_side(t, env, id, a, out, kind, err);
	if (rc == ERR_NOTFOUND && made)
		rc = sql_document_side(t, env, id, a, out, kind, err);
	sql_close(t);
	return rc;
}

/* ---- Couch ---- */

static int spooled_side(const struct migrate_env *env, struct slice id, struct arena *a, struct slice *text,
			struct err *err)
{
	struct state *s = NULL;
	struct state_case c;
	struct state_reject reject;
	int rc = state_open(&s, env->state_dir, env->domain, STATE_READ_ONLY, err);

	if (rc == 0)
		rc = state_case_get(s, id, a, &c, err);
	if (rc == 0)
		*text = c.body;
	if (rc == ERR_NOTFOUND && s) {
		rc = state_reject_get(s, id, a, &reject, err);
		if (rc == 0)
			*text = reject.body;
	}
	state_close(s);
	return rc;
}

/* A recorded feed is read until the document comes. */
static int recorded_side(const struct couch_options *o, struct slice id, struct arena *a, struct slice *text,
			 struct err *err)
{
	struct couch_feed_options f = {.kind = COUCH_FEED_NORMAL};
	struct couch_feed *feed = NULL;
	enum couch_next what = COUCH_ROW;
	struct couch_row row;
	int rc = couch_feed_open(&feed, o, &f, err), found = 0;

	while (rc == 0 && what != COUCH_END) {
		rc = couch_feed_next(feed, &what, &row, err);
		if (rc || what != COUCH_ROW || !slice_eq(row.id, id))
			continue;
		*text = arena_keep(a, row.doc);
		found = row.doc.ptr != NULL;
	}
	couch_feed_close(feed);
	return rc ? rc : found ? 0 : ERR_NOTFOUND;
}

static int source_side(const struct migrate_env *env, struct slice id, struct arena *a, struct slice *text,
		       struct err *err)
{
	struct couch_options o = {
	    .url = env->source, .user = env->source_user, .password = env->source_password, .stop = env->stop};
	struct couch_client *client = NULL;
	int rc;

	if (env->source->scheme == URL_STDIN)
		return ERR_NOTFOUND;
	if (env->source->scheme == URL_FILE)
		return recorded_side(&o, id, a, text, err);
	rc = couch_client_open(&client, &o, err);
	if (rc == 0)
		rc = couch_doc_get(client, id, a, text, err);
	couch_client_close(client);
	return rc;
}

int migrate_sides(const struct migrate_env *env, struct slice id, struct slice kind, struct arena *a,
		  struct migrate_sides *out, struct err *err)
{
	struct json *sql = ARENA_NEW(a, struct json), *couch = ARENA_NEW(a, struct json);
	struct slice text = SLICE_NONE, sql_kind = SLICE_NONE, couch_kind;
	struct explain_ids touching = {0};
	int rc;

	*out = (struct migrate_sides){.kind = kind};
	rc = sql_side(env, id, a, sql, &sql_kind, &touching, err);
	if (rc && rc != ERR_NOTFOUND)
		return rc;
	out->touching = touching.v;
	out->n_touching = touching.n;
	out->sql = rc ? NULL : sql;
	rc = spooled_side(env, id, a, &text, err);
	if (rc == ERR_NOTFOUND && env->source)
		rc = source_side(env, id, a, &text, err);
	if (rc && rc != ERR_NOTFOUND)
		return rc;
	if (rc == 0 && text.ptr) {
		if (json_read(text, a, 0, couch, NULL, err))
			return err_prefix(err, "document %.*s", SLICE_ARG(id));
		out->couch = couch;
	}
	couch_kind =
	    env->profile->type_field.ptr ? json_text(json_get(out->couch, env->profile->type_field)) : SLICE_NONE;
	if (!out->kind.ptr)
		out->kind = couch_kind.ptr ? couch_kind : sql_kind;
	if (out->couch || out->sql)
		return 0;
	return err_set(err, ERR_NOTFOUND, "no document %.*s in %.*s", SLICE_ARG(id), SLICE_ARG(env->domain));
}
