// SPDX-License-Identifier: BSD-3-Clause
/*
 * The feed tables.kernel: follows a routing table of the kernel, into which BIRD or anybody else
 * installs. A socket subscribes first, then asks for everything (a dump), so that no change falls
 * between; both come over the same socket, in the order in which they happened.
 *
 * What the kernel does not say is asked for anew: when messages were lost (ENOBUFS), by another
 * socket; when an interface or an address went, with which it deletes routes in silence, by the
 * same. Until the answer is whole all routes stay as they were, and are stale.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include "../log.h"
#include "live_feed.h"

#define MODULE      "kernel"
#define MS_NS       UINT64_C(1000000)
#define BUFFER      (32 << 20) /* of the socket: the kernel doubles it; some 80,000 messages */
#define READ_BYTES  65536      /* a datagram is at most half of it */
#define PIECE_BYTES (2 * READ_BYTES)
#define ROUTE_BYTES 60             /* of a route's message, at least */
#define SLICE       128            /* messages between two looks of control at what is learned */
#define HELD_MS     5              /* until a piece is tried again */
#define SETTLE_NS   (200 * MS_NS)  /* after what went in silence: more of it goes */
#define AGAIN_NS    (1000 * MS_NS) /* between two sockets */
#define TORN_MAX    8              /* dumps that changes made inconsistent, in a row */

/* Which interfaces routes go by, as a filter: one that is not in it was never named. */
#define SEEN_BITS 65536

enum piece_kind {
	PIECE_BYTES_READ,
	PIECE_MARK, /* what is there is stale */
	PIECE_END,  /* the dump is whole */
};

struct piece {
	struct tables_work work;
	struct kernel_feed *kernel;
	enum piece_kind kind;
	size_t bytes, at;
	_Alignas(8) uint8_t data[];
};

/* What is asked for, one after the other. */
enum question { ASK_OBJECTS, ASK_IPV4, ASK_IPV6, ASK_NOTHING };

struct kernel_feed {
	struct feed *feed;
	uint32_t table;
	pthread_t thread;
	int wake;
	bool stop; /* atomic */
	/* The tables thread says that routes went in silence; atomic. */
	bool ask_again;
	/* What is posted and not done: it borrows this. Atomic. */
	unsigned int pieces;
	/* the reader's */
	int socket; /* -1: none */
	uint32_t sequence;
	enum question question;
	bool torn;          /* the answer is not of one moment */
	unsigned int tears; /* in a row */
	bool begun;         /* there may be what an earlier question brought */
	bool lost;          /* messages of the socket */
	uint64_t ask_ns;    /* when to ask everything again; 0: no need */
	uint64_t open_ns;   /* no new socket before */
	struct piece *piece, *held;
	/* the tables thread's */
	uint64_t seen[SEEN_BITS / 64];
};

/* ---- pieces, on the tables thread ---- */

static void poke(int wake)
{
	const uint64_t one = 1;

	if (write(wake, &one, sizeof(one)) < 0)
		log_error(MODULE, "eventfd: %s", strerror(errno));
}

static void see(struct kernel_feed *k, const struct netlink_message *m)
{
	for (uint32_t i = 0; i < m->hops; i++) {
		const uint32_t bit = m->hop[i].interface % SEEN_BITS;

		k->seen[bit / 64] |= UINT64_C(1) << bit % 64;
	}
}

static bool was_seen(const struct kernel_feed *k, uint32_t interface)
{
	return k->seen[interface % SEEN_BITS / 64] >> interface % 64 & 1;
}

/*
 * An interface that went, is down or (next-hop objects) has no carrier, or an address that went:
 * routes may have gone with it.
 */
