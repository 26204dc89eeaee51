/*
 * files: directories, durable writes, digests, and the meter that work on many bytes reports to. Private to
 * src/snapshot. Directories are 0700, files 0600. Errors: ERR_STATE. Threads: safe on different files; a meter belongs
 * to the main thread, which may lend it to meter_add of others.
 */
#ifndef SETTLE_SNAPSHOT_FILES_H
#define SETTLE_SNAPSHOT_FILES_H

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#define SHA_HEX_SIZE 65
#define FILES_CHUNK 65536

struct meter { /* progress in bytes and tables; totals of 0 are not known */
	struct log *log;
	const atomic_int *stop;
	const char *what;
	_Atomic int64_t bytes;
	int64_t of_bytes, tables, of_tables;
};

void meter_show(const struct meter *m);
/* ERR_STOPPED when a clean break was asked for. m may be NULL. From several threads at once. */
MUST_CHECK int meter_add(struct meter *m, int64_t bytes, struct err *err);

struct file_entry {
	struct slice path; /* below the directory */
	int64_t bytes;
};
struct file_list {
	struct file_entry *v;
	size_t n, cap;
};

/* With those above it. */
MUST_CHECK int files_make_dir(const char *path, struct err *err);
int files_exist(const char *path);
/* The next entry of the open directory but . and ..; NULL at the end, or with *rc when it cannot be read further. */
struct dirent *files_next(DIR *d, const char *path, int *rc, struct err *err);
/* Regular files below a directory in byte order of their paths; ERR_STATE for anything that is neither file nor
 * directory. */
MUST_CHECK int files_list(const char *dir, struct arena *a, struct file_list *out, struct err *err);
int64_t files_bytes(const char *dir);
/* Nothing there: 0. */
MUST_CHECK int files_remove_tree(const char *path, struct err *err);
MUST_CHECK int files_sync(const char *path, struct err *err); /* a file or a directory */
MUST_CHECK int files_sync_tree(const char *path, struct err *err);
/* Durable: a new file takes the place of the old one at once. */
MUST_CHECK int files_write(const char *path, struct slice bytes, struct err *err);
MUST_CHECK int files_rename(const char *from, const char *to, struct err *err);
/* ERR_NOTFOUND, ERR_LIMIT above 64 MiB. */
MUST_CHECK int files_read(const char *path, struct arena *a, struct slice *out, struct err *err);
MUST_CHECK int files_copy(const char *from, const char *to, struct meter *m, struct err *err);
MUST_CHECK int files_sha256(const char *path, char hex[SHA_HEX_SIZE], int64_t *bytes, struct meter *m, struct err *err);
MUST_CHECK int files_sha256_text(struct slice text, char hex[SHA_HEX_SIZE], struct err *err);

/* Streams that tell of a failed write; o is made anew with mode 0600. */
MUST_CHECK int files_open_in(const char *path, FILE **out, struct err *err);
MUST_CHECK int files_open_out(const char *path, FILE **out, struct err *err);
/* Flushed to the disk. */
MUST_CHECK int files_close_out(FILE *f, const char *path, struct err *err);
/* On its way to the disk: files_sync later waits the less. */
MUST_CHECK int files_close_soon(FILE *f, const char *path, struct err *err);
/* Has the kernel begin to write what it holds of the file; where that cannot be it is written later. */
void files_write_back(const char *path);
/* *n = bytes read; less than size only at the end. */
MUST_CHECK int files_get(FILE *f, const char *path, void *to, size_t size, size_t *n, struct err *err);
MUST_CHECK int files_put(FILE *f, const char *path, const void *from, size_t size, struct err *err);

#endif
