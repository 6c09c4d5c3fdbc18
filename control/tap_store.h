/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The service manager's store of descriptors (sd_notify(3), FDSTORE=1), in which TAPs outlive a
 * restart: a TAP that loses its last holder loses its carrier, and BGP with it. Without a
 * service manager nothing is kept and nothing found. Control thread.
 */
#ifndef NAPD_TAP_STORE_H
#define NAPD_TAP_STORE_H

/* Take what was kept for us from the environment. Once, at start. */
void tap_store_open(void);

/* The kept TAP of that name, to the caller; -1: none. */
int tap_store_take(const char *name);

/* Have it kept, beside the caller's own descriptor. */
void tap_store_keep(const char *name, int fd);

/* Keep it no longer. */
void tap_store_drop(const char *name);

/* Interfaces of ports that are no more go: everything that nobody took. */
void tap_store_close(void);

#endif
