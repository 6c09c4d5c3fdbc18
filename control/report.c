// SPDX-License-Identifier: BSD-3-Clause
/* Sums the counters of a replay and shows them, with hints at usual causes. */
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#define COLUMNS      80
#define GRID_PARTIES 6  /* as many columns of the matrix as fit */
#define GRID_COLUMN  9  /* wide enough for bytes_text() */
#define LIST_PAIRS   20 /* pairs shown when the grid does not fit */
#define REASON_FIRST (REASON_CONSUMED + 1)

static void tally_add(struct tally *sum, const struct tally *more)
{
	sum->packets += more->packets;
	sum->bytes += more->bytes;
}

void report_totals(const struct report *report, struct report_totals *t)
{
	*t = (struct report_totals){ 0 };
	for (size_t i = 0; i < report->port_count; i++) {
		const struct port_counters *c = &report->ports[i].counters;

		tally_add(&t->received, &c->received);
		tally_add(&t->forwarded, &c->forwarded);
		tally_add(&t->consumed, &c->consumed);
		tally_add(&t->originated, &c->originated);
		tally_add(&t->stray, &c->stray);
		tally_add(&t->unsent, &c->unsent);
		tally_add(&t->transmitted, &c->transmitted);
		tally_add(&t->fragments, &c->fragments);
		tally_add(&t->reported, &c->reported);
		t->oversize_frames += report->ports[i].oversize_frames;
		for (int r = REASON_FIRST; r < REASON_COUNT; r++) {
			tally_add(&t->drop[r], &c->drop[r]);
			tally_add(&t->dropped, &c->drop[r]);
		}
	}
}

bool report_conserves(const struct report *report)
{
	struct report_totals t;

	report_totals(report, &t);
	return t.received.packets == t.forwarded.packets + t.consumed.packets + t.dropped.packets &&
	       t.transmitted.packets == t.forwarded.packets + t.fragments.packets +
						t.stray.packets + t.originated.packets;
}

/* ---- for programs ---- */

static json_t *json_drops(const struct tally drop[REASON_COUNT])
{
	json_t *drops = json_object();

	for (unsigned int i = 0; i < pipeline_row_count; i++) {
		enum reason r = pipeline_rows[i].reason;

		if (r >= REASON_FIRST && drop[r].packets > 0)
			json_object_set_new(drops, reason_name(r), json_integer(drop[r].packets));
	}
	return drops;
}

static json_t *json_ports(const struct report *report)
{
	json_t *ports = json_object();

	for (size_t i = 0; i < report->port_count; i++) {
		const struct port_counters *c = &report->ports[i].counters;
		json_t *port = json_pack(
			"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "rx_packets",
			(json_int_t)c->received.packets, "rx_bytes", (json_int_t)c->received.bytes,
			"tx_packets", (json_int_t)c->transmitted.packets, "tx_bytes",
			(json_int_t)c->transmitted.bytes, "forwarded",
			(json_int_t)c->forwarded.packets, "consumed",
			(json_int_t)c->consumed.packets, "reported",
			(json_int_t)c->reported.packets, "drops", json_drops(c->drop),
			"egress_drops", json_drops(c->egress_drop));

		json_object_set_new(ports, report->ports[i].name, port);
	}
	return ports;
}

static json_t *json_matrix(const struct report *report)
{
	json_t *matrix = json_array();

	for (size_t i = 0; i < report->cell_count; i++) {
		const struct report_cell *cell = &report->cells[i];

		json_array_append_new(matrix, json_pack("{s:s, s:s, s:s, s:I, s:I}", "from",
							cell->from, "to", cell->to, "family",
							cell->ipv6 ? "ipv6" : "ipv4", "packets",
							(json_int_t)cell->packets, "bytes",
							(json_int_t)cell->bytes));
	}
	return matrix;
}

