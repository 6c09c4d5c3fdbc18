// SPDX-License-Identifier: BSD-3-Clause
/* Hands the configuration's routes, which its parser has checked, to the model. */
#include "static.h"

#include <errno.h>

#include "../model_state.h"
#include "../problem.h"

/* Why a route of the configuration is not used; NULL: it is. */
static const char *refusal(int rc)
{
	switch (rc) {
	case -ENOSPC:
		return "is beyond dataplane.capacity and not used";
	case -EADDRNOTAVAIL:
		return "is link-local and never routed";
	case -ENETUNREACH:
		return "has no next hop on any port's subnet and is not used";
	default:
		return NULL;
	}
}

int feed_static_load(struct model *model, struct problems *problems)
{
	const struct config *config = model->config;

	for (size_t i = 0; i < config->route_count; i++) {
		const struct config_route *from = &config->routes[i];
		const struct route route = { from->prefix, from->kind, from->via, from->via_count };
		int rc = model_route_set(model, ROUTE_STATIC, &route);
		char text[IP_TEXT_MAX];

		if (rc == -ENOMEM)
			return rc;
		if (refusal(rc))
			problem_warning(problems, from->place, "routes", "%s %s",
					ip_prefix_text(&from->prefix, text), refusal(rc));
	}
	return 0;
}
