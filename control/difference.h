/* SPDX-License-Identifier: BSD-3-Clause */
/* What a new configuration changes, in the words of the file. Pure; any thread. */
#ifndef NAPD_DIFFERENCE_H
#define NAPD_DIFFERENCE_H

#include "config.h"

enum difference_kind {
	DIFFERENCE_SETTING, /* name is its path: "log.level" */
	DIFFERENCE_PORT,
	DIFFERENCE_MEMBER,
	DIFFERENCE_ROUTE, /* name is its prefix */
	DIFFERENCE_KINDS
};
enum difference_what { DIFFERENCE_ADDED, DIFFERENCE_REMOVED, DIFFERENCE_CHANGED };
extern const char *const difference_kind_name[DIFFERENCE_KINDS];

struct difference {
	enum difference_kind kind;
	enum difference_what what;
	bool at_start; /* takes effect with a restart only */
	char *name;
	char *detail; /* "mtu 1500 -> 9000; addresses +192.0.2.1/30"; "" when there is none */
};

#define DIFFERENCES_MAX 1000 /* a million routes that come and go must not fill the memory */

/* Zero-initialised is empty. */
struct differences {
	struct difference
		*list; /* settings, ports, members, routes; each ascending by name or prefix */
	size_t count;
	size_t more; /* beyond DIFFERENCES_MAX */
};

/* 0 or -ENOMEM; differences_release() is due in any case. */
int differences_make(const struct config *before, const struct config *after,
		     struct differences *differences);
void differences_release(struct differences *differences);

#endif