int report_json(const struct report *report, FILE *out)
{
	struct report_totals t;
	json_t *packets, *root;
	uint64_t known;
	int rc;

	report_totals(report, &t);
	known = t.forwarded.packets + t.consumed.packets + t.dropped.packets;
	packets = json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "received",
		(json_int_t)t.received.packets, "forwarded", (json_int_t)t.forwarded.packets,
		"consumed", (json_int_t)t.consumed.packets, "dropped",
		(json_int_t)t.dropped.packets, "pending",
		(json_int_t)(t.received.packets > known ? t.received.packets - known : 0),
		"originated", (json_int_t)t.originated.packets, "stray",
		(json_int_t)t.stray.packets, "unsent", (json_int_t)t.unsent.packets, "transmitted",
		(json_int_t)t.transmitted.packets);
	root = json_pack("{s:s, s:o, s:o, s:o, s:o, s:{s:I, s:I, s:I}}", "exchange",
			 report->exchange, "packets", packets, "ports", json_ports(report), "drops",
			 json_drops(t.drop), "matrix", json_matrix(report), "routes", "ipv4",
			 (json_int_t)report->routes_ipv4, "ipv6", (json_int_t)report->routes_ipv6,
			 "unresolved", (json_int_t)report->routes_unresolved);
	if (!root)
		return -ENOMEM;
	rc = json_dumpf(root, out, JSON_INDENT(2));
	json_decref(root);
	if (rc < 0 || fputc('\n', out) == EOF)
		return errno ? -errno : -EIO;
	return 0;
}

/* ---- for people ---- */

const char *number_text(uint64_t number, char text[NUMBER_TEXT_MAX])
{
	char digits[NUMBER_TEXT_MAX];
	int n = snprintf(digits, sizeof(digits), "%" PRIu64, number), to = 0;

	for (int i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			text[to++] = ',';
		text[to++] = digits[i];
	}
	text[to] = '\0';
	return text;
}

const char *bytes_text(uint64_t bytes, char text[NUMBER_TEXT_MAX])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double value = bytes;
	unsigned int unit = 0;

	if (bytes < 1000) {
		snprintf(text, NUMBER_TEXT_MAX, "%" PRIu64 " B", bytes);
		return text;
	}
	while (value >= 999.5 && unit < sizeof(units) / sizeof(units[0]) - 1) {
		value /= 1000;
		unit++;
	}
	snprintf(text, NUMBER_TEXT_MAX,
		 value < 9.995   ? "%.2f %s"
		 : value < 99.95 ? "%.1f %s"
				 : "%.0f %s",
		 value, units[unit]);
	return text;
}

/* "62.5 %"; never 0.0 or 100.0 % of what is neither none nor all. */
static const char *share_text(uint64_t part, uint64_t whole, char text[NUMBER_TEXT_MAX])
{
	double share = whole ? 100.0 * part / whole : 0;

	if (part > 0 && share < 0.05)
		snprintf(text, NUMBER_TEXT_MAX, "<0.1 %%");
	else if (part < whole && share > 99.9)
		snprintf(text, NUMBER_TEXT_MAX, "99.9 %%");
	else
		snprintf(text, NUMBER_TEXT_MAX, "%.1f %%", share);
	return text;
}

