// SPDX-License-Identifier: BSD-3-Clause
/*
 * Compares two configurations by the rows of config.def: values as texts, lists as sets of
 * texts, ports and members by name, routes by prefix.
 */
#include "difference.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "settings.h"

#define NAMED_MAX 8 /* elements of a list that come or go */

const char *const difference_kind_name[DIFFERENCE_KINDS] = {
	[DIFFERENCE_SETTING] = "setting",
	[DIFFERENCE_PORT] = "port",
	[DIFFERENCE_MEMBER] = "member",
	[DIFFERENCE_ROUTE] = "route",
};

/* Both sides, and where what differs is collected. */
struct comparison {
	const struct config *config[2];
	struct differences *to;
	bool no_memory;
};

/* ---- values as texts ---- */

static uint64_t load(const void *field, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, field, size); /* little-endian, as DPDK's drivers want it */
	return value;
}

static void put_words(FILE *f, const struct setting *s, uint64_t value)
{
	const char *word, *between = "";
	size_t length;

	for (unsigned int i = 0; (length = words_get(s->words, i, &word)) > 0; i++) {
		if (s->type == SETTING_WORDS ? !(value >> i & 1) : value != i)
			continue;
		fprintf(f, "%s%.*s", between, (int)length, word);
		between = " ";
	}
}

static void put_number(FILE *f, const struct setting *s, uint64_t value)
{
	char text[32];

	if (value == 0 && s->type == SETTING_AUTO)
		fputs("auto", f);
	else if (value == 0 && s->fallback[0] == '~')
		fputs(s->fallback + 1, f);
	else if (s->type == SETTING_NUMBER || s->type == SETTING_AUTO)
		fprintf(f, "%" PRIu64, value);
	else
		fputs(amount_text(value, s->type == SETTING_SIZE ? 1024 : 1000, text), f);
}

static const char *port_name(const struct config *config, size_t port)
{
	return port < config->port_count ? config->ports[port].name : "none";
}

static void put_hop(FILE *f, const struct config *config, const struct config_nexthop *hop)
{
	char text[IP_TEXT_MAX];

	fputs(ip_address_text(&hop->address, text), f);
	if (hop->address.ipv6 && hop->address.key.hi >> 54 == 0xfe80 >> 6)
		fprintf(f, "%%%s", port_name(config, hop->port));
	if (hop->weight != 1)
		fprintf(f, "*%u", hop->weight);
}

static void put_address_value(FILE *f, const struct setting *s, const void *value)
{
	const struct interface_address *interface = value;
	char text[IP_TEXT_MAX];

	switch (s->type) {
	case SETTING_MAC:
		for (const uint8_t *byte = value, *end = byte + 6; byte < end; byte++)
			fprintf(f, "%s%02x", byte == value ? "" : ":", *byte);
		break;
	case SETTING_INTERFACE:
		fprintf(f, "%s/%u", ip_address_text(&interface->address, text), interface->length);
		break;
	case SETTING_PREFIX:
		fputs(ip_prefix_text(value, text), f);
		break;
	default:
		fputs(ip_address_text(value, text), f);
		break;
	}
}

static void put_object(FILE *f, const struct config *config, enum object object, const void *base);

/* One value: a field, or an element of a list. */
static void put_value(FILE *f, const struct config *config, const struct setting *s,
		      const void *value)
{
	const char *text;

	switch (s->type) {
	case SETTING_BOOL:
		fputs(load(value, s->size) ? "true" : "false", f);
		break;
	case SETTING_NUMBER:
	case SETTING_AUTO:
	case SETTING_RATE:
	case SETTING_SIZE:
	case SETTING_COUNT:
		put_number(f, s, load(value, s->size));
		break;
	case SETTING_WORD:
	case SETTING_WORDS:
		put_words(f, s, load(value, s->size));
		break;
	case SETTING_PORT:
		fputs(port_name(config, *(const size_t *)value), f);
		break;
	case SETTING_MAC:
	case SETTING_INTERFACE:
	case SETTING_LINK_LOCAL:
	case SETTING_ADDRESS:
	case SETTING_PREFIX:
		put_address_value(f, s, value);
		break;
	case SETTING_NEXTHOP:
		put_hop(f, config, value);
		break;
	case SETTING_OBJECT:
		put_object(f, config, s->child, value);
		break;
	default:
		text = *(const char *const *)value;
		fputs(text ? text : "auto", f);
		break;
	}
}

