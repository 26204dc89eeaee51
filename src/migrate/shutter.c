#include "migrate/shutter.h"

#include "base/clock.h"
#include "base/pct.h"

#define CLOSED "shutter"

struct slice shutter_function(struct slice domain_field, struct slice domain, struct arena *a)
{
	struct buf f = BUF_INIT(1u << 20);
	struct slice text;

	buf_str(&f, "function (doc, old) { var domain = ");
	json_write_string(domain, &f);
	buf_str(&f, "; if (/^_(design|local)\\//.test(doc._id)) return;");
	if (domain_field.ptr) {
		buf_str(&f, " var field = ");
		json_write_string(domain_field, &f);
		buf_str(&f, "; if (doc[field] !== domain && !(old && old[field] === domain)) return;");
	}
	buf_str(&f, " throw({forbidden: domain + ' is being migrated: it can be read, not written'}); }");
	text = arena_slice(a, buf_slice(&f));
	buf_release(&f);
	return text;
}

static struct slice named(struct run *r, const char *prefix)
{
	struct buf id = BUF_INIT(1u << 16);
	struct slice text;

	buf_str(&id, prefix);
	pct_file_name(r->env->domain, &id);
	text = arena_slice(&r->arena, buf_slice(&id));
	buf_release(&id);
	return text;
}

static int is_closed(struct run *r, int *closed, struct err *err)
{
	struct slice v;

	if (state_value_get(r->state, CLOSED, &r->arena, &v, err))
		return err->code;
	*closed = v.ptr && slice_is(v, "closed");
	return 0;
}

static int put(struct run *r, struct slice id, const struct json *doc, struct err *err)
{
	struct couch_client *client = NULL;
	int rc = couch_client_open(&client, &r->couch, err);

	if (rc == 0)
		rc = doc ? couch_doc_put(client, id, doc, err) : couch_doc_delete(client, id, err);
	couch_client_close(client);
	return rc;
}

int shutter_close(struct run *r, struct err *err)
{
	struct json doc = json_object();

	if (!run_from_server(r))
		return err_set(err, ERR_USAGE, "--shutter needs a server as source: nobody writes to a recorded feed");
	json_sets(&r->arena, &doc, "language", json_str("javascript"));
	json_sets(&r->arena, &doc, "validate_doc_update",
		  json_string(shutter_function(r->profile->domain_field, r->env->domain, &r->arena)));
	if (state_value_put(r->state, CLOSED, SLICE("closed"), err) || put(r, named(r, SHUTTER_PREFIX), &doc, err))
		return err->code;
	log_at(r->env->log, LOG_INFO, "the source refuses writes to %.*s from now on", SLICE_ARG(r->env->domain));
	return 0;
}

int shutter_none(struct run *r, struct err *err)
{
	return state_value_put(r->state, CLOSED, SLICE("open"), err);
}

/* A state file that was lost, rebuilt or restored does not know; the source does. */
static int find_shutter(struct run *r, int *closed, struct err *err)
{
	struct couch_client *client = NULL;
	struct slice known, doc;
	int rc;

	if (is_closed(r, closed, err) || state_value_get(r->state, CLOSED, &r->arena, &known, err))
		return err->code;
	if ((known.ptr && !r->apart) || !r->env->source || !run_from_server(r))
		return 0;
	rc = couch_client_open(&client, &r->couch, err);
	if (rc == 0)
		rc = couch_doc_get(client, named(r, SHUTTER_PREFIX), &r->arena, &doc, err);
	couch_client_close(client);
	if (rc == ERR_NOTFOUND) {
		*closed = 0;
		return 0;
	}
	*closed = rc == 0;
	return rc ? rc : state_value_put(r->state, CLOSED, SLICE("closed"), err);
}

int shutter_open(struct run *r, struct err *err)
{
	int closed;

	if (find_shutter(r, &closed, err))
		return err->code;
	if (!closed)
		return 0;
	if (!r->env->source) {
		err_set(err, ERR_USAGE,
			"the source is closed for %.*s (--shutter), and no source is given to open it again",
			SLICE_ARG(r->env->domain));
		return err_hint(err, "give --source as for migrate");
	}
	if (put(r, named(r, SHUTTER_PREFIX), NULL, err))
		return err->code;
	log_at(r->env->log, LOG_INFO, "the source takes writes to %.*s again", SLICE_ARG(r->env->domain));
	return 0;
}

int shutter_publish(struct run *r, enum life_status status, struct err *err)
{
	struct json doc = json_object();
	char now[CLOCK_TEXT_SIZE];
	int closed;

	if (is_closed(r, &closed, err))
		return err->code;
	if (!closed)
		return 0;
	clock_utc_text(now);
	json_sets(&r->arena, &doc, "domain", json_string(r->env->domain));
	json_sets(&r->arena, &doc, "status", json_str(life_status_name(status)));
	json_sets(&r->arena, &doc, "since", json_string(slice_of(now)));
	if (put(r, named(r, "_local/settle-"), &doc, err))
		return err->code;
	/* Once open again it is nobody's business any more. */
	return status == LIFE_LIVE || status == LIFE_NOT_STARTED ? shutter_none(r, err) : 0;
}
