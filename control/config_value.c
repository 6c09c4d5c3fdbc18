// SPDX-License-Identifier: BSD-3-Clause
/* Text of one scalar into one value, or the sentence that says what it should have been. */
#include "config_private.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *quote(const char *text, char quoted[QUOTE_MAX])
{
	size_t n = 0, length = strlen(text);
	size_t show = length < QUOTE_MAX - 4 ? length : QUOTE_MAX - 4;

	while (show > 0 && show < length && ((unsigned char)text[show] & 0xc0) == 0x80)
		show--; /* not inside a character */
	for (; n < show; n++)
		quoted[n] = (unsigned char)text[n] < 0x20 || text[n] == 0x7f ? '?' : text[n];
	snprintf(quoted + n, QUOTE_MAX - n, "%s", show < length ? "..." : "");
	return quoted;
}

/* How many letters must change, bounded: at most 3 rows of short words. */
static unsigned int distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	unsigned int row[33];

	if (la > 32 || lb > 32)
		return 99;
	for (size_t j = 0; j <= lb; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned int cost = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < cost)
				cost = row[j] + 1;
			if (row[j - 1] + 1 < cost)
				cost = row[j - 1] + 1;
			row[j] = cost;
		}
	}
	return row[lb];
}

const char *nearest(const char *text, const char *(*name)(const void *ctx, size_t i),
		    const void *ctx, size_t count)
{
	unsigned int best = strlen(text) <= 3 ? 2 : 3; /* less than so many letters may differ */
	const char *like = NULL;

	for (size_t i = 0; i < count; i++) {
		const char *candidate = name(ctx, i);
		unsigned int d = candidate && *candidate ? distance(text, candidate) : 99;

		if (d < best && d < strlen(candidate)) {
			best = d;
			like = candidate;
		}
	}
	return like;
}

static int not_allowed(struct reader *r, const struct setting *s, const char *text,
		       const struct where *where)
{
	char quoted[QUOTE_MAX], allowed[SETTING_ALLOWED_MAX];

	where_error(r, where, "'%s' is not %s", quote(text, quoted), setting_allowed(s, allowed));
	return -EINVAL;
}

/* Numbers go into fields of any width. */
static int number_store(void *dest, size_t size, uint64_t value)
{
	switch (size) {
	case 1:
		*(uint8_t *)dest = (uint8_t)value;
		break;
	case 2:
		*(uint16_t *)dest = (uint16_t)value;
		break;
	case 4:
		*(uint32_t *)dest = (uint32_t)value;
		break;
	default:
		*(uint64_t *)dest = value;
		break;
	}
	return 0;
}

static int bool_read(struct reader *r, const struct setting *s, const char *text, void *dest,
		     const struct where *where)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on" };

	for (unsigned int i = 0; i < 6; i++)
		if (strcasecmp(text, words[i]) == 0)
			return number_store(dest, s->size, i & 1);
	return not_allowed(r, s, text, where);
}

/* blackhole: true and its like. */
static int kind_read(struct reader *r, const struct setting *s, const char *text, void *dest,
		     const struct where *where)
{
	bool yes = false;

	if (bool_read(r, &(struct setting){ .type = SETTING_BOOL, .size = 1 }, text, &yes, where) <
	    0)
		return -EINVAL;
	if (yes)
		return number_store(dest, s->size, s->min);
	where_error(r, where, "only true makes sense here; else leave the key out");
	return -EINVAL;
}

/* Decimal without sign or leading zeros (those would be octal to others); saturates. */
static int digits_read(const char *text, uint64_t *value)
{
	*value = 0;
	if (!*text || (text[0] == '0' && text[1]))
		return -EINVAL;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text))
			return -EINVAL;
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, (uint64_t)(*text - '0'), value))
			*value = UINT64_MAX;
	}
	return 0;
}

static int number_read(struct reader *r, const struct setting *s, const char *text, void *dest,
		       const struct where *where)
{
	char quoted[QUOTE_MAX];
	uint64_t value;

	if (s->type == SETTING_AUTO && strcmp(text, "auto") == 0)
		return number_store(dest, s->size, 0);
	if (digits_read(text, &value) < 0)
		return not_allowed(r, s, text, where);
	if (value < s->min || value > s->max) {
		where_error(r, where, "%s is not in %" PRIu64 "..%" PRIu64, quote(text, quoted),
			    s->min, s->max);
		return -EINVAL;
	}
	return number_store(dest, s->size, value);
}

