/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A listener of short conversations: a request, an answer, the end. It owns its connections and
 * bounds what they cost: their number, the time to ask and to take the answer (not from byte to
 * byte), the bytes of a request. Where descriptors run out newcomers wait, and nothing spins.
 * Control thread.
 */
#ifndef NAPD_EXPORT_SERVER_H
#define NAPD_EXPORT_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct evbuffer;
struct event_base;
struct server;

struct client {
	void *arg; /* of its server */
	void *own; /* its protocol's; NULL at first */
};

struct protocol {
	const char *module; /* in the log */
	unsigned int clients_max;
	unsigned int request_ms; /* from the connection to the end of its request */
	unsigned int answer_ms;  /* to read the answer */
	size_t request_max;      /* bytes */
	/*
	 * There is more input. Returns false while the request is not whole; else has it answered,
	 * now or later. A request that is not whole with request_max bytes ends without an answer.
	 */
	bool (*request)(struct client *client, struct evbuffer *input);
	void (*gone)(struct client *client); /* it will not be touched again; may be NULL */
	const char *busy;                    /* what who finds no place is told */
};

/*
 * Listen at address; borrows protocol until server_close(). When clients_max are there, who has
 * waited longest without asking, else who has not yet read its answer, makes room for the next.
 * Returns 0 or a negative errno.
 */
int server_open(struct event_base *base, const struct protocol *protocol,
		const struct sockaddr *address, socklen_t length, void *arg,
		struct server **server);
void server_close(struct server *server);

/* Where the answer goes. */
struct evbuffer *client_output(struct client *client);
/* The answer is whole, and not empty. The client ends when it has it. */
void client_answered(struct client *client);

#endif
