/* patch_pass: plan and journal (patch_planning.c), audit commit; then SQL (patch_apply.c). See patching.h for the
 * order. */
#include "migrate/patch_pass.h"

#include "migrate/patch_apply.h"
#include "migrate/patch_journal.h"
#include "migrate/patch_planning.h"
#include "migrate/session.h"
#include "migrate/trail.h"

/* ---- the trail ---- */

struct recording {
	struct audit *trail;
	int digests;
	int resumed; /* what the journal holds may be in the trail already */
	int64_t n;
};

/* Without contents: what can be checked against SQL, and nothing of the document. */
static struct slice entry_digests(struct slice entry, struct arena *a, struct err *err)
{
	struct json v;

	if (json_read(entry, a, 0, &v, NULL, err))
		return SLICE_NONE;
	v = json_clone(a, &v);
	json_del(&v, SLICE("block"));
	json_del(&v, SLICE("after"));
	return json_to_text(&v, JSON_PRETTY, a);
}

static int put_file(struct audit *trail, const char *suffix, struct slice form_id, struct slice bytes, struct err *err)
{
	struct buf path = BUF_INIT(4096);
	int rc;

	audit_path(TRAIL_PATCHES, form_id, suffix, &path);
	rc = audit_put(trail, buf_slice(&path), bytes, err);
	buf_release(&path);
	return rc;
}

/* Those that a killed pass has put there already are left alone. */
static int is_recorded(struct audit *trail, struct slice form_id, struct arena *a)
{
	struct err err = ERR_INIT;
	struct buf path = BUF_INIT(4096);
	struct slice held;
	int rc;

	audit_path(TRAIL_PATCHES, form_id, ".json", &path);
	rc = audit_read(trail, buf_slice(&path), a, &held, &err);
	buf_release(&path);
	return rc == 0;
}

static int record_one(struct recording *rec, const struct state_patch *p, struct arena *a, struct err *err)
{
	struct slice entry = p->entry;
	int rc = 0;

	if (rec->resumed && is_recorded(rec->trail, p->form_id, a))
		return 0;
	rec->n++;
	if (rec->digests && !(entry = entry_digests(entry, a, err)).ptr)
		return err->code;
	if (!rec->digests)
		rc = put_file(rec->trail, ".xml", p->form_id, p->xml, err);
	return rc ? rc : put_file(rec->trail, ".json", p->form_id, entry, err);
}

static int record_journal(void *ctx, const struct state_patches *page, struct arena *a, struct err *err)
{
	for (size_t i = 0; i < page->n; i++)
		if (record_one(ctx, &page->v[i], a, err))
			return err->code;
	return 0;
}

/* One commit with every form of the journal; head: the last commit, also when there was nothing to add. */
static int record_pass(struct run *r, int resumed, int digests, char head[AUDIT_ID_SIZE], struct err *err)
{
	struct recording rec = {.digests = digests, .resumed = resumed};
	struct arena a = ARENA_INIT;
	int rc = trail_begin(r, &rec.trail, err);

	if (rc == 0)
		rc = patch_journal_each(r, record_journal, &rec, err);
	if (rc == 0 && rec.n) {
		struct audit_trailer forms = {"Forms", arena_printf(&a, "%lld", (long long)rec.n)};
		struct trail_note note = {
		    .event = "patch",
		    .trailers = &forms,
		    .n_trailers = 1,
		    .subject = arena_printf(&a, "patch pass: %lld %s", (long long)rec.n,
					    rec.n == 1 ? "document" : "documents"),
		};

		rc = trail_end(r, rec.trail, &note, head, err);
	} else if (rc == 0) {
		rc = audit_head(rec.trail, head, err);
	}
	audit_close(rec.trail);
	arena_release(&a);
	return rc;
}

/* ---- the pass ---- */

static int finish_journal(struct run *r, int resumed, int digests, struct migrate_patched *out, struct err *err)
{
	char head[AUDIT_ID_SIZE];

	if (record_pass(r, resumed, digests, head, err))
		return err->code;
	return patch_apply(r, head, resumed, out, err);
}

int patch_resume(struct run *r, int digests, struct err *err)
{
	struct migrate_patched done = {0};
	int64_t left;

	if (state_patch_count(r->state, &left, err))
		return err->code;
	if (left == 0)
		return 0;
	log_at(r->env->log, LOG_INFO, "a patch pass was interrupted: going on with %lld patch forms", (long long)left);
	return finish_journal(r, 1, digests, &done, err);
}

/* Nothing is planned that could not be written down. */
int patch_pass(struct run *r, const struct migrate_patch_options *o, struct migrate_patched *out, struct err *err)
{
	int64_t left = 0;
	int rc = trail_check(r, err);

	if (rc == 0)
		rc = patch_resume(r, o->digests, err);
	if (rc == 0 && !o->only_changes)
		rc = patch_plan_list(r, o, STATE_DIFFS, &out->refused, err);
	if (rc == 0 && !o->only_diffs)
		rc = patch_plan_list(r, o, STATE_CHANGES, &out->refused, err);
	if (rc == 0)
		rc = state_patch_count(r->state, &left, err);
	if (rc == 0 && left)
		rc = finish_journal(r, 0, o->digests, out, err);
	log_at(r->env->log, LOG_INFO, "patched %lld documents, refused %lld", (long long)out->patched,
	       (long long)out->refused);
	return rc;
}

int migrate_patch(const struct migrate_env *env, const struct migrate_patch_options *o, struct migrate_patched *out,
		  struct err *err)
{
	struct run r;
	struct status s;
	enum life_status to;
	unsigned source = env->source && env->profile->patch_documents ? RUN_WITH_SOURCE : 0;
	int rc = run_open(&r, env, LIFE_REPAIR, NULL, (enum run_open_flags)source, err);

	*out = (struct migrate_patched){0};
	if (rc == 0)
		rc = run_enter(&r, LIFE_REPAIR, &s, &to, err);
	if (rc == 0)
		rc = patch_pass(&r, o, out, err);
	run_release(&r);
	return rc;
}
