// SPDX-License-Identifier: BSD-3-Clause
/*
 * Fuzz target: any frames, in any order, through the whole packet path of an
 * exchange with everything in it.
 *
 * The input is a row of records: a byte of flags (below), two of length, the
 * frame. After each input the books must balance, every buffer must be back in
 * its pool and every frame sent must be sane. Each input runs with scalar code
 * and with all vector code that the CPU has, and with different bytes around its
 * frames, which must not change anything; under AddressSanitizer the bytes behind a
 * frame are poisoned besides, for vector code those beyond what it may read.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>

#include "config.h"
#include "model.h"
#include "../unit/eal.h"
#include "worker.h"

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#define POISONS true
#else
#define ASAN_POISON_MEMORY_REGION(address, size)   ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define __lsan_disable()                           ((void)0)
#define __lsan_enable()                            ((void)0)
#define POISONS                                    false
#endif

#define FRAME_MAX   9300
#define FRAMES_MAX  96
#define BUFFERS     256
#define DEVICES     3
#define MARGIN      128 /* vectors may read so far past a frame */
#define PADDED      60  /* shorter frames that leave are padded in place */
#define FORWARDABLE 34  /* no frame shorter than this holds a packet */

/* A record's flags. */
enum {
	RECORD_DEVICE = 0x03,  /* modulo DEVICES */
	RECORD_CUT = 0x04,     /* the capture holds only the first part */
	RECORD_REFUSE = 0x08,  /* devices take but few frames from here on */
	RECORD_LINK = 0x10,    /* the link of the device's first port goes down, or up */
	RECORD_WAIT_SHIFT = 5, /* 4^n microseconds pass before it */
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char exchange[] =
	"exchange: {name: fuzz, asn: 64500}\n"
	"ports:\n"
	"  - {name: pa, device: net_null0, mac: 02:4e:41:00:00:01, link-local: fe80::1,\n"
	"     addresses: [198.51.100.1/31, \"2001:db8:64:a::/127\"]}\n"
	"  - {name: pb, device: net_null0, vlan: 100, mac: 02:4e:41:00:00:01, mtu: 9000,\n"
	"     addresses: [192.0.2.1/29, \"2001:db8:64:b::1/64\"], source-check: loose}\n"
	"  - {name: pc, device: net_null1, mac: 02:4e:41:00:00:02, mtu: 1280, rate-limit: 1G,\n"
	"     addresses: [198.51.100.3/31, 203.0.113.1/24, \"2001:db8:64:c::/127\"],\n"
	"     egress-rate-limit: 1M, icmp-rate: 10, icmp-burst: 2}\n"
	"  - {name: pd, device: net_null2, vlan: 4094, mac: 02:4e:41:00:00:03, mac-lock: false,\n"
	"     addresses: [198.51.100.5/31, \"2001:db8:64:d::1/112\"], source-check: strict,\n"
	"     source-check-action: drop}\n"
	"  - {name: pe, device: net_null2, mac: 02:4e:41:00:00:03, mtu: 2000,\n"
	"     addresses: [198.51.100.7/31], source-check: prefixes, source-check-action: drop}\n"
	"members:\n"
	"  - {name: Alpha, asn: 64501, port: pa, routers: [{mac: 02:00:00:00:0a:01,\n"
	"     addresses: [198.51.100.0, \"2001:db8:64:a::1\", \"fe80::a\"]}],\n"
	"     prefixes: [10.1.0.0/16, \"2001:db8:a::/48\"]}\n"
	"  - {name: Beta, asn: 64502, port: pb, routers: [{mac: 02:00:00:00:0b:01,\n"
	"     addresses: [192.0.2.2, \"2001:db8:64:b::2\"]}, {mac: 02:00:00:00:0b:02,\n"
	"     addresses: [192.0.2.3, \"fe80::b2\"]}, {addresses: [192.0.2.4]}]}\n"
	"  - {name: Gamma, asn: 64503, port: pc, routers: [{mac: 02:00:00:00:0c:01,\n"
	"     addresses: [198.51.100.2, 203.0.113.9, \"2001:db8:64:c::1\"]}]}\n"
	"  - {name: Delta, asn: 64504, port: pd, routers: [{mac: 02:00:00:00:0d:01,\n"
	"     addresses: [198.51.100.4, \"2001:db8:64:d::2\"]}]}\n"
	"  - {name: Epsilon, asn: 64505, port: pe, routers: [{mac: 02:00:00:00:0e:01,\n"
	"     addresses: [198.51.100.6]}], prefixes: [10.5.0.0/16]}\n"
	"routes:\n"
	"  - {prefix: 0.0.0.0/0, via: [198.51.100.0]}\n"
	"  - {prefix: \"2000::/3\", via: [\"2001:db8:64:a::1\", \"2001:db8:64:c::1\"]}\n"
	"  - {prefix: 10.1.0.0/16, via: [198.51.100.0]}\n"
	"  - {prefix: 10.2.0.0/16, via: [192.0.2.2, {address: 192.0.2.3, weight: 3}]}\n"
	"  - {prefix: 10.3.0.0/16, via: [198.51.100.2]}\n"
	"  - {prefix: 10.4.0.0/16, via: [198.51.100.4, 192.0.2.4]}\n"
	"  - {prefix: 10.5.0.0/16, via: [198.51.100.6]}\n"
	"  - {prefix: 10.6.0.0/16, via: [\"fe80::a%pa\"]}\n"
	"  - {prefix: 10.7.0.0/24, via: [192.0.2.4]}\n"
	"  - {prefix: 10.7.1.0/24, blackhole: true}\n"
	"  - {prefix: 10.7.2.0/24, unreachable: true}\n"
	"  - {prefix: 10.7.3.129/32, prohibit: true}\n"
	"  - {prefix: \"2001:db8:b::/48\", via: [\"2001:db8:64:b::2\", \"fe80::b2%pb\"]}\n"
	"  - {prefix: \"2001:db8:c::/48\", via: [\"2001:db8:64:c::1\"]}\n"
	"  - {prefix: \"2001:db8:d::/48\", via: [\"2001:db8:64:d::2\"]}\n"
	"  - {prefix: \"2001:db8:e:1::/64\", blackhole: true}\n"
	"  - {prefix: \"2001:db8:e:2::7/128\", unreachable: true}\n"
	"  - {prefix: \"2001:db8:e:3::/65\", prohibit: true}\n";

static struct {
	struct model *model;
	struct dataplane *dp;
	struct worker *worker;
	struct snapshot *snapshot; /* what dp forwards by */
	struct rte_mempool *frames, *replies;

