/* SPDX-License-Identifier: BSD-3-Clause */
/* Links of kernel interfaces, for drivers whose own word is always "up". Control thread. */
#ifndef NAPD_DEVICE_LINK_H
#define NAPD_DEVICE_LINK_H

#include <stdbool.h>

/*
 * Whether an interface is up and has carrier; false and *vanished when it is gone, or another
 * than that of the index has its name.
 */
bool device_link_up(const char *interface, unsigned int index, bool *vanished);

#endif