static const void *field(const struct setting *s, const void *base)
{
	return (const char *)base + s->offset;
}

/* Values that the file need not give, and did not. */
static bool is_given(const struct setting *s, const void *base)
{
	return s->flag_offset == SETTING_NO_FLAG || *((const bool *)base + s->flag_offset);
}

static size_t list_length(const struct setting *s, const void *base)
{
	return load((const char *)base + s->count_offset, sizeof(size_t));
}

static const void *list_element(const struct setting *s, const void *base, size_t i)
{
	return *(const char *const *)field(s, base) + i * s->size;
}

static void put_list(FILE *f, const struct config *config, const struct setting *s,
		     const void *base)
{
	for (size_t i = 0; i < list_length(s, base); i++) {
		if (i)
			fputc(' ', f);
		put_value(f, config, s, list_element(s, base, i));
	}
}

/* {mac 02:00:00:00:0a:01, addresses 198.51.100.0 fe80::a, port pa} */
static void put_object(FILE *f, const struct config *config, enum object object, const void *base)
{
	const struct object_row *row = object_row(object);
	const char *between = "{";

	for (size_t i = 0; i < row->settings; i++) {
		const struct setting *s = &row->setting[i];

		if (s->list ? !list_length(s, base) : !is_given(s, base))
			continue;
		fprintf(f, "%s%s ", between, s->key);
		between = ", ";
		if (s->list)
			put_list(f, config, s, base);
		else
			put_value(f, config, s, field(s, base));
	}
	fputc('}', f);
}

/* The value of one side; returns to the caller, NULL without memory. */
static char *value_text(const struct config *config, const struct setting *s, const void *base)
{
	char *text = NULL;
	size_t length = 0;
	FILE *f = open_memstream(&text, &length);

	if (!f)
		return NULL;
	if (is_given(s, base))
		put_value(f, config, s, field(s, base));
	else
		fputs(s->fallback[0] == '~' ? s->fallback + 1 : "none", f);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

/* ---- lists as sets ---- */

struct texts {
	char **text;
	size_t count;
};

static void texts_release(struct texts *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->text[i]);
	free(t->text);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int texts_of(struct texts *t, const struct config *config, const struct setting *s,
		    const void *base)
{
	const size_t n = list_length(s, base);

	*t = (struct texts){ .text = calloc(n + 1, sizeof(*t->text)) };
	if (!t->text)
		return -ENOMEM;
	for (; t->count < n; t->count++) {
		size_t length = 0;
		FILE *f = open_memstream(&t->text[t->count], &length);

		if (!f)
			return -ENOMEM;
		put_value(f, config, s, list_element(s, base, t->count));
		if (fclose(f) != 0)
			return -ENOMEM;
	}
	return 0;
}

/* What is in one and not in the other, both sorted: "+a +b +3 more". Returns how many. */
static size_t put_missing(FILE *f, const struct texts *in, const struct texts *other, char sign)
{
	size_t k = 0, n = 0;

	for (size_t i = 0; i < in->count; i++) {
		while (k < other->count && strcmp(other->text[k], in->text[i]) < 0)
			k++;
		if (k < other->count && strcmp(other->text[k], in->text[i]) == 0) {
			k++;
			continue;
		}
		if (n++ < NAMED_MAX)
			fprintf(f, "%s%c%s", ftell(f) > 0 ? " " : "", sign, in->text[i]);
	}
	if (n > NAMED_MAX)
		fprintf(f, " %c%zu more", sign, n - NAMED_MAX);
	return n;
}

static bool same_order(const struct texts *a, const struct texts *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++)
		if (strcmp(a->text[i], b->text[i]) != 0)
			return false;
	return a->count == b->count;
}

