// SPDX-License-Identifier: BSD-3-Clause
/* Opens and closes DPDK devices, and moves frames between their queues and workers. */
#include "device.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_spinlock.h>

#include "cores.h"
#include "device_claim.h"
#include "device_files.h"
#include "device_link.h"
#include "log.h"

#define RX_DESCRIPTORS 1024
#define TX_DESCRIPTORS 1024
#define RING_BYTES     (4u << 20) /* of af_packet */
#define PORT_CLOSED    UINT16_MAX
#define VLAN_TAG_BYTES 4u
/* of a ring's frame: the kernel's header, Ethernet, tags */
#define FRAME_OVERHEAD_BYTES 128u

/* One end of a queue, as a worker holds it. port: control writes, the worker reads. */
struct queue_handle {
	uint16_t port; /* ethdev port, PORT_CLOSED: gives and takes nothing */
	uint16_t queue;
	rte_spinlock_t *shared; /* of a transmit queue that several workers use */
};

static struct queue_handle receive_handles[DEVICE_MAX][WORKER_MAX];
static struct queue_handle transmit_handles[DEVICE_MAX][WORKER_MAX];
static rte_spinlock_t transmit_locks[DEVICE_MAX][WORKER_MAX];

struct device {
	struct device_wish wish;
	char *name;        /* of wish: the configuration it comes from goes with a reload */
	uint16_t mtu_room; /* the largest MTU that it can do as it was opened */
	uint16_t port;
	struct rte_eth_dev_info eth;
	uint16_t receive_queues, transmit_queues;
	struct rte_ether_addr mac;
	struct rte_ether_addr mac_before; /* its own, when mac_changed */
	bool mac_changed;
	int claim;                          /* of what no other napd may have meanwhile; -1: none */
	char kernel_interface[IF_NAMESIZE]; /* "" when the driver's own word on the link counts */
	unsigned int kernel_index;
	struct device_files files; /* that the driver has open on it */
	uint64_t missed;           /* by the kernel, in the driver's place */
};

/* Losses survive a device that is closed and opened again, but not its number's next owner. */
static struct device_losses past_losses[DEVICE_MAX];
static char *past_name[DEVICE_MAX];

/* ethdev ports that a struct device has. */
static bool taken[RTE_MAX_ETHPORTS];

/* ---- queues ---- */

static uint16_t receive(void *arg, struct rte_mbuf **frame, uint16_t n)
{
	const struct queue_handle *h = arg;
	const uint16_t port = __atomic_load_n(&h->port, __ATOMIC_ACQUIRE);

	return unlikely(port == PORT_CLOSED) ? 0 : rte_eth_rx_burst(port, h->queue, frame, n);
}

static uint16_t transmit(void *arg, struct rte_mbuf **frame, uint16_t n)
{
	const struct queue_handle *h = arg;
	const uint16_t port = __atomic_load_n(&h->port, __ATOMIC_ACQUIRE);
	uint16_t sent;

	if (unlikely(port == PORT_CLOSED))
		return 0;
	if (likely(!h->shared))
		return rte_eth_tx_burst(port, h->queue, frame, n);
	if (!rte_spinlock_trylock(h->shared))
		return TRANSMIT_BUSY;
	sent = rte_eth_tx_burst(port, h->queue, frame, n);
	rte_spinlock_unlock(h->shared);
	return sent;
}

static __attribute__((constructor)) void handles_close(void)
{
	for (int d = 0; d < DEVICE_MAX; d++)
		for (int q = 0; q < WORKER_MAX; q++)
			receive_handles[d][q].port = transmit_handles[d][q].port = PORT_CLOSED;
}

struct rxq device_rxq(uint16_t index, uint16_t queue)
{
	return (struct rxq){ receive, &receive_handles[index][queue], index };
}

struct txq device_txq(uint16_t index, uint16_t worker)
{
	return (struct txq){ transmit, &transmit_handles[index][worker] };
}

