// SPDX-License-Identifier: BSD-3-Clause
/*
 * Writes what scripts/bench feeds to those it measures: the routes, the prefixes that
 * members may send from, and captures of traffic. The same arguments, the same bytes.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

#define HOT_DESTINATIONS 1000
#define ZIPF_FLOWS       1000000
#define FRAME_MAX        1514
#define ETHER_BYTES      14

struct wish {
	const char *routes, *sources; /* files to write */
	const char *prefixes;         /* a file of them; NULL: they are made up */
	const char *captures;         /* folder of p0.pcap, p1.pcap, ... */
	const char *destinations;     /* random, hot, zipf */
	const char *from;             /* one source, spread over the port, members: all routers */
	size_t routes4, routes6, each, frames;
	size_t ports, hops;
	size_t ipv6_percent, drop_percent;
	size_t length; /* 0: IMIX, 7:4:1 */
	size_t pair;   /* not 0: port 0 sends only to router 0 of port 1, and back */
};

struct maker {
	const struct wish *wish;
	size_t port; /* of the capture in work */
	struct bench_random random;
	struct bench_table table[2], sources[2]; /* IPv4, IPv6 */
	double *zipf;                            /* cumulated */
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static FILE *create(const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f)
		die(path);
	return f;
}

static void finish(FILE *f, const char *path)
{
	if (ferror(f) || fclose(f) != 0)
		die(path);
}

/* ---- text ---- */

static void print_prefix(FILE *f, const struct bench_route *route)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(route->ipv6 ? AF_INET6 : AF_INET, route->address, text, sizeof(text));
	fprintf(f, "%s/%u", text, route->length);
}

/* napd's own format; addresses as scripts/bench configures them. */
static void write_routes(const struct maker *m)
{
	FILE *f = create(m->wish->routes);

	for (int ipv6 = 0; ipv6 < 2; ipv6++)
		for (size_t i = 0; i < m->table[ipv6].count; i++) {
			const struct bench_route *route = &m->table[ipv6].route[i];
			const unsigned int port = route->hop % m->wish->ports;
			const unsigned int router = route->hop / m->wish->ports + 2;

			print_prefix(f, route);
			fprintf(f, ipv6 ? " via 2001:2:0:%x::%x\n" : " via 198.18.%u.%u\n", port,
				router);
		}
	finish(f, m->wish->routes);
}

static void write_sources(const struct maker *m)
{
	FILE *f = create(m->wish->sources);

	for (int ipv6 = 0; ipv6 < 2; ipv6++)
		for (size_t i = 0; i < m->sources[ipv6].count; i++) {
			fprintf(f, "%u ", m->sources[ipv6].route[i].hop);
			print_prefix(f, &m->sources[ipv6].route[i]);
			fputc('\n', f);
		}
	finish(f, m->wish->sources);
}

