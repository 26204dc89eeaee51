/*
 * yajl_parse FILE: what yajl alone costs. Parses the file with callbacks that only count, and prints how many values
 * there are: the floor under any reader that stands on yajl.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#define CHUNK (1u << 20)

static int count(void *values)
{
	++*(unsigned long long *)values;
	return 1;
}

static int on_boolean(void *values, int b)
{
	(void)b;
	return count(values);
}

static int on_text(void *values, const char *text, size_t len)
{
	(void)text;
	(void)len;
	return count(values);
}

static int on_string(void *values, const unsigned char *text, size_t len)
{
	(void)text;
	(void)len;
	return count(values);
}

static const yajl_callbacks callbacks = {
    .yajl_null = count,
    .yajl_boolean = on_boolean,
    .yajl_number = on_text,
    .yajl_string = on_string,
    .yajl_start_map = count,
    .yajl_map_key = on_string,
    .yajl_start_array = count,
};

static int parse(FILE *in, yajl_handle parser)
{
	unsigned char *chunk = malloc(CHUNK);
	yajl_status status = chunk ? yajl_status_ok : yajl_status_error;
	size_t n;

	while (status == yajl_status_ok && (n = fread(chunk, 1, CHUNK, in)) > 0)
		status = yajl_parse(parser, chunk, n);
	if (status == yajl_status_ok)
		status = yajl_complete_parse(parser);
	free(chunk);
	return status != yajl_status_ok || ferror(in);
}

int main(int argc, char **argv)
{
	unsigned long long values = 0;
	FILE *in = argc == 2 ? fopen(argv[1], "r") : NULL;

	if (!in) {
		fprintf(stderr, "yajl_parse: %s\n", argc == 2 ? strerror(errno) : "usage: yajl_parse FILE");
		return 2;
	}
	yajl_handle parser = yajl_alloc(&callbacks, NULL, &values);
	int bad = parse(in, parser);
	yajl_free(parser);
	fclose(in);
	if (bad)
		fprintf(stderr, "yajl_parse: %s: not JSON\n", argv[1]);
	printf("%llu values\n", values);
	return bad;
}