static void handles_open(struct device *d)
{
	const uint16_t index = d->wish.index;
	const bool shared = d->transmit_queues < d->wish.workers;

	for (uint16_t q = 0; q < d->receive_queues; q++) {
		receive_handles[index][q].queue = q;
		__atomic_store_n(&receive_handles[index][q].port, d->port, __ATOMIC_RELEASE);
	}
	for (uint16_t k = 0; k < d->wish.workers; k++) {
		struct queue_handle *h = &transmit_handles[index][k];

		h->queue = k % d->transmit_queues;
		h->shared = shared ? &transmit_locks[index][h->queue] : NULL;
		__atomic_store_n(&h->port, d->port, __ATOMIC_RELEASE);
	}
	if (shared)
		log_info("device", "%s has %u transmit queues for %u workers: they share",
			 d->wish.name, d->transmit_queues, d->wish.workers);
}

void device_shut(struct device *d)
{
	for (uint16_t q = 0; q < WORKER_MAX; q++) {
		__atomic_store_n(&receive_handles[d->wish.index][q].port, PORT_CLOSED,
				 __ATOMIC_RELEASE);
		__atomic_store_n(&transmit_handles[d->wish.index][q].port, PORT_CLOSED,
				 __ATOMIC_RELEASE);
	}
}

/* ---- the kernel interface behind a virtual device ---- */

/* The value of key in a device string: "net_tap0,iface=t0" has iface t0. */
static bool argument(const char *device, const char *key, char *value, size_t size)
{
	const size_t length = strlen(key);

	for (const char *at = strchr(device, ','); at; at = strchr(at, ',')) {
		at++;
		if (strncmp(at, key, length) == 0 && at[length] == '=') {
			snprintf(value, size, "%.*s", (int)strcspn(at + length + 1, ","),
				 at + length + 1);
			return true;
		}
	}
	return false;
}

static bool starts_with(const char *device, const char *driver)
{
	return strncmp(device, driver, strlen(driver)) == 0;
}

static bool is_tap(const char *device)
{
	return starts_with(device, "net_tap");
}

/* Drivers that sit on an interface of the kernel that exists before them. */
static bool on_kernel_interface(const char *device)
{
	return starts_with(device, "net_af_packet") || starts_with(device, "net_af_xdp");
}

/* Drivers whose iface= is one of the kernel, and not a socket's path as vhost's is. */
bool device_kernel_interface(const char *device, char *name)
{
	return on_kernel_interface(device) && argument(device, "iface", name, IF_NAMESIZE);
}

static bool has_kernel_interface(const char *device)
{
	return on_kernel_interface(device) || is_tap(device) || starts_with(device, "net_pcap");
}

bool device_has_surroundings(const char *device)
{
	return has_kernel_interface(device);
}

uint64_t device_surroundings(const char *device)
{
	struct ifreq request = { 0 };
	char name[IF_NAMESIZE];
	uint64_t found = 0;
	int s;

	if (!has_kernel_interface(device) || !argument(device, "iface", name, sizeof(name)))
		return 0;
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(s, SIOCGIFINDEX, &request) == 0)
		found = (uint64_t)request.ifr_ifindex << 32;
	if (found && ioctl(s, SIOCGIFMTU, &request) == 0)
		found |= (uint64_t)(request.ifr_mtu & 0xffff) << 16;
	if (found && ioctl(s, SIOCGIFFLAGS, &request) == 0)
		found |= (uint16_t)request.ifr_flags & (IFF_UP | IFF_RUNNING);
	if (s >= 0)
		close(s);
	return found;
}

/* Set the MTU of an interface; drivers on top of it refuse to. 0 or a negative errno. */
static int interface_set_mtu(const char *name, uint16_t mtu, int *had)
{
	struct ifreq request = { 0 };
	const int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc = 0;

	if (s < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(s, SIOCGIFMTU, &request) != 0) {
		rc = -errno;
	} else {
		*had = request.ifr_mtu;
		request.ifr_mtu = mtu;
		if (*had < mtu && ioctl(s, SIOCSIFMTU, &request) != 0)
			rc = -errno;
	}
	close(s);
	return rc;
}

