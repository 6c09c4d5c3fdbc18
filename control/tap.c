// SPDX-License-Identifier: BSD-3-Clause
/* Moves frames between workers and the TAPs of ports, and keeps the TAPs as the ports are. */
#include "tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <event2/event.h>
#include <rte_mbuf.h>

#include "address.h"
#include "ask.h"
#include "host_frame.h"
#include "log.h"
#include "runtime.h"
#include "tap_link.h"
#include "tap_store.h"

#define MODULE "tap"

#define SECOND_NS        UINT64_C(1000000000)
#define RETRY_NS         (5 * SECOND_NS)
#define RETRY_LONGEST_NS (60 * SECOND_NS)
#define QUESTION_NS      (3 * SECOND_NS) /* the kernel asks three times, a second apart */
#define LOOK_NS          SECOND_NS       /* whether the interface is still there */
#define QUESTIONS_MAX    32              /* a port; RFC 6583 */
/* How long a link may need after a restart before a TAP that was up shows it as down. */
#define GRACE_NS (10 * SECOND_NS)

#define FRAME_MIN_BYTES 60
#define FRAME_MAX_BYTES 65536
#define DELIVER_BATCH   64 /* of a class, worker and millisecond */
#define READ_BATCH      64

enum carrier { CARRIER_UNKNOWN, CARRIER_DOWN, CARRIER_UP };

/* The host wants a MAC that is being asked for. */
struct question {
	struct ip_address target, asker;
	uint64_t until_ns;
};

struct tap {
	struct tap *next;
	struct taps *taps;
	char name[16];
	uint16_t port; /* PORT_NONE: of no port of the configuration now */
	int fd;        /* -1: does not work, error says why */
	struct event *readable;
	enum carrier carrier;
	bool adopted; /* it had its carrier when this process came */
	bool applied; /* the interface is as the port is */
	uint64_t retry_ns;
	unsigned int attempts;
	uint32_t interface; /* the kernel's index; 0: unknown, or gone */
	uint64_t look_ns;   /* when to look for it again */
	char error[TAP_ERROR_MAX];
	struct tap_counters counters;
	struct question question[QUESTIONS_MAX];
	unsigned int questions;
};

struct taps {
	struct runtime *rt;
	struct tap *first;
	struct tap *by_port[PORT_MAX];
	uint64_t start_ns;
	unsigned int generation;
	bool store_open;
	uint8_t buffer[FRAME_MAX_BYTES];
};

/* ---- to the host ---- */

static void deliver(struct taps *taps, const struct punt_frame *item)
{
	struct tap *tap = taps->by_port[item->port];
	const struct snapshot_port *port = dataplane_port(taps->rt->dp, item->port);
	const uint8_t *l2 = rte_pktmbuf_mtod(item->frame, const uint8_t *);
	uint8_t head[RTE_ETHER_HDR_LEN];
	const void *l3 =
		rte_pktmbuf_read(item->frame, item->l3_offset, item->l3_bytes, taps->buffer);
	const uint16_t type = item->ipv6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4;
	struct iovec parts[2] = { { head, sizeof(head) },
				  { (void *)(uintptr_t)l3, item->l3_bytes } };

	if (!tap || !port)
		return; /* it went while the frame was on its way */
	memcpy(head, &port->mac, RTE_ETHER_ADDR_LEN);
	memcpy(head + RTE_ETHER_ADDR_LEN, l2 + RTE_ETHER_ADDR_LEN, RTE_ETHER_ADDR_LEN);
	head[12] = type >> 8;
	head[13] = type & 0xff;
	if (tap->fd >= 0 && l3 && writev(tap->fd, parts, 2) > 0)
		tap->counters.to_host++;
	else
		tap->counters.lost++;
}

