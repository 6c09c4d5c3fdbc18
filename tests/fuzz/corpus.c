// SPDX-License-Identifier: BSD-3-Clause
/* Runs a fuzz target over the files of its corpus, where libFuzzer is not linked. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Returns to the caller the whole of a file in a buffer of exactly its size, or NULL. */
static uint8_t *read_whole(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	long end;

	if (!file)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0 && (end = ftell(file)) >= 0) {
		rewind(file);
		*size = (size_t)end;
		/* malloc(0) may be NULL, which says "cannot be read" here */
		data = malloc(*size ? *size : 1);
		if (data && fread(data, 1, *size, file) != *size) {
			free(data);
			data = NULL;
		}
	}
	fclose(file);
	return data;
}

static int run_file(const char *folder, const char *name)
{
	char path[4096];
	uint8_t *data;
	size_t size;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return -1;
	data = read_whole(path, &size);
	if (!data) {
		fprintf(stderr, "%s cannot be read\n", path);
		return -1;
	}
	/* Printed before, so that the last line names the input that crashed. */
	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	struct dirent **entry;
	unsigned int files = 0;
	int n, status = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	if (LLVMFuzzerInitialize && LLVMFuzzerInitialize(&argc, &argv) != 0)
		return 1;
	n = scandir(argv[1], &entry, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (entry[i]->d_name[0] != '.') {
			files++;
			status |= run_file(argv[1], entry[i]->d_name);
		}
		free(entry[i]);
	}
	if (n >= 0)
		free(entry);
	if (!files)
		fprintf(stderr, "%s holds no input\n", argv[1]);
	return status == 0 && files > 0 ? 0 : 1;
}
