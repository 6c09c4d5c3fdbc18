// SPDX-License-Identifier: BSD-3-Clause
/* IP addresses and prefixes: from text to keys and back. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"

int ip_address_parse(const char *text, struct ip_address *address)
{
	uint8_t byte[16];
	struct ip_address a = { 0 };

	if (inet_pton(AF_INET, text, byte) == 1) {
		a.key.hi = (uint64_t)byte[0] << 56 | (uint64_t)byte[1] << 48 |
			   (uint64_t)byte[2] << 40 | (uint64_t)byte[3] << 32;
	} else if (inet_pton(AF_INET6, text, byte) == 1) {
		a.ipv6 = true;
		for (int i = 0; i < 8; i++) {
			a.key.hi = a.key.hi << 8 | byte[i];
			a.key.lo = a.key.lo << 8 | byte[8 + i];
		}
	} else {
		return -EINVAL;
	}
	*address = a;
	return 0;
}

/* Decimal without sign or leading zeros; more than max is -ERANGE. */
static int length_parse(const char *text, unsigned int max, uint8_t *length)
{
	unsigned int value = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return -EINVAL;
	for (const char *c = text; *c; c++) {
		if (*c < '0' || *c > '9')
			return -EINVAL;
		if (value <= max)
			value = value * 10 + (unsigned int)(*c - '0');
	}
	if (value > max)
		return -ERANGE;
	*length = (uint8_t)value;
	return 0;
}

int ip_address_length_parse(const char *text, struct ip_address *address, uint8_t *length)
{
	const char *slash = strchr(text, '/');
	char copy[IP_TEXT_MAX];
	size_t n = slash ? (size_t)(slash - text) : sizeof(copy);

	if (n >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, n);
	copy[n] = 0;
	if (ip_address_parse(copy, address) < 0)
		return -EINVAL;
	return length_parse(slash + 1, ip_bits(address), length);
}

struct ip_prefix ip_prefix_of(const struct ip_address *address, unsigned int length)
{
	struct ip_prefix prefix = { .ipv6 = address->ipv6 };

	prefix.key.length = (uint8_t)length;
	if (length > 64)
		prefix.key.address.lo = address->key.lo & ~UINT64_C(0) << (128 - length);
	if (length > 0)
		prefix.key.address.hi = length >= 64
						? address->key.hi
						: address->key.hi & ~UINT64_C(0) << (64 - length);
	return prefix;
}

int ip_prefix_parse(const char *text, struct ip_prefix *prefix)
{
	struct ip_address address;
	uint8_t length;
	int rc = ip_address_length_parse(text, &address, &length);

	if (rc < 0)
		return rc;
	*prefix = ip_prefix_of(&address, length);
	return ip_key_compare(prefix->key.address, address.key) == 0 ? 0 : -EDOM;
}

struct ip_address ip_prefix_last(const struct ip_prefix *prefix)
{
	struct ip_address last = { .key = prefix->key.address, .ipv6 = prefix->ipv6 };
	unsigned int length = prefix->key.length;

	if (!prefix->ipv6) {
		if (length < 32)
			last.key.hi |= ~UINT64_C(0) >> length & ~UINT64_C(0xffffffff);
	} else if (length < 64) {
		last.key.hi |= ~UINT64_C(0) >> length;
		last.key.lo = ~UINT64_C(0);
	} else if (length < 128) {
		last.key.lo |= ~UINT64_C(0) >> (length - 64);
	}
	return last;
}

bool ip_prefix_contains(const struct ip_prefix *prefix, const struct ip_address *address)
{
	struct ip_prefix other;

	if (prefix->ipv6 != address->ipv6)
		return false;
	other = ip_prefix_of(address, prefix->key.length);
	return ip_key_compare(other.key.address, prefix->key.address) == 0;
}

const char *ip_address_text(const struct ip_address *address, char text[IP_TEXT_MAX])
{
	uint8_t byte[16];

	for (int i = 0; i < 8; i++) {
		byte[i] = (uint8_t)(address->key.hi >> (56 - 8 * i));
		byte[8 + i] = (uint8_t)(address->key.lo >> (56 - 8 * i));
	}
	return inet_ntop(address->ipv6 ? AF_INET6 : AF_INET, byte, text, IP_TEXT_MAX);
}

const char *ip_prefix_text(const struct ip_prefix *prefix, char text[IP_TEXT_MAX])
{
	struct ip_address address = { .key = prefix->key.address, .ipv6 = prefix->ipv6 };
	size_t n;

	ip_address_text(&address, text);
	n = strlen(text);
	snprintf(text + n, IP_TEXT_MAX - n, "/%u", prefix->key.length);
	return text;
}

const char *mac_text(const struct rte_ether_addr *mac, char text[MAC_TEXT_MAX])
{
	const uint8_t *m = mac->addr_bytes;

	snprintf(text, MAC_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4],
		 m[5]);
	return text;
}

bool listen_split(char *listen, char **host, uint16_t *port)
{
	char *colon = strrchr(listen, ':'), *end;
	unsigned long number;

	if (!colon)
		return false;
	*colon = '\0';
	number = strtoul(colon + 1, &end, 10);
	*host = listen;
	*port = number;
	if (listen[0] == '[' && colon[-1] == ']') {
		colon[-1] = '\0';
		*host = listen + 1;
	}
	return *end == '\0' && number > 0 && number <= UINT16_MAX;
}
