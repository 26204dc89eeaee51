/* The repository and its branch; writing an event. */
#include "config.h"

#include "audit/audit_internal.h"

#include "base/clock.h"
#include "base/pct.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_WAIT_MS 60000
#define LOCK_STEP_MS 50
#define STALE_LOCK_MS 1000

int audit_git_err(struct err *err, int rc, const char *what)
{
	const git_error *said = git_error_last();
	const char *text = said && said->message ? said->message : "unknown error of libgit2";
	int n = (int)strcspn(text, "\n");
	err_set(err, ERR_STATE, "%s: %.*s", what, n, text);
	if (err)
		err->native = rc;
	return err_hint(err, "`git -C STATE_DIR/audit.git fsck` tells what is wrong with the repository");
}

/* ---- names ---- */

/* A ref takes neither "..", nor ".lock" at the end, nor '-' first where people name branches. */
static char *ref_of(struct slice domain, struct arena *a)
{
	struct buf name = BUF_INIT(SIZE_MAX / 2), ref = BUF_INIT(SIZE_MAX / 2);
	char *out;
	pct_file_name(domain, &name);
	buf_str(&ref, "refs/heads/");
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (c == '.' || (c == '-' && i == 0))
			buf_fmt(&ref, "%%%02X", (unsigned)c);
		else
			buf_ch(&ref, c);
	}
	out = arena_str(a, buf_slice(&ref));
	buf_release(&name);
	buf_release(&ref);
	return out;
}

void audit_path(const char *kind, struct slice id, const char *suffix, struct buf *out)
{
	struct buf name = BUF_INIT(SIZE_MAX / 2);
	pct_file_name(id, &name);
	buf_fmt(out, "%s/", kind);
	for (size_t i = 0; i < 4; i++) {
		buf_ch(out, i < name.len && name.ptr[i] != '.' ? name.ptr[i] : '_');
		if (i % 2)
			buf_ch(out, '/');
	}
	buf_adds(out, buf_slice(&name));
	buf_str(out, suffix);
	buf_release(&name);
}

int audit_path_id(const char *kind, const char *suffix, struct slice path, struct buf *id)
{
	size_t head = strlen(kind) + 7, tail = strlen(suffix);
	struct buf again = BUF_INIT(SIZE_MAX / 2);
	int rc = -1;
	if (path.len > head + tail && pct_decode((struct slice){path.ptr + head, path.len - head - tail}, id) == 0) {
		audit_path(kind, buf_slice(id), suffix, &again);
		rc = slice_eq(buf_slice(&again), path) ? 0 : -1;
	}
	buf_release(&again);
	return rc;
}

/* ---- opening ---- */

static int make_parents(const char *path, struct err *err)
{
	char part[4096];
	for (size_t i = 1; path[i]; i++) {
		if (path[i] != '/' || i >= sizeof(part))
			continue;
		memcpy(part, path, i);
		part[i] = 0;
		if (mkdir(part, 0700) != 0 && errno != EEXIST)
			return err_sys(err, ERR_STATE, errno, "cannot make directory %s", part);
	}
	return 0;
}

static int take_lock(struct audit *t, struct err *err)
{
	struct slice path = arena_printf(&t->event_memory, "%s/settle.lock", t->directory);
	t->lock = open(path.ptr, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (t->lock < 0)
		return err_sys(err, ERR_STATE, errno, "cannot open %s", path.ptr);
	for (int waited = 0; flock(t->lock, LOCK_EX | LOCK_NB) != 0; waited += LOCK_STEP_MS) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(err, ERR_STATE, errno, "cannot lock %s", path.ptr);
		if (waited >= LOCK_WAIT_MS) {
			err_set(err, ERR_BUSY, "another process has been writing the audit trail for a minute");
			return err_hint(err, "it holds the lock of %s", path.ptr);
		}
		clock_sleep_ms(LOCK_STEP_MS);
	}
	return 0;
}

static void give_lock_back(struct audit *t)
{
	if (t->lock >= 0)
		close(t->lock);
	t->lock = -1;
}

/* Whoever was killed while making the repository has left libgit2's locks behind. Only the holder of settle.lock makes
 * it. */
static int drop_locks_of_init(struct audit *t, struct err *err)
{
	static const char *const names[] = {"HEAD.lock", "config.lock"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct slice path = arena_printf(&t->event_memory, "%s/%s", t->directory, names[i]);
		if (unlink(path.ptr) != 0 && errno != ENOENT)
			return err_sys(err, ERR_STATE, errno, "cannot remove %s", path.ptr);
	}
	return 0;
}

