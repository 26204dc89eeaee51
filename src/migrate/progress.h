/*
 * progress: the line that shows how far a phase is. The text is pure; run.h has what a run tells it. Private to
 * src/migrate.
 */
#ifndef SETTLE_MIGRATE_PROGRESS_H
#define SETTLE_MIGRATE_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

struct progress_facts {
	const char *what; /* the phase */
	int64_t done;     /* in this phase */
	double rate;      /* a second */
	double part;      /* of the phase that is done, 0..1; below 0: not known */
	double remaining; /* seconds; below 0: not known */
	int64_t behind;   /* changes between here and the head of the feed; below 0: not known */
	double behind_s;  /* since it was at the head last; below 0: not known */
};

/* Cut where it does not fit. */
void progress_text(const struct progress_facts *f, char *out, size_t size);

#endif
