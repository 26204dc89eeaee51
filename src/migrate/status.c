#include "migrate/status.h"

#include "base/hex.h"
#include "migrate/rows.h"
#include "migrate/without.h"

int status_open(const struct migrate_env *env, struct sql_target **out, struct err *err)
{
	struct sql_options o = {.url = env->target, .schema = env->schema, .flags = SQL_READ_ONLY, .log = env->log};

	return sql_open(out, &o, err);
}

int status_open_made(const struct migrate_env *env, struct sql_target **out, struct err *err)
{
	int rc = status_open(env, out, err);

	return rc ? rc : sql_schema_check(*out, err);
}

int status_row(struct sql_target *t, const struct sql_table *table, struct slice domain, struct arena *a,
	       struct sql_rows *out, struct err *err)
{
	static const int by_domain[] = {0};
	struct sql_row key = row_new(a, 1);

	key.cells[0] = domain;
	return sql_select(t, table, by_domain, 1, &key, 1, a, out, err);
}

static struct slice id_of(struct slice settings, struct arena *a)
{
	struct json v;

	if (!settings.ptr || json_read(settings, a, 0, &v, NULL, NULL))
		return SLICE_NONE;
	return json_get_text(&v, "id");
}

int status_read(struct sql_target *t, struct slice domain, struct arena *a, struct status *out, struct err *err)
{
	struct sql_rows rows = {0};

	*out = (struct status){.life = LIFE_NOT_STARTED};
	if (status_row(t, &sql_migration, domain, a, &rows, err))
		return err->code;
	if (rows.n == 0)
		return 0;
	out->row = rows.v[0];
	out->exists = 1;
	if (life_status_parse(out->row.cells[MIG_STATUS], &out->life))
		return err_set(err, ERR_TARGET, "settle_migration holds an unknown status: %.*s",
			       SLICE_ARG(out->row.cells[MIG_STATUS]));
	out->was_live = row_is_true(out->row.cells[MIG_WAS_LIVE]);
	out->source = out->row.cells[MIG_SOURCE];
	out->source_identity = out->row.cells[MIG_SOURCE_IDENTITY];
	out->profile = out->row.cells[MIG_PROFILE];
	out->settings = out->row.cells[MIG_SETTINGS];
	out->id = id_of(out->settings, a);
	return 0;
}

int status_write(struct sql_target *t, struct slice domain, struct arena *a, const struct status *s, struct err *err)
{
	struct sql_row row = s->exists ? s->row : row_new(a, MIG_COLUMNS);
	struct sql_rows held = {0};
	enum sql_outcome outcome;

	/* The trail may have moved on since s was read. */
	if (status_row(t, &sql_migration, domain, a, &held, err))
		return err->code;
	if (held.n)
		row.cells[MIG_TRAIL_HEAD] = held.v[0].cells[MIG_TRAIL_HEAD];
	row.cells[MIG_DOMAIN] = domain;
	row.cells[MIG_STATUS] = slice_of(life_status_name(s->life));
	row.cells[MIG_WAS_LIVE] = row_bool(s->was_live);
	row.cells[MIG_SOURCE] = s->source;
	row.cells[MIG_SOURCE_IDENTITY] = s->source_identity;
	row.cells[MIG_PROFILE] = s->profile;
	row.cells[MIG_SETTINGS] = s->settings;
	return sql_put(t, &sql_migration, &row, 1, &outcome, a, NULL, err);
}

int checkpoint_read(struct sql_target *t, struct slice domain, struct arena *a, struct checkpoint *out, struct err *err)
{
	struct sql_rows rows = {0};
	struct slice *c;

	*out = (struct checkpoint){0};
	if (status_row(t, &sql_checkpoint, domain, a, &rows, err))
		return err->code;
	if (rows.n == 0)
		return 0;
	c = rows.v[0].cells;
	out->exists = 1;
	out->seq = c[CKPT_SEQ];
	out->pass = row_to_int(c[CKPT_PASS]);
	out->updated_on = c[CKPT_UPDATED_ON];
	out->counters = (struct migrate_counters){
	    .read = row_to_int(c[CKPT_READ]),
	    .written = row_to_int(c[CKPT_WRITTEN]),
	    .unchanged = row_to_int(c[CKPT_UNCHANGED]),
	    .deleted = row_to_int(c[CKPT_DELETED]),
	    .skipped = row_to_int(c[CKPT_SKIPPED]),
	    .rejected = row_to_int(c[CKPT_REJECTED]),
	    .bytes = row_to_int(c[CKPT_BYTES]),
	};
	return 0;
}

/* What the profile says about mapping; its rules may be edited while a migration runs (`diff filter` applies them). */
static struct slice mapping_digest(const struct profile *p, struct arena *a)
{
	struct json mapping = json_clone(a, &p->source);

	json_del(&mapping, SLICE("rules"));
	return hex_sha256(json_to_text(&mapping, JSON_CANONICAL, a), a);
}

struct slice status_settings_text(const struct migrate_env *env, const struct status_settings *s, struct arena *a)
{
	struct json held;
	struct json settings = json_object();

	json_sets_text(a, &settings, "id", s->id);
	json_sets(a, &settings, "mapping", json_string(mapping_digest(env->profile, a)));
	if (s->trial.ptr && json_read(s->trial, a, 0, &held, NULL, NULL) == 0)
		json_sets(a, &settings, "trial", held);
	if (s->without)
		json_sets(a, &settings, "without", without_json(s->without, a));
	return json_to_text(&settings, JSON_CANONICAL, a);
}
