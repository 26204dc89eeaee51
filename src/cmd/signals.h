/*
 * signals: one thread waits for SIGINT and SIGTERM. The first asks for a clean break (stop = 1), the second ends the
 * process at once with 128 + its number. SIGPIPE is ignored: writers see EPIPE. signals_block comes before any thread
 * is made, so that no other thread ever gets them.
 */
#ifndef SETTLE_CMD_SIGNALS_H
#define SETTLE_CMD_SIGNALS_H

#include "base/err.h"
#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>

struct signals {
	pthread_t thread;
	atomic_int stop, done;
	int started;
	struct log *log; /* borrowed */
};

void signals_block(void);
MUST_CHECK int signals_start(struct signals *s, struct log *log, struct err *err);
/* Ends the thread; nothing happens when it was not started. */
void signals_end(struct signals *s);

#endif