/* Prefix lists may be of millions; mostly they are the same, byte for byte. */
static bool same_prefixes(const struct setting *s, const void *base[2])
{
	const size_t n = list_length(s, base[0]);

	return s->type == SETTING_PREFIX && n == list_length(s, base[1]) &&
	       (!n ||
		memcmp(list_element(s, base[0], 0), list_element(s, base[1], 0), n * s->size) == 0);
}

/* Writes "+x -y" or nothing to f. */
static void compare_lists(struct comparison *c, const struct setting *s, const void *base[2],
			  FILE *f)
{
	struct texts t[2] = { { 0 }, { 0 } };

	if (same_prefixes(s, base))
		return;
	for (int side = 0; side < 2; side++)
		c->no_memory |= texts_of(&t[side], c->config[side], s, base[side]) != 0;
	if (!c->no_memory && !same_order(&t[0], &t[1])) {
		size_t came;

		for (int side = 0; side < 2; side++)
			qsort(t[side].text, t[side].count, sizeof(*t[side].text), by_text);
		came = put_missing(f, &t[1], &t[0], '+');

		if (came + put_missing(f, &t[0], &t[1], '-') == 0)
			fputs("in another order", f);
	}
	texts_release(&t[0]);
	texts_release(&t[1]);
}

/* ---- what differs ---- */

static bool needs_restart(const char *path)
{
	static const char *const at_start[] = {
		"dataplane.workers", "dataplane.cores",  "dataplane.hugepages",
		"dataplane.idle",    "dataplane.memory", "dataplane.eal",
		"metrics.listen",    "control.socket",   "control.readonly-socket",
		"control.group",
	};

	for (size_t i = 0; i < sizeof(at_start) / sizeof(at_start[0]); i++)
		if (strcmp(at_start[i], path) == 0)
			return true;
	return false;
}

/* Takes detail. */
static void add(struct comparison *c, enum difference_kind kind, enum difference_what what,
		const char *name, char *detail)
{
	struct differences *to = c->to;
	struct difference *d;

	if (to->count == DIFFERENCES_MAX) {
		to->more++;
		free(detail);
		return;
	}
	if ((to->count & (to->count - 1)) == 0) {
		d = realloc(to->list, (to->count ? 2 * to->count : 1) * sizeof(*d));
		if (!d) {
			c->no_memory = true;
			free(detail);
			return;
		}
		to->list = d;
	}
	d = &to->list[to->count++];
	*d = (struct difference){
		.kind = kind,
		.what = what,
		.at_start = kind == DIFFERENCE_SETTING && needs_restart(name),
		.name = strdup(name),
		.detail = detail,
	};
	c->no_memory |= !d->name || !d->detail;
}

static void compare_values(struct comparison *c, const struct setting *s, const void *base[2],
			   FILE *f)
{
	char *value[2];

	for (int side = 0; side < 2; side++)
		value[side] = value_text(c->config[side], s, base[side]);
	c->no_memory |= !value[0] || !value[1];
	if (value[0] && value[1] && strcmp(value[0], value[1]) != 0)
		fprintf(f, "%s -> %s", value[0], value[1]);
	free(value[0]);
	free(value[1]);
}

/* What differs in one setting: "1500 -> 9000"; "" when nothing does; NULL without memory. */
static char *compare_setting(struct comparison *c, const struct setting *s, const void *base[2])
{
	char *text = NULL;
	size_t length = 0;
	FILE *f = open_memstream(&text, &length);

	if (f) {
		if (s->list)
			compare_lists(c, s, base, f);
		else if (s->type != SETTING_OBJECT)
			compare_values(c, s, base, f);
		else if (is_given(s, base[0]) != is_given(s, base[1]))
			fputs(is_given(s, base[1]) ? "comes" : "goes", f);
		if (fclose(f) == 0)
			return text;
	}
	c->no_memory = true;
	free(text);
	return NULL;
}

