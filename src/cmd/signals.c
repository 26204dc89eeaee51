#include "config.h"

#include "cmd/signals.h"

#include <signal.h>
#include <unistd.h>

/* SIGUSR1 wakes the thread at the end. */
static sigset_t awaited(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	return set;
}

void signals_block(void)
{
	sigset_t set = awaited();
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void *wait_for_signals(void *arg)
{
	struct signals *s = arg;
	sigset_t set = awaited();
	int number;
	while (sigwait(&set, &number) == 0 && !atomic_load(&s->done)) {
		if (number == SIGUSR1)
			continue;
		if (atomic_exchange(&s->stop, 1))
			_exit(128 + number);
		log_at(s->log, LOG_WARN, "stopping at the next safe place; a second signal ends settle at once");
	}
	return NULL;
}

int signals_start(struct signals *s, struct log *log, struct err *err)
{
	s->log = log;
	int rc = pthread_create(&s->thread, NULL, wait_for_signals, s);
	if (rc != 0)
		return err_sys(err, ERR_INTERNAL, rc, "cannot start a thread");
	s->started = 1;
	return 0;
}

void signals_end(struct signals *s)
{
	if (!s->started)
		return;
	atomic_store(&s->done, 1);
	pthread_kill(s->thread, SIGUSR1);
	pthread_join(s->thread, NULL);
	s->started = 0;
}
