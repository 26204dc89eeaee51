/*
 * Dates that say an order (BEHAVIOUR section 7, "Date repair when sorting").
 *
 * Which dates stay is the longest increasing subsequence, found as M. L. Fredman describes it ("On computing the length
 * of longest increasing subsequences", Discrete Mathematics 11, 1975, 29-35): for each length the date that ends a
 * subsequence of it soonest, with a link to the one before. O(n log n).
 *
 * "Increasing" asks for a microsecond between neighbours: date[j] - date[i] >= j - i for i < j both kept, which is
 * date[i] - i not decreasing. Where dates lie further apart than that, it is the plain longest strictly increasing
 * subsequence.
 */
#include "explain/explain.h"

#define MINUTE_US (60 * INT64_C(1000000))
#define NOT_THERE SIZE_MAX

struct keeping {
	const int64_t *at;
	size_t *ends;   /* [length - 1]: where the best subsequence of that length ends */
	size_t length;  /* of the longest so far */
	size_t *before; /* per date: the one kept before it */
};

static int64_t room(const struct keeping *k, size_t i)
{
	return k->at[i] - (int64_t)i;
}

/* How many of the subsequences date i may follow: the length of the longest such. */
static size_t may_follow(const struct keeping *k, size_t i)
{
	size_t low = 0, high = k->length;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (room(k, k->ends[mid]) <= room(k, i))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void consider(struct keeping *k, size_t i)
{
	size_t length = may_follow(k, i);

	k->before[i] = length ? k->ends[length - 1] : NOT_THERE;
	k->ends[length] = i;
	if (length == k->length)
		k->length++;
}

/* The places of the dates to keep, ascending; their number in *n_kept. */
static size_t *kept_dates(const int64_t *at, size_t n, struct arena *a, size_t *n_kept)
{
	struct keeping k = {
	    .at = at,
	    .ends = ARENA_ARRAY(a, n, size_t),
	    .before = ARENA_ARRAY(a, n, size_t),
	};
	size_t *kept, i;

	for (i = 0; i < n; i++)
		if (at[i] != REPLAY_AT_UNREADABLE)
			consider(&k, i);
	*n_kept = k.length;
	kept = ARENA_ARRAY(a, k.length, size_t);
	i = k.length ? k.ends[k.length - 1] : NOT_THERE;
	for (size_t left = k.length; left > 0; left--) {
		kept[left - 1] = i;
		i = k.before[i];
	}
	return kept;
}

/* Evenly between two dates that stay; never through a product that could overflow. */
static void space_evenly(int64_t *at, size_t from, size_t to)
{
	int64_t steps = (int64_t)(to - from), whole = (at[to] - at[from]) / steps, rest = (at[to] - at[from]) % steps;

	for (size_t i = from + 1; i < to; i++) {
		int64_t step = (int64_t)(i - from);

		at[i] = at[from] + whole * step + rest * step / steps;
	}
}

int explain_repair_dates(int64_t *at, size_t n, struct arena *a)
{
	size_t n_kept, *kept = kept_dates(at, n, a, &n_kept);

	if (n_kept == 0)
		return 0;
	for (size_t i = kept[0]; i > 0; i--)
		at[i - 1] = at[i] - MINUTE_US;
	for (size_t i = 1; i < n_kept; i++)
		space_evenly(at, kept[i - 1], kept[i]);
	for (size_t i = kept[n_kept - 1] + 1; i < n; i++)
		at[i] = at[i - 1] + MINUTE_US;
	return 1;
}
