/* couchd: a stand-in for CouchDB 3, for tests. README.md says how to use it. */
#include "config.h"

#include "tests/server/files.h"
#include "tests/server/load.h"
#include "tests/server/recorded.h"
#include "tests/server/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 128

static const char usage[] = "usage: couchd [--port N] [--port-file FILE] [--data DIR] [--user NAME --password PW]\n"
			    "              [--load FILE --load-db NAME] [--replay DIR] [--script FILE]\n"
			    "Serves 127.0.0.1:PORT (0, the default: any free one) until SIGTERM.\n";

struct options {
	int port;
	const char *port_file, *data, *user, *password, *load, *load_db, *replay, *script;
};

static int read_options(int argc, char **argv, struct options *o, struct err *err)
{
	static const struct option known[] = {
	    {"port", required_argument, NULL, 'p'},     {"port-file", required_argument, NULL, 'f'},
	    {"data", required_argument, NULL, 'd'},     {"user", required_argument, NULL, 'u'},
	    {"password", required_argument, NULL, 'w'}, {"load", required_argument, NULL, 'l'},
	    {"load-db", required_argument, NULL, 'b'},  {"replay", required_argument, NULL, 'r'},
	    {"script", required_argument, NULL, 's'},   {0},
	};
	char *end;
	long port;
	int opt;

	while ((opt = getopt_long(argc, argv, "", known, NULL)) != -1) {
		const char **text[128] = {
		    ['f'] = &o->port_file, ['d'] = &o->data,    ['u'] = &o->user,   ['w'] = &o->password,
		    ['l'] = &o->load,      ['b'] = &o->load_db, ['r'] = &o->replay, ['s'] = &o->script};

		if (opt == 'p') {
			port = strtol(optarg, &end, 10);
			if (*end || port < 0 || port > 65535)
				return err_set(err, ERR_USAGE, "--port: no port number: %s", optarg);
			o->port = (int)port;
		} else if (opt < 128 && opt >= 0 && text[opt]) {
			*text[opt] = optarg;
		} else {
			return err_set(err, ERR_USAGE, "unknown option");
		}
	}
	if (optind < argc || !o->user != !o->password || !o->load != !o->load_db)
		return err_set(err, ERR_USAGE,
			       "--user goes with --password, --load with --load-db, and nothing stands alone");
	return 0;
}

static int no_db(const struct journal_record *r, struct err *err)
{
	return err_set(err, ERR_STATE, "record '%c' for the unknown database %.*s", (char)r->type, SLICE_ARG(r->db));
}

static int apply_revision(struct site *site, struct db *db, struct slice text, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct editor e = {&site->store, NULL, &a};
	struct doc_parts parts;
	const struct refusal *no = parts_read(text, &a, &parts);

	if (!no)
		no = edit_replicate(&e, db, &parts);
	arena_release(&a);
	return no ? err_set(err, ERR_STATE, "%s", no->reason) : 0;
}

static int apply_as_is(struct site *site, struct db *db, const struct journal_record *r, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct editor e = {&site->store, NULL, &a};
	struct slice rest = r->text;
	const char *id_end = memchr(rest.ptr, 0, rest.len);
	const char *rev_end = id_end ? memchr(id_end + 1, 0, (size_t)(rest.ptr + rest.len - id_end - 1)) : NULL;
	struct doc_parts parts = {.atts = json_null, .deleted = r->number == 1};
	const struct refusal *no;

	if (!rev_end)
		return err_set(err, ERR_STATE, "document without an end of its revision");
	parts.id = (struct slice){rest.ptr, (size_t)(id_end - rest.ptr)};
	parts.rev = (struct slice){id_end + 1, (size_t)(rev_end - id_end - 1)};
	parts.as_is = (struct slice){rev_end + 1, (size_t)(rest.ptr + rest.len - rev_end - 1)};
	no = edit_replicate(&e, db, &parts);
	arena_release(&a);
	return no ? err_set(err, ERR_STATE, "%s", no->reason) : 0;
}

static int apply_in_db(struct site *site, struct db *db, const struct journal_record *r, struct err *err)
{
	const char *nul;

	switch (r->type) {
	case JOURNAL_DROP:
		store_drop(&site->store, db);
		return 0;
	case JOURNAL_REVISION:
		return apply_revision(site, db, r->text, err);
	case JOURNAL_AS_IS:
		return apply_as_is(site, db, r, err);
	case JOURNAL_PURGE:
		nul = memchr(r->text.ptr, 0, r->text.len);
		if (!nul || !purge_revision(&site->store, db, (struct slice){r->text.ptr, (size_t)(nul - r->text.ptr)},
					    (struct slice){nul + 1, (size_t)(r->text.ptr + r->text.len - nul - 1)}))
			return err_set(err, ERR_STATE, "a purged revision that is not there");
		return 0;
	case JOURNAL_LOCAL:
		nul = memchr(r->text.ptr, 0, r->text.len);
		if (!nul)
			return err_set(err, ERR_STATE, "local document without an end of its id");
		local_put(db, (struct slice){r->text.ptr, (size_t)(nul - r->text.ptr)},
			  r->number ? (struct slice){nul + 1, (size_t)(r->text.ptr + r->text.len - nul - 1)}
				    : SLICE_NONE,
			  r->number);
		return 0;
	case JOURNAL_SECURITY:
		free(db->security);
		db->security = (char *)xslice(r->text).ptr;
		return 0;
	default:
		return err_set(err, ERR_STATE, "unknown record %d", (int)r->type);
	}
}

