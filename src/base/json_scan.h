/*
 * json_scan: finds where JSON values end without understanding them: one pass over the bytes, no memory. Used to cut a
 * feed into rows before anything is parsed, so that a size cap holds, the exact bytes are kept, and a bad document
 * stays whole. It balances brackets outside strings; whether the text is JSON is for json_read to say. Threads: a
 * scanner belongs to one thread.
 */
#ifndef SETTLE_BASE_JSON_SCAN_H
#define SETTLE_BASE_JSON_SCAN_H

#include "base/err.h"
#include "base/slice.h"

#include <stdint.h>

struct json_scan {
	uint32_t depth;     /* open brackets */
	uint32_t max_depth; /* deepest seen */
	uint8_t in_string, escaped, in_scalar, started;
};

#define JSON_SCAN_INIT \
	{              \
		0      \
	}

/*
 * Continues one value with the next bytes; white space before it is skipped. Returns how many bytes it took (that white
 * space included) and sets *done when it is complete (a number or literal at top level is complete at the first byte
 * after it, which is not consumed; at the end of input the caller decides). A byte that can begin no value (a closing
 * bracket too many, a comma, a colon) is not consumed and sets *done with started == 0.
 */
size_t json_scan_value(struct json_scan *s, const char *bytes, size_t len, int *done);

struct json_part {
	struct slice key;   /* raw text between the quotes, escapes not decoded */
	struct slice value; /* raw text of the value */
};

/*
 * Cuts a complete object into its top-level members. Returns how many there are (at most max are stored), or -1 when
 * the text is no object or its members are not separated as they should be (*bad_at = byte offset then).
 */
int json_scan_members(struct slice object, struct json_part *parts, int max, size_t *bad_at);

#endif
