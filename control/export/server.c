// SPDX-License-Identifier: BSD-3-Clause
/* Everything is buffered; a client that is slow, dead or hostile costs a place until another wants
 * it. */
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "log.h"

#define BACKLOG  32
#define PAUSE_MS 500 /* without a descriptor for newcomers */

struct connection {
	struct client client;
	struct connection *next; /* older */
	struct server *server;
	struct bufferevent *io;
	struct event *deadline;
	enum { ASKING, WAITING, READING } state;
};

struct server {
	const struct protocol *protocol;
	void *arg;
	struct evconnlistener *listener;
	struct event *resume;
	struct connection *connections; /* the youngest first */
	unsigned int count;
};

static struct timeval milliseconds(unsigned int ms)
{
	return (struct timeval){ ms / 1000, ms % 1000 * 1000L };
}

static void connection_free(struct connection *c)
{
	struct connection **at = &c->server->connections;

	while (*at && *at != c)
		at = &(*at)->next;
	if (*at) {
		*at = c->next;
		c->server->count--;
	}
	if (c->server->protocol->gone)
		c->server->protocol->gone(&c->client);
	if (c->deadline)
		event_free(c->deadline);
	if (c->io)
		bufferevent_free(c->io);
	free(c);
}

struct evbuffer *client_output(struct client *client)
{
	return bufferevent_get_output(((struct connection *)client)->io);
}

void client_answered(struct client *client)
{
	struct connection *c = (struct connection *)client;
	const struct timeval patience = milliseconds(c->server->protocol->answer_ms);

	c->state = READING;
	event_add(c->deadline, &patience);
}

static void on_read(struct bufferevent *io, void *arg)
{
	struct connection *c = arg;
	struct evbuffer *input = bufferevent_get_input(io);
	const struct protocol *protocol = c->server->protocol;

	if (c->state != ASKING)
		return;
	if (protocol->request(&c->client, input)) {
		bufferevent_disable(io, EV_READ);
		if (c->state == READING)
			return;
		c->state = WAITING; /* the answer comes later, whenever that is */
		event_del(c->deadline);
	} else if (evbuffer_get_length(input) >= protocol->request_max) {
		connection_free(c);
	}
}

/* Everything the client was to get has been written. */
static void on_written(struct bufferevent *io, void *arg)
{
	struct connection *c = arg;

	(void)io;
	if (c->state == READING)
		connection_free(c);
}

static void on_event(struct bufferevent *io, short what, void *arg)
{
	(void)io;
	(void)what; /* end or error: all the same to us */
	connection_free(arg);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	connection_free(arg);
}

/* ---- newcomers ---- */

static void say_busy(const struct server *server, int fd)
{
	const char *busy = server->protocol->busy;

	if (send(fd, busy, strlen(busy), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug(server->protocol->module, "a client was turned away");
}

/*
 * A client that means well asks at once and reads at once; so the oldest of those that did not yet
 * is the one to go. Those that wait for us stay.
 */
static bool make_room(struct server *server)
{
	struct connection *asking = NULL, *reading = NULL;

	if (server->count < server->protocol->clients_max)
		return true;
	for (struct connection *c = server->connections; c; c = c->next) {
		if (c->state == ASKING)
			asking = c;
		else if (c->state == READING)
			reading = c;
	}
	log_warning(server->protocol->module, "%u clients at once; the slowest is cut off",
		    server->count);
	if (asking)
		say_busy(server, bufferevent_getfd(asking->io));
	if (asking || reading)
		connection_free(asking ? asking : reading);
	return asking || reading;
}

static void on_connect(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
		       int length, void *arg)
{
	struct server *server = arg;
	const struct timeval patience = milliseconds(server->protocol->request_ms);
	struct event_base *base = evconnlistener_get_base(listener);
	struct connection *c;

	(void)from;
	(void)length;
	c = make_room(server) ? calloc(1, sizeof(*c)) : NULL;
	if (!c) {
		say_busy(server, fd);
		close(fd);
		return;
	}
	*c = (struct connection){ .client.arg = server->arg,
				  .next = server->connections,
				  .server = server };
	server->connections = c;
	server->count++;
	c->io = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	c->deadline = evtimer_new(base, on_deadline, c);
	if (!c->io)
		close(fd);
	if (!c->io || !c->deadline || event_add(c->deadline, &patience) != 0) {
		connection_free(c);
		return;
	}
	bufferevent_setcb(c->io, on_read, on_written, on_event, c);
	bufferevent_setwatermark(c->io, EV_READ, 0, server->protocol->request_max);
	bufferevent_enable(c->io, EV_READ | EV_WRITE);
}

/* Out of descriptors or memory: they wait in the kernel's queue, and so do we. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	const struct timeval pause = milliseconds(PAUSE_MS);
	const int error = EVUTIL_SOCKET_ERROR();
	struct server *server = arg;

	if (event_add(server->resume, &pause) == 0)
		evconnlistener_disable(listener);
	log_warning(server->protocol->module, "connections wait: %s", strerror(error));
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct server *server = arg;

	(void)fd;
	(void)what;
	evconnlistener_enable(server->listener);
}

/* ---- its life ---- */

int server_open(struct event_base *base, const struct protocol *protocol,
		const struct sockaddr *address, socklen_t length, void *arg, struct server **out)
{
	const unsigned int flags =
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE;
	struct server *server = calloc(1, sizeof(*server));
	int rc = -ENOMEM;

	if (!server)
		return rc;
	server->protocol = protocol;
	server->arg = arg;
	server->resume = evtimer_new(base, on_resume, server);
	if (!server->resume)
		goto fail;
	errno = 0;
	server->listener = evconnlistener_new_bind(base, on_connect, server, flags, BACKLOG,
						   address, (int)length);
	rc = errno ? -errno : -ENOMEM;
	if (!server->listener)
		goto fail;
	evconnlistener_set_error_cb(server->listener, on_accept_error);
	*out = server;
	return 0;

fail:
	server_close(server);
	return rc;
}

void server_close(struct server *server)
{
	if (!server)
		return;
	while (server->connections)
		connection_free(server->connections);
	if (server->listener)
		evconnlistener_free(server->listener);
	if (server->resume)
		event_free(server->resume);
	free(server);
}
