/* SPDX-License-Identifier: BSD-3-Clause */
/* Which napd has a kernel interface or NIC: one at a time, or each frame would be forwarded twice.
 */
#ifndef NAPD_DEVICE_CLAIM_H
#define NAPD_DEVICE_CLAIM_H

/*
 * Claim what is so named, in this network namespace and until the descriptor is closed or the
 * process has ended, however it does. Returns a descriptor, or a negative errno: -EADDRINUSE,
 * another has it.
 */
int device_claim(const char *name);

#endif