/* Its HEAD is the first domain's branch, so that a clone has files in it. */
static int init_repository(struct audit *t, struct err *err)
{
	git_repository_init_options o = {.version = GIT_REPOSITORY_INIT_OPTIONS_VERSION};
	int rc;

	if (git_repository_open_bare(&t->repo, t->directory) == 0) /* somebody was faster */
		return 0;
	rc = drop_locks_of_init(t, err);
	if (rc)
		return rc;
	o.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKDIR;
	o.initial_head = t->ref;
	rc = git_repository_init_ext(&t->repo, t->directory, &o);
	if (rc == 0 && chmod(t->directory, 0700) != 0)
		return err_sys(err, ERR_STATE, errno, "cannot close directory %s to others", t->directory);
	return rc ? audit_git_err(err, rc, "cannot make the repository of the audit trail") : 0;
}

static int make_repository(struct audit *t, struct err *err)
{
	int rc = make_parents(t->directory, err);
	if (rc)
		return rc;
	if (mkdir(t->directory, 0700) != 0 && errno != EEXIST)
		return err_sys(err, ERR_STATE, errno, "cannot make directory %s", t->directory);
	rc = take_lock(t, err);
	if (rc == 0)
		rc = init_repository(t, err);
	give_lock_back(t);
	return rc;
}

static int open_repository(struct audit *t, struct err *err)
{
	int rc = git_repository_open_bare(&t->repo, t->directory);
	if (rc == 0)
		return 0;
	if (rc != GIT_ENOTFOUND)
		return audit_git_err(err, rc, "cannot open the repository of the audit trail");
	if (t->flags & AUDIT_READ_ONLY)
		return err_set(err, ERR_NOTFOUND, "there is no audit trail in %s", t->directory);
	return make_repository(t, err);
}

static int must_have_branch(struct audit *t, struct err *err)
{
	git_oid id;
	int has, rc = audit_head_oid(t, &id, &has, err);
	if (rc || has)
		return rc;
	return err_set(err, ERR_NOTFOUND, "the audit trail %s has no branch %s", t->directory, t->ref);
}

int audit_open(struct audit **out, const char *state_dir, struct slice domain, unsigned flags, struct err *err)
{
	struct audit *t = calloc(1, sizeof(*t));
	int rc;
	*out = NULL;
	if (!t)
		return err_set(err, ERR_INTERNAL, "out of memory");
	git_libgit2_init();
	git_libgit2_opts(GIT_OPT_ENABLE_CACHING, 0);
	git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
	git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, (size_t)1 << 20);
	git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, (size_t)16 << 20);
	t->lock = -1;
	t->flags = flags;
	t->domain = arena_slice(&t->memory, domain);
	t->ref = ref_of(domain, &t->memory);
	t->directory = arena_str(&t->memory, arena_printf(&t->memory, "%s/audit.git", state_dir));
	rc = open_repository(t, err);
	if (rc == 0 && (rc = git_repository_odb(&t->odb, t->repo)) != 0)
		rc = audit_git_err(err, rc, "cannot open the objects of the audit trail");
	if (rc == 0 && (flags & AUDIT_READ_ONLY))
		rc = must_have_branch(t, err);
	if (rc)
		audit_close(t);
	else
		*out = t;
	return rc;
}

void audit_close(struct audit *t)
{
	if (!t)
		return;
	audit_rollback(t);
	git_odb_free(t->odb);
	git_repository_free(t->repo);
	arena_release(&t->memory);
	arena_release(&t->event_memory);
	free(t);
	git_libgit2_shutdown();
}

const char *audit_ref(const struct audit *t)
{
	return t->ref;
}

int audit_head_oid(struct audit *t, git_oid *out, int *has, struct err *err)
{
	int rc = git_reference_name_to_id(out, t->repo, t->ref);
	*has = rc == 0;
	if (rc == 0 || rc == GIT_ENOTFOUND)
		return 0;
	return audit_git_err(err, rc, t->ref);
}

int audit_head(struct audit *t, char id[AUDIT_ID_SIZE], struct err *err)
{
	git_oid oid;
	int has, rc = audit_head_oid(t, &oid, &has, err);
	id[0] = 0;
	if (rc == 0 && has)
		git_oid_tostr(id, AUDIT_ID_SIZE, &oid);
	return rc;
}

/* ---- an event ---- */

