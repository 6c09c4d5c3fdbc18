/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * napd doctor: what of the host would keep an exchange from starting or from running well,
 * and for each finding the command that mends it. Reads, changes nothing.
 */
#ifndef NAPD_DOCTOR_H
#define NAPD_DOCTOR_H

#include "config.h"
#include "cores.h"

/* The host as the doctor sees it; tests bring their own. */
struct doctor_host {
	const char *root; /* "", or a folder that stands for / */
	/* The receive offloads of an interface that merge frames, "gro lro", to text; "" none. */
	void (*merging)(const char *interface, char *text, size_t size);
	const struct cores *cores; /* where napd would run; NULL: not known */
};

enum finding_level {
	FINDING_OK,
	FINDING_NOTE,    /* could be better; napd runs well enough */
	FINDING_WARNING, /* napd runs, but slower or less safely than it should */
	FINDING_ERROR,   /* it does not start, or a port of it does not */
	FINDING_LEVELS
};

struct finding {
	enum finding_level level;
	const char *check; /* hugepages, iommu, driver, numa, cores, limits, ... */
	char text[224];
	char mend[224]; /* a command, or what to write where; "" when there is nothing to mend */
};

struct findings {
	struct finding *list; /* malloc */
	size_t count, size;
	bool no_memory; /* some are missing */
};

/* Examine host for what config needs. Adds to findings; the caller frees the list. */
void doctor_examine(const struct doctor_host *host, const struct config *config,
		    struct findings *findings);

/*
 * The command: examine this host. config_path NULL: the default one, if it is there.
 * Prints; returns an exit status: 0 all is well, 1 something is to be mended, 2 the configuration
 * is wrong.
 */
int doctor(const char *config_path, bool json);

#endif
