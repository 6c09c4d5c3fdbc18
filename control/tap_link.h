/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's side of a TAP: the interface, its addresses and its carrier, made
 * in napd's own network namespace by ioctl and rtnetlink. Control thread.
 */
#ifndef NAPD_TAP_LINK_H
#define NAPD_TAP_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_ether.h>

#include "config.h"

#define TAP_ERROR_MAX 192

/*
 * Make the TAP of that name, or take one that is there without a holder. It is
 * persistent: it stays when its holder ends. Returns a non-blocking descriptor to the
 * caller, or a negative errno with one sentence in error that says the mend.
 */
int tap_link_open(const char *name, char error[TAP_ERROR_MAX]);

/* Is fd the TAP of that name? */
bool tap_link_is(int fd, const char *name);

/* The index of the interface as the kernel has it now; 0: somebody deleted it; was: it cannot be
 * found out, for want of descriptors say. */
uint32_t tap_link_index(int fd, uint32_t was);

/* From now on the interface goes with its last holder. */
void tap_link_forget(int fd);

void tap_link_carrier(int fd, bool up);

/*
 * Have the kernel take nothing in by an interface that napd reads with packet sockets: with the
 * TAP's addresses on the same host, it would answer what comes in there a second time. False: it
 * has addresses of its own, and stays as it is.
 */
bool tap_link_mute(const char *interface);

/* What an interface shall be. All borrowed. */
struct tap_link_wish {
	const char *name;
	const struct rte_ether_addr *mac; /* NULL: as it is */
	uint16_t mtu;
	const struct interface_address *addresses; /* all that it shall have */
	size_t address_count;
	const struct ip_address *link_local; /* NULL: as it is */
};

/*
 * Bring the interface to that and set it up; what is right already is not touched. 0 or a
 * negative errno with one sentence in error.
 */
int tap_link_apply(const struct tap_link_wish *wish, char error[TAP_ERROR_MAX]);

#endif
