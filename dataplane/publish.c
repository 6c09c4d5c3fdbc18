// SPDX-License-Identifier: BSD-3-Clause
/* Publication: which snapshot workers forward by, when an old one is freed, and the link words. */
#include "api/ask.h"
#include "worker.h"

void retire(struct dataplane *dp, struct retiree *what, void (*release)(struct retiree *))
{
	struct retiree **tail = &dp->retired;

	what->token = rte_rcu_qsbr_start(dp->qsbr);
	what->release = release;
	what->next = NULL;
	while (*tail)
		tail = &(*tail)->next;
	*tail = what;
}

static void snapshot_release(struct retiree *retiree)
{
	struct snapshot *s = RTE_PTR_SUB(retiree, offsetof(struct snapshot, retiree));

	s->release(s);
}

void snapshot_publish(struct dataplane *dp, struct snapshot *next)
{
	struct snapshot *old = (struct snapshot *)(uintptr_t)dp->snapshot;

	if (next)
		next->publication = ++dp->publications;
	__atomic_store_n(&dp->snapshot, next, __ATOMIC_RELEASE);
	if (old)
		retire(dp, &old->retiree, snapshot_release);
}

unsigned int snapshot_reclaim(struct dataplane *dp)
{
	unsigned int waiting = 0;

	/* tokens grow along the list: the first that must wait makes the rest wait */
	while (dp->retired && rte_rcu_qsbr_check(dp->qsbr, dp->retired->token, false) == 1) {
		struct retiree *done = dp->retired;

		dp->retired = done->next;
		done->release(done);
	}
	for (const struct retiree *r = dp->retired; r; r = r->next)
		waiting++;
	return waiting;
}

void dataplane_set_link(struct dataplane *dp, uint16_t port, bool up)
{
	if (dp->link_down[port] == !up)
		return;
	__atomic_store_n(&dp->link_down[port], !up, __ATOMIC_RELAXED);
	__atomic_store_n(&dp->links_down, dp->links_down + (up ? -1 : 1), __ATOMIC_RELEASE);
}

bool dataplane_link(const struct dataplane *dp, uint16_t port)
{
	return !__atomic_load_n(&dp->link_down[port], __ATOMIC_RELAXED);
}

const struct snapshot_port *dataplane_port(const struct dataplane *dp, uint16_t port)
{
	const struct snapshot *s = dp->snapshot;

	return s && port < s->ports && s->port[port].used ? &s->port[port] : NULL;
}