static bool takes_routes(const struct kernel_feed *k, const struct nlmsghdr *h)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(h);
	const struct ifaddrmsg *address = mnl_nlmsg_get_payload(h);
	const size_t bytes = mnl_nlmsg_get_payload_len(h);

	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return bytes >= sizeof(*link) && was_seen(k, (uint32_t)link->ifi_index) &&
		       (h->nlmsg_type == RTM_DELLINK || !(link->ifi_flags & IFF_UP) ||
			!(link->ifi_flags & (IFF_RUNNING | IFF_LOWER_UP)));
	case RTM_DELADDR:
		return bytes >= sizeof(*address) && was_seen(k, address->ifa_index);
	default:
		return false;
	}
}

static int take_message(struct kernel_feed *k, struct learned *learned, const struct nlmsghdr *h)
{
	struct netlink_message message;
	const char *wrong;

	if (takes_routes(k, h) && !__atomic_exchange_n(&k->ask_again, true, __ATOMIC_ACQ_REL))
		poke(k->wake);
	if (netlink_parse(h, &message, &wrong) != 0) {
		log_error(MODULE, "tables.kernel: %s; the message is ignored", wrong);
		return 0;
	}
	if (message.what == TOLD_OBJECT || message.table == k->table)
		see(k, &message);
	return learned_apply(learned, &message);
}

static void take_bytes(struct piece *p, struct model *model)
{
	struct kernel_feed *k = p->kernel;
	struct learned *learned = feed_enter(k->feed, model);
	uint64_t n = 0;
	int rc = learned ? 0 : -ENOMEM;

	while (!rc && n < SLICE && p->at < p->bytes) {
		const struct nlmsghdr *h = (const void *)(p->data + p->at);

		rc = take_message(k, learned, h);
		p->at += MNL_ALIGN(h->nlmsg_len);
		n++;
	}
	feed_leave(k->feed, n);
	if (!rc)
		return;
	p->at = p->bytes;
	log_error(MODULE, "tables.kernel: no memory for a route");
}

static bool piece_run(struct tables_work *work, struct model *model)
{
	struct piece *p = (struct piece *)work;
	struct kernel_feed *k = p->kernel;

	switch (p->kind) {
	case PIECE_MARK:
		memset(k->seen, 0, sizeof(k->seen));
		feed_mark(k->feed, model);
		return false;
	case PIECE_END:
		feed_told_all(k->feed);
		if (!feed_has_restored(k->feed))
			feed_sweep(k->feed, feed_losses(k->feed));
		return false;
	default:
		take_bytes(p, model);
		return p->at < p->bytes;
	}
}

static void kernel_release(struct kernel_feed *k)
{
	if (__atomic_sub_fetch(&k->pieces, 1, __ATOMIC_ACQ_REL))
		return;
	close(k->wake);
	free(k);
}

static void piece_free(struct tables_work *work)
{
	struct piece *p = (struct piece *)work;

	kernel_release(p->kernel);
	free(p);
}

static struct piece *piece_create(struct kernel_feed *k, enum piece_kind kind, size_t room)
{
	struct piece *p = malloc(sizeof(*p) + room);

	if (!p)
		return NULL;
	*p = (struct piece){ .work = { .run = piece_run, .free = piece_free },
			     .kernel = k,
			     .kind = kind };
	__atomic_add_fetch(&k->pieces, 1, __ATOMIC_RELAXED);
	return p;
}

/* ---- what is read is posted ---- */

/* False: the tables are behind, or there is nothing. */
static bool post_held(struct kernel_feed *k)
{
	if (k->held && feed_post(k->feed, &k->held->work) != 0)
		return false;
	k->held = NULL;
	return true;
}

static void post_bytes(struct kernel_feed *k)
{
	struct piece *p = k->piece;

	if (!p)
		return;
	k->piece = NULL;
	if (!p->bytes) {
		piece_free(&p->work);
		return;
	}
	p->work.weight = p->bytes / ROUTE_BYTES + 1;
	k->held = p;
	post_held(k);
}

/* A mark or an end, behind what was posted. False: no memory. */
static bool post_word(struct kernel_feed *k, enum piece_kind kind)
{
	struct piece *p = piece_create(k, kind, 0);

	if (!p)
		return false;
	feed_post(k->feed, &p->work); /* of no weight: never refused */
	return true;
}

