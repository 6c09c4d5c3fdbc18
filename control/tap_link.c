// SPDX-License-Identifier: BSD-3-Clause
/* Makes and configures TAP interfaces; asks the kernel first, and changes only what differs. */
#include "tap_link.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"

#define TUN_DEVICE "/dev/net/tun"

/* ---- the descriptor ---- */

int tap_link_open(const char *name, char error[TAP_ERROR_MAX])
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open(TUN_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC), rc;

	if (fd < 0) {
		rc = -errno;
		snprintf(error, TAP_ERROR_MAX, "%s: %s (modprobe tun; DeviceAllow=%s of the unit)",
			 TUN_DEVICE, strerror(-rc), TUN_DEVICE);
		return rc;
	}
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &request) == 0 && ioctl(fd, TUNSETPERSIST, 1) == 0)
		return fd;
	rc = -errno;
	close(fd);
	if (rc == -EINVAL || rc == -EEXIST)
		snprintf(error, TAP_ERROR_MAX,
			 "there is an interface %s that is no TAP; rename it (ip link set %s name "
			 "...) or the port",
			 name, name);
	else if (rc == -EBUSY)
		snprintf(error, TAP_ERROR_MAX, "another process holds the TAP %s", name);
	else
		snprintf(error, TAP_ERROR_MAX, "no TAP %s: %s%s", name, strerror(-rc),
			 rc == -EPERM ? " (CAP_NET_ADMIN is needed)" : "");
	return rc;
}

bool tap_link_is(int fd, const char *name)
{
	struct ifreq request = { 0 };

	return ioctl(fd, TUNGETIFF, &request) == 0 && request.ifr_flags & IFF_TAP &&
	       strncmp(request.ifr_name, name, sizeof(request.ifr_name)) == 0;
}

uint32_t tap_link_index(int fd, uint32_t was)
{
	struct ifreq request = { 0 };
	uint32_t index;

	if (ioctl(fd, TUNGETIFF, &request) != 0)
		return errno == EBADFD ? 0 : was;
	index = if_nametoindex(request.ifr_name);
	if (index)
		return index;
	return errno == ENODEV || errno == ENXIO ? 0 : was;
}

void tap_link_forget(int fd)
{
	ioctl(fd, TUNSETPERSIST, 0);
}

void tap_link_carrier(int fd, bool up)
{
	int carrier = up;

	ioctl(fd, TUNSETCARRIER, &carrier);
}

/* ---- settings without a netlink message ---- */

/* Best effort: what matters is checked by what it is for (addresses fail with IPv6 disabled). */
static void set(const char *family, const char *name, const char *key, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, name, key);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, value, strlen(value)) < 0)
		errno = 0;
	close(fd);
}

/* The kernel shall say and believe nothing of its own there; napd speaks for it. */
static void quieten(const char *name)
{
	static const struct {
		const char *family, *key, *value;
	} settings[] = {
		{ "ipv6", "disable_ipv6", "0" },
		{ "ipv6", "accept_ra", "0" },
		{ "ipv6", "autoconf", "0" },
		{ "ipv6", "router_solicitations", "0" },
		{ "ipv6", "accept_redirects", "0" },
		{ "ipv6", "accept_dad", "0" },
		{ "ipv6", "dad_transmits", "0" },
		{ "ipv4", "accept_redirects", "0" },
		{ "ipv4", "send_redirects", "0" },
		{ "ipv4", "arp_notify", "0" },
		/* what napd delivers passed its own source checks */
		{ "ipv4", "rp_filter", "0" },
	};

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		set(settings[i].family, name, settings[i].key, settings[i].value);
}

static bool has_ipv4(const char *name)
{
	struct ifreq request = { .ifr_addr.sa_family = AF_INET };
	const int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool has;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	has = s >= 0 && ioctl(s, SIOCGIFADDR, &request) == 0;
	if (s >= 0)
		close(s);
	return has;
}

bool tap_link_mute(const char *interface)
{
	if (has_ipv4(interface))
		return false;
	set("ipv4", interface, "arp_ignore", "8");
	set("ipv4", interface, "rp_filter", "1"); /* strict: no route leads back by it */
	set("ipv6", interface, "disable_ipv6", "1");
	return true;
}

/* ---- rtnetlink ---- */

struct talk {
	struct mnl_socket *socket;
	uint32_t sequence;
	unsigned int index; /* of the interface */
	char buffer[16384];
};

