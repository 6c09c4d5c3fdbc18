/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration: YAML in, a validated and complete description out, or
 * every error with its place. Pure: opens the files named, touches nothing else.
 */
#ifndef NAPD_CONFIG_H
#define NAPD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_ether.h>

#include "fib.h"
#include "problem.h"

/* An IP address: IPv4 stands in the top 32 bits of key.hi, key.lo is 0. */
struct ip_address {
	struct ipv6_key key; /* host order */
	bool ipv6;
};

struct ip_prefix {
	struct prefix_key key; /* host bits are 0 */
	bool ipv6;
};

/* An address on a port: 198.51.100.1/31. */
struct interface_address {
	struct ip_address address;
	uint8_t length;
	struct place place;
};

enum config_source_check {
	CONFIG_SOURCE_NONE,
	CONFIG_SOURCE_LOOSE,
	CONFIG_SOURCE_STRICT,
	CONFIG_SOURCE_PREFIXES
};
enum config_idle { CONFIG_IDLE_AUTO, CONFIG_IDLE_POLL, CONFIG_IDLE_ADAPTIVE };
enum config_hugepages { CONFIG_HUGEPAGES_AUTO, CONFIG_HUGEPAGES_NEVER, CONFIG_HUGEPAGES_REQUIRED };

/* bits of config_port.tap_accept */
enum { CONFIG_TAP_BGP = 1, CONFIG_TAP_BFD = 2, CONFIG_TAP_ICMP = 4, CONFIG_TAP_ALL = 8 };

struct config_port {
	char *name;
	char *description; /* "" by default */
	bool enabled;
	char *device; /* DPDK device string; NULL only when the configuration is the built-in one */
	uint16_t vlan; /* 0: untagged */
	bool has_mac;
	struct rte_ether_addr mac;
	uint16_t mtu;
	uint64_t speed_bps; /* 0: the link's own */
	uint16_t queues;    /* 0: auto */
	struct interface_address *addresses;
	size_t address_count;
	bool has_link_local;
	struct ip_address link_local;
	bool mac_lock; /* default resolved: true when a router with a MAC is listed */
	enum config_source_check
		source_check; /* default resolved: prefixes when a member of it lists any */
	bool source_check_drop;
	uint64_t rate_limit_bps; /* 0: none */
	uint64_t burst_bytes; /* default resolved: 10 ms of the rate, at least one frame of the MTU
			       */
	uint64_t egress_rate_limit_bps;
	uint64_t egress_burst_bytes;
	uint64_t icmp_rate;
	uint64_t icmp_burst;
	bool tap; /* default resolved: true with tables.fpm or tables.kernel */
	unsigned int tap_accept;
	struct place place, device_place;
};

struct config_router {
	struct rte_ether_addr *macs;
	size_t mac_count;             /* 0: ARP/ND; 1: static neighbour; more: ARP/ND among them */
	struct ip_address *addresses; /* link-local ones belong to the router's port */
	size_t address_count;
	size_t port; /* index in ports, the member's default resolved */
	struct place place;
};

struct config_member {
	char *name;
	uint32_t asn; /* 0: not given */
	char *description;
	struct config_router *routers;
	size_t router_count;
	struct ip_prefix *prefixes;
	size_t prefix_count;
	size_t port; /* index of its default port; SIZE_MAX: none */
	struct place place;
};

enum config_route_kind {
	CONFIG_ROUTE_VIA,
	CONFIG_ROUTE_BLACKHOLE,
	CONFIG_ROUTE_UNREACHABLE,
	CONFIG_ROUTE_PROHIBIT
};

struct config_nexthop {
	struct ip_address address;
	size_t port; /* on whose subnet it lies, or the named one of a link-local hop; SIZE_MAX: on
			none */
	uint32_t weight; /* 1..256, default 1 */
};

struct config_route {
	struct ip_prefix prefix;
	enum config_route_kind kind;
	struct config_nexthop *via;
	size_t via_count; /* 1..64 when kind is VIA */
	struct place place;
};

/* A connected subnet and the port's address on it. */
struct config_subnet {
	struct ip_prefix prefix;
	struct ip_address own;
	size_t port;
};

struct config {
	struct {
		char *name; /* default "exchange" */
		uint32_t asn;
	} exchange;
	struct {
		unsigned int workers; /* 0: auto */
		char *cores;          /* NULL: auto */
		struct place cores_place;
		enum config_hugepages hugepages;
		enum config_idle idle;
		uint64_t memory_bytes;
		uint64_t capacity_ipv4, capacity_ipv6;
		uint32_t hash_seed;
		char **eal;
		size_t eal_count;
	} dataplane;
	struct config_port *ports;
	size_t port_count;
	struct config_subnet
		*subnets; /* of all ports, disjoint; IPv4 first, by ascending address */
	size_t subnet_count;
	struct config_member *members;
	size_t member_count;
	struct config_route *routes;
	size_t route_count;
	struct {
		char **file; /* paths, made relative to the configuration file's folder */
		size_t file_count;
		char **mrt;
		size_t mrt_count;
		bool fpm;
		char *fpm_listen;
		bool fpm_insecure;
		uint32_t fpm_table;
		uint32_t fpm_stale_s; /* seconds */
		bool fpm_acknowledge;
		bool kernel;
		uint32_t kernel_table;
		uint32_t kernel_stale_s; /* seconds */
		char *kept_file;
		uint32_t kept_every_s; /* seconds; 0: nothing is kept */
	} tables;
	struct {
		char *listen;
		bool insecure;
		bool matrix;
	} metrics;
	struct {
		char *socket, *readonly_socket, *group;
		struct place group_place; /* line 0: the default */
	} control;
	struct {
		char *level;
	} log;
	char **file_names; /* backs every place.file */
	size_t file_name_count;
};

/*
 * Read and validate path and what it includes. Returns to the caller, to be
 * freed by config_free(), or NULL when problems holds an error. Warnings alone do
 * not fail. Any thread.
 */
struct config *config_load(const char *path, struct problems *problems);
/* The same, of a file that is read again at each reload: a pipe is refused. */
struct config *config_load_again(const char *path, struct problems *problems);

/* The same from memory; name stands for the file in messages, includes are relative to "." */
struct config *config_parse(const char *text, size_t length, const char *name,
			    struct problems *problems);

void config_free(struct config *config);

/* Text forms, for messages, feeds and reports. parse: 0 or -EINVAL; text must be the whole string.
 */
int ip_address_parse(const char *text, struct ip_address *address);
/* -EINVAL: no prefix; -ERANGE: length out of range; -EDOM: host bits are set. */
int ip_prefix_parse(const char *text, struct ip_prefix *prefix);
#define IP_TEXT_MAX 64
const char *ip_address_text(const struct ip_address *address, char text[IP_TEXT_MAX]);
const char *ip_prefix_text(const struct ip_prefix *prefix, char text[IP_TEXT_MAX]);

/* As configurations have it: 02:00:5e:10:00:01. */
#define MAC_TEXT_MAX 18
const char *mac_text(const struct rte_ether_addr *mac, char text[MAC_TEXT_MAX]);

/* The subnet on which an address lies, or NULL. Looks in config->subnets, as config_port_of() does.
 */
const struct config_subnet *config_subnet_of(const struct config *config,
					     const struct ip_address *address);

/* The index of the port on whose subnet an address lies, the longest winning; SIZE_MAX: none. */
size_t config_port_of(const struct config *config, const struct ip_address *address);

#endif
