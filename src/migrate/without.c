#include "migrate/without.h"

static const struct {
	unsigned flag;
	const char *name;
} things[] = {{MIGRATE_WITHOUT_ATTACHMENTS, "attachments"}, {MIGRATE_WITHOUT_CONFLICTS, "conflicts"}};

#define THINGS (sizeof(things) / sizeof(things[0]))

unsigned migrate_without_named(struct slice name)
{
	for (size_t i = 0; i < THINGS; i++)
		if (slice_is(name, things[i].name))
			return things[i].flag;
	return 0;
}

unsigned without_of_settings(struct slice settings, struct arena *a)
{
	unsigned without = 0;
	const struct json *held;
	struct json v;

	if (!settings.ptr || json_read(settings, a, 0, &v, NULL, NULL))
		return 0;
	held = json_gets(&v, "without");
	for (uint32_t i = 0; json_is(held, JSON_ARRAY) && i < held->count; i++)
		without |= migrate_without_named(json_text(&held->items[i]));
	return without;
}

struct json without_json(unsigned without, struct arena *a)
{
	struct json list = json_array();

	for (size_t i = 0; i < THINGS; i++)
		if (without & things[i].flag)
			json_push(a, &list, json_string(slice_of(things[i].name)));
	return list;
}
