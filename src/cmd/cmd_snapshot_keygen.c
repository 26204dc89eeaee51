#include "config.h"

#include "cmd/print.h"
#include "cmd/snapshots.h"

static int run(struct cmd_context *c, struct err *err)
{
	struct slice public_key;
	if (snapshot_keygen(c->argv[0], c->arena, &public_key, err))
		return err->code;
	if (c->global->format == FORMAT_JSON) {
		struct json v = json_object();
		json_sets(c->arena, &v, "public", json_string(public_key));
		json_sets(c->arena, &v, "file", json_str(c->argv[0]));
		print_json_line(c, &v);
	} else {
		fprintf(c->out, "%.*s\n", SLICE_ARG(public_key));
	}
	return 0;
}

const struct command cmd_snapshot_keygen = {
    .name = "snapshot keygen",
    .arguments = "FILE",
    .summary = "make a key pair for encrypted snapshots",
    .help = "The secret key goes to FILE (0600): whoever is to restore needs it. The public key goes "
	    "to FILE.pub and to stdout: --recipient takes it, and it may be known to anybody. Neither is ever "
	    "overwritten. Without the secret key "
	    "nothing brings the data back.",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
