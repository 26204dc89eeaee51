/*
 * secrets: the source's password, and hiding what stood in the arguments. Nothing here is ever logged. Threads: main
 * thread.
 */
#ifndef SETTLE_CMD_SECRETS_H
#define SETTLE_CMD_SECRETS_H

#include "cmd/cmd.h"

/*
 * From --source-password-file, then SETTLE_SOURCE_PASSWORD; NULL when there is neither (then the URL's or .netrc's
 * holds). A file that others may read is warned about.
 */
MUST_CHECK int source_password(struct cmd_context *c, const char **out, struct err *err);
/* Writes `shown` over an argument (or environment value) in place, so that `ps` shows no password. */
void secret_scrub(const char *given, const char *shown);

#endif
