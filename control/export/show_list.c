// SPDX-License-Identifier: BSD-3-Clause
/*
 * Commands that go over the whole table: in parts of a step of control's loop each, of which
 * napctl asks for one after the other, so that a million routes stall nothing.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "answer.h"
#include "audit.h"
#include "model_state.h"
#include "routes.h"

#define PART_NODES 4096 /* looked at */
#define PART_ROWS  256  /* written */

/* ---- what is asked for ---- */

struct filter {
	bool has_prefix, longer, shorter;
	struct ip_prefix prefix;
	enum route_source source; /* ROUTE_NONE: any */
	size_t member;            /* in the configuration; SIZE_MAX: any */
	bool has_via;
	struct ip_address via;
};

struct listing {
	struct asking *a;
	struct filter filter;
	bool ipv6, full;
	struct prefix_key last;
};

static bool source_named(struct asking *a, const char *name, enum route_source *source)
{
	for (unsigned int s = ROUTE_NONE + 1; s < ROUTE_SOURCES; s++)
		if (strcmp(route_source_name(s), name) == 0) {
			*source = s;
			return true;
		}
	answer_fail(a, 2,
		    "show routes: there is no source %s; there are connected, static, file, "
		    "fpm, kernel, mrt",
		    name);
	return false;
}

static bool member_named(struct asking *a, const char *name, size_t *member)
{
	const struct config *config = a->rt->config;

	for (size_t m = 0; m < config->member_count; m++)
		if (strcmp(config->members[m].name, name) == 0) {
			*member = m;
			return true;
		}
	answer_fail(a, 2, "show routes: there is no member %s (napctl show members)", name);
	return false;
}

static bool read_word(struct asking *a, struct filter *f, const char *word, const char *value)
{
	if (strcmp(word, "source") == 0)
		return source_named(a, value, &f->source);
	if (strcmp(word, "member") == 0)
		return member_named(a, value, &f->member);
	if (ip_address_parse(value, &f->via) == 0) {
		f->has_via = true;
		return true;
	}
	answer_fail(a, 2, "show routes: via %s: is no address", value);
	return false;
}

static bool read_filter(struct asking *a, struct filter *f)
{
	static const char takes[] = "show routes: takes [PREFIX [longer | shorter]] [source NAME] "
				    "[member NAME] [via ADDRESS]";
	int i = 0;

	*f = (struct filter){ .member = SIZE_MAX };
	if (a->argc && ip_prefix_parse(a->argv[0], &f->prefix) == 0) {
		f->has_prefix = true;
		i++;
	}
	for (; i < a->argc; i++) {
		const char *word = a->argv[i];

		if (f->has_prefix && strcmp(word, "longer") == 0) {
			f->longer = true;
		} else if (f->has_prefix && strcmp(word, "shorter") == 0) {
			f->shorter = true;
		} else if (i + 1 < a->argc &&
			   (strcmp(word, "source") == 0 || strcmp(word, "member") == 0 ||
			    strcmp(word, "via") == 0)) {
			if (!read_word(a, f, word, a->argv[++i]))
				return false;
		} else {
			answer_fail(a, 2, "%s (%s is none of these)", takes, word);
			return false;
		}
	}
	return true;
}

/* ---- which routes are ---- */

static bool hop_fits(const struct listing *l, uint32_t index)
{
	const struct model *model = l->a->rt->model;
	const struct hop *hop = &model->hops.hop[index];
	const struct filter *f = &l->filter;

	if (f->has_via && !ip_address_equal(&hop->key.gateway, &f->via))
		return false;
	return f->member == SIZE_MAX || strcmp(model_party_name(model, hop->party),
					       l->a->rt->config->members[f->member].name) == 0;
}

static bool leaf_fits(const struct listing *l, uint32_t leaf)
{
	const struct hops *hops = &l->a->rt->model->hops;

	if (l->filter.member == SIZE_MAX && !l->filter.has_via)
		return true;
	if (leaf < LEAF_FIRST_FREE)
		return false;
	if (!(leaf & LEAF_GROUP))
		return hop_fits(l, leaf);
	for (uint32_t i = 0; i < hops->group[leaf & ~LEAF_GROUP].choices; i++)
		if (hop_fits(l, hops->group[leaf & ~LEAF_GROUP].choice[i].hop))
			return true;
	return false;
}

/* Addresses of the exchange and of neighbours are no prefixes to people, unless they ask for them.
 */
static void list_route(void *arg, const struct rib_route *route)
{
	struct listing *l = arg;
	enum route_source wanted = l->filter.source;
	json_t *row;

	if (l->full)
		return;
	if (wanted == ROUTE_NONE ? route->source == ROUTE_LOCAL || route->source == ROUTE_ADJACENT
				 : route->source != wanted)
		return;
	if (!leaf_fits(l, route->leaf))
		return;
	row = route_json(l->a->rt, route, l->ipv6);
	json_array_append_new(l->a->json, row);
	fprintf(l->a->text, "%-24s %-10s ", json_string_value(json_object_get(row, "prefix")),
		route_source_name(route->source));
	route_print(l->a, row);
	l->last = route->prefix;
	l->full = json_array_size(l->a->json) == PART_ROWS;
}

static void list_shorter(struct listing *l)
{
	struct ip_prefix p = l->filter.prefix;
	struct rib_route route;

	for (unsigned int length = 0; length <= l->filter.prefix.key.length; length++) {
		const struct ip_address address = { l->filter.prefix.key.address, p.ipv6 };

		p = ip_prefix_of(&address, length);
		if (rib_cover(l->a->rt->model->rib, &p, &route) && route.prefix.length == length)
			list_route(l, &route);
	}
}

