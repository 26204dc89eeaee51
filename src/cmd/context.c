#include "config.h"

#include "cmd/context.h"

#include "base/utf8.h"
#include "cmd/secrets.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Both are kept in the target and shown as JSON. */
static int check_utf8(const char *what, const char *given, struct err *err)
{
	if (utf8_bad_at(slice_of(given)) == strlen(given))
		return 0;
	return err_set(err, ERR_USAGE, "the %s is not UTF-8", what);
}

static int open_source(struct cmd_context *c, unsigned needs, struct err *err)
{
	const char *given = c->global->source;
	if (!(needs & (NEED_SOURCE | MAY_SOURCE)))
		return 0;
	if (!given && needs & MAY_SOURCE)
		return 0;
	if (!given) {
		err_set(err, ERR_USAGE, "no source");
		return err_hint(err, "give --source URL, or set SETTLE_SOURCE");
	}
	if (check_utf8("source", given, err) || url_parse_source(given, c->arena, &c->source, err))
		return err->code;
	c->has_source = 1;
	if (c->source.has_password)
		log_at(c->log, LOG_WARN,
		       "the source URL holds a password, which others may have seen; better: SETTLE_SOURCE_PASSWORD or "
		       "--source-password-file");
	secret_scrub(given, c->source.shown);
	c->source_user = c->source.user;
	return source_password(c, &c->source_password, err);
}

static int open_target(struct cmd_context *c, unsigned needs, struct err *err)
{
	const char *given = c->global->target;
	if (!(needs & (NEED_TARGET | MAY_TARGET)))
		return 0;
	if (!given && needs & MAY_TARGET)
		return 0;
	if (!given) {
		err_set(err, ERR_USAGE, "no target");
		return err_hint(err, "give --target URL, or set SETTLE_TARGET");
	}
	if (check_utf8("target", given, err) || url_parse_target(given, c->arena, &c->target, err))
		return err->code;
	c->has_target = 1;
	if (c->target.has_password)
		log_at(c->log, LOG_WARN,
		       "the target URL holds a password, which others may have seen; better: PGPASSWORD or ~/.pgpass");
	secret_scrub(given, c->target.shown);
	return 0;
}

static const char *home_directory(void)
{
	const char *home = getenv("HOME");
	if (home && *home)
		return home;
	const struct passwd *p = getpwuid(getuid());
	return p ? p->pw_dir : NULL;
}

static int find_state_dir(struct cmd_context *c, struct err *err)
{
	const char *given = c->global->state_dir, *base = getenv("XDG_STATE_HOME");
	if (given && *given) {
		c->state_dir = given;
		return 0;
	}
	if (base && *base) {
		c->state_dir = arena_printf(c->arena, "%s/settle", base).ptr;
		return 0;
	}
	const char *home = home_directory();
	if (!home) {
		err_set(err, ERR_USAGE, "no state directory: there is no home directory");
		return err_hint(err, "give --state-dir DIR, or set SETTLE_STATE_DIR");
	}
	c->state_dir = arena_printf(c->arena, "%s/.local/state/settle", home).ptr;
	return 0;
}

static int take_domain(struct cmd_context *c, struct err *err)
{
	c->domain = slice_of(c->argv[0]);
	if (c->domain.len == 0)
		return err_set(err, ERR_USAGE, "the domain's name is empty");
	if (utf8_bad_at(c->domain) < c->domain.len)
		return err_set(err, ERR_USAGE, "the domain's name is not UTF-8");
	return 0;
}

static int decide_color(const struct cmd_context *c)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	if (c->global->color != COLOR_AUTO)
		return c->global->color == COLOR_ALWAYS;
	return c->terminal && !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
}

int context_open(struct cmd_context *c, const struct command *command, struct err *err)
{
	const char *profile = c->global->profile ? c->global->profile : "commcare";
	c->terminal = isatty(STDOUT_FILENO);
	c->color = decide_color(c);
	if (command->needs & NEED_DOMAIN && take_domain(c, err))
		return err->code;
	if (open_source(c, command->needs, err) || open_target(c, command->needs, err))
		return err->code;
	if (command->needs & NEED_STATE && find_state_dir(c, err))
		return err->code;
	if (command->needs & NEED_PROFILE && profile_load(profile, c->arena, &c->profile, err))
		return err->code;
	return 0;
}

struct migrate_env cmd_env(const struct cmd_context *c)
{
	return (struct migrate_env){
	    .domain = c->domain,
	    .source = c->has_source ? &c->source : NULL,
	    .source_user = c->source_user,
	    .source_password = c->source_password,
	    .target = c->has_target ? &c->target : NULL,
	    .schema = c->global->schema,
	    .state_dir = c->state_dir,
	    .profile_name = c->global->profile ? c->global->profile : "commcare",
	    .profile = &c->profile,
	    .log = c->log,
	    .stop = c->stop,
	};
}

void warn_of_kind(const struct cmd_context *c, const char *kind)
{
	if (kind && !c->profile.other_kinds && !profile_kind(&c->profile, slice_of(kind)))
		log_at(c->log, LOG_WARN, "the profile lists no kind %s: it is compared without rules of its own", kind);
}

int make_directory(const char *path, struct err *err)
{
	char part[4096];
	size_t n = strlen(path);
	if (n == 0 || n >= sizeof(part))
		return err_set(err, ERR_STATE, "the name of the state directory is empty or too long");
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != 0)
			continue;
		memcpy(part, path, i);
		part[i] = 0;
		if (mkdir(part, 0700) != 0 && errno != EEXIST) {
			err_sys(err, ERR_STATE, errno, "cannot make directory %s", part);
			return err_hint(err, "name another place with --state-dir");
		}
	}
	return 0;
}