void taps_poll(struct taps *taps)
{
	struct punt_frame item[DELIVER_BATCH];

	/* routing first, and none waits for more than a batch of another */
	for (int which = 0; which < PUNT_CLASSES; which++) {
		for (unsigned int w = 0; w < taps->rt->workers; w++) {
			const unsigned int n =
				punt_receive_frames(taps->rt->dp, w, which, item, DELIVER_BATCH);

			for (unsigned int i = 0; i < n; i++) {
				deliver(taps, &item[i]);
				rte_pktmbuf_free(item[i].frame);
			}
		}
	}
}

/* ---- from the host: packets ---- */

static bool next_hop_mac(const struct tap *tap, const struct host_frame *f,
			 struct rte_ether_addr *mac)
{
	const struct model *model = tap->taps->rt->model;

	if (f->on_link)
		return model_neighbour_mac(model, tap->port, &f->target, mac);
	*mac = f->next_hop;
	return model_has_neighbour_at(model, tap->port, mac);
}

/* The frame as it leaves by the port, or NULL without a buffer. Returns to the caller. */
static struct rte_mbuf *frame_build(const struct tap *tap, const struct snapshot_port *port,
				    const struct host_frame *f, const struct rte_ether_addr *mac)
{
	const uint32_t l2_bytes = port->vlan ? 18 : 14;
	const uint32_t bytes = RTE_MAX(l2_bytes + f->l3_bytes, (uint32_t)FRAME_MIN_BYTES);
	struct rte_mbuf *frame = rte_pktmbuf_alloc(tap->taps->rt->pool);
	uint8_t *l2 = frame ? (uint8_t *)rte_pktmbuf_append(frame, bytes) : NULL;
	const uint16_t type = f->target.ipv6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4;

	if (!l2) {
		rte_pktmbuf_free(frame);
		return NULL;
	}
	memcpy(l2, mac, RTE_ETHER_ADDR_LEN);
	memcpy(l2 + 6, &port->mac, RTE_ETHER_ADDR_LEN);
	if (port->vlan) {
		l2[12] = RTE_ETHER_TYPE_VLAN >> 8;
		l2[13] = RTE_ETHER_TYPE_VLAN & 0xff;
		l2[14] = port->vlan >> 8;
		l2[15] = port->vlan & 0xff;
	}
	l2[l2_bytes - 2] = type >> 8;
	l2[l2_bytes - 1] = type & 0xff;
	memcpy(l2 + l2_bytes, tap->taps->buffer + f->l3_offset, f->l3_bytes);
	memset(l2 + l2_bytes + f->l3_bytes, 0, bytes - l2_bytes - f->l3_bytes);
	return frame;
}

static void answer(struct tap *tap, const struct snapshot_port *port,
		   const struct ip_address *target, const struct ip_address *asker,
		   const struct rte_ether_addr *mac)
{
	uint8_t frame[HOST_ANSWER_MAX];
	const size_t bytes = host_answer(port, target, asker, mac, frame);

	if (write(tap->fd, frame, bytes) < 0)
		tap->counters.lost++;
}

static void send_packet(struct tap *tap, const struct snapshot_port *port,
			const struct host_frame *f)
{
	struct rte_ether_addr mac;
	struct rte_mbuf *frame;

	if (!next_hop_mac(tap, f, &mac)) {
		tap->counters.unresolved++;
		return;
	}
	frame = frame_build(tap, port, f, &mac);
	if (frame && inject(tap->taps->rt->dp, 0, tap->port, frame) == 0) {
		tap->counters.from_host++;
	} else {
		rte_pktmbuf_free(frame);
		tap->counters.lost++;
	}
}

/* ---- from the host: questions for neighbours ---- */

static void resolve(const struct tap *tap, const struct ip_address *target, uint64_t now_ns)
{
	const struct punt punt = {
		.kind = PUNT_RESOLVE,
		.ipv6 = target->ipv6,
		.port = tap->port,
		.nexthop = LEAF_NO_ROUTE, /* no gateway: the address itself */
		.address = target->key,
	};

	neighbours_punt(tap->taps->rt->neighbours, &punt, now_ns);
}