/* "mtu 1500 -> 9000; addresses +192.0.2.1/30"; "" when nothing differs; NULL without memory. */
static char *compare_objects(struct comparison *c, enum object object, const void *base[2])
{
	const struct object_row *row = object_row(object);
	const char *between = "";
	char *text = NULL;
	size_t length = 0;
	FILE *f = open_memstream(&text, &length);

	for (size_t i = 0; f && i < row->settings; i++) {
		char *one = compare_setting(c, &row->setting[i], base);

		if (one && *one) {
			fprintf(f, "%s%s %s", between, row->setting[i].key, one);
			between = "; ";
		}
		free(one);
	}
	if (f && fclose(f) == 0)
		return text;
	c->no_memory = true;
	free(text);
	return NULL;
}

/* ---- settings ---- */

static void compare_settings(struct comparison *c)
{
	static const enum object sections[] = {
		OBJECT_exchange, OBJECT_dataplane, OBJECT_capacity, OBJECT_tables, OBJECT_fpm,
		OBJECT_kernel,   OBJECT_metrics,   OBJECT_control,  OBJECT_log,
	};

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		const struct object_row *row = object_row(sections[i]);

		for (size_t k = 0; k < row->settings; k++) {
			const void *base[2] = { c->config[0], c->config[1] };
			char path[64], *detail = compare_setting(c, &row->setting[k], base);

			snprintf(path, sizeof(path), "%s.%s", row->path, row->setting[k].key);
			if (detail && *detail)
				add(c, DIFFERENCE_SETTING, DIFFERENCE_CHANGED, path, detail);
			else
				free(detail);
		}
	}
}

/* ---- what has a name ---- */

/* Things of one side in order. */
struct sorted {
	const void **item;
	size_t count;
};

static int by_port_name(const void *a, const void *b)
{
	const struct config_port *x = *(const void *const *)a, *y = *(const void *const *)b;

	return strcmp(x->name, y->name);
}

static int by_member_name(const void *a, const void *b)
{
	const struct config_member *x = *(const void *const *)a, *y = *(const void *const *)b;

	return strcmp(x->name, y->name);
}

static int by_prefix(const void *a, const void *b)
{
	const struct config_route *x = *(const void *const *)a, *y = *(const void *const *)b;
	int order = (int)x->prefix.ipv6 - (int)y->prefix.ipv6;

	if (!order)
		order = ip_key_compare(x->prefix.key.address, y->prefix.key.address);
	return order ? order : (int)x->prefix.key.length - (int)y->prefix.key.length;
}

static void sort(struct comparison *c, struct sorted *s, const void *array, size_t count,
		 size_t bytes, int (*order)(const void *, const void *))
{
	*s = (struct sorted){ .item = calloc(count + 1, sizeof(*s->item)) };
	if (!s->item) {
		c->no_memory = true;
		return;
	}
	for (; s->count < count; s->count++)
		s->item[s->count] = (const char *)array + s->count * bytes;
	qsort(s->item, count, sizeof(*s->item), order);
}

/* Call met(c, before, after) for what has one name on both sides, and with NULL where it is not. */
static void merge(struct comparison *c, struct sorted s[2],
		  int (*order)(const void *, const void *),
		  void (*met)(struct comparison *c, const void *before, const void *after))
{
	size_t i = 0, k = 0;

	while (!c->no_memory && (i < s[0].count || k < s[1].count)) {
		int which = i == s[0].count   ? 1
			    : k == s[1].count ? -1
					      : order(&s[0].item[i], &s[1].item[k]);

		met(c, which <= 0 ? s[0].item[i] : NULL, which >= 0 ? s[1].item[k] : NULL);
		i += which <= 0;
		k += which >= 0;
	}
	free(s[0].item);
	free(s[1].item);
}

/* Both are there: what differs in them, if anything does. */
static void compare_named(struct comparison *c, enum difference_kind kind, enum object object,
			  const char *name, const void *base[2])
{
	char *detail = compare_objects(c, object, base);

	if (detail && *detail)
		add(c, kind, DIFFERENCE_CHANGED, name, detail);
	else
		free(detail);
}