static const char *duration_text(uint64_t ns, char text[NUMBER_TEXT_MAX])
{
	uint64_t s = ns / 1000000000;

	if (s < 1)
		snprintf(text, NUMBER_TEXT_MAX, "%.3g ms", ns / 1e6);
	else if (s < 120)
		snprintf(text, NUMBER_TEXT_MAX, "%.1f s", ns / 1e9);
	else if (s < 7200)
		snprintf(text, NUMBER_TEXT_MAX, "%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
	else if (s < 2 * 86400)
		snprintf(text, NUMBER_TEXT_MAX, "%" PRIu64 " h %" PRIu64 " min", s / 3600,
			 s / 60 % 60);
	else
		snprintf(text, NUMBER_TEXT_MAX, "%" PRIu64 " days", s / 86400);
	return text;
}

/* Print at most width characters of a name, padded; what a terminal might obey is shown as '?'. */
static void print_name(FILE *out, const char *name, int width)
{
	for (; *name && width > 0; name++) {
		unsigned char c = *name;

		fputc(c < 0x20 || c == 0x7f ? '?' : c, out);
		while (((unsigned char)name[1] & 0xc0) == 0x80)
			fputc(*++name, out);
		width--;
	}
	fprintf(out, "%*s", width, "");
}

/* Print words from column at on, broken before the last column. */
static void print_wrapped(FILE *out, const char *text, int indent)
{
	int column = indent;

	while (*text) {
		int n = strcspn(text, " ");

		if (column > indent && column + 1 + n > COLUMNS) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", n, text);
		column += n;
		text += n + (text[n] == ' ');
	}
	fputc('\n', out);
}

static void print_headline(const struct report *report, const struct report_totals *t, FILE *out)
{
	char number[NUMBER_TEXT_MAX], bytes[NUMBER_TEXT_MAX], duration[NUMBER_TEXT_MAX];

	print_name(out, report->exchange, (int)strlen(report->exchange));
	fprintf(out, ": %s packet%s received, %s, over %s%s\n\n",
		number_text(t->received.packets, number), t->received.packets == 1 ? "" : "s",
		bytes_text(t->received.bytes, bytes), duration_text(report->duration_ns, duration),
		report->interrupted ? " (stopped early)" : "");
}

static void print_fate(FILE *out, const char *fate, uint64_t packets, uint64_t whole,
		       const char *meaning)
{
	char number[NUMBER_TEXT_MAX], share[NUMBER_TEXT_MAX];

	fprintf(out, "  %-10s %15s %8s   ", fate, number_text(packets, number),
		whole ? share_text(packets, whole, share) : "");
	print_wrapped(out, meaning, 40);
}

static void print_fates(const struct report_totals *t, FILE *out)
{
	uint64_t whole = t->received.packets;
	char number[NUMBER_TEXT_MAX];

	print_fate(out, "forwarded", t->forwarded.packets, whole, "went on to another network");
	print_fate(out, "consumed", t->consumed.packets, whole,
		   "ARP, neighbour discovery, pings of the exchange itself");
	print_fate(out, "dropped", t->dropped.packets, whole, "why: see below");
	if (t->originated.packets > 0)
		print_fate(out, "answered", t->originated.packets, 0,
			   "ICMP errors, echo, ARP and neighbour replies sent");
	if (t->fragments.packets > 0)
		print_fate(out, "fragments", t->fragments.packets, 0,
			   "sent beyond the first of each packet");
	if (t->reported.packets > 0)
		fprintf(out,
			"\n  Of the forwarded, %s failed the source check (it only reports).\n",
			number_text(t->reported.packets, number));
}

static void print_ports(const struct report *report, FILE *out)
{
	size_t idle = 0;

	fprintf(out, "\n%-17s%15s%10s%14s%15s%9s\n", "Ports", "received", "bytes", "dropped",
		"sent", "bytes");
	for (size_t i = 0; i < report->port_count; i++) {
		const struct port_counters *c = &report->ports[i].counters;
		char n[5][NUMBER_TEXT_MAX];
		uint64_t dropped = 0;

		if (c->received.packets == 0 && c->transmitted.packets == 0) {
			idle++;
			continue;
		}
		for (int r = REASON_FIRST; r < REASON_COUNT; r++)
			dropped += c->drop[r].packets;
		fprintf(out, "  %-15s%15s%10s%14s%15s%9s\n", report->ports[i].name,
			number_text(c->received.packets, n[0]), bytes_text(c->received.bytes, n[1]),
			number_text(dropped, n[2]), number_text(c->transmitted.packets, n[3]),
			bytes_text(c->transmitted.bytes, n[4]));
	}
	if (idle > 0 && idle == report->port_count)
		fprintf(out, "  (no traffic)\n");
	else if (idle > 0)
		fprintf(out, "  (%zu without traffic)\n", idle);
}

struct matrix_party {
	const char *name;
	uint16_t number;
};

/* Add a party where its number belongs, if it is not there. Returns how many there are now. */
static size_t add_party(struct matrix_party *party, size_t n, const char *name, uint16_t number)
{
	size_t at = n;

	for (size_t i = 0; i < n; i++)
		if (party[i].number == number)
			return n;
	while (at > 0 && party[at - 1].number > number) {
		party[at] = party[at - 1];
		at--;
	}
	party[at] = (struct matrix_party){ name, number };
	return n + 1;
}

/* The parties of the matrix by number; max + 1 when there are more than max. party has room for
 * max + 1. */
static size_t matrix_parties(const struct report *report, struct matrix_party *party, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < 2 * report->cell_count && n <= max; i++) {
		const struct report_cell *cell = &report->cells[i / 2];

		n = i % 2 ? add_party(party, n, cell->to, cell->to_party)
			  : add_party(party, n, cell->from, cell->from_party);
	}
	return n;
}

static void print_grid(const struct report *report, const struct matrix_party *party, size_t n,
		       FILE *out)
{
	const int name_width = RTE_MIN(COLUMNS - 4 - GRID_COLUMN * (int)n, 30);
	char text[NUMBER_TEXT_MAX];

	fprintf(out, "\n%-*s", name_width + 4, "From, down; to:");
	for (size_t to = 0; to < n; to++)
		fprintf(out, "%*zu", GRID_COLUMN, to + 1);
	fputc('\n', out);
	for (size_t from = 0; from < n; from++) {
		fprintf(out, "%3zu ", from + 1);
		print_name(out, party[from].name, name_width);
		for (size_t to = 0; to < n; to++) {
			uint64_t bytes = 0;

			for (size_t i = 0; i < report->cell_count; i++)
				if (report->cells[i].from_party == party[from].number &&
				    report->cells[i].to_party == party[to].number)
					bytes += report->cells[i].bytes;
			fprintf(out, "%*s", GRID_COLUMN, bytes ? bytes_text(bytes, text) : ".");
		}
		fputc('\n', out);
	}
}

