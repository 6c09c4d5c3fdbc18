/* SPDX-License-Identifier: BSD-3-Clause */
/* Links of kernel interfaces, for drivers whose own word is always "up". Control thread. */
#ifndef NAPD_DEVICE_LINK_H
#define NAPD_DEVICE_LINK_H

#include <stdbool.h>

/* Whether an interface is up and has carrier; false and *vanished when it is gone. */
bool device_link_up(const char *interface, bool *vanished);

#endif
