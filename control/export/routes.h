/* SPDX-License-Identifier: BSD-3-Clause */
/* How routes look in answers: show_routes.c writes them, show_list.c lists them. */
#ifndef NAPD_EXPORT_ROUTES_H
#define NAPD_EXPORT_ROUTES_H

#include <stdbool.h>

#include "answer.h"
#include "rib.h"

/* A route as an object, and on the rest of a line. */
json_t *route_json(const struct runtime *rt, const struct rib_route *route, bool ipv6);
void route_print(struct asking *a, const json_t *row);

/* How far BGP updates have been played, as an object, and as a line. */
struct load_view;
json_t *load_json(const struct load_view *view);
void load_print(struct asking *a, const struct load_view *view);

#endif
