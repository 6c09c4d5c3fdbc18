// SPDX-License-Identifier: BSD-3-Clause
/* Balances received packets with what became of them, by two looks a moment apart. */
#include "accounting.h"

#define PORTS_AT_ONCE 128

static int64_t balance(const struct accounting_port *before, const struct accounting_port *now,
		       uint64_t pending)
{
	if (before->received > now->settled + pending)
		return (int64_t)(before->received - now->settled - pending);
	if (before->settled > now->received)
		return -(int64_t)(before->settled - now->received);
	return 0;
}

static void look(struct accounting *a, const struct runtime *rt, uint16_t port)
{
	struct accounting_port now = { 0 };
	struct port_counters c;

	counters_port(rt->dp, port, &c);
	now.received = c.received.packets;
	now.settled = c.forwarded.packets + c.consumed.packets;
	for (int r = 0; r < REASON_COUNT; r++)
		now.settled += c.drop[r].packets;
	now.error = balance(&a->port[port], &now, c.pending);
	a->error += now.error - a->port[port].error;
	a->port[port] = now;
}

void accounting_look(struct accounting *a, const struct runtime *rt)
{
	const uint16_t ports = model_port_numbers(rt->model);

	for (uint16_t i = 0; i < ports && i < PORTS_AT_ONCE; i++) {
		a->next = a->next < ports ? a->next : 0;
		look(a, rt, a->next++);
	}
}
