#include "config.h"

#include "snapshot/spawn.h"

#include "base/clock.h"
#include "sql/pg_state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MOST 48
#define LINE_MOST 2048
#define TOLD_MOST 700
#define OUT_MOST 65536
#define WATCH_MS 200

struct child {
	const struct spawn_options *o;
	pid_t pid;
	int out_fd, err_fd; /* the reading ends, -1 when at their end */
	char line[LINE_MOST];
	size_t line_len;
	char told[TOLD_MOST]; /* what it complained about, "; " between */
	char last[LINE_MOST]; /* its last line, for one that fails without a word of complaint */
	struct buf out;
	int64_t watched_at;
};

/* ---- finding the program ---- */

static const char *find_in_path(const char *name, struct arena *a)
{
	const char *path = getenv("PATH");
	if (strchr(name, '/'))
		return access(name, X_OK) == 0 ? name : NULL;
	for (const char *at = path ? path : "/usr/bin:/bin"; at;) {
		const char *colon = strchr(at, ':');
		size_t n = colon ? (size_t)(colon - at) : strlen(at);
		const char *full = n ? arena_printf(a, "%.*s/%s", (int)n, at, name).ptr : NULL;
		if (full && access(full, X_OK) == 0)
			return full;
		at = colon ? colon + 1 : NULL;
	}
	return NULL;
}

static int missing(const char *name, struct err *err)
{
	err_set(err, ERR_TARGET, "the program %s is not there", name);
	return err_hint(
	    err, "install PostgreSQL's client programs (Debian: postgresql-client) or put their directory into PATH");
}

/* ---- starting ---- */

static char **child_environment(const char *password, struct arena *a)
{
	size_t n = 0, k = 0;
	while (environ[n])
		n++;
	char **env = ARENA_ARRAY(a, n + 3, char *);
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], "LC_ALL=", 7) != 0 &&
		    (!password || strncmp(environ[i], "PGPASSWORD=", 11) != 0) &&
		    strncmp(environ[i], "SETTLE_", 7) != 0)
			env[k++] = environ[i];
	env[k++] = (char *)(uintptr_t) "LC_ALL=C";
	if (password)
		env[k++] = (char *)(uintptr_t)arena_printf(a, "PGPASSWORD=%s", password).ptr;
	return env;
}

static int set_attributes(posix_spawnattr_t *attr)
{
	sigset_t none, usual;
	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	sigaddset(&usual, SIGINT);
	sigaddset(&usual, SIGTERM);
	int rc = posix_spawnattr_setsigmask(attr, &none);
	if (rc == 0)
		rc = posix_spawnattr_setsigdefault(attr, &usual);
	return rc ? rc : posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static int set_files(posix_spawn_file_actions_t *files, const int out[2], const int err_pipe[2])
{
	int rc = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(files, out[1], STDOUT_FILENO);
	return rc ? rc : posix_spawn_file_actions_adddup2(files, err_pipe[1], STDERR_FILENO);
}

static int spawn_child(struct child *c, char **argv, char **env, const int out[2], const int err_pipe[2])
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	if (posix_spawn_file_actions_init(&files) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&attr) != 0) {
		posix_spawn_file_actions_destroy(&files);
		return ENOMEM;
	}
	int rc = set_attributes(&attr);
	if (rc == 0)
		rc = set_files(&files, out, err_pipe);
	if (rc == 0)
		rc = posix_spawn(&c->pid, argv[0], &files, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

static void close_pair(int pair[2])
{
	for (int i = 0; i < 2; i++)
		if (pair[i] >= 0)
			close(pair[i]);
}

static int start(struct child *c, struct arena *a, struct err *err)
{
	const char *program = find_in_path(c->o->argv[0], a), *setpriv = find_in_path("setpriv", a);
	const char *argv[ARGS_MOST + 5];
	int out[2] = {-1, -1}, err_pipe[2] = {-1, -1}, n = 0;
	if (!program)
		return missing(c->o->argv[0], err);
	if (setpriv) {
		argv[n++] = setpriv;
		argv[n++] = "--pdeathsig";
		argv[n++] = "TERM";
		argv[n++] = "--";
	}
	argv[n++] = program;
	for (int i = 1; c->o->argv[i]; i++) {
		if (i >= ARGS_MOST)
			return err_set(err, ERR_INTERNAL, "too many arguments for %s", program);
		argv[n++] = c->o->argv[i];
	}
	argv[n] = NULL;
	int rc = pipe2(out, O_CLOEXEC) == 0 && pipe2(err_pipe, O_CLOEXEC) == 0 ? 0 : errno;
	if (rc == 0)
		rc = spawn_child(c, (char **)(uintptr_t)argv, child_environment(c->o->password, a), out, err_pipe);
	if (rc) {
		close_pair(out);
		close_pair(err_pipe);
		return err_sys(err, ERR_TARGET, rc, "cannot start %s", program);
	}
	close(out[1]);
	close(err_pipe[1]);
	c->out_fd = out[0];
	c->err_fd = err_pipe[0];
	return 0;
}

/* ---- following ---- */

/* Behind the others, if it fits whole. */
static void add_complaint(struct child *c, size_t told)
{
	size_t gap = told ? 2 : 0, len = strlen(c->line);
	if (told + gap + len >= sizeof(c->told))
		return;
	memcpy(c->told + told, "; ", gap);
	memcpy(c->told + told + gap, c->line, len + 1);
}

static void take_line(struct child *c)
{
	const struct spawn_options *o = c->o;
	size_t told = strlen(c->told);
	c->line[c->line_len] = 0;
	c->line_len = 0;
	if (o->meter && o->table_word && strstr(c->line, o->table_word) && strstr(c->line, o->table_word2))
		o->meter->tables++;
	memcpy(c->last, c->line, sizeof(c->last));
	int detail = strstr(c->line, "detail:") || strstr(c->line, "DETAIL:");
	int complaint = strstr(c->line, "error:") || strstr(c->line, "fatal:") || strstr(c->line, "ERROR:");
	if (complaint || (detail && !o->no_detail))
		add_complaint(c, told);
}

static void take_words(struct child *c, const char *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (words[i] == '\n')
			take_line(c);
		else if (c->line_len < sizeof(c->line) - 1)
			c->line[c->line_len++] = words[i];
	}
}

