/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters as people see them. Workers count by number and never reset; when a number
 * goes to another port or party, what was counted before is not the newcomer's. Control thread.
 */
#ifndef NAPD_COUNTS_H
#define NAPD_COUNTS_H

#include "live.h"

struct counts;

/* parties: how many numbers of parties dp has. Returns to the caller; NULL without memory. */
struct counts *counts_create(const struct dataplane *dp, uint16_t parties);
void counts_free(struct counts *counts);

/*
 * From now on the number is another's, whose counters begin at 0. Nobody counts under it now, and
 * nobody reads what is counted under it: then on any thread, as it reads a whole row and column.
 */
void counts_start_port(struct counts *counts, uint16_t port);
void counts_start_party(struct counts *counts, uint16_t party);

/* As counters_port(), counters_matrix() and drop_records(), since the number is its owner's. */
void counts_port(const struct counts *counts, uint16_t port, struct port_counters *sum);
struct matrix_cell counts_matrix(const struct counts *counts, uint16_t in, uint16_t out, int ipv6);
unsigned int counts_drops(const struct counts *counts, uint16_t port, struct drop_record *list,
			  unsigned int n);

#endif
