// SPDX-License-Identifier: BSD-3-Clause
/* Reads BGP messages as routers and route collectors wrote them. */
#include "bgp.h"

#include <string.h>

#include "address.h"

#define FLAG_EXTENDED 0x10 /* the length has two octets */

enum attribute {
	ORIGIN = 1,
	AS_PATH = 2,
	NEXT_HOP = 3,
	MULTI_EXIT_DISC = 4,
	LOCAL_PREF = 5,
	MP_REACH_NLRI = 14,
	MP_UNREACH_NLRI = 15,
	AS4_PATH = 17
};

enum { AFI_IPV4 = 1, AFI_IPV6 = 2, SAFI_UNICAST = 1 };
enum { ORIGIN_INCOMPLETE = 2 };
enum { AS_SET = 1, AS_SEQUENCE, AS_CONFED_SEQUENCE, AS_CONFED_SET };

#define LOCAL_PREF_DEFAULT 100

/* What a path of AS numbers comes to. */
struct as_path {
	bool present;
	uint32_t length; /* as the decision counts it */
	uint32_t first;  /* 0: none */
};

struct attributes {
	struct bgp_path *path;
	struct bgp_update *update; /* NULL: a dump's */
	const struct bgp_format *format;
	struct as_path as_path, as4_path;
	struct ip_address mp_next_hop; /* a dump's */
	bool has_mp_next_hop;
	uint8_t seen[32]; /* of each type a bit */
	struct octets_error *error;
};

/* ---- addresses and prefixes ---- */

struct ip_address bgp_address(struct octets *from, bool ipv6)
{
	struct ip_address address = { .ipv6 = ipv6 };

	address.key.hi = (uint64_t)octets_32(from) << 32;
	if (ipv6) {
		address.key.hi |= octets_32(from);
		address.key.lo = (uint64_t)octets_32(from) << 32;
		address.key.lo |= octets_32(from);
	}
	return address;
}

int bgp_prefix_parse(struct octets *from, bool ipv6, struct ip_prefix *prefix, bool *dirty,
		     struct octets_error *error)
{
	const unsigned int most = ipv6 ? 128 : 32;
	uint8_t whole[16] = { 0 };
	struct octets octets, padded = { whole, whole + sizeof(whole) };
	struct ip_address address;
	unsigned int length;

	if (!octets_left(from))
		return octets_wrong(error, from->at, "a prefix is cut off");
	length = *from->at;
	if (length > most)
		return octets_wrong(error, from->at, "the length of a prefix is out of range");
	from->at++;
	if (!octets_cut(from, (length + 7) / 8, &octets))
		return octets_wrong(error, from->at, "a prefix is cut off");
	memcpy(whole, octets.at, octets_left(&octets));
	address = bgp_address(&padded, ipv6);
	*prefix = ip_prefix_of(&address, (uint8_t)length);
	if (dirty)
		*dirty = prefix->key.address.hi != address.key.hi ||
			 prefix->key.address.lo != address.key.lo;
	return 0;
}

int bgp_prefix_next(struct bgp_prefixes *list, struct ip_prefix *prefix, uint32_t *path_id,
		    bool *dirty, struct octets_error *error)
{
	struct octets *from = &list->octets;

	*path_id = 0;
	if (!octets_left(from))
		return 0;
	if (list->add_path) {
		if (octets_left(from) < 4)
			return octets_wrong(error, from->at, "a path identifier is cut off");
		*path_id = octets_32(from);
	}
	return bgp_prefix_parse(from, list->ipv6, prefix, dirty, error) ? -1 : 1;
}

/* Path identifiers read as prefixes make default routes in heaps. */
static int check_prefixes(struct bgp_prefixes list, struct octets_error *error)
{
	struct ip_prefix prefix;
	uint32_t path_id;
	unsigned int defaults = 0;
	int rc;

	do {
		const uint8_t *at = list.octets.at;

		rc = bgp_prefix_next(&list, &prefix, &path_id, NULL, error);
		defaults += rc > 0 && !prefix.key.length && !list.add_path;
		if (defaults > 1)
			return octets_wrong(error, at, "a default route is there twice");
	} while (rc > 0);
	return rc;
}

/* ---- attributes ---- */

static bool is_unusable_global(const struct ip_address *a)
{
	return a->ipv6 && (a->key.hi >> 54 == 0xfe80 >> 6 || (!a->key.hi && !a->key.lo));
}