static int prepare_interface(struct device *d, char error[DEVICE_ERROR_MAX])
{
	const uint16_t mtu = d->wish.mtu + (d->wish.tagged ? VLAN_TAG_BYTES : 0);
	int had = 0, rc;

	if (!has_kernel_interface(d->wish.name))
		return 0;
	if (!argument(d->wish.name, "iface", d->kernel_interface, sizeof(d->kernel_interface))) {
		if (!on_kernel_interface(d->wish.name))
			return 0;
		snprintf(error, DEVICE_ERROR_MAX, "needs iface=NAME in the device string");
		return -EINVAL;
	}
	if (!on_kernel_interface(d->wish.name))
		return 0;
	rc = interface_set_mtu(d->kernel_interface, mtu, &had);
	if (rc == -ENODEV)
		snprintf(error, DEVICE_ERROR_MAX, "there is no interface %s here",
			 d->kernel_interface);
	else if (rc != 0)
		snprintf(error, DEVICE_ERROR_MAX,
			 "mtu %u does not fit interface %s, whose MTU is %d: %s", mtu,
			 d->kernel_interface, had, strerror(-rc));
	return rc;
}

/* af_packet wants buffers as wide as its ring's frames, which are powers of two. */
uint32_t device_frame_room(uint16_t mtu)
{
	uint32_t frame = 2048;

	while (frame < mtu + FRAME_OVERHEAD_BYTES)
		frame *= 2;
	return frame;
}

/* What a device opened for a wish can do without being opened again. */
static uint16_t mtu_room(const struct device_wish *wish)
{
	char have[16];

	if (!starts_with(wish->name, "net_af_packet") ||
	    argument(wish->name, "framesz", have, sizeof(have)) ||
	    argument(wish->name, "framecnt", have, sizeof(have)))
		return wish->mtu;
	return (uint16_t)(device_frame_room(wish->mtu) - FRAME_OVERHEAD_BYTES);
}

/*
 * The device string with what napd completes in it: frames of af_packet as wide as the MTU, and
 * enough of them for what a busy sender sends while the worker looks elsewhere.
 */
static int complete(const struct device_wish *wish, char *text, size_t size)
{
	char have[16];
	const uint32_t frame = device_frame_room(wish->mtu);
	int n;

	if (starts_with(wish->name, "net_af_packet") &&
	    !argument(wish->name, "framesz", have, sizeof(have)) &&
	    !argument(wish->name, "framecnt", have, sizeof(have)))
		n = snprintf(text, size, "%s,framesz=%u,blocksz=%u,framecnt=%u", wish->name, frame,
			     RTE_MAX(frame, 4096u), RING_BYTES / frame);
	else
		n = snprintf(text, size, "%s", wish->name);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* ---- opening ---- */

/* Drivers say -1 for anything: what they meant is in what they log. */
static void probe_error(const struct device_wish *wish, int rc, char error[DEVICE_ERROR_MAX])
{
	const char *why = rc == -1 || rc == -EFAULT ? "no such driver, or it says why above"
						    : rte_strerror(abs(rc));

	if (starts_with(wish->name, "net_"))
		snprintf(
			error, DEVICE_ERROR_MAX,
			"DPDK cannot make this device (%s); are its arguments right, and what they "
			"name there?",
			why);
	else
		snprintf(error, DEVICE_ERROR_MAX,
			 "DPDK finds no such device (%s); `napd doctor` says why", why);
}

static int probe(struct device *d, char error[DEVICE_ERROR_MAX])
{
	char devargs[512], name[64];
	uint16_t port;
	int rc;

	if (complete(&d->wish, devargs, sizeof(devargs)) != 0) {
		snprintf(error, DEVICE_ERROR_MAX, "the device string is too long");
		return -ENAMETOOLONG;
	}
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(d->wish.name, ","), d->wish.name);
	if (rte_eth_dev_get_port_by_name(name, &port) != 0) {
		rc = rte_dev_probe(devargs);
		if (rc == 0)
			rc = rte_eth_dev_get_port_by_name(name, &port);
		if (rc != 0) {
			probe_error(&d->wish, rc, error);
			return rc < 0 ? rc : -ENODEV;
		}
	}
	if (taken[port]) {
		snprintf(error, DEVICE_ERROR_MAX, "%s is open already, by another device string",
			 name);
		return -EBUSY;
	}
	taken[port] = true;
	d->port = port;
	return 0;
}

