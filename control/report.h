/* SPDX-License-Identifier: BSD-3-Clause */
/* What a replay did: as JSON for programs, as a page for people. */
#ifndef NAPD_REPORT_H
#define NAPD_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "counters.h"

struct report_port {
	const char *name;
	uint64_t oversize_frames; /* received, longer than the port's MTU allows */
	struct port_counters counters;
};

/* Traffic from one party to another, of one family; only where there was any. */
struct report_cell {
	const char *from, *to;
	uint16_t from_party, to_party; /* the page goes by these */
	bool ipv6;
	uint64_t packets;
	uint64_t bytes; /* as received */
};

/* All borrowed. */
struct report {
	const char *exchange;
	const struct report_port *ports; /* in the order of the configuration */
	size_t port_count;
	const struct report_cell *cells; /* by from, to, family */
	size_t cell_count;
	uint64_t routes_ipv4, routes_ipv6, routes_unresolved;
	uint64_t duration_ns;         /* from the first frame's timestamp to the last's */
	uint64_t largest_frame_bytes; /* received */
	bool interrupted;             /* the user stopped it */
};

struct report_totals {
	struct tally received, forwarded, consumed, dropped;
	struct tally originated, stray, unsent, transmitted, fragments, reported;
	struct tally drop[REASON_COUNT];
	uint64_t oversize_frames;
};

void report_totals(const struct report *report, struct report_totals *totals);

/*
 * Whether every packet's fate is known: received = forwarded + consumed +
 * dropped and transmitted = forwarded + fragments + stray + originated. If not,
 * napd has a bug.
 */
bool report_conserves(const struct report *report);

/* Print to out: 0, or a negative errno. */
int report_json(const struct report *report, FILE *out);
int report_text(const struct report *report, FILE *out);

/* "1,234,567" and "1.23 MB"; text is returned. */
#define NUMBER_TEXT_MAX 32
const char *number_text(uint64_t number, char text[NUMBER_TEXT_MAX]);
const char *bytes_text(uint64_t bytes, char text[NUMBER_TEXT_MAX]);

#endif
