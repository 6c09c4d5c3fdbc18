// SPDX-License-Identifier: BSD-3-Clause
/* Writes the record of the last drops, and reads it from other threads. */
#include "record.h"

#include <stdlib.h>

#include <rte_ether.h>

#include "bytes.h"
#include "worker.h"

#define HAS_PORTS(protocol) ((protocol) == 6 || (protocol) == 17)

static void read_ipv4(struct drop_record *r, const uint8_t *ip, uint32_t bytes)
{
	const uint32_t header = (ip[0] & 0xf) * 4u;

	if (bytes < 20)
		return;
	r->has_addresses = true;
	r->protocol = ip[9];
	r->ttl = ip[8];
	r->source.hi = (uint64_t)load_be32(ip + 12) << 32;
	r->destination.hi = (uint64_t)load_be32(ip + 16) << 32;
	if (HAS_PORTS(r->protocol) && bytes >= header + 4 && !(load_be16(ip + 6) & 0x1fff)) {
		r->source_port = load_be16(ip + header);
		r->destination_port = load_be16(ip + header + 2);
	}
}

static void read_ipv6(struct drop_record *r, const uint8_t *ip, uint32_t bytes)
{
	if (bytes < 40)
		return;
	r->has_addresses = true;
	r->protocol = ip[6];
	r->ttl = ip[7];
	r->source = (struct ipv6_key){ load_be64(ip + 8), load_be64(ip + 16) };
	r->destination = (struct ipv6_key){ load_be64(ip + 24), load_be64(ip + 32) };
	if (HAS_PORTS(r->protocol) && bytes >= 44) {
		r->source_port = load_be16(ip + 40);
		r->destination_port = load_be16(ip + 42);
	}
}

static void record_fill(struct drop_record *r, const struct rte_mbuf *frame)
{
	const uint8_t *l2 = rte_pktmbuf_mtod(frame, const uint8_t *);
	const uint32_t bytes = rte_pktmbuf_data_len(frame);
	uint32_t at = RTE_ETHER_HDR_LEN;

	if (bytes < at)
		return;
	memcpy(&r->destination_mac, l2, sizeof(r->destination_mac));
	memcpy(&r->source_mac, l2 + 6, sizeof(r->source_mac));
	r->ether_type = load_be16(l2 + 12);
	if (r->ether_type == RTE_ETHER_TYPE_VLAN && bytes >= at + 4) {
		r->vlan = load_be16(l2 + at) & 0xfff;
		r->ether_type = load_be16(l2 + at + 2);
		at += 4;
	}
	if (r->ether_type == RTE_ETHER_TYPE_IPV4)
		read_ipv4(r, l2 + at, bytes - at);
	else if (r->ether_type == RTE_ETHER_TYPE_IPV6)
		read_ipv6(r, l2 + at, bytes - at);
}

void record_drop(struct worker *w, const struct drop_event *event)
{
	struct record_ring *ring = &w->records[event->port];
	struct record_slot *slot = &ring->slot[ring->next++ % DROP_RECORDS];
	const uint32_t sequence = slot->sequence;
	struct drop_record record = {
		.time_ns = w->now_ns,
		.bytes = event->bytes,
		.reason = event->reason,
	};

	record_fill(&record, event->frame);
	__atomic_store_n(&slot->sequence, sequence + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	slot->record = record;
	__atomic_store_n(&slot->sequence, sequence + 2, __ATOMIC_RELEASE);
}

/* Copy a slot; false when it is empty or its worker was writing it. */
static bool record_read(const struct record_slot *slot, struct drop_record *record)
{
	const uint32_t before = __atomic_load_n(&slot->sequence, __ATOMIC_ACQUIRE);

	if (before == 0 || before & 1)
		return false;
	*record = slot->record;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&slot->sequence, __ATOMIC_RELAXED) == before;
}

static int newest_first(const void *a, const void *b)
{
	const struct drop_record *x = a, *y = b;

	return (x->time_ns < y->time_ns) - (x->time_ns > y->time_ns);
}

unsigned int drop_records(const struct dataplane *dp, uint16_t port, struct drop_record *list,
			  unsigned int n)
{
	struct drop_record *all = calloc(dp->worker_count * DROP_RECORDS, sizeof(*all));
	unsigned int count = 0;

	if (!all || port >= PORT_MAX) {
		free(all);
		return 0;
	}
	for (unsigned int i = 0; i < dp->worker_count && dp->worker[i]->records; i++)
		for (unsigned int k = 0; k < DROP_RECORDS; k++)
			count += record_read(&dp->worker[i]->records[port].slot[k], &all[count]);
	qsort(all, count, sizeof(*all), newest_first);
	count = RTE_MIN(count, n);
	memcpy(list, all, count * sizeof(*all));
	free(all);
	return count;
}