/* A next hop as MP_REACH_NLRI has it: RFC 4760, 2545 and 8950. */
static int mp_next_hop(struct octets value, struct ip_address *next_hop, struct octets_error *error)
{
	struct ip_address second;

	switch (octets_left(&value)) {
	case 4:
		*next_hop = bgp_address(&value, false);
		return 0;
	case 16:
		*next_hop = bgp_address(&value, true);
		return 0;
	case 32:
		*next_hop = bgp_address(&value, true);
		second = bgp_address(&value, true);
		if (is_unusable_global(next_hop) && !is_unusable_global(&second))
			*next_hop = second;
		return 0;
	default:
		return octets_wrong(error, value.at,
				    "the next hop of MP_REACH_NLRI has an odd length");
	}
}

/* AFI, SAFI: 0 IPv4 unicast, 1 IPv6 unicast, -1 another family. */
static int family(struct octets *value)
{
	uint16_t afi = octets_16(value);
	uint8_t safi = octets_8(value);

	if (safi != SAFI_UNICAST || (afi != AFI_IPV4 && afi != AFI_IPV6))
		return -1;
	return afi == AFI_IPV6;
}

/* The whole attribute, as routers send it and some write it to dumps. */
static int mp_reach_whole(struct attributes *a, struct octets value)
{
	struct ip_address *next_hop = a->update ? &a->update->mp_next_hop : &a->mp_next_hop;
	struct octets hop;
	int which;

	if (octets_left(&value) < 5)
		return octets_wrong(a->error, value.at, "MP_REACH_NLRI is cut off");
	which = family(&value);
	if (!octets_cut(&value, octets_8(&value), &hop) || !octets_left(&value))
		return octets_wrong(a->error, value.at, "MP_REACH_NLRI is cut off");
	value.at++; /* once a number of SNPAs, RFC 4760 3 */
	if (which < 0)
		return 0;
	if (mp_next_hop(hop, next_hop, a->error))
		return -1;
	if (!a->update) {
		a->has_mp_next_hop = true;
		return 0;
	}
	a->update->has_mp_next_hop = true;
	a->update->mp_announced = (struct bgp_prefixes){ value, which, a->format->add_path };
	return check_prefixes(a->update->mp_announced, a->error);
}

static int mp_reach(struct attributes *a, struct octets value)
{
	struct octets hop = value;

	/* what begins with 0 is a family's number, since next hops are not that short */
	if (!a->format->dump || !octets_left(&value) || !*value.at)
		return mp_reach_whole(a, value);
	hop.at++;
	if (*value.at != octets_left(&hop))
		return octets_wrong(a->error, value.at,
				    "the next hop of MP_REACH_NLRI is not as long as it says");
	a->has_mp_next_hop = true;
	return mp_next_hop(hop, &a->mp_next_hop, a->error);
}

static int mp_unreach(struct attributes *a, struct octets value)
{
	int which;

	if (!a->update)
		return 0;
	if (octets_left(&value) < 3)
		return octets_wrong(a->error, value.at, "MP_UNREACH_NLRI is cut off");
	which = family(&value);
	if (which < 0)
		return 0;
	a->update->mp_withdrawn = (struct bgp_prefixes){ value, which, a->format->add_path };
	return check_prefixes(a->update->mp_withdrawn, a->error);
}

static int as_path(struct attributes *a, struct octets value, bool as4, struct as_path *path)
{
	const size_t width = as4 ? 4 : 2;

	path->present = true;
	while (octets_left(&value)) {
		struct octets segment, first;
		uint8_t kind, count;

		if (octets_left(&value) < 2)
			return octets_wrong(a->error, value.at,
					    "a segment of an AS path is cut off");
		kind = octets_8(&value);
		count = octets_8(&value);
		if (kind < AS_SET || kind > AS_CONFED_SET)
			return octets_wrong(a->error, value.at - 2,
					    "a segment of an AS path is of no known kind");
		if (!octets_cut(&value, count * width, &segment))
			return octets_wrong(a->error, value.at - 1,
					    "a segment of an AS path is cut off");
		if (!count || kind >= AS_CONFED_SEQUENCE)
			continue;
		first = segment;
		if (!path->length && kind == AS_SEQUENCE)
			path->first = as4 ? octets_32(&first) : octets_16(&first);
		path->length += kind == AS_SET ? 1 : count;
	}
	return 0;
}

/* An attribute of four octets or one. */
static int number(struct attributes *a, struct octets value, const char *wrong, uint32_t *to)
{
	if (octets_left(&value) != 4)
		return octets_wrong(a->error, value.at, wrong);
	*to = octets_32(&value);
	return 0;
}

