/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether every packet is accounted for, while traffic goes on. Control thread. */
#ifndef NAPD_ACCOUNTING_H
#define NAPD_ACCOUNTING_H

#include "runtime.h"

/* What was counted when it was last looked, by port number. */
struct accounting {
	struct accounting_port {
		uint64_t received, settled; /* packets: forwarded, consumed, dropped */
		int64_t error;
	} port[PORT_MAX];
	uint16_t next; /* where to look on */
	int64_t error; /* what runtime_accounting_error() says: the sum */
};

/*
 * Look again, at so many ports that it takes no time to speak of; every 100 ms or so. What had been
 * received when it was last looked has left the workers by now, or waits for a neighbour; what had
 * been settled then had been received.
 */
void accounting_look(struct accounting *a, const struct runtime *rt);

#endif
