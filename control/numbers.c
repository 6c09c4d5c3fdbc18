// SPDX-License-Identifier: BSD-3-Clause
/* Assigns numbers: first to those who have one, then to the newcomers. */
#include "numbers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT16_MAX

/* What previous knows, ascending by name. */
struct index {
	const struct numbers *numbers;
	uint16_t *by_name;
};

static int by_name(const void *a, const void *b, void *ctx)
{
	const struct numbers *numbers = ctx;

	return strcmp(numbers->of[*(const uint16_t *)a].name,
		      numbers->of[*(const uint16_t *)b].name);
}

static int index_init(struct index *index, const struct numbers *numbers)
{
	index->numbers = numbers;
	index->by_name = calloc(numbers->count + 1u, sizeof(*index->by_name));
	if (!index->by_name)
		return -ENOMEM;
	for (uint16_t i = 0; i < numbers->count; i++)
		index->by_name[i] = i;
	qsort_r(index->by_name, numbers->count, sizeof(*index->by_name), by_name,
		(void *)(uintptr_t)numbers);
	return 0;
}

static uint16_t index_find(const struct index *index, const char *name)
{
	size_t low = 0, high = index->numbers->count;

	while (low < high) {
		const size_t middle = (low + high) / 2;
		const uint16_t number = index->by_name[middle];
		const int order = strcmp(name, index->numbers->of[number].name);

		if (!order)
			return number;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NONE;
}

/* Room for what previous had and for all who come; names and numbers that are free as there. */
static int begin(struct numbers *numbers, const struct numbers *previous, size_t n, uint16_t limit)
{
	const uint16_t had = previous ? previous->count : 0;

	*numbers = (struct numbers){ .of = calloc(had + n + 1, sizeof(*numbers->of)) };
	if (!numbers->of)
		return -ENOMEM;
	if (n > limit)
		return -ENOSPC;
	for (; numbers->count < had; numbers->count++) {
		struct number *to = &numbers->of[numbers->count];

		to->name = strdup(previous->of[numbers->count].name);
		to->who = SIZE_MAX;
		if (!to->name)
			return -ENOMEM;
	}
	return 0;
}

/* A number for a newcomer; from where to look on among those whose owners are gone. */
static int give(struct numbers *numbers, const struct numbers *previous, uint16_t limit,
		uint16_t *from, uint16_t *number)
{
	if (numbers->count < limit) {
		*number = numbers->count++;
		return 0;
	}
	while (*from < numbers->count &&
	       (numbers->of[*from].who != SIZE_MAX ||
		(previous && *from < previous->count && previous->of[*from].who != SIZE_MAX)))
		++*from;
	if (*from == numbers->count)
		return -ENOSPC;
	*number = *from;
	return 0;
}

static int newcomers(struct numbers *numbers, const struct numbers *previous, char *const *name,
		     size_t n, uint16_t limit, uint16_t *number)
{
	uint16_t from = 0;

	for (size_t i = 0; i < n; i++) {
		struct number *to;
		int rc;

		if (number[i] != NONE)
			continue;
		rc = give(numbers, previous, limit, &from, &number[i]);
		if (rc)
			return rc;
		to = &numbers->of[number[i]];
		free(to->name);
		*to = (struct number){
			.name = strdup(name[i]),
			.who = i,
			.is_new = true,
			.reused = previous && number[i] < previous->count,
		};
		if (!to->name)
			return -ENOMEM;
	}
	return 0;
}

int numbers_assign(struct numbers *numbers, const struct numbers *previous, char *const *name,
		   size_t n, uint16_t limit, uint16_t *number)
{
	struct index index = { 0 };
	int rc = begin(numbers, previous, n, limit);

	if (!rc && previous)
		rc = index_init(&index, previous);
	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++) {
		number[i] = previous ? index_find(&index, name[i]) : NONE;
		if (number[i] != NONE)
			numbers->of[number[i]].who = i;
	}
	free(index.by_name);
	return newcomers(numbers, previous, name, n, limit, number);
}

void numbers_fini(struct numbers *numbers)
{
	for (uint16_t i = 0; i < numbers->count; i++)
		free(numbers->of[i].name);
	free(numbers->of);
	*numbers = (struct numbers){ 0 };
}
