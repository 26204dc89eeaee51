/* files: whole files in and out. Threads: safe. */
#ifndef SETTLE_TESTS_FILES_H
#define SETTLE_TESTS_FILES_H

#include "base/buf.h"

/* Appends the file's bytes, unpacked when it is gzip. */
MUST_CHECK int file_read(const char *path, struct buf *out, struct err *err);
/* Writes the text so that nobody ever sees a part of it. */
MUST_CHECK int file_write_whole(const char *path, struct slice text, struct err *err);

#endif
