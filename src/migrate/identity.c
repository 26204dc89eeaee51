#include "migrate/identity.h"

int identity_ask(const struct run *r, struct arena *a, struct slice *out, struct err *err)
{
	struct couch_client *client = NULL;
	struct couch_server_info server;
	struct couch_db_info db;
	struct json v = json_object();
	int rc;

	*out = SLICE_NONE;
	rc = couch_client_open(&client, &r->couch, err);
	if (rc == 0)
		rc = couch_db_info(client, a, &db, err);
	if (rc == 0)
		rc = couch_server_info(client, a, &server, err);
	couch_client_close(client);
	if (rc)
		return rc == ERR_NOTFOUND
			   ? err_set(err, ERR_SOURCE, "source: there is no database at %s", r->env->source->shown)
			   : rc;
	json_sets(a, &v, "uuid", json_string(server.uuid));
	json_sets(a, &v, "db", json_string(db.name));
	json_sets(a, &v, "instance_start_time", json_string(db.instance_start_time));
	*out = json_to_text(&v, JSON_CANONICAL, a);
	return 0;
}

/* jsonb gives back other bytes for the same value: members are compared. */
static int is_same(struct slice was, struct slice is)
{
	struct arena a = ARENA_INIT;
	struct json x, y;
	int same = 0;

	if (json_read(was, &a, 0, &x, NULL, NULL) == 0 && json_read(is, &a, 0, &y, NULL, NULL) == 0) {
		struct slice made = json_get_text(&x, "instance_start_time");

		same = slice_eq(json_get_text(&x, "db"), json_get_text(&y, "db")) &&
		       slice_eq(made, json_get_text(&y, "instance_start_time")) &&
		       (!slice_is(made, "0") || slice_eq(json_get_text(&x, "uuid"), json_get_text(&y, "uuid")));
	}
	arena_release(&a);
	return same;
}

int identity_compare(struct slice was, struct slice is, struct err *err)
{
	if (is_same(was, is))
		return 0;
	err_set(err, ERR_STATE, "the source is not the database this migration began with: it was %.*s and is %.*s",
		SLICE_ARG(was), SLICE_ARG(is));
	return err_hint(err, "it was deleted and created again, restored, or another server answers; its checkpoint "
			     "means nothing there");
}

int identity_still_same(void *run, struct err *err)
{
	const struct run *r = run;
	struct arena a = ARENA_INIT;
	struct slice is;
	int rc = r->identity.ptr ? identity_ask(r, &a, &is, err) : 0;

	if (rc == 0 && r->identity.ptr)
		rc = identity_compare(r->identity, is, err);
	arena_release(&a);
	return rc;
}
