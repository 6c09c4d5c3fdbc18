// SPDX-License-Identifier: BSD-3-Clause
/* Stage option: IPv4 source routes are refused (RFC 7126 4.3, 4.4); other options are left alone.
 */
#include "worker.h"

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_LSRR = 131, OPTION_SSRR = 137 };

/* Options that cannot be parsed are nobody's source route. */
static bool has_source_route(const uint8_t *option, uint32_t bytes)
{
	for (uint32_t at = 0; at < bytes && option[at] != OPTION_END;) {
		if (option[at] == OPTION_LSRR || option[at] == OPTION_SSRR)
			return true;
		if (option[at] == OPTION_NOP) {
			at++;
			continue;
		}
		if (at + 1 >= bytes || option[at + 1] < 2)
			return false;
		at += option[at + 1];
	}
	return false;
}

void stage_option(struct burst *b, struct worker *w)
{
	(void)w;
	if (b->ipv6)
		return;
	for (uint64_t judge = b->sets.unproven; judge; judge &= judge - 1) {
		const uint32_t i = __builtin_ctzll(judge);
		const uint8_t *ip = b->l3[i];

		if (unlikely(ip[0] > 0x45) && has_source_route(ip + 20, (ip[0] & 0xf) * 4u - 20))
			burst_drop(b, i, DROP_IPV4_SOURCE_ROUTE);
	}
}
