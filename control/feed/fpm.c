// SPDX-License-Identifier: BSD-3-Clause
/* Puts frames together, each in a buffer that is aligned for netlink, and hands their messages on.
 */
#include "fpm.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>

#include "../address.h"
#include "learned.h"

#define HEADER_BYTES     4
#define FRAME_MAX        65535
#define VERSION          1
#define PROTOCOL_NETLINK 1

struct fpm {
	struct learned *learned;
	uint8_t head[HEADER_BYTES];
	size_t have; /* of the frame in hand, header included */
	size_t length;
	struct fpm_counts counts;
	fpm_applied_fn applied; /* NULL: nobody asks */
	void *applied_arg;
	struct netlink_message message[2]; /* one, and the one behind it */
	/* libmnl looks at attributes up to their aligned end */
	_Alignas(8) uint8_t frame[FRAME_MAX + 8];
};

struct fpm *fpm_create(struct learned *learned)
{
	struct fpm *f = calloc(1, sizeof(*f));

	if (f)
		f->learned = learned;
	return f;
}

void fpm_free(struct fpm *f)
{
	free(f);
}

/* A deletion and a new route of the same prefix: one change, or every change would open a hole. */
static bool makes_up_for(const struct netlink_message *deletion, const struct netlink_message *next)
{
	return deletion->what == TOLD_ROUTE && deletion->gone && next->what == TOLD_ROUTE &&
	       !next->gone && next->kind != TOLD_UNUSED && next->table == deletion->table &&
	       next->prefix.ipv6 == deletion->prefix.ipv6 &&
	       next->prefix.key.length == deletion->prefix.key.length &&
	       ip_key_compare(next->prefix.key.address, deletion->prefix.key.address) == 0;
}

void fpm_on_applied(struct fpm *f, fpm_applied_fn applied, void *arg)
{
	f->applied = applied;
	f->applied_arg = arg;
}

static int apply(struct fpm *f, const struct netlink_message *m, const struct nlmsghdr *header)
{
	const int rc = learned_apply(f->learned, m);

	if (!rc && f->applied && m->what == TOLD_ROUTE && !m->gone)
		f->applied(f->applied_arg, header, learned_state_of(f->learned, &m->prefix));
	return rc;
}

/* The messages of a whole frame; nothing of it is applied if one of them is wrong. */
static int take_frame(struct fpm *f, const char **wrong)
{
	struct netlink_message *waiting = NULL, *m = f->message;
	const struct nlmsghdr *header, *behind = NULL; /* of waiting */
	int left = (int)(f->length - HEADER_BYTES), rc = 0;

	memset(f->frame + left, 0, 8);
	for (header = (const void *)f->frame; netlink_whole(header, left);
	     header = mnl_nlmsg_next(header, &left))
		if (netlink_parse(header, m, wrong))
			return -EINVAL;
	if (left > 0) {
		*wrong = "a frame ends inside a message";
		return -EINVAL;
	}
	left = (int)(f->length - HEADER_BYTES);
	for (header = (const void *)f->frame; !rc && netlink_whole(header, left);
	     header = mnl_nlmsg_next(header, &left)) {
		netlink_parse(header, m, wrong);
		f->counts.messages++;
		if (waiting && makes_up_for(waiting, m))
			f->counts.replaced++;
		else if (waiting)
			rc = apply(f, waiting, behind);
		waiting = m;
		behind = header;
		m = m == f->message ? f->message + 1 : f->message;
	}
	if (!rc && waiting)
		rc = apply(f, waiting, behind);
	return rc;
}

static int take_header(struct fpm *f, const char **wrong)
{
	f->length = (size_t)f->head[2] << 8 | f->head[3];
	if (f->head[0] != VERSION)
		*wrong = "it is not of FPM's version 1";
	else if (f->head[1] != PROTOCOL_NETLINK)
		*wrong = "its messages are not netlink's (zebra needs -M dplane_fpm_nl)";
	else if (f->length < HEADER_BYTES)
		*wrong = "a frame is shorter than its header";
	else
		return 0;
	return -EINVAL;
}

int fpm_receive(struct fpm *f, const void *data, size_t bytes, const char **wrong)
{
	const uint8_t *at = data;
	int rc = 0;

	f->counts.bytes += bytes;
	while (!rc && bytes) {
		const size_t whole = f->have < HEADER_BYTES ? HEADER_BYTES : f->length;
		const size_t n = whole - f->have < bytes ? whole - f->have : bytes;

		if (f->have < HEADER_BYTES)
			memcpy(f->head + f->have, at, n);
		else
			memcpy(f->frame + f->have - HEADER_BYTES, at, n);
		f->have += n;
		at += n;
		bytes -= n;
		if (f->have == HEADER_BYTES && whole == HEADER_BYTES)
			rc = take_header(f, wrong);
		if (rc || f->have < HEADER_BYTES || f->have < f->length)
			continue;
		f->counts.frames++;
		rc = take_frame(f, wrong);
		if (!rc)
			f->counts.frame_at += f->length;
		f->have = f->length = 0;
	}
	return rc;
}

void fpm_counts(const struct fpm *f, struct fpm_counts *counts)
{
	*counts = f->counts;
}