static int cell_order(const void *a, const void *b)
{
	const struct report_cell *const *x = a, *const *y = b;

	if ((*x)->bytes != (*y)->bytes)
		return (*x)->bytes > (*y)->bytes ? -1 : 1;
	return *x < *y ? -1 : 1; /* qsort is not stable */
}

static int print_pairs(const struct report *report, FILE *out)
{
	const struct report_cell **order = calloc(report->cell_count, sizeof(*order));
	char packets[NUMBER_TEXT_MAX], bytes[NUMBER_TEXT_MAX];

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < report->cell_count; i++)
		order[i] = &report->cells[i];
	qsort(order, report->cell_count, sizeof(*order), cell_order);
	fprintf(out, "\n%-25s%-23s%-6s%14s%12s\n", "From", "to", "", "packets", "bytes");
	for (size_t i = 0; i < report->cell_count && i < LIST_PAIRS; i++) {
		fprintf(out, "  ");
		print_name(out, order[i]->from, 22);
		fprintf(out, " ");
		print_name(out, order[i]->to, 22);
		fprintf(out, " %-6s%14s%12s\n", order[i]->ipv6 ? "IPv6" : "IPv4",
			number_text(order[i]->packets, packets),
			bytes_text(order[i]->bytes, bytes));
	}
	if (report->cell_count > LIST_PAIRS)
		fprintf(out, "  (and %zu smaller ones; all of them: --json)\n",
			report->cell_count - LIST_PAIRS);
	free(order);
	return 0;
}

static int print_matrix(const struct report *report, FILE *out)
{
	struct matrix_party party[GRID_PARTIES + 1];
	size_t n = matrix_parties(report, party, GRID_PARTIES);

	if (n == 0)
		return 0;
	if (n > GRID_PARTIES || n == 2)
		return print_pairs(report, out);
	print_grid(report, party, n, out);
	return 0;
}

/* The port at which all or most of a reason's drops happened, as a few words. */
static void where_dropped(const struct report *report, enum reason reason, uint64_t total,
			  char text[64])
{
	text[0] = '\0';
	for (size_t i = 0; i < report->port_count && report->port_count > 1; i++) {
		uint64_t here = report->ports[i].counters.drop[reason].packets;

		if (here == total)
			snprintf(text, 64, "; %s at %s", total == 1 ? "it was" : "all",
				 report->ports[i].name);
		else if (total >= 10 && here >= total - total / 10)
			snprintf(text, 64, "; nearly all at %s", report->ports[i].name);
		else
			continue;
		return;
	}
}

static void print_drops(const struct report *report, const struct report_totals *t, FILE *out)
{
	bool shown[REASON_COUNT] = { false };
	char number[NUMBER_TEXT_MAX], where[64], text[320];

	if (t->dropped.packets > 0)
		fprintf(out, "\nDropped, most frequent first\n");
	for (;;) {
		int most = 0;

		for (int r = REASON_FIRST; r < REASON_COUNT; r++)
			if (!shown[r] && t->drop[r].packets > (most ? t->drop[most].packets : 0))
				most = r;
		if (!most)
			return;
		shown[most] = true;
		where_dropped(report, most, t->drop[most].packets, where);
		snprintf(text, sizeof(text), "%s%s", reason_text(most), where);
		fprintf(out, "%13s  %-24s ", number_text(t->drop[most].packets, number),
			reason_name(most));
		print_wrapped(out, text, 40);
	}
}

/* ---- hints ---- */

struct hints {
	FILE *out;
	unsigned int count;
};

