/*
 * pager: on a terminal, output goes through the program that PAGER names (`less -FRX` when it names none), as git does.
 * Without one that can be started output goes straight to the terminal. Threads: main thread.
 */
#ifndef SETTLE_CMD_PAGER_H
#define SETTLE_CMD_PAGER_H

#include "cmd/output.h"

#include <sys/types.h>

struct pager {
	pid_t pid; /* 0: none */
	int saved; /* the terminal's descriptor while the pager has the output */
};

/* Starts one and puts it behind o. PAGER empty or "cat": none. ERR_INTERNAL only when the system is out of something.
 */
MUST_CHECK int pager_begin(struct pager *p, struct output *o, struct err *err);
/* Gives it the rest, waits for its end, and gives o the terminal back. */
void pager_end(struct pager *p, struct output *o);

#endif
