// SPDX-License-Identifier: BSD-3-Clause
/*
 * Fuzz target: any bytes as the head of an HTTP request, in a buffer of exactly their size. What is
 * accepted names a path, and more bytes behind it change nothing of the judgement.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool true_claim, const char *claim)
{
	if (true_claim)
		return;
	fprintf(stderr, "not true: %s\n", claim);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[HTTP_PATH_MAX] = "", again[HTTP_PATH_MAX] = "";
	bool head = false, again_head = false;
	char *text = malloc(size + 1);
	int status;

	if (!text)
		return 0;
	memcpy(text, data, size);
	status = http_parse(text, size, path, &head);
	require(status == 0 || (status >= 200 && status < 600), "a status of HTTP, or none yet");
	if (status == 200)
		require(path[0] == '/' && strlen(path) < HTTP_PATH_MAX, "a path");
	if (status && status != 431) {
		text[size] = '\n';
		require(http_parse(text, size + 1, again, &again_head) == status,
			"what is judged stays so");
		require(strcmp(path, again) == 0 && head == again_head, "and is read the same");
	}
	free(text);
	return 0;
}