static int talk_open(struct talk *t, const char *name)
{
	int strict = 1;

	t->index = if_nametoindex(name);
	if (!t->index)
		return -errno;
	t->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!t->socket)
		return -errno;
	/* dumps of this interface alone, by the kernel */
	mnl_socket_setsockopt(t->socket, NETLINK_GET_STRICT_CHK, &strict, sizeof(strict));
	return mnl_socket_bind(t->socket, 0, MNL_SOCKET_AUTOPID) == 0 ? 0 : -errno;
}

static struct nlmsghdr *message(struct talk *t, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(t->buffer);

	m->nlmsg_type = type;
	m->nlmsg_flags = NLM_F_REQUEST | flags;
	m->nlmsg_seq = ++t->sequence;
	return m;
}

/* Send, and hear every part of the answer. 0 or a negative errno. */
static int ask(struct talk *t, struct nlmsghdr *m, mnl_cb_t callback, void *arg)
{
	const unsigned int port = mnl_socket_get_portid(t->socket);
	int rc = MNL_CB_OK;

	if (mnl_socket_sendto(t->socket, m, m->nlmsg_len) < 0)
		return -errno;
	while (rc > MNL_CB_STOP) {
		const ssize_t n = mnl_socket_recvfrom(t->socket, t->buffer, sizeof(t->buffer));

		if (n < 0)
			return -errno;
		rc = mnl_cb_run(t->buffer, n, t->sequence, port, callback, arg);
	}
	return rc < 0 ? -errno : 0;
}

static struct nlmsghdr *link_message(struct talk *t, unsigned int flags)
{
	struct nlmsghdr *m = message(t, RTM_NEWLINK, NLM_F_ACK);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(m, sizeof(*info));

	info->ifi_index = (int)t->index;
	info->ifi_flags = flags;
	info->ifi_change = flags;
	return m;
}

/* No address that the kernel makes of the MAC: the port's own is added. Fails without IPv6. */
static void no_generated_address(struct talk *t)
{
	struct nlmsghdr *m = link_message(t, 0);
	struct nlattr *families = mnl_attr_nest_start(m, IFLA_AF_SPEC);
	struct nlattr *ipv6 = mnl_attr_nest_start(m, AF_INET6);

	mnl_attr_put_u8(m, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(m, ipv6);
	mnl_attr_nest_end(m, families);
	ask(t, m, NULL, NULL);
}

static bool has_mac(const char *name, const struct rte_ether_addr *mac)
{
	struct ifreq request = { 0 };
	const int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool same;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	same = s >= 0 && ioctl(s, SIOCGIFHWADDR, &request) == 0 &&
	       memcmp(request.ifr_hwaddr.sa_data, mac, RTE_ETHER_ADDR_LEN) == 0;
	if (s >= 0)
		close(s);
	return same;
}

static int apply_link(struct talk *t, const struct tap_link_wish *wish)
{
	struct nlmsghdr *m = link_message(t, IFF_UP);

	/* a MAC set anew makes the kernel forget its neighbours, even if it is the same */
	if (wish->mac && !has_mac(wish->name, wish->mac))
		mnl_attr_put(m, IFLA_ADDRESS, sizeof(*wish->mac), wish->mac);
	mnl_attr_put_u32(m, IFLA_MTU, wish->mtu);
	return ask(t, m, NULL, NULL);
}

/* ---- addresses ---- */

struct address_list {
	struct interface_address *address;
	size_t count, size;
	unsigned int index;
};

static struct ip_address address_of(const struct nlattr *a, bool ipv6)
{
	uint8_t bytes[16] = { 0 };
	uint64_t half[2];

	memcpy(bytes, mnl_attr_get_payload(a), ipv6 ? 16 : 4);
	for (int i = 0; i < 2; i++) {
		half[i] = 0;
		for (int k = 0; k < 8; k++)
			half[i] = half[i] << 8 | bytes[8 * i + k];
	}
	return (struct ip_address){ .key = { half[0], half[1] }, .ipv6 = ipv6 };
}

static int on_attribute(const struct nlattr *a, void *arg)
{
	const struct nlattr **found = arg;

	/* IFA_LOCAL is the own address where the two differ, and comes after */
	if (mnl_attr_get_type(a) == IFA_ADDRESS || mnl_attr_get_type(a) == IFA_LOCAL)
		*found = a;
	return MNL_CB_OK;
}

static int on_address(const struct nlmsghdr *m, void *arg)
{
	struct address_list *list = arg;
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(m);
	const bool ipv6 = info->ifa_family == AF_INET6;
	const struct nlattr *found = NULL;

	if (info->ifa_index != list->index || (!ipv6 && info->ifa_family != AF_INET))
		return MNL_CB_OK;
	mnl_attr_parse(m, sizeof(*info), on_attribute, &found);
	if (!found || mnl_attr_get_payload_len(found) != (ipv6 ? 16 : 4))
		return MNL_CB_OK;
	if (list->count == list->size) {
		const size_t size = list->size ? 2 * list->size : 16;
		struct interface_address *larger = realloc(list->address, size * sizeof(*larger));

		if (!larger)
			return MNL_CB_ERROR;
		list->address = larger;
		list->size = size;
	}
	list->address[list->count++] =
		(struct interface_address){ .address = address_of(found, ipv6),
					    .length = info->ifa_prefixlen };
	return MNL_CB_OK;
}

static int list_addresses(struct talk *t, struct address_list *list)
{
	struct nlmsghdr *m = message(t, RTM_GETADDR, NLM_F_DUMP);
	struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(m, sizeof(*info));

	info->ifa_family = AF_UNSPEC;
	info->ifa_index = t->index;
	list->index = t->index;
	return ask(t, m, on_address, list);
}

static int change_address(struct talk *t, const struct interface_address *a, bool add)
{
	const bool ipv6 = a->address.ipv6;
	struct nlmsghdr *m = message(t, add ? RTM_NEWADDR : RTM_DELADDR,
				     NLM_F_ACK | (add ? NLM_F_CREATE | NLM_F_REPLACE : 0));
	struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(m, sizeof(*info));
	uint8_t bytes[16];

	for (int i = 0; i < 8; i++) {
		bytes[i] = (uint8_t)(a->address.key.hi >> (56 - 8 * i));
		bytes[8 + i] = (uint8_t)(a->address.key.lo >> (56 - 8 * i));
	}
	info->ifa_family = ipv6 ? AF_INET6 : AF_INET;
	info->ifa_prefixlen = a->length;
	info->ifa_index = t->index;
	info->ifa_scope = ip_is_link_local(&a->address) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	mnl_attr_put(m, IFA_LOCAL, ipv6 ? 16 : 4, bytes);
	mnl_attr_put(m, IFA_ADDRESS, ipv6 ? 16 : 4, bytes);
	if (ipv6) /* napd defends them */
		mnl_attr_put_u32(m, IFA_FLAGS, IFA_F_NODAD);
	return ask(t, m, NULL, NULL);
}

static bool has(const struct interface_address *list, size_t n, const struct interface_address *a)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].length == a->length && ip_address_equal(&list[i].address, &a->address))
			return true;
	return false;
}

