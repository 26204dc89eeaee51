/* verify: what restore and copy ask before they read a snapshot. Private to src/snapshot. Threads: the main thread. */
#ifndef SETTLE_SNAPSHOT_VERIFY_H
#define SETTLE_SNAPSHOT_VERIFY_H

#include "snapshot/place.h"

/* Sizes, digests, files too many or too few. */
MUST_CHECK int verify_files(const char *path, const struct manifest *m, int jobs, struct meter *meter, struct arena *a,
			    struct snapshot_findings *out, struct err *err);
/* ERR_STATE names the first file that is wrong. */
MUST_CHECK int verify_or_refuse(const struct snapshot_env *env, const char *path, const struct manifest *m,
				struct arena *a, struct err *err);
/* The name that an encrypted file is bound to: its path without the suffix. 0 when it has no such suffix. */
int verify_name(struct slice path, struct slice *name);

#endif