static void read_from(struct child *c, int *fd, int is_out)
{
	char chunk[4096];
	ssize_t n = read(*fd, chunk, sizeof(chunk));
	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		close(*fd);
		*fd = -1;
	} else if (is_out) {
		buf_add(&c->out, chunk, (size_t)n);
	} else {
		take_words(c, chunk, (size_t)n);
	}
}

static void watch(struct child *c)
{
	struct meter *m = c->o->meter;
	if (!m || clock_mono_us() < c->watched_at)
		return;
	c->watched_at = clock_mono_us() + WATCH_MS * 1000;
	if (c->o->watch_dir)
		m->bytes = files_bytes(c->o->watch_dir);
	meter_show(m);
}

static int follow(struct child *c, struct err *err)
{
	const struct meter *m = c->o->meter;
	int rc = 0;
	while (c->out_fd >= 0 || c->err_fd >= 0) {
		struct pollfd fds[2] = {{.fd = c->out_fd, .events = POLLIN}, {.fd = c->err_fd, .events = POLLIN}};
		int n = poll(fds, 2, WATCH_MS);
		if (rc == 0 && m && m->stop && atomic_load(m->stop)) {
			rc = err_set(err, ERR_STOPPED, "stopped while it was %s", m->what);
			kill(c->pid, SIGTERM);
		}
		if (n > 0 && fds[0].revents)
			read_from(c, &c->out_fd, 1);
		if (n > 0 && fds[1].revents)
			read_from(c, &c->err_fd, 0);
		watch(c);
	}
	return rc;
}

static int wait_for(struct child *c, struct err *err)
{
	int status = 0;
	while (waitpid(c->pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, ERR_INTERNAL, errno, "cannot wait for %s", c->o->argv[0]);
	if (c->line_len)
		take_line(c);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		return err_set(err, ERR_TARGET, "%s was ended by signal %d", c->o->argv[0], WTERMSIG(status));
	const char *words = c->told[0] ? c->told : c->last;
	err_set(err, ERR_TARGET, "%s failed (status %d)%s%s", c->o->argv[0], WEXITSTATUS(status), *words ? ": " : "",
		words);
	/* A server says so, or that it "wrote only" a part of a page. */
	if (strstr(words, "No space left on device") || strstr(words, "could not extend file") ||
	    strcmp(pg_state_of("", words), "53100") == 0)
		err_hint(err, "make room on that disk, then run the same command again");
	return ERR_TARGET;
}

int spawn_run(const struct spawn_options *o, struct arena *a, struct slice *out, struct err *err)
{
	struct child c = {.o = o, .out_fd = -1, .err_fd = -1, .out = BUF_INIT(OUT_MOST)};
	struct err why = ERR_INIT;
	int rc = start(&c, a, err);
	if (rc)
		return rc;
	rc = follow(&c, err);
	int ended = wait_for(&c, &why);
	if (rc == 0 && ended) {
		rc = ended;
		*err = why;
	}
	if (rc == 0 && out)
		*out = arena_slice(a, buf_slice(&c.out));
	buf_release(&c.out);
	return rc;
}

int spawn_major(struct slice line)
{
	size_t at = 0;
	int major = 0;
	while (at < line.len && (line.ptr[at] < '0' || line.ptr[at] > '9'))
		at++;
	while (at < line.len && line.ptr[at] >= '0' && line.ptr[at] <= '9' && major < 100000)
		major = major * 10 + line.ptr[at++] - '0';
	return major;
}

int spawn_version(const char *program, struct arena *a, int *major, struct slice *line, struct err *err)
{
	const char *const argv[] = {program, "--version", NULL};
	int rc = spawn_run(&(struct spawn_options){.argv = argv}, a, line, err);
	if (rc)
		return rc;
	while (line->len && (line->ptr[line->len - 1] == '\n' || line->ptr[line->len - 1] == '\r'))
		line->len--;
	*major = spawn_major(*line);
	if (*major <= 0)
		return err_set(err, ERR_TARGET, "%s --version says no version: %.*s", program, SLICE_ARG(*line));
	return 0;
}
