/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers of named objects of one kind, kept over reloads: what is counted by
 * number stays with its name. Pure; nothing changes once it is assigned.
 */
#ifndef NAPD_NUMBERS_H
#define NAPD_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct number {
	char *name;  /* whose it is, or was last; owned */
	size_t who;  /* index of the object in the list it was assigned from; SIZE_MAX: free */
	bool is_new; /* the object did not have it when it was last in force */
	bool reused; /* is_new, and it was another's before */
};

struct numbers {
	struct number *of; /* [count] */
	uint16_t count;    /* free ones included */
};

/*
 * Give each of n different names a number below limit, written to number[]: the one it
 * has or last had in previous; else one that nobody had, and when there are no more, one
 * whose owner is gone since before previous. Never one that previous uses for another.
 * previous NULL: 0, 1, 2... 0, -ENOSPC or -ENOMEM; numbers_fini() is due in any case.
 */
int numbers_assign(struct numbers *numbers, const struct numbers *previous, char *const *name,
		   size_t n, uint16_t limit, uint16_t *number);
void numbers_fini(struct numbers *numbers);

#endif
