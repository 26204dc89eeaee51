/*
 * Replays a corpus through a fuzz target where there is no libFuzzer: the files named, or all of
 * fixtures/fuzz/NAME below top_srcdir for a program called fuzz_NAME. TAP.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f || fseek(f, 0, SEEK_END) != 0) {
		perror(path);
		exit(1);
	}
	size_t size = (size_t)ftell(f);
	uint8_t *data = malloc(size ? size : 1);
	rewind(f);
	if (!data || fread(data, 1, size, f) != size) {
		perror(path);
		exit(1);
	}
	fclose(f);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

static int report(int n, const char *path)
{
	replay(path);
	printf("ok %d - %s\n", n, path);
	fflush(stdout);
	return n;
}

static int replay_directory(const char *program)
{
	const char *top = getenv("top_srcdir"), *name = strstr(program, "fuzz_");
	char directory[2048], path[4096];
	int n = 0;
	while (name && strstr(name + 5, "fuzz_"))
		name = strstr(name + 5, "fuzz_");
	snprintf(directory, sizeof(directory), "%s/fixtures/fuzz/%s", top ? top : ".", name ? name + 5 : program);
	DIR *d = opendir(directory);
	if (!d) {
		perror(directory);
		exit(1);
	}
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, e->d_name);
		report(++n, path);
	}
	closedir(d);
	return n;
}

int main(int argc, char **argv)
{
	int n = 0;
	if (argc < 2)
		n = replay_directory(argv[0]);
	for (int i = 1; i < argc; i++)
		report(++n, argv[i]);
	printf("1..%d\n", n);
	return n > 0 ? 0 : 1;
}
