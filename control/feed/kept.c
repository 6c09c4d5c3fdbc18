// SPDX-License-Identifier: BSD-3-Clause
/* Writes the records of kept routes one after the other; reads none before it has seen all. */
#include "kept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "../group.h"

#define MAGIC        "napdkept"
#define VERSION      1u
#define SUM_AT       12 /* of the header; what it sums begins behind it */
#define LENGTH_AT    16
#define FIRST_TARGET 3u

enum record { RECORD_TARGET = 1, RECORD_ROUTE };

/* ---- writing ---- */

static void put(struct kept_writer *w, const void *bytes, size_t n)
{
	if (w->allocated - w->bytes < n) {
		const size_t more = (w->allocated + n) * 2;
		uint8_t *grown = w->failed ? NULL : realloc(w->data, more);

		w->failed |= !grown;
		if (w->failed)
			return;
		w->data = grown;
		w->allocated = more;
	}
	memcpy(w->data + w->bytes, bytes, n);
	w->bytes += n;
}

/* The low n bytes, the highest first. */
static void set_number(uint8_t *at, uint64_t number, size_t n)
{
	while (n--) {
		at[n] = (uint8_t)number;
		number >>= 8;
	}
}

static void put_number(struct kept_writer *w, uint64_t number, size_t n)
{
	uint8_t bytes[8];

	set_number(bytes, number, n);
	put(w, bytes, n);
}

/* The first n bytes of an address. */
static void put_address(struct kept_writer *w, struct ipv6_key key, size_t n)
{
	uint8_t bytes[16];

	for (size_t i = 0; i < 8; i++) {
		bytes[i] = (uint8_t)(key.hi >> (56 - 8 * i));
		bytes[8 + i] = (uint8_t)(key.lo >> (56 - 8 * i));
	}
	put(w, bytes, n);
}

void kept_begin(struct kept_writer *w, const char *const *port, uint16_t ports)
{
	static const uint8_t header[KEPT_HEADER_BYTES];

	*w = (struct kept_writer){ .targets = FIRST_TARGET };
	put(w, header, sizeof(header)); /* kept_end() knows it */
	put_number(w, ports, 2);
	for (uint16_t i = 0; i < ports; i++) {
		const size_t n = strlen(port[i]);

		put_number(w, n, 1);
		put(w, port[i], n);
	}
	w->routes_at = w->bytes;
	put_number(w, 0, 8);
}

uint32_t kept_target(struct kept_writer *w, const struct kept_hop *hop, size_t n)
{
	put_number(w, RECORD_TARGET, 1);
	put_number(w, n, 1);
	for (size_t i = 0; i < n; i++) {
		put_number(w, hop[i].port, 2);
		put_number(w, hop[i].weight, 4);
		put_number(w, hop[i].address.ipv6 ? 6 : 4, 1);
		put_address(w, hop[i].address.key, hop[i].address.ipv6 ? 16 : 4);
	}
	return w->targets++;
}

void kept_route(struct kept_writer *w, enum route_source source, const struct ip_prefix *prefix,
		enum config_route_kind kind, uint32_t target)
{
	put_number(w, RECORD_ROUTE, 1);
	put_number(w, source, 1);
	put_number(w, prefix->ipv6 ? 6 : 4, 1);
	put_number(w, prefix->key.length, 1);
	put_address(w, prefix->key.address, (prefix->key.length + 7u) / 8);
	put_number(w,
		   kind == CONFIG_ROUTE_BLACKHOLE     ? 0
		   : kind == CONFIG_ROUTE_UNREACHABLE ? 1
		   : kind == CONFIG_ROUTE_PROHIBIT    ? 2
						      : target,
		   4);
	w->routes++;
}

static uint32_t sum_of(const uint8_t *data, size_t bytes)
{
	return (uint32_t)crc32_z(crc32_z(0, NULL, 0), data + LENGTH_AT, bytes - LENGTH_AT);
}

void kept_seal(uint8_t *data, size_t bytes)
{
	memcpy(data, MAGIC, 8);
	set_number(data + 8, VERSION, 4);
	set_number(data + LENGTH_AT, bytes - KEPT_HEADER_BYTES, 8);
	set_number(data + SUM_AT, sum_of(data, bytes), 4);
}

int kept_end(struct kept_writer *w)
{
	if (w->failed)
		return -ENOMEM;
	set_number(w->data + w->routes_at, w->routes, 8);
	kept_seal(w->data, w->bytes);
	return 0;
}

/* ---- reading ---- */