/* Everything that is not wished for goes, then what is missing comes. */
static int apply_addresses(struct talk *t, const struct tap_link_wish *wish,
			   char error[TAP_ERROR_MAX])
{
	struct interface_address link_local = { .length = 64 };
	struct address_list have = { 0 };
	int rc = list_addresses(t, &have);

	if (wish->link_local)
		link_local.address = *wish->link_local;
	for (size_t i = 0; rc == 0 && i < have.count; i++) {
		const struct interface_address *a = &have.address[i];

		if (ip_is_link_local(&a->address) ? wish->link_local && !has(&link_local, 1, a)
						  : !has(wish->addresses, wish->address_count, a))
			change_address(t, a, false);
	}
	for (size_t i = 0; rc == 0 && i <= wish->address_count; i++) {
		const struct interface_address *a =
			i < wish->address_count ? &wish->addresses[i] : &link_local;
		char text[IP_TEXT_MAX];

		if ((i == wish->address_count && !wish->link_local) ||
		    has(have.address, have.count, a))
			continue;
		rc = change_address(t, a, true);
		if (rc != 0)
			snprintf(error, TAP_ERROR_MAX, "%s/%u cannot be added to %s: %s%s",
				 ip_address_text(&a->address, text), a->length, wish->name,
				 strerror(-rc),
				 a->address.ipv6 && (rc == -EACCES || rc == -EPERM)
					 ? " (sysctl net.ipv6.conf.all.disable_ipv6=0)"
					 : "");
	}
	free(have.address);
	return rc;
}

int tap_link_apply(const struct tap_link_wish *wish, char error[TAP_ERROR_MAX])
{
	struct talk *t = calloc(1, sizeof(*t));
	int rc = t ? 0 : -ENOMEM;

	error[0] = '\0';
	if (rc == 0)
		rc = talk_open(t, wish->name);
	if (rc == 0) {
		quieten(wish->name);
		no_generated_address(t);
		rc = apply_link(t, wish);
	}
	if (rc == 0)
		rc = apply_addresses(t, wish, error);
	if (rc != 0 && !error[0])
		snprintf(error, TAP_ERROR_MAX, "%s cannot be configured: %s", wish->name,
			 strerror(-rc));
	if (t && t->socket)
		mnl_socket_close(t->socket);
	free(t);
	return rc;
}