/* Kept until the neighbour is known, or the host has given it up. */
static void question_keep(struct tap *tap, const struct host_frame *f, uint64_t now_ns)
{
	struct question q = { f->target, f->asker, now_ns + QUESTION_NS };

	for (unsigned int i = 0; i < tap->questions; i++) {
		if (ip_address_equal(&tap->question[i].target, &f->target)) {
			tap->question[i] = q;
			return;
		}
	}
	if (tap->questions < QUESTIONS_MAX)
		tap->question[tap->questions++] = q;
}

static void take_question(struct tap *tap, const struct snapshot_port *port,
			  const struct host_frame *f)
{
	const struct runtime *rt = tap->taps->rt;
	const uint64_t now_ns = dataplane_now_ns(rt->dp);
	struct rte_ether_addr mac;

	if (!model_may_have_neighbour(rt->model, tap->port, &f->target)) {
		tap->counters.unwanted++;
	} else if (model_neighbour_mac(rt->model, tap->port, &f->target, &mac)) {
		answer(tap, port, &f->target, &f->asker, &mac);
	} else {
		question_keep(tap, f, now_ns);
		resolve(tap, &f->target, now_ns);
	}
}

static void questions_tick(struct tap *tap, const struct snapshot_port *port, uint64_t now_ns)
{
	const unsigned int n = tap->questions;
	struct rte_ether_addr mac;

	tap->questions = 0;
	for (unsigned int i = 0; i < n; i++) {
		const struct question q = tap->question[i];

		if (model_neighbour_mac(tap->taps->rt->model, tap->port, &q.target, &mac))
			answer(tap, port, &q.target, &q.asker, &mac);
		else if (now_ns < q.until_ns)
			tap->question[tap->questions++] = q;
	}
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct tap *tap = arg;
	struct taps *taps = tap->taps;
	const struct snapshot_port *port = dataplane_port(taps->rt->dp, tap->port);

	(void)what;
	for (int i = 0; port && i < READ_BATCH; i++) {
		const ssize_t n = read(fd, taps->buffer, sizeof(taps->buffer));
		struct host_frame f;

		if (n <= 0)
			return;
		f = host_frame_judge(port, taps->buffer, n);
		if (f.verdict == HOST_PACKET)
			send_packet(tap, port, &f);
		else if (f.verdict == HOST_QUESTION)
			take_question(tap, port, &f);
		else
			tap->counters.unwanted++;
	}
}

/* ---- making and keeping them ---- */

static void failed(struct tap *tap, const char *error, uint64_t now_ns)
{
	tap->retry_ns = now_ns + RTE_MIN(RETRY_NS << RTE_MIN(tap->attempts, 8u), RETRY_LONGEST_NS);
	tap->attempts++;
	if (strcmp(tap->error, error) != 0)
		log_error(MODULE, "%s: %s; it is tried again", tap->name, error);
	snprintf(tap->error, sizeof(tap->error), "%s", error);
}

/* At most once a second, and not all at once. */
static void look(struct tap *tap, uint64_t now_ns)
{
	const uint32_t interface = tap->fd >= 0 ? tap_link_index(tap->fd, tap->interface) : 0;

	tap->taps->generation += interface != tap->interface;
	tap->interface = interface;
	tap->look_ns = now_ns + LOOK_NS + tap->port % 64 * (LOOK_NS / 64);
}

