/* What the tests of snapshots share: a directory of its own, an arena, a log that tells errors only. */
#ifndef SNAPSHOT_PLACE_H
#define SNAPSHOT_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "snapshot/files.h"

#include <stdio.h>
#include <stdlib.h>

struct scene {
	char dir[40];
	struct arena a;
	struct log *log;
};

#define MUST(call)                                                           \
	do {                                                                 \
		struct err must = ERR_INIT;                                  \
		if ((call) != 0)                                             \
			fail_msg("%s:%d: %s", __FILE__, __LINE__, must.msg); \
	} while (0)

/* The call fails with this code and says this. */
#define REFUSED(code_, text_, call)                                                                 \
	do {                                                                                        \
		struct err why = ERR_INIT;                                                          \
		assert_int_equal((call), (code_));                                                  \
		if (!strstr(why.msg, (text_)))                                                      \
			fail_msg("%s:%d: \"%s\" without %s", __FILE__, __LINE__, why.msg, (text_)); \
	} while (0)

static inline int make_scene(void **state)
{
	struct scene *s = test_calloc(1, sizeof(*s));
	memcpy(s->dir, "/tmp/settle-snapshot-XXXXXX", sizeof("/tmp/settle-snapshot-XXXXXX"));
	assert_non_null(mkdtemp(s->dir));
	s->log = log_new(stderr, LOG_ERROR, LOG_TEXT);
	*state = s;
	return 0;
}

static inline int remove_scene(void **state)
{
	struct scene *s = *state;
	MUST(files_remove_tree(s->dir, &must));
	log_free(s->log);
	arena_release(&s->a);
	test_free(s);
	return 0;
}

static inline const char *in_scene(struct scene *s, const char *name)
{
	return arena_printf(&s->a, "%s/%s", s->dir, name).ptr;
}

static inline void put_file(const char *path, struct slice bytes)
{
	MUST(files_write(path, bytes, &must));
}

static inline struct slice get_file(struct scene *s, const char *path)
{
	struct slice bytes = SLICE_NONE;
	MUST(files_read(path, &s->a, &bytes, &must));
	return bytes;
}

#define SCENE(f) cmocka_unit_test_setup_teardown(f, make_scene, remove_scene)

#endif