/*
 * A killed writer leaves libgit2's lock of the branch behind. Nobody but the holder of settle.lock moves the branch,
 * and git's own upkeep (pack-refs) locks it for a moment only.
 */
static int drop_stale_lock(struct audit *t, struct err *err)
{
	struct slice path = arena_printf(&t->event_memory, "%s/%s.lock", t->directory, t->ref);
	for (int waited = 0; access(path.ptr, F_OK) == 0; waited += LOCK_STEP_MS) {
		if (waited >= STALE_LOCK_MS && unlink(path.ptr) != 0 && errno != ENOENT)
			return err_sys(err, ERR_STATE, errno, "cannot remove %s, left by a killed settle", path.ptr);
		if (waited < STALE_LOCK_MS)
			clock_sleep_ms(LOCK_STEP_MS);
	}
	return 0;
}

int audit_begin(struct audit *t, struct err *err)
{
	int rc;
	if (t->flags & AUDIT_READ_ONLY || t->pack)
		return err_set(err, ERR_INTERNAL, "the audit trail is not open for another event");
	rc = take_lock(t, err);
	if (rc == 0)
		rc = drop_stale_lock(t, err);
	if (rc == 0)
		rc = audit_head_oid(t, &t->parent, &t->has_parent, err);
	if (rc == 0)
		rc = pack_open(&t->pack, t->odb, t->directory, err);
	if (rc == 0)
		rc = changes_open(&t->changes, err);
	if (rc)
		audit_rollback(t);
	return rc;
}

int audit_check(struct audit *t, struct err *err)
{
	git_commit *c = NULL;
	git_tree *tree = NULL;
	int git = 0;
	if (t->has_parent && (git = git_commit_lookup(&c, t->repo, &t->parent)) == 0)
		git = git_commit_tree(&tree, c);
	git_tree_free(tree);
	git_commit_free(c);
	if (git)
		return audit_git_err(err, git, "cannot read the last commit of the audit trail");
	return pack_probe(t->pack, err);
}

void audit_rollback(struct audit *t)
{
	pack_close(t->pack);
	t->pack = NULL;
	changes_close(t->changes);
	t->changes = NULL;
	arena_release(&t->event_memory);
	give_lock_back(t);
}

static int check_path(struct slice path, struct err *err)
{
	size_t part = 0;
	for (size_t i = 0; i < path.len; i++) {
		char c = path.ptr[i];
		int fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
			   c == '%' || c == '-' || (c == '.' && part);
		if (!fits && (c != '/' || part == 0))
			return err_set(err, ERR_INTERNAL, "%.*s is no path of the audit trail", SLICE_ARG(path));
		part = c == '/' ? 0 : part + 1;
	}
	return part ? 0 : err_set(err, ERR_INTERNAL, "an empty path in the audit trail");
}

static int add_change(struct audit *t, struct slice path, const git_oid *id, struct err *err)
{
	int rc = check_path(path, err);
	return rc ? rc : changes_add(t->changes, path, id, err);
}

int audit_put(struct audit *t, struct slice path, struct slice bytes, struct err *err)
{
	git_oid id;
	int rc = pack_add(t->pack, GIT_OBJECT_BLOB, bytes, &id, err);
	return rc ? rc : add_change(t, path, &id, err);
}

int audit_remove(struct audit *t, struct slice path, struct err *err)
{
	return add_change(t, path, NULL, err);
}

size_t audit_pending(const struct audit *t)
{
	return t->changes ? changes_count(t->changes) : 0;
}

/* ---- the commit ---- */

static void add_line(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		buf_ch(out, (unsigned char)text.ptr[i] < 0x20 ? ' ' : text.ptr[i]);
}

static void add_name(struct buf *out, const char *text, const char *otherwise)
{
	size_t before = out->len;
	for (const char *c = text; c && *c; c++)
		if ((unsigned char)*c >= 0x20 && !strchr("<>\"\\", *c))
			buf_ch(out, *c);
	if (out->len == before)
		buf_str(out, otherwise);
}

/* Name and address: of git's settings, or of the login. */
static void add_person(struct audit *t, const char *role, int64_t time, struct buf *out)
{
	git_signature *who = NULL;
	const struct passwd *login = getpwuid(getuid());
	const char *name = login ? login->pw_name : "unknown";
	char host[256] = "localhost";
	(void)gethostname(host, sizeof(host) - 1);
	buf_fmt(out, "%s ", role);
	if (git_signature_default(&who, t->repo) == 0) {
		add_name(out, who->name, name);
		buf_str(out, " <");
		add_name(out, who->email, name);
	} else {
		add_name(out, name, "unknown");
		buf_str(out, " <");
		add_name(out, name, "unknown");
		buf_ch(out, '@');
		add_name(out, host, "localhost");
	}
	git_signature_free(who);
	buf_fmt(out, "> %lld +0000\n", (long long)time);
}

