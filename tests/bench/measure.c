/*
 * measure RESULT COMMAND [ARGUMENT...]: runs the command and writes "WALL CPU RSS\n" to the file RESULT: seconds,
 * seconds of user and system time of the command and the children it waited for, peak resident set in MiB. Exits as the
 * command does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int write_result(const char *path, double wall, const struct rusage *use)
{
	FILE *f = fopen(path, "w");

	if (!f) {
		fprintf(stderr, "measure: %s: %s\n", path, strerror(errno));
		return 1;
	}
	fprintf(f, "%.3f %.3f %.1f\n", wall, seconds(use->ru_utime) + seconds(use->ru_stime),
		(double)use->ru_maxrss / 1024);
	return fclose(f) ? 1 : 0;
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	struct rusage use;
	int status;

	if (argc < 3) {
		fprintf(stderr, "usage: measure RESULT COMMAND [ARGUMENT...]\n");
		return 2;
	}
	double start = monotonic();
	pid_t child = fork();
	if (child == 0) {
		execvp(argv[2], argv + 2);
		fprintf(stderr, "measure: %s: %s\n", argv[2], strerror(errno));
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &use) != child) {
		fprintf(stderr, "measure: cannot run %s: %s\n", argv[2], strerror(errno));
		return 126;
	}
	if (write_result(argv[1], monotonic() - start, &use))
		return 125;
	return exit_status(status);
}