/* Its descriptor: kept over a restart, or new. */
static void tap_open(struct tap *tap, uint64_t now_ns)
{
	char error[TAP_ERROR_MAX] = "no memory";

	tap->carrier = CARRIER_UNKNOWN;
	tap->fd = tap_store_take(tap->name);
	tap->adopted = tap->fd >= 0;
	if (!tap->adopted)
		tap->fd = tap_link_open(tap->name, error);
	if (tap->fd >= 0)
		tap->readable = event_new(tap->taps->rt->base, tap->fd, EV_READ | EV_PERSIST,
					  on_readable, tap);
	if (tap->fd < 0 || !tap->readable || event_add(tap->readable, NULL) != 0) {
		if (tap->readable)
			event_free(tap->readable);
		tap->readable = NULL;
		if (tap->fd >= 0)
			close(tap->fd);
		tap->fd = -1;
		failed(tap, error, now_ns);
		return;
	}
	if (!tap->adopted)
		tap_store_keep(tap->name, tap->fd);
	look(tap, now_ns);
	log_info(MODULE, tap->adopted ? "%s is as it was before the restart" : "%s is there",
		 tap->name);
}

static void tap_apply(struct tap *tap, const struct config_port *config, uint64_t now_ns)
{
	const struct runtime *rt = tap->taps->rt;
	const struct snapshot_port *port = dataplane_port(rt->dp, tap->port);
	const struct runtime_device *device = &rt->devices[model_port_device(rt->model, tap->port)];
	/* before its device is open, what stands for the MAC is not the device's */
	const bool mac_known = port && (config->has_mac || device->device);
	const struct ip_address link_local = { .key = port ? port->link_local
							   : (struct ipv6_key){ 0, 0 },
					       .ipv6 = true };
	const struct tap_link_wish wish = {
		.name = tap->name,
		.mac = mac_known ? &port->mac : NULL,
		.mtu = config->mtu,
		.addresses = config->addresses,
		.address_count = config->address_count,
		.link_local = mac_known || config->has_link_local ? &link_local : NULL,
	};
	char error[TAP_ERROR_MAX];

	tap->applied = tap_link_apply(&wish, error) == 0;
	if (!tap->applied) {
		failed(tap, error, now_ns);
		return;
	}
	tap->error[0] = '\0';
	tap->attempts = 0;
}

/* The kernel has the port's addresses now, and hears its frames if the device is its own too. */
static void mute_device(const char *device)
{
	char name[16];

	if (device_kernel_interface(device, name) && !tap_link_mute(name))
		log_warning(MODULE,
			    "%s has addresses of its own, so the kernel answers there too "
			    "(ip addr flush dev %s)",
			    name, name);
}

/* Somebody deleted the interface: the descriptor is of no use any more. */
static void tap_lost(struct tap *tap)
{
	log_warning(MODULE, "%s was deleted; it is made anew", tap->name);
	tap_store_drop(tap->name);
	event_free(tap->readable);
	tap->readable = NULL;
	close(tap->fd);
	tap->fd = -1;
	tap->retry_ns = 0;
}

static void tap_update(struct tap *tap, uint64_t now_ns)
{
	const struct runtime *rt = tap->taps->rt;
	const size_t i = model_config_port(rt->model, tap->port);

	if (i == SIZE_MAX)
		return;
	if (tap->fd < 0)
		tap_open(tap, now_ns);
	if (tap->fd < 0)
		return;
	mute_device(rt->config->ports[i].device);
	tap_apply(tap, &rt->config->ports[i], now_ns);
}

static void tap_close(struct tap *tap)
{
	if (tap->readable)
		event_free(tap->readable);
	if (tap->fd >= 0)
		close(tap->fd);
	free(tap);
}

/* The port has gone, or wants no TAP any more: the interface goes. */
static void tap_remove(struct tap *tap)
{
	log_info(MODULE, "%s goes with its port", tap->name);
	if (tap->fd >= 0) {
		tap_link_forget(tap->fd);
		tap_store_drop(tap->name);
	}
	tap_close(tap);
}

static struct tap *tap_named(struct taps *taps, const char *name)
{
	struct tap *tap;

	for (tap = taps->first; tap; tap = tap->next)
		if (strcmp(tap->name, name) == 0)
			return tap;
	tap = calloc(1, sizeof(*tap));
	if (!tap) {
		log_error(MODULE, "%s: no memory for its TAP", name);
		return NULL;
	}
	snprintf(tap->name, sizeof(tap->name), "%s", name);
	tap->taps = taps;
	tap->fd = -1;
	tap->next = taps->first;
	taps->first = tap;
	return tap;
}