static int apply(void *ctx, const struct journal_record *r, struct err *err)
{
	struct site *site = ctx;
	struct db *db = store_db(&site->store, r->db);
	char uuid[33] = "";

	if (r->type == JOURNAL_UUID || r->type == JOURNAL_CREATE) {
		if (r->text.len != 32)
			return err_set(err, ERR_STATE, "no uuid");
		memcpy(uuid, r->text.ptr, 32);
	}
	if (r->type == JOURNAL_UUID)
		memcpy(site->uuid, uuid, sizeof(uuid));
	else if (r->type == JOURNAL_CREATE)
		store_create(&site->store, r->db, uuid, (long long)r->number);
	else
		return db ? apply_in_db(site, db, r, err) : no_db(r, err);
	return 0;
}

static void new_uuid(char out[33])
{
	unsigned char bytes[16];

	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2hex(out, 33, bytes, sizeof(bytes));
}

static int load(struct site *site, const struct options *o, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct editor e = {&site->store, site->journal, &a};
	struct slice name = slice_of(o->load_db);
	struct db *db = store_db(&site->store, name);
	char uuid[33];
	long long now = (long long)time(NULL);
	int rc;

	if (!db) {
		new_uuid(uuid);
		db = store_create(&site->store, name, uuid, now);
		journal_add(site->journal,
			    &(struct journal_record){JOURNAL_CREATE, (uint64_t)now, name, slice_of(uuid)});
	}
	rc = load_feed(&e, db, o->load, err);
	db_sort(db);
	arena_release(&a);
	return rc;
}

static int prepare(struct site *site, const struct options *o, struct err *err)
{
	site->user = o->user;
	site->password = o->password;
	if (o->data && journal_open(o->data, apply, site, &site->journal, err))
		return err->code;
	if (!site->uuid[0]) {
		new_uuid(site->uuid);
		journal_add(site->journal,
			    &(struct journal_record){.type = JOURNAL_UUID, .text = slice_of(site->uuid)});
	}
	if (o->load && load(site, o, err))
		return err->code;
	if (o->replay && recorded_load(o->replay, &site->recorded, err))
		return err->code;
	if (o->script && faults_load(&site->faults, o->script, err))
		return err->code;
	return journal_flush(site->journal, err);
}

static int listen_on(const struct options *o, int *out, struct err *err)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)o->port)};
	socklen_t len = sizeof(at);
	char text[32];
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*out = fd;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, BACKLOG) ||
	    getsockname(fd, (struct sockaddr *)&at, &len))
		return err_sys(err, ERR_INTERNAL, errno, "listening on 127.0.0.1:%d", o->port);
	printf("listening on 127.0.0.1:%d\n", ntohs(at.sin_port));
	fflush(stdout);
	snprintf(text, sizeof(text), "%d\n", ntohs(at.sin_port));
	return o->port_file ? file_write_whole(o->port_file, slice_of(text), err) : 0;
}

/* SIGTERM and SIGINT become something to read. */
static int catch_signals(int *out, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return err_sys(err, ERR_INTERNAL, errno, "sigprocmask");
	*out = signalfd(-1, &set, SFD_CLOEXEC);
	return *out < 0 ? err_sys(err, ERR_INTERNAL, errno, "signalfd") : 0;
}

static int run(const struct options *o, struct err *err)
{
	struct site site = {0};
	int listener = -1, signals = -1;
	int rc = catch_signals(&signals, err);

	if (!rc)
		rc = prepare(&site, o, err);
	if (!rc)
		rc = listen_on(o, &listener, err);
	if (!rc)
		rc = serve(&site, listener, signals, err);
	if (listener >= 0)
		close(listener);
	if (signals >= 0)
		close(signals);
	recorded_free(site.recorded);
	faults_release(&site.faults);
	journal_close(site.journal);
	store_release(&site.store);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o = {0};
	struct err err = ERR_INIT;

	if (sodium_init() < 0) {
		fputs("couchd: libsodium does not start\n", stderr);
		return ERR_INTERNAL;
	}
	if (read_options(argc, argv, &o, &err)) {
		fprintf(stderr, "couchd: %s\n%s", err.msg, usage);
		return ERR_USAGE;
	}
	if (run(&o, &err)) {
		fprintf(stderr, "couchd: %s\n", err.msg);
		return err_exit_code(&err);
	}
	return 0;
}