static void hint(struct hints *h, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void hint(struct hints *h, const char *format, ...)
{
	char text[512];
	va_list ap;

	if (h->count++ == 0)
		fprintf(h->out, "\nHints\n");
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	fprintf(h->out, "  - ");
	print_wrapped(h->out, text, 4);
}

/* Nearly all: nine tenths, and not of nothing. */
static bool nearly_all(uint64_t part, uint64_t whole)
{
	return part > 0 && part >= whole - whole / 10;
}

static void hint_ports(const struct report *report, struct hints *h)
{
	for (size_t i = 0; i < report->port_count && h->count < 5; i++) {
		const struct port_counters *c = &report->ports[i].counters;
		const char *name = report->ports[i].name;
		uint64_t received = c->received.packets;

		if (nearly_all(c->drop[DROP_MAC_LOCK].packets, received))
			hint(h,
			     "Hardly a frame at %s came from a router listed for it. Correct the "
			     "routers' mac, or replay with --accept-any-mac if the capture was made "
			     "elsewhere.",
			     name);
		if (nearly_all(c->drop[DROP_L2_DESTINATION].packets, received))
			hint(h,
			     "Hardly a frame at %s was addressed to that port's MAC. Set the "
			     "port's mac, or replay with --accept-any-mac if the capture was made "
			     "elsewhere.",
			     name);
		if (nearly_all(c->drop[DROP_L2_VLAN].packets, received))
			hint(h, "The VLAN tags of the frames at %s are not those of its vlan key.",
			     name);
	}
}

static void hint_capture(const struct report *report, const struct report_totals *t,
			 struct hints *h)
{
	char number[NUMBER_TEXT_MAX], largest[NUMBER_TEXT_MAX];

	if (t->drop[DROP_TRUNCATED_CAPTURE].packets > 0)
		hint(h,
		     "The capture's snap length cut %s frames: capture whole ones with tcpdump "
		     "-s 0.",
		     number_text(t->drop[DROP_TRUNCATED_CAPTURE].packets, number));
	if (t->oversize_frames > 0)
		hint(h,
		     "%s frames are longer than their port's MTU, up to %s bytes: a host put "
		     "them together (TSO, GRO) before they were captured. Capture with ethtool -K "
		     "DEVICE tso off gso off gro off.",
		     number_text(t->oversize_frames, number),
		     number_text(report->largest_frame_bytes, largest));
	if (t->drop[DROP_IPV4_CHECKSUM].packets > t->received.packets / 10)
		hint(h, "Many wrong checksums usually mean that the capture was made on the "
			"sending host, whose NIC fills them in later. Capture with ethtool -K "
			"DEVICE tx off.");
}

static void hint_routing(const struct report *report, const struct report_totals *t,
			 struct hints *h)
{
	uint64_t routed = t->forwarded.packets;
	char ipv4[NUMBER_TEXT_MAX], ipv6[NUMBER_TEXT_MAX];

	for (unsigned int i = 0, past = 0; i < pipeline_row_count; i++) {
		past |= pipeline_rows[i].reason == DROP_NO_ROUTE;
		if (past && pipeline_rows[i].reason != REASON_NONE)
			routed += t->drop[pipeline_rows[i].reason].packets;
	}
	if (nearly_all(t->drop[DROP_NO_ROUTE].packets, routed))
		hint(h,
		     "There was no route for nearly all of what was to be routed; %s IPv4 and %s "
		     "IPv6 prefixes are in force. Look at routes: and tables:.",
		     number_text(report->routes_ipv4, ipv4),
		     number_text(report->routes_ipv6, ipv6));
	if (t->drop[DROP_NEIGHBOUR_UNRESOLVED].packets > 0)
		hint(h, "A replay asks nobody for MACs: give the routers of the next hops a mac.");
	if (t->drop[DROP_SOURCE_CHECK].packets > t->received.packets / 2)
		hint(h, "Most sources are not in their members' prefixes: spoofed, or the lists of "
			"prefixes are not complete. source-check-action: report shows without "
			"dropping.");
	if (t->drop[DROP_INTERNAL].packets > 0)
		hint(h, "Drops for the reason internal are a bug in napd: please report them.");
	if (report->routes_unresolved > 0)
		hint(h, "%s routes have their next hops on no port's subnet and were not used.",
		     number_text(report->routes_unresolved, ipv4));
}

int report_text(const struct report *report, FILE *out)
{
	struct hints hints = { .out = out };
	struct report_totals t;
	int rc;

	report_totals(report, &t);
	print_headline(report, &t, out);
	print_fates(&t, out);
	print_ports(report, out);
	rc = print_matrix(report, out);
	if (rc < 0)
		return rc;
	print_drops(report, &t, out);
	hint_ports(report, &hints);
	hint_capture(report, &t, &hints);
	hint_routing(report, &t, &hints);
	return ferror(out) ? (errno ? -errno : -EIO) : 0;
}