	/* of the pass that runs */
	struct rte_mbuf *waiting[FRAMES_MAX]; /* received next */
	unsigned int waiting_count, waiting_first;
	unsigned int accept; /* how many frames the devices still take */
	uint8_t around;      /* what stands around frames */
	uint64_t digest;     /* of all that was sent and dropped */
} fuzz;

static void __attribute__((noreturn, format(printf, 1, 2))) broken(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("broken: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	abort();
}

/* FNV-1a, a byte at a time. */
static void digest_add(const void *data, size_t size)
{
	const uint8_t *byte = data;

	for (size_t i = 0; i < size; i++)
		fuzz.digest = (fuzz.digest ^ byte[i]) * UINT64_C(0x100000001b3);
}

/* ---- what left ---- */

static void check_ipv4(const uint8_t *ip, uint32_t bytes)
{
	const struct rte_ipv4_hdr *header = (const void *)ip;
	uint32_t header_bytes = (ip[0] & 15) * 4;
	uint32_t sum = 0;

	if (ip[0] >> 4 != 4 || header_bytes < 20 || header_bytes > bytes)
		broken("IPv4 header begins with %02x in %u bytes", ip[0], bytes);
	for (uint32_t i = 0; i < header_bytes; i += 2)
		sum += ip[i] << 8 | ip[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	if (sum != 0xffff)
		broken("IPv4 checksum is off by %04x", 0xffff - sum);
	if (rte_be_to_cpu_16(header->total_length) > bytes ||
	    rte_be_to_cpu_16(header->total_length) < header_bytes)
		broken("IPv4 total length is %u of %u", rte_be_to_cpu_16(header->total_length),
		       bytes);
	if (header->time_to_live == 0)
		broken("sent with TTL 0");
}

static void check_ipv6(const uint8_t *ip, uint32_t bytes)
{
	const struct rte_ipv6_hdr *header = (const void *)ip;

	if (bytes < 40 || ip[0] >> 4 != 6)
		broken("IPv6 header begins with %02x in %u bytes", ip[0], bytes);
	if (rte_be_to_cpu_16(header->payload_len) + 40u > bytes)
		broken("IPv6 payload length is %u of %u", rte_be_to_cpu_16(header->payload_len),
		       bytes);
	if (header->hop_limits == 0)
		broken("sent with hop limit 0");
}

/* A frame as it left a device. */
static void check_sent(const uint8_t *frame, uint32_t bytes, uint16_t device)
{
	const struct snapshot_port *port;
	uint16_t type, vid = 0, number;
	uint32_t l2_bytes = 14;

	if (bytes < PADDED)
		broken("a frame of %u bytes left", bytes);
	type = frame[12] << 8 | frame[13];
	if (type == RTE_ETHER_TYPE_VLAN) {
		vid = frame[14] << 8 | frame[15];
		type = frame[16] << 8 | frame[17];
		l2_bytes = 18;
	}
	/* PCP and DEI are 0, so that the tag is the VID */
	number = vid < VLAN_MAX ? fuzz.snapshot->device[device].port[vid] : PORT_NONE;
	if (number == PORT_NONE)
		broken("tag %04x left device %u, which has no such port", vid, device);
	port = &fuzz.snapshot->port[number];
	if (memcmp(frame + 6, &port->mac, RTE_ETHER_ADDR_LEN) != 0)
		broken("left %s with another source MAC", port->name);
	/* padding apart, it fits */
	if (bytes > RTE_MAX(port->mtu + l2_bytes, (uint32_t)PADDED))
		broken("%u bytes left %s, whose MTU is %u", bytes, port->name, port->mtu);
	if (type == RTE_ETHER_TYPE_IPV4)
		check_ipv4(frame + l2_bytes, bytes - l2_bytes);
	else if (type == RTE_ETHER_TYPE_IPV6)
		check_ipv6(frame + l2_bytes, bytes - l2_bytes);
	else if (type != RTE_ETHER_TYPE_ARP)
		broken("a frame of type %04x left", type);
}

static uint16_t device_transmit(void *arg, struct rte_mbuf **frame, uint16_t n)
{
	uint16_t device = (uint16_t)(uintptr_t)arg;
	uint16_t taken = (uint16_t)RTE_MIN(n, fuzz.accept);
	uint8_t flat[FRAME_MAX + 64];

	fuzz.accept -= taken;
	for (uint16_t i = 0; i < taken; i++) {
		uint32_t bytes = rte_pktmbuf_pkt_len(frame[i]);
		const uint8_t *sent;

		if (bytes > sizeof(flat))
			broken("a frame of %u bytes left", bytes);
		sent = rte_pktmbuf_read(frame[i], 0, bytes, flat);
		if (!sent)
			broken("a frame of %u bytes holds less", bytes);
		check_sent(sent, bytes, device);
		digest_add(&device, sizeof(device));
		digest_add(sent, bytes);
		rte_pktmbuf_free(frame[i]);
	}
	return taken;
}

static void see_drop(void *ctx, const struct drop_event *event)
{
	(void)ctx;
	digest_add(&event->reason, sizeof(event->reason));
	digest_add(&event->port, sizeof(event->port));
	digest_add(&event->bytes, sizeof(event->bytes));
	if (event->reason == DROP_INTERNAL)
		broken("dropped as internal");
}

/* ---- what comes in ---- */

static uint16_t device_receive(void *arg, struct rte_mbuf **frame, uint16_t n)
{
	uint16_t given = 0;

	(void)arg;
	while (given < n && fuzz.waiting_first < fuzz.waiting_count)
		frame[given++] = fuzz.waiting[fuzz.waiting_first++];
	return given;
}

/*
 * A frame in a buffer of its own: fuzz.around stands on both sides of it, and
 * what lies behind it is out of bounds. Only where a short frame may be padded
 * in place there has to be room for that.
 */
static void frame_arrives(const uint8_t *data, uint32_t bytes, uint32_t wire_bytes,
			  uint64_t time_ns)
{
	struct rte_mbuf *frame = rte_pktmbuf_alloc(fuzz.frames);
	struct frame_origin *origin;
	uint32_t open;
	uint8_t *at;

	if (!frame)
		broken("frames were not given back");
	ASAN_UNPOISON_MEMORY_REGION(frame->buf_addr, frame->buf_len);
	at = rte_pktmbuf_mtod(frame, uint8_t *);
	memset(frame->buf_addr, fuzz.around, rte_pktmbuf_headroom(frame));
	memcpy(at, data, bytes);
	memset(at + bytes, fuzz.around, MARGIN);
	frame->data_len = (uint16_t)bytes;
	frame->pkt_len = bytes;
	/* a tag that goes moves the frame's begin, and the end of its padding with it */
	open = PADDED + (bytes > 13 && at[12] == 0x81 && at[13] == 0 ? RTE_VLAN_HLEN : 0);
	open = bytes < FORWARDABLE ? bytes : RTE_MAX(bytes, open);
	if (cpu_path() != CPU_SCALAR)
		open = RTE_MAX(open, bytes + MARGIN);
	ASAN_POISON_MEMORY_REGION(at + open,
				  (uint8_t *)frame->buf_addr + frame->buf_len - at - open);
	origin = rte_mbuf_to_priv(frame);
	origin->number = fuzz.waiting_count;
	origin->time_ns = time_ns;
	origin->wire_bytes = wire_bytes;
	fuzz.waiting[fuzz.waiting_count++] = frame;
}

static void poll_device(uint16_t device)
{
	const struct rxq queue = { device_receive, NULL, device };

	while (fuzz.waiting_first < fuzz.waiting_count)
		if (worker_poll(fuzz.worker, &queue) == 0)
			broken("a worker left frames waiting");
	fuzz.waiting_first = fuzz.waiting_count = 0;
}

static void toggle_link(uint16_t device)
{
	uint16_t port = fuzz.snapshot->device[device].fallback_port;

	dataplane_set_link(fuzz.dp, port, !dataplane_link(fuzz.dp, port));
}

/* Every record of the input, in order; frames of one device in a row make a burst. */
static void run(const uint8_t *data, size_t size, uint8_t around)
{
	uint64_t time_ns = 1000000;
	unsigned int device = 0;

	fuzz.around = around;
	fuzz.accept = UINT32_MAX;
	fuzz.digest = UINT64_C(0xcbf29ce484222325);
	/* as at the start of a run: no bucket was used yet */
	memset(fuzz.worker->meters, 0, fuzz.snapshot->ports * sizeof(*fuzz.worker->meters));
	for (uint32_t port = 0; port < fuzz.snapshot->ports; port++)
		dataplane_set_link(fuzz.dp, port, true);
	for (size_t at = 0; at + 3 <= size;) {
		uint8_t flags = data[at];
		uint32_t bytes = data[at + 1] | data[at + 2] << 8;

		at += 3;
		bytes = RTE_MIN(bytes, (uint32_t)FRAME_MAX);
		bytes = RTE_MIN(bytes, (uint32_t)(size - at));
		if ((flags & RECORD_DEVICE) % DEVICES != device ||
		    fuzz.waiting_count == FRAMES_MAX || flags & (RECORD_REFUSE | RECORD_LINK))
			poll_device(device);
		device = (flags & RECORD_DEVICE) % DEVICES;
		if (flags & RECORD_REFUSE)
			fuzz.accept = bytes % 4;
		if (flags & RECORD_LINK)
			toggle_link(device);
		time_ns += UINT64_C(1000) << (2 * (flags >> RECORD_WAIT_SHIFT));
		frame_arrives(data + at, bytes, bytes + (flags & RECORD_CUT ? 100 : 0), time_ns);
		at += bytes;
	}
	poll_device(device);
}

/* ---- the books ---- */

static void add(struct tally *sum, const struct tally *more)
{
	sum->packets += more->packets;
	sum->bytes += more->bytes;
}

static void check_port(const struct port_counters *port, struct port_counters *sum)
{
	struct tally known = { 0 };

	add(&known, &port->forwarded);
	add(&known, &port->consumed);
	for (unsigned int reason = 0; reason < REASON_COUNT; reason++)
		add(&known, &port->drop[reason]);
	if (port->received.packets != known.packets || port->received.bytes != known.bytes)
		broken("received %lu packets %lu bytes, but %lu and %lu came to an end",
		       port->received.packets, port->received.bytes, known.packets, known.bytes);
	add(&sum->forwarded, &port->forwarded);
	add(&sum->transmitted, &port->transmitted);
	add(&sum->originated, &port->originated);
	add(&sum->stray, &port->stray);
	add(&sum->fragments, &port->fragments);
}

static uint64_t matrix_packets(void)
{
	uint16_t parties = model_parties(fuzz.model);
	uint64_t packets = 0;

	for (uint16_t in = 0; in < parties; in++)
		for (uint16_t out = 0; out < parties; out++)
			for (int ipv6 = 0; ipv6 < 2; ipv6++)
				packets += counters_matrix(fuzz.dp, in, out, ipv6).packets;
	return packets;
}

static void check_books(void)
{
	struct port_counters sum = { 0 };

	for (uint32_t i = 0; i < fuzz.snapshot->ports; i++) {
		struct port_counters port = { 0 };

		counters_port(fuzz.dp, (uint16_t)i, &port);
		check_port(&port, &sum);
	}
	if (sum.transmitted.packets != sum.forwarded.packets + sum.fragments.packets +
					       sum.stray.packets + sum.originated.packets)
		broken("transmitted %lu: %lu forwarded, %lu fragments, %lu stray, %lu originated",
		       sum.transmitted.packets, sum.forwarded.packets, sum.fragments.packets,
		       sum.stray.packets, sum.originated.packets);
	if (matrix_packets() != sum.forwarded.packets)
		broken("the matrix holds %lu packets, %lu were forwarded", matrix_packets(),
		       sum.forwarded.packets);
	if (rte_mempool_avail_count(fuzz.frames) != BUFFERS ||
	    rte_mempool_avail_count(fuzz.replies) != BUFFERS)
		broken("buffers were not given back: %u and %u of %u are there",
		       rte_mempool_avail_count(fuzz.frames), rte_mempool_avail_count(fuzz.replies),
		       BUFFERS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t digest;

	cpu_path_set(CPU_SCALAR);
	run(data, size, 0x00);
	digest = fuzz.digest;
	for (enum cpu_path path = CPU_SCALAR; path <= CPU_BEST; path++) {
		if (cpu_path_set(path) != path)
			break; /* this CPU has no more */
		run(data, size, 0xff);
		if (fuzz.digest != digest)
			broken("what stands around frames, or %s code, changes what becomes of them",
			       cpu_path_name(path));
	}
	check_books();
	return 0;
}

/* Everything that stays until the process ends. */
static void set_up(void)
{
	const uint16_t room = RTE_PKTMBUF_HEADROOM + FRAME_MAX + MARGIN;
	struct dataplane_config config = { .workers = 1, .offline = true };
	struct problems problems = { 0 };
	struct config *settings;

	fuzz.frames = test_eal_pool(BUFFERS, room);
	fuzz.replies = test_eal_pool(BUFFERS, room);
	/* only scalar code keeps within the bounds of the frame itself */
	cpu_path_set(POISONS ? CPU_SCALAR : CPU_BEST);
	settings = config_parse(exchange, sizeof(exchange) - 1, "exchange", &problems);
	fuzz.model =
		settings ? model_create(settings, &(struct model_options){ 0 }, &problems) : NULL;
	problems_print(&problems);
	fuzz.snapshot = fuzz.model ? model_snapshot(fuzz.model) : NULL;
	if (!fuzz.snapshot)
		broken("the exchange cannot be set up");
	config.parties = model_parties(fuzz.model);
	config.transmit_queues = DEVICES;
	config.hooks.drop = see_drop;
	fuzz.dp = dataplane_create(&config);
	if (!fuzz.dp)
		broken("the dataplane cannot be set up");
	fuzz.worker = dataplane_worker(fuzz.dp, 0);
	worker_set_pool(fuzz.worker, fuzz.replies);
	for (uint32_t port = 0; port < fuzz.snapshot->ports; port++) {
		uint16_t device = fuzz.snapshot->port[port].device;
		struct txq queue = { device_transmit, (void *)(uintptr_t)device };

		worker_set_transmit(fuzz.worker, (uint16_t)port, device, queue);
	}
	snapshot_publish(fuzz.dp, fuzz.snapshot);
	worker_online(fuzz.worker);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	/* tables are mapped, where LeakSanitizer sees no pointers to what else is kept */
	__lsan_disable();
	set_up();
	__lsan_enable();
	return 0;
}