/* ---- asking ---- */

static void lose(struct kernel_feed *k, const char *why)
{
	if (!k->lost)
		feed_down(k->feed, "%s; table %u is read anew", why, k->table);
	k->lost = true;
}

/* As kernels since 5.0 want it where only a table is asked for. */
static int send_question(struct kernel_feed *k)
{
	_Alignas(8) uint8_t space[128];
	struct nlmsghdr *h = mnl_nlmsg_put_header(space);

	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = ++k->sequence;
	if (k->question == ASK_OBJECTS) {
		h->nlmsg_type = RTM_GETNEXTHOP;
		mnl_nlmsg_put_extra_header(h, sizeof(struct nhmsg));
	} else {
		struct rtmsg *rt;

		h->nlmsg_type = RTM_GETROUTE;
		rt = mnl_nlmsg_put_extra_header(h, sizeof(*rt));
		rt->rtm_family = k->question == ASK_IPV4 ? AF_INET : AF_INET6;
		mnl_attr_put_u32(h, RTA_TABLE, k->table);
	}
	return send(k->socket, h, h->nlmsg_len, 0) < 0 ? -errno : 0;
}

static void ask(struct kernel_feed *k)
{
	if (send_question(k) != 0)
		lose(k, "the kernel takes no questions");
}

static void ask_everything(struct kernel_feed *k)
{
	k->question = ASK_OBJECTS;
	k->torn = false;
	k->ask_ns = 0;
	ask(k);
}

/* What was asked for last has been answered. */
static void answered(struct kernel_feed *k)
{
	if (k->question == ASK_NOTHING)
		return;
	k->question++;
	if (k->question < ASK_NOTHING) {
		ask(k);
		return;
	}
	if (k->torn && ++k->tears < TORN_MAX) {
		ask_everything(k);
		return;
	}
	post_bytes(k);
	/* behind a piece that the tables do not take yet */
	while (k->held && !post_held(k) && !__atomic_load_n(&k->stop, __ATOMIC_ACQUIRE))
		usleep(HELD_MS * 1000);
	if (k->torn) {
		/* a route that was there all along may not have been told */
		k->tears = 0;
		k->ask_ns = feed_now_ns() + 10 * AGAIN_NS;
		feed_down(k->feed, "table %u changes too much to be read whole", k->table);
	} else if (!post_word(k, PIECE_END)) {
		lose(k, "no memory");
	} else {
		k->tears = 0;
		feed_up(k->feed, "table %u is followed", k->table);
	}
}

/* Whatever is there now is stale until it is told again. */
static void begin_again(struct kernel_feed *k)
{
	if (k->begun && !post_word(k, PIECE_MARK)) {
		k->ask_ns = feed_now_ns() + AGAIN_NS;
		return;
	}
	k->begun = true;
	ask_everything(k);
}

/* ---- the socket ---- */

static int join(int fd, int group)
{
	return setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group));
}

static int open_socket(void)
{
	static const int groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
				      RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE };
	const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
	const struct sockaddr_nl own = { .nl_family = AF_NETLINK };
	const int bytes = BUFFER, on = 1;
	int rc;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	/* kernels before 5.0 answer with all tables, which learned sorts out */
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	/* first: it sets groups, and to none */
	if (bind(fd, (const struct sockaddr *)&own, sizeof(own)) != 0)
		goto failed;
	join(fd, RTNLGRP_NEXTHOP); /* since 5.3 */
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (join(fd, groups[i]) != 0)
			goto failed;
	return fd;

failed:
	rc = -errno;
	close(fd);
	return rc;
}