/* ---- frames ---- */

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static uint16_t checksum(const uint8_t *at, int bytes)
{
	uint32_t sum = 0;

	for (int i = 0; i < bytes; i += 2)
		sum += at[i] << 8 | at[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Which flow: 0 .. flows - 1, or a new one. */
static uint64_t choose_flow(struct maker *m)
{
	size_t low = 0, high = ZIPF_FLOWS - 1;
	double x;

	if (m->wish->destinations[0] == 'r')
		return UINT64_MAX;
	if (m->wish->destinations[0] == 'h')
		return bench_random_below(&m->random, HOT_DESTINATIONS);
	x = (bench_random(&m->random) >> 11) * 0x1p-53 * m->zipf[ZIPF_FLOWS - 1];
	while (low < high) {
		const size_t middle = (low + high) / 2;

		if (m->zipf[middle] < x)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void choose_destination(struct maker *m, bool ipv6, uint8_t address[16])
{
	static const uint8_t nowhere[2][16] = { { 192, 0, 2 }, { 0x20, 1, 0xd, 0xb8 } };
	const struct bench_table *table = &m->table[ipv6];
	const uint64_t flow = choose_flow(m);
	struct bench_random own;
	struct bench_random *random = &m->random;
	const struct bench_route *route;

	if (bench_random_below(&m->random, 100) < m->wish->drop_percent) {
		memcpy(address, nowhere[ipv6], 16);
		address[ipv6 ? 15 : 3] = bench_random(&m->random);
		return;
	}
	if (flow != UINT64_MAX) {
		bench_random_seed(&own, flow + 1000);
		random = &own;
	}
	do {
		route = &table->route[bench_random_below(random, table->count)];
	} while (m->wish->pair && route->hop != (m->port ^ 1));
	bench_host(random, route, address);
}

/* A source of the port, and which of its routers sends it. */
static void choose_source(struct maker *m, bool ipv6, uint8_t address[16], unsigned int *router)
{
	const struct bench_table *sources = &m->sources[ipv6];
	const struct wish *wish = m->wish;
	const struct bench_route *route = NULL;
	size_t i = 0;

	do {
		if (wish->from[0] != 'o')
			i = bench_random_below(&m->random, sources->count);
		route = &sources->route[i++];
	} while (wish->from[0] == 'o' ? route->hop != m->port
				      : route->hop % wish->ports != m->port);
	if (wish->from[0] == 'o') {
		memcpy(address, route->address, 16);
		address[ipv6 ? 15 : 3] |= 1;
	} else {
		bench_host(&m->random, route, address);
	}
	*router = wish->from[0] == 'm' ? route->hop / wish->ports : 0;
}

static uint32_t choose_length(struct maker *m)
{
	const uint32_t part = bench_random_below(&m->random, 12);

	if (m->wish->length)
		return m->wish->length;
	return part < 7 ? 64 : part < 11 ? 576 : 1500;
}

static void fill_udp(struct maker *m, uint8_t *udp, uint32_t bytes)
{
	put16(udp, 1024 + bench_random_below(&m->random, 60000));
	put16(udp + 2, 5000);
	put16(udp + 4, bytes);
}

static uint32_t fill_frame(struct maker *m, uint8_t frame[FRAME_MAX])
{
	const bool ipv6 = bench_random_below(&m->random, 100) < m->wish->ipv6_percent;
	const uint32_t length = choose_length(m);
	uint8_t source[16], destination[16], *l3 = frame + ETHER_BYTES;
	unsigned int router;

	choose_destination(m, ipv6, destination);
	choose_source(m, ipv6, source, &router);
	memset(frame, 0, length);
	memcpy(frame, (uint8_t[]){ 2, 0x5e, 0, 0, 0, m->port, 2, 0x5f, 0, 0, m->port, router }, 12);
	if (ipv6) {
		put16(frame + 12, 0x86dd);
		l3[0] = 0x60;
		put16(l3 + 4, length - ETHER_BYTES - 40);
		l3[6] = IPPROTO_UDP;
		l3[7] = 64;
		memcpy(l3 + 8, source, 16);
		memcpy(l3 + 24, destination, 16);
		fill_udp(m, l3 + 40, length - ETHER_BYTES - 40);
		put16(l3 + 46, 0x1234); /* IPv6 has no UDP without a checksum */
	} else {
		put16(frame + 12, 0x0800);
		l3[0] = 0x45;
		put16(l3 + 2, length - ETHER_BYTES);
		put16(l3 + 4, (uint32_t)bench_random(&m->random));
		l3[8] = 64;
		l3[9] = IPPROTO_UDP;
		memcpy(l3 + 12, source, 4);
		memcpy(l3 + 16, destination, 4);
		put16(l3 + 10, checksum(l3, 20));
		fill_udp(m, l3 + 20, length - ETHER_BYTES - 20);
	}
	return length;
}

static void write_capture(struct maker *m)
{
	const uint32_t head[] = { 0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1 };
	uint8_t frame[FRAME_MAX];
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/p%zu.pcap", m->wish->captures, m->port);
	f = create(path);
	fwrite(head, sizeof(head), 1, f);
	bench_random_seed(&m->random, 100 + m->port);
	for (uint32_t i = 0; i < m->wish->frames; i++) {
		const uint32_t length = fill_frame(m, frame);
		const uint32_t record[] = { i / 1000000, i % 1000000, length, length };

		fwrite(record, sizeof(record), 1, f);
		fwrite(frame, length, 1, f);
	}
	finish(f, path);
}

/* ---- arguments ---- */

static const char usage[] =
	"usage: bench-input [--routes FILE] [--sources FILE] [--captures FOLDER] [OPTION...]\n"
	"  --routes4 N --routes6 N --each N   table; source prefixes a router\n"
	"  --prefixes FILE                    a table that there is, a prefix a line\n"
	"  --ports N --hops N                 ports, next hops in all\n"
	"  --frames N --length BYTES (0: IMIX) --ipv6 PERCENT --drops PERCENT\n"
	"  --destinations random|hot|zipf --from one|spread|members --pair 1 (ports 0 and 1 only)\n";

/* An option with a text or a number. */
struct argument {
	const char *name;
	const char **text;
	size_t *number;
};

static void parse(int argc, char **argv, struct wish *w)
{
	const struct argument arguments[] = {
		{ "routes", &w->routes, NULL },      { "sources", &w->sources, NULL },
		{ "captures", &w->captures, NULL },  { "destinations", &w->destinations, NULL },
		{ "from", &w->from, NULL },          { "routes4", NULL, &w->routes4 },
		{ "routes6", NULL, &w->routes6 },    { "each", NULL, &w->each },
		{ "frames", NULL, &w->frames },      { "ports", NULL, &w->ports },
		{ "hops", NULL, &w->hops },          { "ipv6", NULL, &w->ipv6_percent },
		{ "drops", NULL, &w->drop_percent }, { "length", NULL, &w->length },
		{ "pair", NULL, &w->pair },          { "prefixes", &w->prefixes, NULL },
	};
	enum { COUNT = sizeof(arguments) / sizeof(arguments[0]) };
	struct option options[COUNT + 1] = { 0 };
	int c;

	for (int i = 0; i < COUNT; i++)
		options[i] =
			(struct option){ arguments[i].name, required_argument, NULL, i + 1000 };
	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 1000) {
		if (arguments[c - 1000].text)
			*arguments[c - 1000].text = optarg;
		else
			*arguments[c - 1000].number = strtoul(optarg, NULL, 10);
	}
	if (c != -1 || optind != argc || w->ports < 1 || w->hops < w->ports || w->hops > 1024 ||
	    w->length > FRAME_MAX || (w->length && w->length < 64)) {
		fputs(usage, stderr);
		exit(2);
	}
}

static bool make_table(struct maker *m, bool ipv6)
{
	const struct wish *w = m->wish;

	if (w->prefixes)
		return bench_table_read(&m->table[ipv6], ipv6, w->prefixes, w->hops);
	return bench_table_make(&m->table[ipv6], ipv6, ipv6 ? w->routes6 : w->routes4, w->hops);
}

int main(int argc, char **argv)
{
	struct wish wish = { .routes4 = 1000000,
			     .routes6 = 200000,
			     .each = 250,
			     .frames = 262144,
			     .ports = 4,
			     .hops = 64,
			     .destinations = "random",
			     .from = "one",
			     .length = 64 };
	struct maker m = { .wish = &wish };

	parse(argc, argv, &wish);

	for (int ipv6 = 0; ipv6 < 2; ipv6++)
		if (!make_table(&m, ipv6) ||
		    !bench_table_sources(&m.table[ipv6], wish.hops, wish.each, &m.sources[ipv6]))
			die("bench-input");
	m.zipf = calloc(ZIPF_FLOWS, sizeof(*m.zipf));
	if (!m.zipf)
		die("bench-input");
	m.zipf[0] = 1;
	for (int i = 1; i < ZIPF_FLOWS; i++)
		m.zipf[i] = m.zipf[i - 1] + 1.0 / (i + 1);
	if (wish.routes)
		write_routes(&m);
	if (wish.sources)
		write_sources(&m);
	for (; wish.captures && m.port < wish.ports; m.port++)
		write_capture(&m);
	free(m.zipf);
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		bench_table_free(&m.table[ipv6]);
		bench_table_free(&m.sources[ipv6]);
	}
	return 0;
}
