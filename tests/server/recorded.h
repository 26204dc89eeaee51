/*
 * recorded: answers as they once came over the wire. DIR/NAME.request says what was asked (one line in the manner of
 * curl's arguments), DIR/NAME.http is the answer, sent byte for byte; then the connection is closed, as no answer after
 * it was recorded. A request matches when method, target and body are equal. Of several that match, the one with the
 * same kind of credentials is taken: none, the recording's own user and password (written USER:PASSWORD), or those that
 * were spelt out. Threads: one.
 */
#ifndef SETTLE_TESTS_RECORDED_H
#define SETTLE_TESTS_RECORDED_H

#include "base/err.h"

struct conn;
struct recorded;

MUST_CHECK int recorded_load(const char *dir, struct recorded **out, struct err *err);
void recorded_free(struct recorded *r);
/* 1 when the request at hand was answered from a recording. */
int recorded_answer(struct conn *c);

#endif