static void choose_queues(struct device *d)
{
	const uint16_t most_rx = d->eth.max_rx_queues, most_tx = d->eth.max_tx_queues;
	const bool rss = d->eth.flow_type_rss_offloads != 0;
	uint16_t wanted = d->wish.receive_queues;

	if (wanted == 0)
		wanted = rss ? d->wish.rss_queues : 1;
	/* without RSS what spreads frames is not ours, and may split a flow or reassemble it */
	d->receive_queues = RTE_MAX(RTE_MIN(wanted, most_rx), 1);
	d->transmit_queues = RTE_MAX(RTE_MIN(d->wish.workers, most_tx), 1);
	if (is_tap(d->wish.name))
		d->receive_queues = d->transmit_queues =
			RTE_MAX(d->receive_queues, d->transmit_queues);
	d->receive_queues = RTE_MIN(d->receive_queues, WORKER_MAX);
}

/* The largest IP MTU: some drivers know only what frames they can. */
static uint32_t most_mtu(const struct device *d)
{
	const uint32_t overhead = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
	uint32_t mtu = d->eth.max_mtu;

	if (mtu == UINT16_MAX && d->eth.max_rx_pktlen > overhead)
		mtu = RTE_MIN(mtu, d->eth.max_rx_pktlen - overhead);
	return mtu;
}

static struct rte_eth_conf configuration(const struct device *d)
{
	const uint64_t rss = d->eth.flow_type_rss_offloads &
			     (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
	struct rte_eth_conf conf = { 0 };

	if (d->receive_queues > 1 && rss) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = rss;
	}
	if (!on_kernel_interface(d->wish.name)) {
		/* a NIC has room for a tag from the start: a VLAN more shall not restart it */
		const bool tag = d->wish.tagged || !starts_with(d->wish.name, "net_");

		conf.rxmode.mtu = RTE_MIN(d->wish.mtu + (tag ? VLAN_TAG_BYTES : 0u), most_mtu(d));
	}
	return conf;
}

static int check_mtu(const struct device *d, char error[DEVICE_ERROR_MAX])
{
	if (on_kernel_interface(d->wish.name) || most_mtu(d) >= d->wish.mtu)
		return 0;
	snprintf(error, DEVICE_ERROR_MAX,
		 "mtu %u is more than the %u that the device can; give its ports less", d->wish.mtu,
		 most_mtu(d));
	return -ERANGE;
}

static int setup_queues(struct device *d, struct rte_mempool *pool)
{
	uint16_t rx = RX_DESCRIPTORS, tx = TX_DESCRIPTORS;
	int rc = rte_eth_dev_adjust_nb_rx_tx_desc(d->port, &rx, &tx);

	if (rc == -ENOTSUP)
		rc = 0;
	for (uint16_t q = 0; rc == 0 && q < d->receive_queues; q++)
		rc = rte_eth_rx_queue_setup(d->port, q, rx, pool->socket_id, NULL, pool);
	for (uint16_t q = 0; rc == 0 && q < d->transmit_queues; q++)
		rc = rte_eth_tx_queue_setup(d->port, q, tx, pool->socket_id, NULL);
	return rc;
}

/*
 * The device's own MAC is that of the kernel's interface, who is the peer here: it keeps it, and
 * the port has another. The driver hears everything.
 */
static void set_tap_mac(struct device *d)
{
	rte_eth_macaddr_get(d->port, &d->mac);
	d->mac.addr_bytes[5] ^= 1;
	if (d->wish.has_mac)
		d->mac = d->wish.mac;
}

/* Own MAC where the driver can, else hear everything; neighbour discovery is multicast. */
static void set_filters(struct device *d)
{
	bool promiscuous = false;

	if (is_tap(d->wish.name)) {
		set_tap_mac(d);
	} else if (d->wish.has_mac) {
		d->mac = d->wish.mac;
		rte_eth_macaddr_get(d->port, &d->mac_before);
		d->mac_changed = rte_eth_dev_default_mac_addr_set(d->port, &d->mac) == 0;
		promiscuous = !d->mac_changed;
	} else {
		rte_eth_macaddr_get(d->port, &d->mac);
	}
	if (rte_eth_allmulticast_enable(d->port) != 0)
		promiscuous = true;
	if (promiscuous && rte_eth_promiscuous_enable(d->port) != 0)
		log_warning("device",
			    "%s takes neither its MAC nor promiscuous mode; frames may "
			    "not reach it",
			    d->wish.name);
}