/* 2.5G: digits, a fraction, a unit of powers of 1000 or 1024. Rounds down. */
static int amount_parse(const char *text, const char *units, unsigned int step, bool bps,
			uint64_t *value)
{
	unsigned __int128 number = 0, divisor = 1;
	const char *c = text, *unit;
	unsigned int digits = 0;

	for (; isdigit((unsigned char)*c) && digits < 18; c++, digits++)
		number = number * 10 + (unsigned int)(*c - '0');
	if (digits == 0)
		return -EINVAL;
	if (*c == '.') {
		for (c++, digits = 0; isdigit((unsigned char)*c) && digits < 9; c++, digits++) {
			number = number * 10 + (unsigned int)(*c - '0');
			divisor *= 10;
		}
		if (digits == 0)
			return -EINVAL;
	}
	unit = *c ? strchr(units, *c == 'K' ? 'k' : *c) : NULL;
	if (unit) {
		for (const char *u = units; u <= unit; u++)
			number *= step;
		c++;
	}
	if (bps && strcmp(c, "bps") == 0)
		c += 3;
	if (*c)
		return -EINVAL;
	number /= divisor;
	*value = number > UINT64_MAX ? UINT64_MAX : (uint64_t)number;
	return 0;
}

static int amount_read(struct reader *r, const struct setting *s, const char *text, void *dest,
		       const struct where *where)
{
	bool rate = s->type == SETTING_RATE, size = s->type == SETTING_SIZE;
	unsigned int step = size ? 1024 : 1000;
	char quoted[QUOTE_MAX], low[32], high[32];
	uint64_t value;

	if (amount_parse(text, rate ? "kMGT" : size ? "kMG" : "kM", step, rate, &value) < 0)
		return not_allowed(r, s, text, where);
	if (value < s->min || value > s->max) {
		where_error(r, where, "%s is not in %s..%s", quote(text, quoted),
			    amount_text(s->min, step, low), amount_text(s->max, step, high));
		return -EINVAL;
	}
	return number_store(dest, s->size, value);
}

static int text_store(struct reader *r, const char *text, void *dest)
{
	char **copy = dest;

	*copy = text ? strdup(text) : NULL;
	if (text && !*copy) {
		r->no_memory = true;
		return -ENOMEM;
	}
	return 0;
}

static int text_read(struct reader *r, const struct setting *s, const char *text, void *dest,
		     const struct where *where)
{
	uint64_t max = s->max && !s->list ? s->max : s->type == SETTING_PATH ? 4095 : 255;
	size_t length = strlen(text);

	if (length < s->min || (s->type == SETTING_PATH && length == 0)) {
		where_error(r, where, "must not be empty");
		return -EINVAL;
	}
	if (length > max) {
		where_error(r, where, "%zu bytes long, %" PRIu64 " are allowed", length, max);
		return -EINVAL;
	}
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f) {
			where_error(r, where, "a line break or control character in it");
			return -EINVAL;
		}
	}
	return text_store(r, text, dest);
}

static int path_read(struct reader *r, const struct setting *s, const char *text, void *dest,
		     const struct where *where)
{
	char **path = dest;
	char *joined;

	if (text_read(r, s, text, dest, where) < 0)
		return -EINVAL;
	if (s->type == SETTING_SOCKET)
		return text[0] == '/' ? 0 : not_allowed(r, s, text, where);
	joined = config_path_join(where->document->name, text);
	if (!joined) {
		r->no_memory = true;
		return 0;
	}
	free(*path);
	*path = joined;
	return 0;
}