static int attribute(struct attributes *a, uint8_t type, struct octets value)
{
	switch (type) {
	case ORIGIN:
		if (octets_left(&value) != 1 || *value.at > ORIGIN_INCOMPLETE)
			return octets_wrong(a->error, value.at, "ORIGIN is not one of 0, 1, 2");
		a->path->origin = *value.at;
		return 0;
	case AS_PATH:
		return as_path(a, value, a->format->as4, &a->as_path);
	case AS4_PATH:
		return a->format->as4 ? 0 : as_path(a, value, true, &a->as4_path);
	case NEXT_HOP:
		if (octets_left(&value) != 4)
			return octets_wrong(a->error, value.at, "NEXT_HOP has no four octets");
		a->path->next_hop = bgp_address(&value, false);
		a->path->has_next_hop = true;
		return 0;
	case MULTI_EXIT_DISC:
		return number(a, value, "MULTI_EXIT_DISC has no four octets", &a->path->med);
	case LOCAL_PREF:
		return number(a, value, "LOCAL_PREF has no four octets", &a->path->local_pref);
	case MP_REACH_NLRI:
		return mp_reach(a, value);
	case MP_UNREACH_NLRI:
		return mp_unreach(a, value);
	default:
		return 0;
	}
}

/* Of an attribute that is there twice the first counts (RFC 7606 3 g). */
static bool seen_before(struct attributes *a, uint8_t type)
{
	uint8_t bit = (uint8_t)(1u << type % 8), before = a->seen[type / 8] & bit;

	a->seen[type / 8] |= bit;
	return before;
}

static int each_attribute(struct attributes *a, struct octets list)
{
	while (octets_left(&list)) {
		const uint8_t *start = list.at;
		struct octets value;
		uint8_t flags, type;
		size_t head, length;

		if (octets_left(&list) < 3)
			return octets_wrong(a->error, start, "a path attribute is cut off");
		flags = octets_8(&list);
		type = octets_8(&list);
		head = flags & FLAG_EXTENDED ? 2 : 1;
		if (octets_left(&list) < head)
			return octets_wrong(a->error, start, "a path attribute is cut off");
		length = head == 2 ? octets_16(&list) : octets_8(&list);
		if (!octets_cut(&list, length, &value))
			return octets_wrong(a->error, start,
					    "a path attribute is longer than what holds it");
		if (!seen_before(a, type) && attribute(a, type, value))
			return -1;
	}
	return 0;
}

/* RFC 6793 4.2.3: the old path, its last members as the new one has them. */
static void conclude_as_path(struct attributes *a)
{
	a->path->path_length = a->as_path.length;
	a->path->neighbour_as = a->as_path.first;
	if (a->as4_path.present && a->as4_path.length == a->as_path.length)
		a->path->neighbour_as = a->as4_path.first;
}

static void path_init(struct bgp_path *path)
{
	*path = (struct bgp_path){ .local_pref = LOCAL_PREF_DEFAULT, .origin = ORIGIN_INCOMPLETE };
}

int bgp_attributes_parse(struct octets attributes, const struct bgp_format *format, bool ipv6,
			 struct bgp_path *path, struct octets_error *error)
{
	struct attributes a = { .path = path, .format = format, .error = error };

	path_init(path);
	if (each_attribute(&a, attributes))
		return -1;
	conclude_as_path(&a);
	if (a.has_mp_next_hop) { /* beside which NEXT_HOP means nothing: RFC 4760 3 */
		path->next_hop = a.mp_next_hop;
		path->has_next_hop = true;
	}
	if (ipv6 && !path->next_hop.ipv6) /* no IPv6 over IPv4 */
		path->has_next_hop = false;
	return 0;
}

int bgp_update_parse(struct octets body, const struct bgp_format *format, struct bgp_update *update,
		     struct octets_error *error)
{
	struct attributes a = {
		.path = &update->path, .update = update, .format = format, .error = error
	};
	struct octets withdrawn, attributes;

	*update = (struct bgp_update){ 0 };
	path_init(&update->path);
	if (octets_left(&body) < 2 || !octets_cut(&body, octets_16(&body), &withdrawn))
		return octets_wrong(error, body.at, "the withdrawn routes are cut off");
	if (octets_left(&body) < 2 || !octets_cut(&body, octets_16(&body), &attributes))
		return octets_wrong(error, body.at, "the path attributes are cut off");
	update->withdrawn = (struct bgp_prefixes){ withdrawn, false, format->add_path };
	update->announced = (struct bgp_prefixes){ body, false, format->add_path };
	if (check_prefixes(update->withdrawn, error) || check_prefixes(update->announced, error) ||
	    each_attribute(&a, attributes))
		return -1;
	conclude_as_path(&a);
	return 0;
}