static uint64_t number(struct octets *o, size_t n)
{
	uint64_t value = 0;

	while (n--)
		value = value << 8 | octets_8(o);
	return value;
}

static struct ipv6_key address(struct octets *o, size_t n)
{
	struct ipv6_key key = { 0, 0 };

	for (size_t i = 0; i < n; i++) {
		uint64_t *half = i < 8 ? &key.hi : &key.lo;

		*half |= (uint64_t)octets_8(o) << (56 - 8 * (i % 8));
	}
	return key;
}

/* The next hop at o; there must be one, see check_hop(). */
static struct kept_hop hop_at(struct octets *o)
{
	struct kept_hop hop = { .port = octets_16(o), .weight = octets_32(o) };

	hop.address.ipv6 = octets_8(o) == 6;
	hop.address.key = address(o, hop.address.ipv6 ? 16 : 4);
	return hop;
}

/* Adds its weight. */
static int check_hop(const struct kept *k, struct octets *o, uint64_t *weights,
		     struct octets_error *error)
{
	const uint8_t *at = o->at;
	struct octets part;
	uint32_t weight;

	if (!octets_cut(o, 7, &part))
		return octets_wrong(error, at, "a next hop is cut off");
	if (octets_16(&part) >= k->ports)
		return octets_wrong(error, at, "a next hop on a port that is not listed");
	weight = octets_32(&part);
	if (weight < 1)
		return octets_wrong(error, at, "a next hop without weight");
	*weights += weight;
	if (*part.at != 4 && *part.at != 6)
		return octets_wrong(error, part.at, "a next hop of no family");
	if (!octets_cut(o, *part.at == 6 ? 16 : 4, &part))
		return octets_wrong(error, at, "a next hop is cut off");
	return 0;
}

static int check_target(struct kept *k, struct octets *o, struct octets_error *error)
{
	const uint8_t *at = o->at;
	uint64_t weights = 0;
	unsigned int hops;

	if (!octets_left(o))
		return octets_wrong(error, at, "a target is cut off");
	hops = octets_8(o);
	if (hops < 1 || hops > KEPT_HOPS_MAX)
		return octets_wrong(error, at, "a target has no next hop or more than 64");
	while (hops--)
		if (check_hop(k, o, &weights, error) != 0)
			return -1;
	if (weights > GROUP_WEIGHT_MAX) /* groups have no more buckets than that */
		return octets_wrong(error, at, "the next hops of a target weigh too much");
	if (k->targets == k->targets_allocated) {
		const uint32_t more = k->targets_allocated * 2 + 16;
		const uint8_t **grown = realloc(k->target, more * sizeof(*grown));

		if (!grown)
			return octets_wrong(error, NULL, "no memory");
		k->target = grown;
		k->targets_allocated = more;
	}
	k->target[k->targets++] = at;
	return 0;
}

static bool has_host_bits(struct ipv6_key key, unsigned int length)
{
	const uint64_t hi = length >= 64 ? 0 : length ? UINT64_MAX >> length : UINT64_MAX;
	const uint64_t lo = length >= 128 ? 0
			    : length > 64 ? UINT64_MAX >> (length - 64)
					  : UINT64_MAX;

	return (key.hi & hi) != 0 || (key.lo & lo) != 0;
}

static int check_route(const struct kept *k, struct octets *o, struct octets_error *error)
{
	const uint8_t *at = o->at;
	struct octets part;
	unsigned int source, family, length;

	if (!octets_cut(o, 3, &part))
		return octets_wrong(error, at, "a route is cut off");
	source = octets_8(&part);
	family = octets_8(&part);
	length = octets_8(&part);
	if (source != ROUTE_FPM && source != ROUTE_KERNEL)
		return octets_wrong(error, at, "a route of a source that is not kept");
	if (family != 4 && family != 6)
		return octets_wrong(error, at, "a route of no family");
	if (length > (family == 6 ? 128 : 32))
		return octets_wrong(error, at, "a prefix is too long");
	if (!octets_cut(o, (length + 7) / 8 + 4, &part))
		return octets_wrong(error, at, "a route is cut off");
	if (has_host_bits(address(&part, (length + 7) / 8), length))
		return octets_wrong(error, at, "a prefix has host bits");
	if (octets_32(&part) >= k->targets + FIRST_TARGET)
		return octets_wrong(error, at, "a route by a target that is not there");
	return 0;
}