static void remove_unused(struct taps *taps)
{
	for (struct tap **at = &taps->first; *at;) {
		struct tap *tap = *at;

		if (tap->port != PORT_NONE) {
			at = &tap->next;
			continue;
		}
		*at = tap->next;
		tap_remove(tap);
	}
}

void taps_update(struct taps *taps, uint64_t now_ns)
{
	const struct runtime *rt = taps->rt;

	for (struct tap *tap = taps->first; tap; tap = tap->next)
		tap->port = PORT_NONE;
	memset(taps->by_port, 0, sizeof(taps->by_port));
	for (size_t i = 0; i < rt->config->port_count; i++) {
		struct tap *tap = rt->config->ports[i].tap
					  ? tap_named(taps, rt->config->ports[i].name)
					  : NULL;

		if (!tap)
			continue;
		tap->port = model_port_number(rt->model, i);
		taps->by_port[tap->port] = tap;
	}
	taps->generation++;
	remove_unused(taps);
	for (struct tap *tap = taps->first; tap; tap = tap->next)
		tap_update(tap, now_ns);
	if (taps->store_open)
		tap_store_close();
	taps->store_open = false;
	taps_tick(taps, now_ns);
}

static void follow_link(struct tap *tap, uint64_t now_ns)
{
	const bool up = runtime_port_up(tap->taps->rt, tap->port);
	const enum carrier carrier = up ? CARRIER_UP : CARRIER_DOWN;

	if (tap->carrier == carrier)
		return;
	/* a restart is no reason to take sessions down while the device opens */
	if (!up && tap->adopted && now_ns - tap->taps->start_ns < GRACE_NS)
		return;
	tap_link_carrier(tap->fd, up);
	tap->carrier = carrier;
}

void taps_tick(struct taps *taps, uint64_t now_ns)
{
	for (struct tap *tap = taps->first; tap; tap = tap->next) {
		const struct snapshot_port *port = dataplane_port(taps->rt->dp, tap->port);

		if (tap->fd >= 0 && now_ns >= tap->look_ns) {
			look(tap, now_ns);
			if (!tap->interface)
				tap_lost(tap);
		}
		if ((tap->fd < 0 || !tap->applied) && now_ns >= tap->retry_ns)
			tap_update(tap, now_ns);
		if (tap->fd < 0)
			continue;
		follow_link(tap, now_ns);
		if (tap->questions && port)
			questions_tick(tap, port, now_ns);
	}
}

struct taps *taps_create(struct runtime *rt)
{
	struct taps *taps = calloc(1, sizeof(*taps));

	if (!taps)
		return NULL;
	taps->rt = rt;
	taps->start_ns = dataplane_now_ns(rt->dp);
	taps->store_open = true;
	tap_store_open();
	return taps;
}

void taps_free(struct taps *taps)
{
	while (taps && taps->first) {
		struct tap *tap = taps->first;

		taps->first = tap->next;
		tap_close(tap);
	}
	free(taps);
}

uint32_t taps_interface(const struct taps *taps, uint16_t port)
{
	const struct tap *tap = port < PORT_MAX ? taps->by_port[port] : NULL;

	return tap && tap->fd >= 0 ? tap->interface : 0;
}

unsigned int taps_generation(const struct taps *taps)
{
	return taps->generation;
}

bool taps_counters(const struct taps *taps, uint16_t port, struct tap_counters *counters,
		   const char **error)
{
	const struct tap *tap = port < PORT_MAX ? taps->by_port[port] : NULL;

	*counters = (struct tap_counters){ 0 };
	if (!tap)
		return false;
	*counters = tap->counters;
	*error = tap->error[0] ? tap->error : NULL;
	return true;
}
