/*
 * manifest: what a snapshot says of itself. manifest.json is for people and programs; manifest.sha256 holds its digest
 * as sha256sum writes it. Private to src/snapshot. Errors: ERR_STATE names the file. Threads: the main thread.
 */
#ifndef SETTLE_SNAPSHOT_MANIFEST_H
#define SETTLE_SNAPSHOT_MANIFEST_H

#include "snapshot/files.h"
#include "snapshot/snapshot.h"

#define MANIFEST_FILE "manifest.json"
#define MANIFEST_SHA_FILE "manifest.sha256"
#define MANIFEST_FORMAT 1

struct manifest_file {
	struct slice path, sha256;
	int64_t bytes;
};
struct manifest_files {
	struct manifest_file *v;
	size_t n, cap;
};
struct manifest_table {
	struct slice name; /* PostgreSQL: quoted, with schema */
	int64_t rows;
};
struct manifest_tables {
	struct manifest_table *v;
	size_t n, cap;
};
struct manifest_domain {
	struct slice domain, status, checkpoint;
	struct slice
	    state; /* path of its state file in the snapshot, without the suffix of encryption; or SLICE_NONE */
};
struct manifest_domains {
	struct manifest_domain *v;
	size_t n, cap;
};

struct manifest { /* slices live in the arena; SLICE_NONE where there is nothing to say */
	struct slice name, created, target, server, tool, copy_of;
	struct slice engine;        /* "postgresql", "sqlite" */
	struct slice method;        /* "dump", "template", "backup" */
	struct slice kept_database; /* method template: the copy's name */
	int64_t server_version;
	struct json database;   /* PostgreSQL: what is not in a dump (database.h) */
	struct json roles;      /* PostgreSQL: names that its grants and owners need */
	struct json recipients; /* null: not encrypted */
	struct json excluded, masked;
	struct manifest_files files;
	struct manifest_tables tables;
	struct manifest_domains domains;
};

int manifest_encrypted(const struct manifest *m);
int64_t manifest_bytes(const struct manifest *m);
int64_t manifest_sum_rows(const struct manifest *m);
/* sha256 is copied, path borrowed. */
void manifest_add_file(struct manifest *m, struct slice path, const char *sha256, int64_t bytes, struct arena *a);
struct json manifest_to_json(const struct manifest *m, struct arena *a);
/* Both files; durable each. */
MUST_CHECK int manifest_write(const struct manifest *m, const char *dir, struct arena *a, struct err *err);
/* sha256 (may be NULL): of manifest.json. v (may be NULL): as it stands there. */
MUST_CHECK int manifest_read(const char *dir, struct arena *a, struct manifest *out, struct json *v,
			     struct slice *sha256, struct err *err);

#endif
