// SPDX-License-Identifier: BSD-3-Clause
/* Queueing a burst, with AVX-512. */
#include "depart.h"

void depart_avx512(struct worker *w, const struct burst *b, const struct departures *d)
{
	depart_burst(w, b, d);
}
