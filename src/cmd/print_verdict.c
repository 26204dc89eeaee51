/* print_verdict: the go / no-go page at the end of --finish. */
#include "config.h"

#include "cmd/print.h"

#include <inttypes.h>

static int put_line(const struct cmd_context *c, const char *what, int64_t left, const char *where)
{
	print_color(c, left ? PRINT_RED : PRINT_GREEN);
	fputs(left ? "  no   " : "  yes  ", c->out);
	print_color(c, PRINT_PLAIN);
	fputs(what, c->out);
	if (left)
		fprintf(c->out, ": %" PRId64 " (%s)", left, where);
	fputc('\n', c->out);
	return left != 0;
}

void print_verdict(const struct cmd_context *c, const struct migrate_stats *s, int source_busy)
{
	int64_t diffs = 0, missing = 0, changes = 0;
	int bad = 0;
	for (size_t i = 0; i < s->n_kinds; i++) {
		diffs += s->kinds[i].diffs;
		missing += s->kinds[i].missing;
		changes += s->kinds[i].changes;
	}
	fputs("\nGo or no go\n", c->out);
	bad += put_line(c, "the source is quiet", source_busy, "it still writes to the domain");
	bad += put_line(c, "the last pass came to its end", s->unfinished, "run it again");
	bad += put_line(c, "the source has documents of the domain", s->nothing, "is its name right?");
	bad += put_line(c, "no case waits to be compared", s->pending, "run it again");
	bad += put_line(c, "differences were told by the rules of now", s->other_rules, "settle diff filter");
	bad += put_line(c, "no document differs", diffs, "settle diff show");
	bad += put_line(c, "no document is missing", missing, "settle stats --verbose");
	bad += put_line(c, "no change waits to be patched", changes, "settle diff show --changes");
	bad += put_line(c, "no document was rejected", s->rejected_now, "settle stats --verbose");
	bad += put_line(c, "every losing revision is brought over", s->conflicts_left, "they stay in the source");
	bad += put_line(c, "every attachment is brought over", s->attachments_left, "they stay in the source");
	print_color(c, PRINT_BOLD);
	fputs(bad ? "No go" : "Go", c->out);
	print_color(c, PRINT_PLAIN);
	if (source_busy)
		fprintf(c->out, ": stop the writers, or let --shutter make the source refuse them, and finish again\n");
	else if (bad)
		fprintf(c->out, ": `settle unfinish` goes back to live; `settle commit --accept-differences` commits "
				"all the same\n");
	else
		fprintf(c->out, ": `settle commit %.*s` completes the migration\n", SLICE_ARG(c->domain));
}
