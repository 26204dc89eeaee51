#include "config.h"

#include "cmd/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Is there a program of that name? A shell that finds none would swallow the output. */
static int is_installed(const char *name)
{
	const char *path = getenv("PATH");
	char file[4096];
	while (path && *path) {
		size_t n = strcspn(path, ":");
		if (n + strlen(name) + 2 <= sizeof(file)) {
			memcpy(file, path, n);
			file[n] = '/';
			memcpy(file + n + 1, name, strlen(name) + 1);
			if (access(file, X_OK) == 0)
				return 1;
		}
		path += n + (path[n] == ':');
	}
	return 0;
}

static const char *pager_command(void)
{
	const char *pager = getenv("PAGER");
	if (!pager)
		return is_installed("less") ? "less -FRX" : NULL;
	return *pager && strcmp(pager, "cat") != 0 ? pager : NULL;
}

/* settle blocks signals and ignores SIGPIPE; a pager wants neither. */
static int spawn(pid_t *pid, const char *command, int input, posix_spawn_file_actions_t *files, posix_spawnattr_t *attr)
{
	char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, NULL, NULL};
	sigset_t none, pipe_only;
	int rc;
	sigemptyset(&none);
	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setsigdefault(attr, &pipe_only);
	posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_adddup2(files, input, STDIN_FILENO);
	argv[2] = strdup(command);
	if (!argv[2])
		return ENOMEM;
	rc = posix_spawn(pid, "/bin/sh", files, attr, argv, environ);
	free(argv[2]);
	return rc;
}

static int start(struct pager *p, const char *command, int input)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int rc;
	if (posix_spawn_file_actions_init(&files) != 0)
		return ENOMEM;
	rc = posix_spawnattr_init(&attr);
	if (rc == 0) {
		rc = spawn(&p->pid, command, input, &files, &attr);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

int pager_begin(struct pager *p, struct output *o, struct err *err)
{
	const char *command = pager_command();
	int ends[2], rc;
	if (!command)
		return 0;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_sys(err, ERR_INTERNAL, errno, "cannot start the pager");
	rc = start(p, command, ends[0]);
	(void)close(ends[0]);
	if (rc != 0) {
		(void)close(ends[1]);
		p->pid = 0;
		return err_sys(err, ERR_INTERNAL, rc, "cannot start the pager");
	}
	p->saved = o->fd;
	o->fd = ends[1];
	return 0;
}

void pager_end(struct pager *p, struct output *o)
{
	if (!p->pid)
		return;
	fflush(o->stream);
	(void)close(o->fd);
	o->fd = p->saved;
	while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	p->pid = 0;
	if (o->error == EPIPE)
		o->error = 0;
}
