/* The tests that a profile can name. */
#include "config.h"

#include "diff/rules_internal.h"

#include "base/datetime.h"

#define SUPPLY_POINT_XMLNS "http://commtrack.org/supply_point"

/* Old documents hold `...+00:00Z`, which is read as `...Z`. */
static int is_doubly_zoned(struct slice text)
{
	static const struct slice tail = SLICE("+00:00Z");
	char plain[DATETIME_TEXT_SIZE];
	size_t n = text.len - tail.len;

	if (text.len < tail.len || n >= sizeof(plain) - 1 || memcmp(text.ptr + n, tail.ptr, tail.len) != 0)
		return 0;
	memcpy(plain, text.ptr, n);
	plain[n] = 'Z';
	return datetime_parse((struct slice){plain, n + 1}, NULL);
}

int value_is_datetime(const struct json *v)
{
	return json_is(v, JSON_STRING) && (datetime_parse(v->text, NULL) || is_doubly_zoned(v->text));
}

static int both_datetimes(const struct diff *d, const struct rule_context *ctx)
{
	(void)ctx;
	return value_is_datetime(d->old_value) && value_is_datetime(d->new_value);
}

static int no_create_action(const struct diff *d, const struct rule_context *ctx)
{
	const struct json *actions = json_gets(ctx->couch, "actions");

	(void)d;
	if (!ctx->couch)
		return 0;
	for (uint32_t i = 0; json_is(actions, JSON_ARRAY) && i < actions->count; i++) {
		if (slice_is(json_get_text(&actions->items[i], "action_type"), "create"))
			return 0;
	}
	return 1;
}

static int supply_point_form(const struct diff *d, const struct rule_context *ctx)
{
	(void)d;
	return slice_is(json_get_text(ctx->couch, "xmlns"), SUPPLY_POINT_XMLNS);
}

const struct rule_named_predicate rule_predicates[] = {
    {"both_datetimes", "both values are date-times (YYYY-MM-DDThh:mm:ss[.ffffff]Z)", both_datetimes},
    {"no_create_action", "the Couch document's actions hold none of type create", no_create_action},
    {"supply_point_form", "the Couch document's xmlns is " SUPPLY_POINT_XMLNS, supply_point_form},
    {0},
};
