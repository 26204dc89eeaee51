/*
 * lines: cases kept as lines of a file below top_srcdir. A line that begins with "# " is a comment. Threads: tests have
 * one.
 */
#ifndef TESTS_UNIT_LINES_H
#define TESTS_UNIT_LINES_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdio.h>
#include <stdlib.h>

struct lines {
	struct slice *v;
	size_t n, cap;
};

/* The whole file, in the arena; a file that cannot be read ends the test. */
static inline struct slice file_read(const char *path, struct arena *a)
{
	const char *top = getenv("top_srcdir");
	struct slice name = arena_printf(a, "%s/%s", top ? top : ".", path);
	FILE *f = fopen(name.ptr, "rb");
	struct slice text = {NULL, 0};
	if (f && fseek(f, 0, SEEK_END) == 0) {
		size_t size = (size_t)ftell(f);
		char *bytes = arena_alloc(a, size + 1);
		rewind(f);
		text = (struct slice){bytes, fread(bytes, 1, size, f)};
		bytes[text.len] = 0;
	}
	if (f)
		fclose(f);
	if (!text.ptr)
		fail_msg("cannot read %s", name.ptr);
	return text;
}

static inline struct lines lines_read(const char *path, struct arena *a)
{
	struct slice text = file_read(path, a);
	struct lines lines = {0};
	while (text.len) {
		const char *end = memchr(text.ptr, '\n', text.len);
		struct slice line = {text.ptr, end ? (size_t)(end - text.ptr) : text.len};
		if (line.len && !slice_starts(line, SLICE("# ")))
			ARENA_PUSH(a, &lines, line);
		size_t taken = line.len + (end ? 1 : 0);
		text.ptr += taken;
		text.len -= taken;
	}
	return lines;
}

/* Takes the next word off the line; empty at its end. */
static inline struct slice word_next(struct slice *line)
{
	while (line->len && *line->ptr == ' ') {
		line->ptr++;
		line->len--;
	}
	struct slice word = {line->ptr, 0};
	while (word.len < line->len && word.ptr[word.len] != ' ')
		word.len++;
	line->ptr += word.len;
	line->len -= word.len;
	return word;
}

#endif