/* A new one, if none is there and it is time. */
static void socket_look(struct kernel_feed *k)
{
	const uint64_t now_ns = feed_now_ns();

	if (k->lost && k->socket >= 0) {
		post_bytes(k); /* what was read before is true */
		close(k->socket);
		k->socket = -1;
	}
	if (k->socket >= 0 || now_ns < k->open_ns || k->held)
		return;
	k->open_ns = now_ns + AGAIN_NS;
	k->socket = open_socket();
	if (k->socket < 0) {
		feed_down(k->feed, "no socket: %s; it is tried again", strerror(-k->socket));
		return;
	}
	k->lost = false;
	k->tears = 0;
	begin_again(k);
}

/* The words of a dump: its end, an error, an answer that changes tore. */
static void take_word(struct kernel_feed *k, const struct nlmsghdr *h)
{
	int error = 0;

	if (h->nlmsg_seq != k->sequence || k->question == ASK_NOTHING)
		return; /* a notice, or of another time */
	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		k->torn = true;
	if (h->nlmsg_type != NLMSG_DONE && h->nlmsg_type != NLMSG_ERROR)
		return;
	if (mnl_nlmsg_get_payload_len(h) >= sizeof(error))
		memcpy(&error, mnl_nlmsg_get_payload(h), sizeof(error));
	/* no such table yet; a kernel without next-hop objects, or without IPv6 */
	if (error && error != -ENOENT && error != -EOPNOTSUPP && error != -EAFNOSUPPORT)
		lose(k, strerror(error < 0 ? -error : EPROTO));
	else
		answered(k);
}

/* A datagram at the end of the piece: its whole messages are kept. */
static void take_datagram(struct kernel_feed *k, size_t bytes)
{
	struct piece *p = k->piece;
	uint8_t *from = p->data + p->bytes;
	int left = (int)bytes;
	size_t at = 0;

	while (netlink_whole((const void *)(from + at), left)) {
		const struct nlmsghdr *h = (const void *)(from + at);
		const size_t length = MNL_ALIGN(h->nlmsg_len);

		/* an end posts the piece: it must not be waited for here */
		if (h->nlmsg_type == NLMSG_OVERRUN)
			lose(k, "messages were lost");
		at += length < (size_t)left ? length : (size_t)left;
		left = (int)(bytes - at);
	}
	p->bytes += MNL_ALIGN(at);
	for (size_t i = 0; i < at && !k->lost;) {
		const struct nlmsghdr *h = (const void *)(from + i);

		i += MNL_ALIGN(h->nlmsg_len);
		take_word(k, h);
		if (k->piece != p)
			return; /* posted, with all of this datagram */
	}
}

/* False: nothing more to be read now. */
static bool read_datagram(struct kernel_feed *k)
{
	struct sockaddr_nl from = { 0 };
	struct iovec to = { .iov_len = READ_BYTES };
	struct msghdr message = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &to, .msg_iovlen = 1
	};
	ssize_t n;

	if (!k->piece)
		k->piece = piece_create(k, PIECE_BYTES_READ, PIECE_BYTES);
	if (!k->piece) {
		lose(k, "no memory");
		return false;
	}
	to.iov_base = k->piece->data + k->piece->bytes;
	n = recvmsg(k->socket, &message, 0);
	if (n < 0) {
		if (errno == ENOBUFS)
			lose(k, "more changes came than could be read");
		else if (errno != EAGAIN && errno != EINTR)
			lose(k, strerror(errno));
		return false;
	}
	if (message.msg_flags & MSG_TRUNC)
		lose(k, "a message was too long");
	else if (from.nl_pid == 0) /* the kernel's */
		take_datagram(k, (size_t)n);
	return !k->lost;
}

static void socket_read(struct kernel_feed *k)
{
	while (!k->held && read_datagram(k))
		if (k->piece && k->piece->bytes > PIECE_BYTES - READ_BYTES)
			post_bytes(k);
	if (!k->held)
		post_bytes(k);
}

/* ---- the thread ---- */