static int configure(struct device *d, struct rte_mempool *pool, char error[DEVICE_ERROR_MAX])
{
	struct rte_eth_conf conf;
	const char *what = "is not configured";
	int rc = rte_eth_dev_info_get(d->port, &d->eth);

	if (rc == 0)
		rc = check_mtu(d, error);
	if (rc != 0)
		return rc;
	choose_queues(d);
	conf = configuration(d);
	rc = rte_eth_dev_configure(d->port, d->receive_queues, d->transmit_queues, &conf);
	if (rc == 0) {
		what = "gets no queues";
		rc = setup_queues(d, pool);
	}
	if (rc == 0) {
		what = "does not start";
		rc = rte_eth_dev_start(d->port);
	}
	if (rc != 0) {
		snprintf(error, DEVICE_ERROR_MAX, "%s: %s", what, rte_strerror(-rc));
		return rc;
	}
	set_filters(d);
	return 0;
}

/* Whose losses are counted under a number now. False: no memory. */
static bool remember(uint16_t index, const char *name)
{
	char *copy;

	if (past_name[index] && strcmp(past_name[index], name) == 0)
		return true;
	copy = strdup(name);
	if (!copy)
		return false;
	free(past_name[index]);
	past_name[index] = copy;
	past_losses[index] = (struct device_losses){ 0 };
	return true;
}

static void find_files(struct device *d)
{
	d->kernel_index = if_nametoindex(d->kernel_interface);
	if (is_tap(d->wish.name))
		device_files_of_tap(&d->files, d->kernel_interface);
	else if (on_kernel_interface(d->wish.name))
		device_files_of_packet(&d->files, d->kernel_interface);
}

static int claim(struct device *d, char error[DEVICE_ERROR_MAX])
{
	char name[IF_NAMESIZE];
	const bool kernel =
		device_kernel_interface(d->wish.name, name) ||
		(is_tap(d->wish.name) && argument(d->wish.name, "iface", name, sizeof(name)));

	if (!kernel && !host_is_pci(d->wish.name))
		return 0;
	d->claim = device_claim(kernel ? name : d->wish.name);
	if (d->claim >= 0)
		return 0;
	snprintf(error, DEVICE_ERROR_MAX, "%s",
		 d->claim == -EADDRINUSE ? "another napd has it" : strerror(-d->claim));
	return d->claim;
}

int device_open(const struct device_wish *wish, struct rte_mempool *pool, struct device **device,
		char error[DEVICE_ERROR_MAX])
{
	struct device *d = calloc(1, sizeof(*d));
	int rc;

	if (!d) {
		snprintf(error, DEVICE_ERROR_MAX, "no memory");
		return -ENOMEM;
	}
	d->wish = *wish;
	d->wish.name = d->name = strdup(wish->name);
	d->port = PORT_CLOSED;
	d->claim = -1;
	if (!d->name || !remember(wish->index, wish->name)) {
		snprintf(error, DEVICE_ERROR_MAX, "no memory");
		device_close(d);
		return -ENOMEM;
	}
	rc = claim(d, error);
	if (rc == 0)
		rc = prepare_interface(d, error);
	if (rc == 0)
		rc = probe(d, error);
	if (rc == 0)
		rc = configure(d, pool, error);
	if (rc != 0) {
		device_close(d);
		return rc;
	}
	find_files(d);
	d->mtu_room = mtu_room(&d->wish);
	handles_open(d);
	*device = d;
	return 0;
}

void device_close(struct device *d)
{
	struct rte_eth_dev_info info;

	if (!d)
		return;
	if (d->port != PORT_CLOSED) {
		device_losses(d, &past_losses[d->wish.index]);
		/* the rte_device outlives its port, and is what a new probe would find taken */
		if (rte_eth_dev_info_get(d->port, &info) != 0)
			info.device = NULL;
		/* a kernel interface keeps what it is given, and would have it at the next opening
		 */
		if (d->mac_changed)
			rte_eth_dev_default_mac_addr_set(d->port, &d->mac_before);
		rte_eth_dev_stop(d->port);
		rte_eth_dev_close(d->port);
		taken[d->port] = false;
		if (info.device)
			rte_dev_remove(info.device);
	}
	if (d->claim >= 0)
		close(d->claim);
	free(d->name);
	free(d);
}

