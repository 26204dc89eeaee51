/*
 * output: standard output as a stream that remembers why writing to it failed. Writing to a pipe whose reader has gone
 * ends quietly; any other failure is ERR_INTERNAL (exit 6): what was asked for did not arrive. Threads: the stream
 * belongs to the main thread.
 */
#ifndef SETTLE_CMD_OUTPUT_H
#define SETTLE_CMD_OUTPUT_H

#include "base/err.h"

#include <stdio.h>

struct output {
	FILE *stream;
	int fd;
	int error; /* the first errno, or 0 */
};

/* o must outlive the stream. SIGPIPE is expected to be ignored. */
MUST_CHECK int output_open(struct output *o, int fd, struct err *err);
/* Writes what is buffered and closes; ERR_INTERNAL when something could not be written. NULL stream: nothing. */
MUST_CHECK int output_close(struct output *o, struct err *err);

#endif