static void add_trailer(struct buf *out, const char *key, struct slice value)
{
	buf_fmt(out, "Settle-%s: ", key);
	add_line(out, value);
	buf_ch(out, '\n');
}

static void add_message(struct audit *t, const struct audit_event *e, struct buf *out)
{
	struct buf domain = BUF_INIT(SIZE_MAX / 2);
	pct_file_name(t->domain, &domain);
	buf_ch(out, '\n');
	add_line(out, e->subject);
	buf_str(out, "\n\n");
	if (e->text.len) {
		buf_adds(out, e->text);
		buf_str(out, e->text.ptr[e->text.len - 1] == '\n' ? "\n" : "\n\n");
	}
	add_trailer(out, "Event", slice_of(e->event));
	add_trailer(out, "Domain", buf_slice(&domain));
	for (size_t i = 0; i < e->n_trailers; i++)
		if (e->trailers[i].value.ptr)
			add_trailer(out, e->trailers[i].key, e->trailers[i].value);
	add_trailer(out, "Version", SLICE(PACKAGE_VERSION));
	buf_release(&domain);
}

static int add_commit(struct audit *t, const struct audit_event *e, const git_oid *tree, git_oid *id, struct err *err)
{
	struct buf text = BUF_INIT(SIZE_MAX / 2);
	char hex[AUDIT_ID_SIZE];
	int64_t seconds = e->time_us / 1000000;
	int rc;
	buf_fmt(&text, "tree %s\n", git_oid_tostr(hex, sizeof(hex), tree));
	if (t->has_parent)
		buf_fmt(&text, "parent %s\n", git_oid_tostr(hex, sizeof(hex), &t->parent));
	add_person(t, "author", seconds, &text);
	add_person(t, "committer", seconds, &text);
	add_message(t, e, &text);
	rc = pack_add(t->pack, GIT_OBJECT_COMMIT, buf_slice(&text), id, err);
	buf_release(&text);
	return rc;
}

/* What was in force after the last commit, or after the one that the event goes back to. */
static int tree_before(struct audit *t, const struct audit_event *e, git_oid *out, struct err *err)
{
	git_commit *c = NULL;
	git_oid id = t->parent;
	int rc = e->back_to ? git_oid_fromstr(&id, e->back_to) : 0;
	if (rc == 0)
		rc = git_commit_lookup(&c, t->repo, &id);
	if (rc)
		return audit_git_err(err, rc, "cannot read a commit of the audit trail");
	*out = *git_commit_tree_id(c);
	git_commit_free(c);
	return 0;
}

static int move_branch(struct audit *t, const git_oid *id, struct err *err)
{
	git_reference *ref = NULL;
	int rc =
	    git_reference_create_matching(&ref, t->repo, t->ref, id, 1, t->has_parent ? &t->parent : NULL, "settle");
	git_reference_free(ref);
	return rc ? audit_git_err(err, rc, "cannot move the branch of the audit trail") : 0;
}

static int commit(struct audit *t, const struct audit_event *e, git_oid *id, struct err *err)
{
	git_oid base, tree;
	int has_base = t->has_parent && !(e->flags & AUDIT_CLEAR), rc = 0;
	if (has_base)
		rc = tree_before(t, e, &base, err);
	if (rc == 0)
		rc = tree_build(t->repo, t->pack, has_base ? &base : NULL, t->changes, &tree, err);
	if (rc == 0)
		rc = add_commit(t, e, &tree, id, err);
	if (rc == 0)
		rc = pack_flush(t->pack, err);
	return rc ? rc : move_branch(t, id, err);
}

int audit_commit(struct audit *t, const struct audit_event *e, char id[AUDIT_ID_SIZE], struct err *err)
{
	git_oid oid;
	int rc;
	if (!t->pack)
		return err_set(err, ERR_INTERNAL, "no event of the audit trail is open");
	rc = commit(t, e, &oid, err);
	if (rc == 0)
		git_oid_tostr(id, AUDIT_ID_SIZE, &oid);
	audit_rollback(t);
	return rc;
}