static int check_records(struct kept *k, struct octets o, struct octets_error *error)
{
	uint64_t routes = 0;

	while (octets_left(&o)) {
		const uint8_t *at = o.at;
		const unsigned int what = octets_8(&o);
		int rc;

		if (what == RECORD_TARGET)
			rc = check_target(k, &o, error);
		else if (what == RECORD_ROUTE)
			rc = check_route(k, &o, error);
		else
			rc = octets_wrong(error, at, "a record of no kind");
		if (rc)
			return rc;
		routes += what == RECORD_ROUTE;
	}
	if (routes != k->routes)
		return octets_wrong(error, o.at, "other than as many routes as it says");
	return 0;
}

static int read_ports(struct kept *k, struct octets *o, struct octets_error *error)
{
	struct octets name;

	if (octets_left(o) < 2)
		return octets_wrong(error, o->at, "the list of ports is cut off");
	k->ports = octets_16(o);
	k->port = calloc(k->ports + 1u, sizeof(*k->port));
	if (!k->port)
		return octets_wrong(error, NULL, "no memory");
	for (uint16_t i = 0; i < k->ports; i++) {
		k->port[i] = o->at;
		if (!octets_left(o) || !octets_cut(o, octets_8(o), &name))
			return octets_wrong(error, k->port[i], "the list of ports is cut off");
	}
	return 0;
}

static int check(struct kept *k, struct octets o, struct octets_error *error)
{
	const uint8_t *data = o.at;
	const size_t bytes = octets_left(&o);

	if (bytes < KEPT_HEADER_BYTES)
		return octets_wrong(error, data, "the header is cut off");
	if (memcmp(data, MAGIC, 8) != 0)
		return octets_wrong(error, data, "no table that napd kept");
	o.at += 8;
	if (octets_32(&o) != VERSION)
		return octets_wrong(error, data + 8, "of another version");
	o.at += 4;
	if (number(&o, 8) != octets_left(&o))
		return octets_wrong(error, data + LENGTH_AT, "not as long as it says");
	if (((uint32_t)data[SUM_AT] << 24 | (uint32_t)data[SUM_AT + 1] << 16 |
	     (uint32_t)data[SUM_AT + 2] << 8 | data[SUM_AT + 3]) != sum_of(data, bytes))
		return octets_wrong(error, data + SUM_AT, "damaged: the checksum is wrong");
	if (read_ports(k, &o, error) != 0)
		return -1;
	if (octets_left(&o) < 8)
		return octets_wrong(error, o.at, "the number of routes is cut off");
	k->routes = number(&o, 8);
	k->records = o;
	return check_records(k, o, error);
}

int kept_open(struct kept *k, const uint8_t *data, size_t bytes, struct octets_error *error)
{
	*k = (struct kept){ 0 };
	if (check(k, (struct octets){ data, data + bytes }, error) == 0)
		return 0;
	return error->at ? -EBADMSG : -ENOMEM;
}

static void read_hops(const struct kept *k, uint32_t target, struct kept_route *route)
{
	struct octets o = { k->target[target], k->records.end };

	route->hops = octets_8(&o);
	for (size_t i = 0; i < route->hops; i++)
		route->hop[i] = hop_at(&o);
}

bool kept_next(struct kept *k, struct kept_route *route)
{
	static const enum config_route_kind kinds[] = { CONFIG_ROUTE_BLACKHOLE,
							CONFIG_ROUTE_UNREACHABLE,
							CONFIG_ROUTE_PROHIBIT };
	struct octets *o = &k->records;
	uint32_t target;

	while (octets_left(o) && octets_8(o) == RECORD_TARGET)
		for (unsigned int hops = octets_8(o); hops; hops--)
			hop_at(o);
	if (!octets_left(o))
		return false;
	route->source = (enum route_source)octets_8(o);
	route->prefix.ipv6 = octets_8(o) == 6;
	route->prefix.key.length = octets_8(o);
	route->prefix.key.address = address(o, (route->prefix.key.length + 7u) / 8);
	target = octets_32(o);
	route->hops = 0;
	route->kind = target < FIRST_TARGET ? kinds[target] : CONFIG_ROUTE_VIA;
	if (target >= FIRST_TARGET)
		read_hops(k, target - FIRST_TARGET, route);
	return true;
}

void kept_close(struct kept *k)
{
	free(k->port);
	free(k->target);
	k->port = k->target = NULL;
}

void kept_port_name(const struct kept *k, uint16_t port, char *name)
{
	const uint8_t *at = k->port[port];

	memcpy(name, at + 1, at[0]);
	name[at[0]] = '\0';
}
