// SPDX-License-Identifier: BSD-3-Clause
/* Subtracts what had been counted under a number when its owner came. */
#include "counts.h"

#include <stdlib.h>

/* Baselines are allocated whole and touched rarely: a page is there once it is written. */
struct counts {
	const struct dataplane *dp;
	uint16_t parties;
	struct port_counters *port; /* [PORT_MAX] */
	uint64_t *port_since_ns;    /* [PORT_MAX] */
	struct matrix_cell *matrix; /* [in][out][family] */
};

struct counts *counts_create(const struct dataplane *dp, uint16_t parties)
{
	struct counts *counts = calloc(1, sizeof(*counts));

	if (!counts)
		return NULL;
	counts->dp = dp;
	counts->parties = parties;
	counts->port = calloc(PORT_MAX, sizeof(*counts->port));
	counts->port_since_ns = calloc(PORT_MAX, sizeof(*counts->port_since_ns));
	counts->matrix = calloc((size_t)parties * parties * 2, sizeof(*counts->matrix));
	if (counts->port && counts->port_since_ns && counts->matrix)
		return counts;
	counts_free(counts);
	return NULL;
}

void counts_free(struct counts *counts)
{
	if (!counts)
		return;
	free(counts->port);
	free(counts->port_since_ns);
	free(counts->matrix);
	free(counts);
}

void counts_start_port(struct counts *counts, uint16_t port)
{
	counters_port(counts->dp, port, &counts->port[port]);
	counts->port[port].pending = 0; /* no counter: what waits now */
	counts->port_since_ns[port] = dataplane_now_ns(counts->dp);
}

static struct matrix_cell *baseline(const struct counts *counts, uint16_t in, uint16_t out,
				    int ipv6)
{
	return &counts->matrix[((size_t)in * counts->parties + out) * 2 + ipv6];
}

void counts_start_party(struct counts *counts, uint16_t party)
{
	for (uint32_t i = 0; i < counts->parties * 4u; i++) {
		const uint16_t other = i / 4, in = i & 1 ? party : other,
			       out = i & 1 ? other : party;
		const int ipv6 = i >> 1 & 1;
		const struct matrix_cell cell = counters_matrix(counts->dp, in, out, ipv6);

		if (cell.packets) /* else there is nothing to take off, before or now */
			*baseline(counts, in, out, ipv6) = cell;
	}
}

void counts_port(const struct counts *counts, uint16_t port, struct port_counters *sum)
{
	/* every field is a 64-bit counter */
	const uint64_t *from = (const uint64_t *)&counts->port[port];
	uint64_t *to = (uint64_t *)sum;

	counters_port(counts->dp, port, sum);
	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] -= from[i];
}

struct matrix_cell counts_matrix(const struct counts *counts, uint16_t in, uint16_t out, int ipv6)
{
	struct matrix_cell cell = counters_matrix(counts->dp, in, out, ipv6);

	if (cell.packets) {
		const struct matrix_cell *before = baseline(counts, in, out, ipv6);

		cell.packets -= before->packets;
		cell.bytes -= before->bytes;
	}
	return cell;
}

unsigned int counts_drops(const struct counts *counts, uint16_t port, struct drop_record *list,
			  unsigned int n)
{
	unsigned int kept = 0;

	n = drop_records(counts->dp, port, list, n); /* newest first */
	while (kept < n && list[kept].time_ns >= counts->port_since_ns[port])
		kept++;
	return kept;
}