/* In milliseconds; -1: until something comes. */
static int time_left(const struct kernel_feed *k)
{
	const uint64_t now_ns = feed_now_ns();
	const uint64_t until = k->socket < 0 ? k->open_ns : k->ask_ns;

	if (k->held)
		return HELD_MS;
	if (k->socket >= 0 && !k->ask_ns)
		return -1;
	return until > now_ns ? (int)((until - now_ns) / MS_NS) + 1 : 0;
}

static void *follow(void *arg)
{
	struct kernel_feed *k = arg;
	uint64_t count;

	while (!__atomic_load_n(&k->stop, __ATOMIC_ACQUIRE)) {
		struct pollfd fds[2] = { { k->wake, POLLIN, 0 },
					 { k->held ? -1 : k->socket, POLLIN, 0 } };

		poll(fds, 2, time_left(k));
		if (fds[0].revents && read(k->wake, &count, sizeof(count)) < 0)
			log_error(MODULE, "eventfd: %s", strerror(errno));
		if (__atomic_exchange_n(&k->ask_again, false, __ATOMIC_ACQ_REL) && !k->ask_ns)
			k->ask_ns = feed_now_ns() + SETTLE_NS;
		if (!post_held(k))
			continue;
		if (fds[1].revents && k->socket >= 0)
			socket_read(k);
		socket_look(k);
		if (k->socket >= 0 && k->ask_ns && k->question == ASK_NOTHING && !k->held &&
		    feed_now_ns() >= k->ask_ns)
			begin_again(k);
	}
	if (k->held)
		piece_free(&k->held->work);
	if (k->piece)
		piece_free(&k->piece->work);
	if (k->socket >= 0)
		close(k->socket);
	feed_down(k->feed, "table %u is not followed any more", k->table);
	post_word(k, PIECE_MARK);
	return NULL;
}

/* ---- what it is ---- */

static void *start(struct feed *feed, const struct config *config)
{
	struct kernel_feed *k = calloc(1, sizeof(*k));
	sigset_t all, before;
	int rc = -ENOMEM;

	if (!k)
		goto failed;
	k->feed = feed;
	k->table = config->tables.kernel_table;
	k->socket = -1;
	k->question = ASK_NOTHING;
	k->pieces = 1;
	k->wake = eventfd(0, EFD_CLOEXEC);
	if (k->wake < 0) {
		rc = -errno;
		goto failed;
	}
	feed_down(feed, "table %u is read", k->table);
	/* signals are control's */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = -pthread_create(&k->thread, NULL, follow, k);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!rc)
		return k;
	close(k->wake);

failed:
	feed_down(feed, "%s; it is tried again", strerror(-rc));
	free(k);
	return NULL;
}

static void stop(void *reader)
{
	struct kernel_feed *k = reader;

	__atomic_store_n(&k->stop, true, __ATOMIC_RELEASE);
	poke(k->wake);
	pthread_join(k->thread, NULL);
	kernel_release(k);
}

static bool wanted(const struct config *config)
{
	return config->tables.kernel;
}

static uint32_t table(const struct config *config)
{
	return config->tables.kernel_table;
}

static void key(const struct config *config, char text[FEED_KEY_MAX])
{
	snprintf(text, FEED_KEY_MAX, "%u", config->tables.kernel_table);
}

/*
 * A table that is read whole says what is gone. But what is in it when napd starts need not be all:
 * TAPs were gone with napd, and the kernel's routes over them with these; whoever installs them
 * comes later.
 */
static void tick(void *reader, const struct config *config, const struct feed_view *view,
		 uint64_t now_ns)
{
	struct kernel_feed *k = reader;

	if (view->up && view->restored)
		feed_consider_sweep(k->feed, view, config->tables.kernel_stale_s, now_ns);
}

const struct feed_kind kernel_feed = {
	.source = ROUTE_KERNEL,
	.name = "tables.kernel",
	.module = MODULE,
	.kernel = true,
	.wanted = wanted,
	.table = table,
	.key = key,
	.start = start,
	.stop = stop,
	.tick = tick,
};