/* ---- other wishes ---- */

const char *device_restart_reason(const struct device *d, const struct device_wish *wish,
				  char text[DEVICE_REASON_MAX])
{
	const char *reason = NULL;

	if (wish->mtu > d->mtu_room) {
		snprintf(text, DEVICE_REASON_MAX, "mtu %u is more than the %u it was opened for",
			 wish->mtu, d->mtu_room);
		return text;
	}
	if (wish->has_mac != d->wish.has_mac ||
	    (wish->has_mac && !rte_is_same_ether_addr(&wish->mac, &d->wish.mac)))
		reason = "its MAC changes";
	else if (wish->receive_queues != d->wish.receive_queues)
		reason = "its number of queues changes";
	if (reason)
		snprintf(text, DEVICE_REASON_MAX, "%s", reason);
	return reason ? text : NULL;
}

void device_adapt(struct device *d, const struct device_wish *wish)
{
	const uint16_t mtu = wish->mtu + (wish->tagged ? VLAN_TAG_BYTES : 0);
	int had = 0, rc;

	d->wish.tagged = wish->tagged;
	d->wish.speed_bps = wish->speed_bps;
	if (!on_kernel_interface(d->wish.name))
		return;
	rc = interface_set_mtu(d->kernel_interface, mtu, &had);
	if (rc != 0)
		log_warning("device", "mtu %u does not fit interface %s, whose MTU is %d: %s", mtu,
			    d->kernel_interface, had, strerror(-rc));
}

/* ---- looking at one ---- */

void device_info(const struct device *d, struct device_info *info)
{
	struct rte_eth_link link = { 0 };

	*info = (struct device_info){
		.mac = d->mac,
		.numa_node = rte_eth_dev_socket_id(d->port),
		.receive_queues = d->receive_queues,
		.transmit_queues = d->transmit_queues,
		.virtual = starts_with(d->wish.name, "net_"),
		.speed_bps = d->wish.speed_bps,
	};
	snprintf(info->driver, sizeof(info->driver), "%s", d->eth.driver_name);
	if (rte_eth_link_get_nowait(d->port, &link) == 0) {
		info->link_up = link.link_status;
		if (!info->speed_bps && link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN)
			info->speed_bps = link.link_speed * UINT64_C(1000000);
	}
}

void device_losses(struct device *d, struct device_losses *losses)
{
	struct rte_eth_stats stats;

	if (on_kernel_interface(d->wish.name))
		d->missed += device_packet_missed(&d->files);

	*losses = past_losses[d->wish.index];
	if (rte_eth_stats_get(d->port, &stats) != 0)
		return;
	losses->receive_missed += stats.imissed + d->missed;
	losses->receive_no_buffer += stats.rx_nombuf;
	losses->receive_errors += stats.ierrors;
	losses->transmit_errors += stats.oerrors;
}

/* A virtio-user device that connects to the other end, and by itself does it once. */
static bool is_client(const char *device)
{
	char server[8];

	return starts_with(device, "net_virtio_user") &&
	       !(argument(device, "server", server, sizeof(server)) && strcmp(server, "1") == 0);
}

bool device_poll_link(struct device *d, bool *vanished)
{
	struct rte_eth_link link = { 0 };

	*vanished = rte_eth_dev_is_removed(d->port) == 1;
	if (*vanished)
		return false;
	if (is_tap(d->wish.name))
		return device_tap_up(&d->files, vanished);
	if (d->kernel_interface[0])
		return device_link_up(d->kernel_interface, d->kernel_index, vanished);
	if (rte_eth_link_get_nowait(d->port, &link) == 0 && link.link_status)
		return true;
	/* its socket is dead for good: only a new device finds the other end again */
	*vanished = is_client(d->wish.name);
	return false;
}