static void met_port(struct comparison *c, const void *before, const void *after)
{
	const struct config_port *p = after ? after : before;
	char *detail = NULL;

	if (before && after) {
		compare_named(c, DIFFERENCE_PORT, OBJECT_port, p->name,
			      (const void *[2]){ before, after });
		return;
	}
	if (asprintf(&detail, p->vlan ? "on %s, VLAN %u" : "on %s", p->device ? p->device : "none",
		     p->vlan) < 0)
		detail = NULL;
	add(c, DIFFERENCE_PORT, after ? DIFFERENCE_ADDED : DIFFERENCE_REMOVED, p->name, detail);
}

static void met_member(struct comparison *c, const void *before, const void *after)
{
	const struct config_member *m = after ? after : before;

	if (before && after)
		compare_named(c, DIFFERENCE_MEMBER, OBJECT_member, m->name,
			      (const void *[2]){ before, after });
	else
		add(c, DIFFERENCE_MEMBER, after ? DIFFERENCE_ADDED : DIFFERENCE_REMOVED, m->name,
		    strdup(""));
}

static bool same_route(const struct comparison *c, const struct config_route *a,
		       const struct config_route *b)
{
	if (a->kind != b->kind || (a->kind == CONFIG_ROUTE_VIA && a->via_count != b->via_count))
		return false;
	for (size_t i = 0; a->kind == CONFIG_ROUTE_VIA && i < a->via_count; i++)
		if (!ip_address_equal(&a->via[i].address, &b->via[i].address) ||
		    a->via[i].weight != b->via[i].weight ||
		    strcmp(port_name(c->config[0], a->via[i].port),
			   port_name(c->config[1], b->via[i].port)) != 0)
			return false;
	return true;
}

static void put_route(FILE *f, const struct config *config, const struct config_route *r)
{
	static const char *const kinds[] = { [CONFIG_ROUTE_VIA] = "via",
					     [CONFIG_ROUTE_BLACKHOLE] = "blackhole",
					     [CONFIG_ROUTE_UNREACHABLE] = "unreachable",
					     [CONFIG_ROUTE_PROHIBIT] = "prohibit" };

	fputs(kinds[r->kind], f);
	for (size_t i = 0; r->kind == CONFIG_ROUTE_VIA && i < r->via_count; i++) {
		fputs(i ? ", " : " ", f);
		put_hop(f, config, &r->via[i]);
	}
}

static void met_route(struct comparison *c, const void *before, const void *after)
{
	const struct config_route *r = after ? after : before;
	char prefix[IP_TEXT_MAX], *detail = NULL;
	size_t length = 0;
	FILE *f;

	if (before && after && same_route(c, before, after))
		return;
	f = open_memstream(&detail, &length);
	if (!f) {
		c->no_memory = true;
		return;
	}
	if (before)
		put_route(f, c->config[0], before);
	if (before && after)
		fputs(" -> ", f);
	if (after)
		put_route(f, c->config[1], after);
	c->no_memory |= fclose(f) != 0;
	add(c, DIFFERENCE_ROUTE,
	    !before  ? DIFFERENCE_ADDED
	    : !after ? DIFFERENCE_REMOVED
		     : DIFFERENCE_CHANGED,
	    ip_prefix_text(&r->prefix, prefix), detail);
}

#define MERGE(c, array, number, order, met)                                                    \
	do {                                                                                   \
		struct sorted s[2];                                                            \
                                                                                               \
		for (int side = 0; side < 2; side++)                                           \
			sort(c, &s[side], (c)->config[side]->array, (c)->config[side]->number, \
			     sizeof(*(c)->config[side]->array), order);                        \
		merge(c, s, order, met);                                                       \
	} while (0)

int differences_make(const struct config *before, const struct config *after,
		     struct differences *differences)
{
	struct comparison c = { .config = { before, after }, .to = differences };

	*differences = (struct differences){ 0 };
	compare_settings(&c);
	MERGE(&c, ports, port_count, by_port_name, met_port);
	MERGE(&c, members, member_count, by_member_name, met_member);
	MERGE(&c, routes, route_count, by_prefix, met_route);
	return c.no_memory ? -ENOMEM : 0;
}

void differences_release(struct differences *d)
{
	for (size_t i = 0; i < d->count; i++) {
		free(d->list[i].name);
		free(d->list[i].detail);
	}
	free(d->list);
	*d = (struct differences){ 0 };
}
