/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Host access: a TAP of the kernel for each port that wants one, over which BGP, BFD,
 * ping and traceroute of the host work. What workers punt goes in, what the host
 * sends goes out by the port, if it may; its questions for neighbours are answered
 * here. Interfaces are persistent, and the service manager keeps their descriptors,
 * so that they keep their carrier over a restart. Control thread.
 */
#ifndef NAPD_TAP_H
#define NAPD_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct runtime;
struct taps;

/* Of one port, all in packets; never reset while the port has its TAP. */
struct tap_counters {
	uint64_t to_host;
	uint64_t from_host;  /* left to a worker, to be sent */
	uint64_t unwanted;   /* "host-unwanted": what of the host's may not leave */
	uint64_t unresolved; /* the next hop's MAC is not known */
	uint64_t lost;       /* no room in the TAP, no buffer, or no room in the ring to a worker */
};

/* Borrows rt, whose model, pool, neighbours and event base it uses. NULL without memory. */
struct taps *taps_create(struct runtime *rt);
/* Let go of the descriptors; the interfaces stay as they are. NULL is allowed. */
void taps_free(struct taps *taps);

/* Bring the TAPs to what rt's configuration wants and the snapshot in force has: after each
 * publication that changes ports, their addresses or MACs. */
void taps_update(struct taps *taps, uint64_t now_ns);

/* Hand over what workers punted; every millisecond. */
void taps_poll(struct taps *taps);

/* Carriers follow links, questions get their answers, failures are tried again; every 10 ms. */
void taps_tick(struct taps *taps, uint64_t now_ns);

/*
 * The kernel's index of a port's TAP; 0: it has none that works. The generation changes when any
 * of them does: an interface that somebody deleted is made anew, and has another.
 */
uint32_t taps_interface(const struct taps *taps, uint16_t port);
unsigned int taps_generation(const struct taps *taps);

/* False: the port has no TAP. error: why it does not work, or NULL. */
bool taps_counters(const struct taps *taps, uint16_t port, struct tap_counters *counters,
		   const char **error);

#endif
