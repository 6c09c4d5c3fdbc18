/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices: whatever DPDK can drive, by PCI address or vdev string, opened,
 * watched and retried. All functions: control thread.
 */
#ifndef NAPD_DEVICE_H
#define NAPD_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>

#include "dataplane.h"

struct rte_mempool;
struct device;

#define DEVICE_ERROR_MAX 256

/* What the configuration wants of a device: its ports' wishes together. */
struct device_wish {
	const char *name; /* device string of the configuration; borrowed for the device's life */
	uint16_t index;   /* number of the device in snapshots */
	uint16_t mtu;     /* largest IP MTU of its ports */
	bool tagged;      /* some port of it has a VLAN */
	bool has_mac;
	struct rte_ether_addr mac;
	uint16_t receive_queues; /* 0: auto, rss_queues where RSS is there, else one */
	uint16_t rss_queues;
	uint16_t workers;
	uint64_t speed_bps; /* 0: the link's own */
};

struct device_info {
	char driver[32];
	struct rte_ether_addr mac;
	int numa_node; /* -1: unknown */
	uint16_t receive_queues, transmit_queues;
	bool link_up;
	uint64_t speed_bps; /* 0: unknown */
	bool virtual;       /* no NIC: idles adaptively by default */
};

/* Room for a frame of an IP MTU in a buffer, headroom apart, that satisfies every driver. */
uint32_t device_frame_room(uint16_t mtu);

/* What the device lost by itself, outside of received. */
struct device_losses {
	uint64_t receive_missed, receive_no_buffer, receive_errors, transmit_errors;
};

/*
 * Open and start a device. Returns 0 and the device to the caller, or a negative
 * errno and one sentence that names the place and the mend in error; nothing of
 * it is left open then, and it may be tried again.
 */
int device_open(const struct device_wish *wish, struct rte_mempool *pool, struct device **device,
		char error[DEVICE_ERROR_MAX]);

/*
 * Why the device would have to be opened anew for another wish of it (in text); NULL: it need
 * not, and device_adapt() makes it so while frames go on. A tag more or less never needs it.
 */
#define DEVICE_REASON_MAX 80
const char *device_restart_reason(const struct device *device, const struct device_wish *wish,
				  char text[DEVICE_REASON_MAX]);
void device_adapt(struct device *device, const struct device_wish *wish);

/*
 * The interface of the kernel that a device string sits on, whose frames the kernel sees too
 * (af_packet, af_xdp). name has room for 16 bytes. False: none. Any thread.
 */
bool device_kernel_interface(const char *device, char *name);

/*
 * What stands under the name of a device's kernel interface now, as one number: which interface,
 * its MTU and flags. A failure to open the device need not end the same once it is another. 0:
 * there is none, or the device has none. Any thread.
 */
uint64_t device_surroundings(const char *device);
bool device_has_surroundings(const char *device);

/*
 * From now on the queues of the device give and take nothing. Workers may still be
 * inside them: close only after a grace period (what was retired afterwards is released).
 */
void device_shut(struct device *device);

/* Stop and close; shut it first. Takes device; NULL is allowed. */
void device_close(struct device *device);

void device_info(const struct device *device, struct device_info *info);

/* Read the losses; grows only, also over a reopened device. */
void device_losses(struct device *device, struct device_losses *losses);

/*
 * The queues of device number index, as workers use them: handles that stay valid
 * for the life of the process, whether a device of that number is open or not.
 * queue and worker below WORKER_MAX. A shared transmit queue is taken by trylock.
 */
struct rxq device_rxq(uint16_t index, uint16_t queue);
struct txq device_txq(uint16_t index, uint16_t worker);

/*
 * Look at the link: the PMD's word, or for drivers that always say up the state of
 * the kernel interface. Returns whether it is up; false too when the device has vanished
 * (*vanished then true). Cheap; called every 10 ms and on netlink events.
 */
bool device_poll_link(struct device *device, bool *vanished);

/* A descriptor that becomes readable when a kernel interface changes, for all devices; -1: none. */
int device_watch_fd(void);
void device_watch_drain(void);

#endif
