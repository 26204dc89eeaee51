/*
 * fill_state STATE_DIR DOMAIN N: a state file as a migration leaves it that found N documents with two differences
 * each, N missing ones and N / 10 rejects. For measuring the commands that list them (tests/bench/lists.sh).
 */
#include "base/number.h"
#include "state/state.h"

#include <stdio.h>
#include <stdlib.h>

#define BATCH 10000

static struct slice text_id(const char *what, long long i, struct arena *a)
{
	return arena_printf(a, "%s-4f2b6c1d9e8a7305%012lld", what, i);
}

static int put_differing(struct state *s, long long i, struct arena *a, struct err *err)
{
	struct state_doc doc = {.kind = i % 3 ? SLICE("CommCareCase") : SLICE("XFormInstance"),
				.id = text_id("doc", i, a)};

	doc.diffs =
	    arena_printf(a,
			 "[{\"type\":\"diff\",\"path\":[\"village\"],\"old\":\"Mulanje %lld\",\"new\":\"Thyolo\"},"
			 "{\"type\":\"missing\",\"path\":[\"indices\",0],\"old\":{\"identifier\":\"parent\","
			 "\"referenced_id\":\"h-%lld\"}}]",
			 i, i);
	return state_doc_put(s, &doc, err);
}

static int put_reject(struct state *s, long long i, struct arena *a, struct err *err)
{
	struct state_reject r = {.id = text_id("reject", i, a),
				 .kind = SLICE("XFormInstance"),
				 .rev = SLICE("1-a"),
				 .reason = SLICE("case block without a case type"),
				 .body =
				     SLICE("{\"_id\":\"reject\",\"doc_type\":\"XFormInstance\",\"domain\":\"lists\"}")};

	r.length = r.body.len;
	return state_reject_put(s, &r, err);
}

static int put_one(struct state *s, long long i, struct arena *a, struct err *err)
{
	if (put_differing(s, i, a, err) || state_missing_put(s, SLICE("CommCareUser"), text_id("missing", i, a), err))
		return err->code;
	return i % 10 ? 0 : put_reject(s, i, a, err);
}

static int fill(struct state *s, long long n, struct err *err)
{
	struct arena a = ARENA_INIT;
	int rc = state_begin(s, err);

	for (long long i = 0; i < n && rc == 0; i++) {
		arena_reset(&a);
		rc = put_one(s, i, &a, err);
		if (rc == 0 && i % BATCH == BATCH - 1) {
			rc = state_commit(s, err);
			rc = rc ? rc : state_begin(s, err);
		}
	}
	arena_release(&a);
	return rc ? rc : state_commit(s, err);
}

int main(int argc, char **argv)
{
	struct state *s = NULL;
	struct err err = ERR_INIT;
	long long n;
	int rc;

	if (argc != 4 || !number_to_i64(slice_of(argv[3]), &n)) {
		fprintf(stderr, "usage: fill_state STATE_DIR DOMAIN N\n");
		return 2;
	}
	rc = state_open(&s, argv[1], slice_of(argv[2]), 0, &err);
	if (rc == 0)
		rc = fill(s, n, &err);
	state_close(s);
	if (rc)
		fprintf(stderr, "fill_state: %s\n", err.msg);
	return rc != 0;
}