/* The name is kept even if it is wrong, so that those who refer to it do not seem wrong too. */
static int name_read(struct reader *r, const struct setting *s, const char *text, void *dest,
		     const struct where *where)
{
	size_t length = strlen(text);
	char quoted[QUOTE_MAX];

	text_store(r, text, dest);
	if (length > 15 || !islower((unsigned char)text[0]) ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") != length)
		return not_allowed(r, s, text, where);
	if (strncmp(text, "drop-", 5) == 0) {
		where_error(r, where,
			    "'%s': names that begin with drop- are taken by captures of drops",
			    quote(text, quoted));
		return -EINVAL;
	}
	return 0;
}

static const char *port_name(const void *config, size_t i)
{
	return ((const struct config *)config)->ports[i].name;
}

/* Report that there is no such port, unless a file that could not be read may have it. */
static int port_missing(struct reader *r, const char *name, const struct where *where)
{
	const char *like = nearest(name, port_name, r->config, r->config->port_count);
	char quoted[QUOTE_MAX];

	if (r->unreadable)
		return -ENOENT;
	where_error(r, where, "there is no port '%s'%s%s%s", quote(name, quoted),
		    like ? "; did you mean " : "", like ? like : "", like ? "?" : "");
	return -EINVAL;
}

static int port_read(struct reader *r, const struct setting *s, const char *text, void *dest,
		     const struct where *where)
{
	size_t *port = dest;

	(void)s;
	*port = port_by_name(r, text);
	return *port == SIZE_MAX ? port_missing(r, text, where) : 0;
}

/* Whether text has the shape of pattern, in which x stands for a hex digit. */
static bool has_shape(const char *text, size_t length, const char *pattern)
{
	if (strlen(pattern) != length)
		return false;
	for (size_t i = 0; i < length; i++)
		if (pattern[i] == 'x' ? !isxdigit((unsigned char)text[i]) : pattern[i] != text[i])
			return false;
	return true;
}

/* [DOMAIN:]BUS:DEVICE.FUNCTION, in the one form with domain and small letters. */
static int pci_normalise(const char *text, size_t length, char normal[16])
{
	bool domain = has_shape(text, length, "xxxx:xx:xx.x");
	size_t n;

	if (!domain && !has_shape(text, length, "xx:xx.x"))
		return -EINVAL;
	if (text[length - 1] > '7' || text[length - 4] > '1')
		return -EINVAL; /* 32 devices of 8 functions */
	snprintf(normal, 16, "%s%.*s", domain ? "" : "0000:", (int)length, text);
	for (n = 0; normal[n]; n++)
		normal[n] = (char)tolower((unsigned char)normal[n]);
	return 0;
}

static int device_read(struct reader *r, const struct setting *s, const char *text, void *dest,
		       const struct where *where)
{
	size_t name = strcspn(text, ",");
	char normal[16], *joined;

	if (name == 0 || strpbrk(text, " \t"))
		return not_allowed(r, s, text, where);
	if (strspn(text, "0123456789abcdefABCDEF:.") < name || !memchr(text, ':', name)) {
		if (!isalpha((unsigned char)text[0]))
			return not_allowed(r, s, text, where);
		return text_read(r, s, text, dest, where);
	}
	if (pci_normalise(text, name, normal) < 0)
		return not_allowed(r, s, text, where);
	if (asprintf(&joined, "%s%s", normal, text + name) < 0) {
		r->no_memory = true;
		return 0;
	}
	text_read(r, s, joined, dest, where);
	free(joined);
	return 0;
}

static int mac_read(struct reader *r, const struct setting *s, const char *text, void *dest,
		    const struct where *where)
{
	struct rte_ether_addr mac = { 0 };
	bool zero = true;

	if (strlen(text) != 17)
		return not_allowed(r, s, text, where);
	for (int i = 0; i < 17; i++) {
		char c = text[i];
		unsigned int digit;

		if (i % 3 == 2) {
			if ((c != ':' && c != '-') || c != text[2])
				return not_allowed(r, s, text, where);
			continue;
		}
		if (!isxdigit((unsigned char)c))
			return not_allowed(r, s, text, where);
		digit = (unsigned int)(isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10);
		mac.addr_bytes[i / 3] = (uint8_t)(mac.addr_bytes[i / 3] << 4 | digit);
		zero &= digit == 0;
	}
	if (zero || mac.addr_bytes[0] & 1) {
		where_error(r, where, "%s is %s; a unicast MAC address is wanted", text,
			    zero ? "zero" : "a multicast MAC address");
		return -EINVAL;
	}
	*(struct rte_ether_addr *)dest = mac;
	return 0;
}

/* Why an address can be nobody's interface's, or NULL. */
static const char *address_flaw(const struct ip_address *a)
{
	unsigned int top = (unsigned int)(a->key.hi >> 56);

	if (a->ipv6) {
		if (a->key.hi == 0 && a->key.lo == 0)
			return "unspecified";
		if (a->key.hi == 0 && a->key.lo == 1)
			return "loopback";
		if (a->key.hi == 0 && a->key.lo >> 32 == 0xffff)
			return "IPv4-mapped";
		return top == 0xff ? "multicast" : NULL;
	}
	if (top == 0)
		return "in 0.0.0.0/8, this network";
	if (top == 127)
		return "loopback";
	if (a->key.hi >> 48 == 0xa9fe)
		return "IPv4 link-local";
	return top >= 240 ? "in 240.0.0.0/4, reserved" : top >= 224 ? "multicast" : NULL;
}

static int address_checked(struct reader *r, const struct setting *s, const char *text,
			   struct ip_address *address, const struct where *where)
{
	const char *flaw;

	if (ip_address_parse(text, address) < 0)
		return not_allowed(r, s, text, where);
	flaw = address_flaw(address);
	if (!flaw)
		return 0;
	where_error(r, where, "%s is %s", text, flaw);
	return -EINVAL;
}

static int address_read(struct reader *r, const struct setting *s, const char *text, void *dest,
			const struct where *where)
{
	struct ip_address address;

	if (address_checked(r, s, text, &address, where) < 0)
		return -EINVAL;
	if (s->type == SETTING_LINK_LOCAL && !ip_is_link_local(&address))
		return not_allowed(r, s, text, where);
	*(struct ip_address *)dest = address;
	return 0;
}

static int interface_read(struct reader *r, const struct setting *s, const char *text, void *dest,
			  const struct where *where)
{
	struct interface_address *own = dest;
	struct ip_address address;
	struct ip_prefix subnet;
	char prefix[IP_TEXT_MAX];
	const char *flaw;
	uint8_t length;
	int rc = ip_address_length_parse(text, &address, &length);

	if (rc == -EINVAL)
		return not_allowed(r, s, text, where);
	if (rc == -ERANGE || length < 8) {
		where_error(r, where, "%s: the length is not in 8..%u", text, ip_bits(&address));
		return -EINVAL;
	}
	subnet = ip_prefix_of(&address, length);
	flaw = address_flaw(&address);
	if (flaw) {
		where_error(r, where, "%s is %s", text, flaw);
		return -EINVAL;
	}
	if (ip_is_link_local(&address)) {
		where_error(r, where, "%s is link-local; that goes to `link-local`", text);
		return -EINVAL;
	}
	flaw = special_address(&subnet, &address);
	if (flaw) {
		where_error(r, where, "%s is %s of %s; take another", text, flaw,
			    ip_prefix_text(&subnet, prefix));
		return -EINVAL;
	}
	own->address = address;
	own->length = length;
	return 0;
}

static int prefix_read(struct reader *r, const struct setting *s, const char *text, void *dest,
		       const struct where *where)
{
	struct ip_prefix prefix;
	struct ip_address address;
	char without[IP_TEXT_MAX];
	uint8_t length;
	int rc = ip_prefix_parse(text, &prefix);

	switch (rc) {
	case 0:
		*(struct ip_prefix *)dest = prefix;
		return 0;
	case -EDOM:
		ip_address_length_parse(text, &address, &length);
		prefix = ip_prefix_of(&address, length);
		where_error(r, where, "%s has host bits set; the prefix is %s", text,
			    ip_prefix_text(&prefix, without));
		return -EINVAL;
	case -ERANGE:
		where_error(r, where, "%s: the length is not in 0..%d", text,
			    strchr(text, ':') ? 128 : 32);
		return -EINVAL;
	default:
		return not_allowed(r, s, text, where);
	}
}

/* ADDRESS or ADDRESS%PORT, into the address and port of a struct config_nexthop. */
static int hop_read(struct reader *r, const struct setting *s, const char *text, void *dest,
		    const struct where *where)
{
	struct config_nexthop *hop =
		(void *)((char *)dest -
			 (s->type == SETTING_HOP ? offsetof(struct config_nexthop, address) : 0));
	size_t length = strcspn(text, "%");
	char address[IP_TEXT_MAX];

	hop->port = SIZE_MAX;
	if (length >= sizeof(address))
		return not_allowed(r, s, text, where);
	memcpy(address, text, length);
	address[length] = 0;
	if (address_checked(r, s, address, &hop->address, where) < 0)
		return -EINVAL;
	if (text[length]) {
		hop->port = port_by_name(r, text + length + 1);
		if (hop->port == SIZE_MAX)
			return port_missing(r, text + length + 1, where);
	} else if (ip_is_link_local(&hop->address)) {
		where_error(r, where, "%s is link-local: name its port, as in %s%%pa", text, text);
		return -EINVAL;
	}
	return 0;
}

/* 127.0.0.1:9473 or [::1]:9473; loopback unless `insecure: true` stands beside it. */
static int listen_read(struct reader *r, const struct setting *s, const char *text, void *dest,
		       const struct where *where)
{
	const char *colon = strrchr(text, ':');
	const struct node *insecure =
		where->parent ? node_get(where->parent->node, "insecure") : NULL;
	struct ip_address address;
	char copy[IP_TEXT_MAX];
	bool bracket = text[0] == '[', allowed = false;
	size_t length = colon ? (size_t)(colon - text) : 0;
	uint64_t port;

	if (length < 3 || length >= sizeof(copy) || (bracket && colon[-1] != ']'))
		return not_allowed(r, s, text, where);
	memcpy(copy, text + bracket, length - 2 * bracket);
	copy[length - 2 * bracket] = 0;
	if (ip_address_parse(copy, &address) < 0 || address.ipv6 != bracket ||
	    digits_read(colon + 1, &port) < 0)
		return not_allowed(r, s, text, where);
	if (port < s->min || port > s->max) {
		where_error(r, where, "%s: the port is not in 1..65535", text);
		return -EINVAL;
	}
	if (address.ipv6 ? address.key.hi == 0 && address.key.lo == 1 : address.key.hi >> 56 == 127)
		return text_store(r, text, dest);
	if (insecure && insecure->type == NODE_SCALAR)
		allowed = strcasecmp(insecure->text, "true") == 0 ||
			  strcasecmp(insecure->text, "yes") == 0 ||
			  strcasecmp(insecure->text, "on") == 0;
	if (!allowed) {
		where_error(r, where,
			    "%s is not loopback; if that is meant, put `insecure: true` beside it",
			    text);
		return -EINVAL;
	}
	return text_store(r, text, dest);
}

/* auto, or ascending CPU numbers: 2-7,10 */
static int cores_read(struct reader *r, const struct setting *s, const char *text, void *dest,
		      const struct where *where)
{
	const char *c = text;
	long next = 0;

	if (strcmp(text, "auto") == 0)
		return text_store(r, NULL, dest);
	for (;;) {
		char *end;
		long first, last;

		if (!isdigit((unsigned char)*c))
			return not_allowed(r, s, text, where);
		first = last = strtol(c, &end, 10);
		if (*end == '-') {
			if (!isdigit((unsigned char)end[1]))
				return not_allowed(r, s, text, where);
			last = strtol(end + 1, &end, 10);
		}
		if (first < next || last < first || last > (long)s->max) {
			where_error(r, where, "'%.60s': CPU numbers must ascend, up to %" PRIu64,
				    text, s->max);
			return -EINVAL;
		}
		next = last + 1;
		if (!*end)
			return text_store(r, text, dest);
		if (*end != ',')
			return not_allowed(r, s, text, where);
		c = end + 1;
	}
}

static int word_read(struct reader *r, const struct setting *s, const char *text, void *dest,
		     const struct where *where)
{
	const char *word;
	size_t length;

	for (unsigned int i = 0; (length = words_get(s->words, i, &word)) > 0; i++) {
		if (strlen(text) != length || memcmp(text, word, length) != 0)
			continue;
		if (s->type == SETTING_WORD_TEXT)
			return text_store(r, text, dest);
		return number_store(dest, s->size, s->type == SETTING_WORDS ? UINT64_C(1) << i : i);
	}
	return not_allowed(r, s, text, where);
}

int value_read(struct reader *r, const struct setting *s, const char *text, void *dest,
	       const struct where *where)
{
	static int (*const read[SETTING_TYPES])(struct reader * r, const struct setting *s,
						const char *text, void *dest,
						const struct where *where) = {
		[SETTING_BOOL] = bool_read,
		[SETTING_NUMBER] = number_read,
		[SETTING_AUTO] = number_read,
		[SETTING_RATE] = amount_read,
		[SETTING_SIZE] = amount_read,
		[SETTING_COUNT] = amount_read,
		[SETTING_TEXT] = text_read,
		[SETTING_PATH] = path_read,
		[SETTING_SOCKET] = path_read,
		[SETTING_NAME] = name_read,
		[SETTING_PORT] = port_read,
		[SETTING_DEVICE] = device_read,
		[SETTING_MAC] = mac_read,
		[SETTING_INTERFACE] = interface_read,
		[SETTING_LINK_LOCAL] = address_read,
		[SETTING_ADDRESS] = address_read,
		[SETTING_PREFIX] = prefix_read,
		[SETTING_HOP] = hop_read,
		[SETTING_NEXTHOP] = hop_read,
		[SETTING_LISTEN] = listen_read,
		[SETTING_CORES] = cores_read,
		[SETTING_WORD] = word_read,
		[SETTING_WORD_TEXT] = word_read,
		[SETTING_WORDS] = word_read,
		[SETTING_KIND] = kind_read,
	};

	return read[s->type](r, s, text, dest, where);
}