/* Where the last part ended. False: there is none that says so. */
static bool read_cursor(struct asking *a, struct ip_prefix *after)
{
	if (!a->after)
		return false;
	if (ip_prefix_parse(a->after, after) == 0)
		return true;
	answer_fail(a, 2, "show routes: %s is no place to go on from", a->after);
	return false;
}

static void set_cursor(struct asking *a, struct prefix_key key, bool ipv6)
{
	const struct ip_prefix last = { key, ipv6 };
	char text[IP_TEXT_MAX];

	a->next = strdup(ip_prefix_text(&last, text));
}

/* A part of everything inside a prefix, or of all there is. */
static void list_inside(struct listing *l)
{
	struct filter *f = &l->filter;
	struct ip_prefix after, range = { 0 };
	const bool resumed = read_cursor(l->a, &after);

	if (l->a->error)
		return;
	for (l->ipv6 = f->has_prefix ? f->prefix.ipv6 : resumed && after.ipv6;; l->ipv6 = true) {
		struct prefix_key last;
		bool more;

		range.ipv6 = l->ipv6;
		more = rib_walk_part(l->a->rt->model->rib, f->has_prefix ? &f->prefix : &range,
				     resumed && after.ipv6 == l->ipv6 ? &after.key : NULL,
				     PART_NODES, list_route, l, &last);
		if (l->full || more) {
			set_cursor(l->a, l->full ? l->last : last, l->ipv6);
			return;
		}
		if (l->ipv6 || f->has_prefix)
			return;
	}
}

/* The route of exactly this prefix; if there is none, where to look. */
static void list_exact(struct listing *l)
{
	struct rib_route route;
	const bool found = rib_cover(l->a->rt->model->rib, &l->filter.prefix, &route);

	l->ipv6 = l->filter.prefix.ipv6;
	if (found && route.prefix.length == l->filter.prefix.key.length)
		list_route(l, &route);
}

void show_routes(struct asking *a)
{
	struct listing l = { .a = a };

	if (!read_filter(a, &l.filter))
		return;
	a->json = json_array();
	l.ipv6 = l.filter.prefix.ipv6;
	model_lock(a->rt->model);
	if (l.filter.shorter)
		list_shorter(&l);
	if (l.filter.has_prefix && !l.filter.longer && !l.filter.shorter)
		list_exact(&l);
	else if (l.filter.longer || !l.filter.has_prefix)
		list_inside(&l);
	model_unlock(a->rt->model);
	if (!a->error && !a->after && !a->next && json_array_size(a->json) == 0)
		fprintf(a->text, "no such route%s\n",
			l.filter.has_prefix && !l.filter.longer && !l.filter.shorter
				? "; PREFIX longer shows those inside it, PREFIX shorter those "
				  "around it"
				: "");
}

/* ---- fib audit ---- */

struct finding {
	struct asking *a;
	bool ipv6;
};

static void tell_difference(void *arg, const struct audit_difference *d)
{
	struct finding *f = arg;
	const struct ip_prefix prefix = { d->prefix, d->ipv6 };
	char address[IP_TEXT_MAX], text[IP_TEXT_MAX];

	ip_address_text(&d->address, address);
	ip_prefix_text(&prefix, text);
	json_array_append_new(f->a->json, json_pack("{s:s,s:s,s:I,s:I}", "address", address,
						    "prefix", text, "rib", (json_int_t)d->rib_leaf,
						    "fib", (json_int_t)d->fib_leaf));
	fprintf(f->a->text, "%s (%s): the RIB says leaf %u, the FIB %u: mended\n", address, text,
		d->rib_leaf, d->fib_leaf);
}

/* FAMILY PREFIX CHECKED DIFFERENT: where an audit is, and what it has found so far. */
static bool audit_begin(struct asking *a, struct audit *audit)
{
	char prefix[IP_TEXT_MAX];

	*audit = (struct audit){ 0 };
	if (!a->after)
		return true;
	if (sscanf(a->after, "%63s %" SCNu64 " %" SCNu64, prefix, &audit->prefixes,
		   &audit->differences) == 3 &&
	    ip_prefix_parse(prefix, &audit->after) == 0) {
		audit->resumed = true;
		return true;
	}
	answer_fail(a, 2, "fib audit: %s is no place to go on from", a->after);
	return false;
}

void do_fib_audit(struct asking *a)
{
	struct finding finding = { .a = a };
	struct audit audit;
	uint64_t before;
	char text[IP_TEXT_MAX];
	bool more;

	if (!audit_begin(a, &audit))
		return;
	a->json = json_array();
	before = audit.differences;
	more = model_audit(a->rt->model, &audit, PART_NODES / 4, tell_difference, &finding);
	if (audit.differences != before)
		runtime_publish(a->rt);
	if (more &&
	    asprintf(&a->next, "%s %" PRIu64 " %" PRIu64, ip_prefix_text(&audit.after, text),
		     audit.prefixes, audit.differences) < 0)
		a->next = NULL;
	if (more)
		return;
	fprintf(a->text, "%s prefixes looked up, %s differences\n", answer_count(audit.prefixes),
		answer_count(audit.differences));
	if (audit.differences)
		answer_fail(a, 1,
			    "fib audit: %s differences between RIB and FIB were mended: a "
			    "bug, please report it",
			    answer_count(audit.differences));
}
