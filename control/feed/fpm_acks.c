// SPDX-License-Identifier: BSD-3-Clause
/* Three queues of chunks of frames: added, in tables, in force. A chunk goes from one to the next.
 */
#include "fpm_acks.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/rtnetlink.h>

#define HEADER_BYTES 4
#define CHUNK_BYTES  65536
#define CHUNKS_MAX   2048 /* 128 MiB: two full tables */
#define ROUTE_MAX    2048 /* bytes; zebra's have some 60 */

struct chunk {
	struct chunk *next;
	uint32_t used, sent;
	uint32_t routes;
	uint8_t data[CHUNK_BYTES];
};

struct queue {
	struct chunk *first, **last;
};

struct fpm_acks {
	pthread_mutex_t mutex; /* of all */
	struct queue added, built, ready;
	uint32_t chunks;
	uint64_t lost;
};

static void queue_init(struct queue *q)
{
	q->first = NULL;
	q->last = &q->first;
}

/* All of one behind the other. */
static void queue_move(struct queue *to, struct queue *from)
{
	if (!from->first)
		return;
	*to->last = from->first;
	to->last = from->last;
	queue_init(from);
}

struct fpm_acks *fpm_acks_create(void)
{
	struct fpm_acks *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	pthread_mutex_init(&a->mutex, NULL);
	queue_init(&a->added);
	queue_init(&a->built);
	queue_init(&a->ready);
	return a;
}

void fpm_acks_free(struct fpm_acks *a)
{
	if (!a)
		return;
	queue_move(&a->ready, &a->built);
	queue_move(&a->ready, &a->added);
	while (a->ready.first) {
		struct chunk *c = a->ready.first;

		a->ready.first = c->next;
		free(c);
	}
	pthread_mutex_destroy(&a->mutex);
	free(a);
}

/* A chunk with room at the end of what was added; NULL: there is no room. */
static struct chunk *chunk_for(struct fpm_acks *a, uint32_t bytes)
{
	struct chunk *c = NULL;

	if (a->added.first)
		c = (struct chunk *)(void *)((uint8_t *)a->added.last -
					     offsetof(struct chunk, next));
	if (c && c->used + bytes <= CHUNK_BYTES)
		return c;
	c = a->chunks < CHUNKS_MAX ? malloc(sizeof(*c)) : NULL;
	if (!c)
		return NULL;
	c->next = NULL;
	c->used = c->sent = c->routes = 0;
	*a->added.last = c;
	a->added.last = &c->next;
	a->chunks++;
	return c;
}

void fpm_acks_add(struct fpm_acks *a, const struct nlmsghdr *route, uint32_t flags)
{
	const uint32_t bytes = HEADER_BYTES + NLMSG_ALIGN(route->nlmsg_len);
	struct nlmsghdr header = *route;
	struct rtmsg message;
	struct chunk *c = NULL;
	uint8_t *at;

	if (route->nlmsg_len < NLMSG_LENGTH(sizeof(message)))
		return;
	pthread_mutex_lock(&a->mutex);
	if (bytes <= ROUTE_MAX)
		c = chunk_for(a, bytes);
	if (c) {
		at = c->data + c->used;
		memset(at, 0, bytes);
		at[0] = at[1] = 1; /* version, netlink */
		at[2] = (uint8_t)(bytes >> 8);
		at[3] = (uint8_t)bytes;
		memcpy(at + HEADER_BYTES, route, route->nlmsg_len);
		header.nlmsg_flags |= NLM_F_REQUEST; /* zebra looks at no other */
		memcpy(at + HEADER_BYTES, &header, sizeof(header));
		memcpy(&message, at + HEADER_BYTES + NLMSG_HDRLEN, sizeof(message));
		message.rtm_flags |= flags;
		memcpy(at + HEADER_BYTES + NLMSG_HDRLEN, &message, sizeof(message));
		c->used += bytes;
		c->routes++;
	} else {
		a->lost++;
	}
	pthread_mutex_unlock(&a->mutex);
}

void fpm_acks_built(struct fpm_acks *a)
{
	pthread_mutex_lock(&a->mutex);
	queue_move(&a->built, &a->added);
	pthread_mutex_unlock(&a->mutex);
}

bool fpm_acks_published(struct fpm_acks *a)
{
	bool ready;

	pthread_mutex_lock(&a->mutex);
	queue_move(&a->ready, &a->built);
	ready = a->ready.first != NULL;
	pthread_mutex_unlock(&a->mutex);
	return ready;
}

bool fpm_acks_ready(struct fpm_acks *a)
{
	bool ready;

	pthread_mutex_lock(&a->mutex);
	ready = a->ready.first != NULL;
	pthread_mutex_unlock(&a->mutex);
	return ready;
}

static void chunk_done(struct fpm_acks *a)
{
	struct chunk *c;

	pthread_mutex_lock(&a->mutex);
	c = a->ready.first;
	a->ready.first = c->next;
	if (!a->ready.first)
		a->ready.last = &a->ready.first;
	a->chunks--;
	pthread_mutex_unlock(&a->mutex);
	free(c);
}

int fpm_acks_write(struct fpm_acks *a, int fd, uint64_t *routes)
{
	*routes = 0;
	while (fpm_acks_ready(a)) {
		/* nobody else takes from the front of this queue */
		struct chunk *c = a->ready.first;
		const ssize_t n =
			send(fd, c->data + c->sent, c->used - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		c->sent += (uint32_t)n;
		if (c->sent < c->used)
			continue;
		*routes += c->routes;
		chunk_done(a);
	}
	return 0;
}

uint64_t fpm_acks_lost(struct fpm_acks *a)
{
	uint64_t lost;

	pthread_mutex_lock(&a->mutex);
	lost = a->lost;
	pthread_mutex_unlock(&a->mutex);
	return lost;
}
