// SPDX-License-Identifier: BSD-3-Clause
/* Balances received packets with what became of them, by two looks a moment apart. */
#include "accounting.h"

static int64_t balance(const struct accounting_port *before, const struct accounting_port *now,
		       uint64_t pending)
{
	if (before->received > now->settled + pending)
		return (int64_t)(before->received - now->settled - pending);
	if (before->settled > now->received)
		return -(int64_t)(before->settled - now->received);
	return 0;
}

void accounting_look(struct accounting *a, const struct runtime *rt)
{
	int64_t error = 0;

	for (uint16_t port = 0; port < model_port_numbers(rt->model); port++) {
		struct accounting_port now;
		struct port_counters c;

		counters_port(rt->dp, port, &c);
		now.received = c.received.packets;
		now.settled = c.forwarded.packets + c.consumed.packets;
		for (int r = 0; r < REASON_COUNT; r++)
			now.settled += c.drop[r].packets;
		error += balance(&a->port[port], &now, c.pending);
		a->port[port] = now;
	}
	a->error = error;
}
