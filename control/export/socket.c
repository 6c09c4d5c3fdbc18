// SPDX-License-Identifier: BSD-3-Clause
/*
 * Serves the control socket: one request a connection, as one line of JSON,
 * {"argv": [...], "json": bool}; one answer, {"status": n, "text": ...} or with
 * "error". Everything is buffered; a client that is slow, dead or hostile costs its
 * buffers until its time is over.
 */
#include "socket.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "log.h"
#include "show.h"

#define CLIENTS_MAX    64
#define REQUEST_MAX    65536
#define WORDS_MAX      32
#define CLIENT_SECONDS 10
#define DYING_MS       1000 /* for a killed predecessor's sockets to go */
#define DYING_STEP_MS  20

struct client {
	struct client *next;
	struct control_socket *cs;
	struct bufferevent *io;
	struct waiter *waiter; /* its answer comes later; NULL: it does not */
	bool readonly;
	bool wants_json;
	bool answered;
};

/* Outlives its client when that goes before the answer comes. */
struct waiter {
	struct client *client;
};

struct endpoint {
	struct control_socket *cs;
	struct evconnlistener *listener;
	char *path;
	bool readonly;
};

struct control_socket {
	struct runtime *rt;
	struct endpoint endpoint[2]; /* the main one, and the one that only shows */
	struct client *clients;
	unsigned int count;
};

/* ---- clients ---- */

static void client_free(struct client *c)
{
	struct client **at = &c->cs->clients;

	while (*at && *at != c)
		at = &(*at)->next;
	if (*at)
		*at = c->next;
	c->cs->count--;
	if (c->waiter)
		c->waiter->client = NULL;
	bufferevent_free(c->io);
	free(c);
}

/* The words of a request; they live as long as request. Returns their number, or -1. */
static int request_words(const json_t *request, char *argv[WORDS_MAX])
{
	const json_t *list = json_object_get(request, "argv");
	const size_t n = json_array_size(list);

	if (n < 1 || n > WORDS_MAX)
		return -1;
	for (size_t i = 0; i < n; i++) {
		argv[i] = (char *)(uintptr_t)json_string_value(json_array_get(list, i));
		if (!argv[i])
			return -1;
	}
	return n;
}

/* Takes reply; NULL: no memory. */
static void client_send(struct client *c, json_t *reply)
{
	char *text = reply ? json_dumps(reply, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;

	c->answered = true;
	if (text)
		bufferevent_write(c->io, text, strlen(text));
	bufferevent_write(c->io, "\n", 1);
	free(text);
	json_decref(reply);
}

static void client_answer(struct client *c, const struct command_answer *a)
{
	json_t *reply = json_pack("{s:i}", "status", a->status);

	if (a->error)
		json_object_set_new(reply, "error", json_string(a->error));
	if (c->wants_json && a->json)
		json_object_set(reply, "json", a->json);
	else if (!c->wants_json && a->text)
		json_object_set_new(reply, "text", json_string(a->text));
	if (a->next)
		json_object_set_new(reply, "next", json_string(a->next));
	client_send(c, reply);
}

void waiter_answer(struct waiter *waiter, const struct command_answer *answer)
{
	if (waiter->client) {
		waiter->client->waiter = NULL;
		client_answer(waiter->client, answer);
	}
	free(waiter);
}

/* Run what it asks for; what takes long answers later. */
static void client_run(struct client *c, int argc, char **argv, const char *after)
{
	struct waiter *waiter = calloc(1, sizeof(*waiter));
	struct command_answer a;

	if (!waiter) {
		client_send(c, NULL);
		return;
	}
	waiter->client = c;
	a = command_run(c->cs->rt, argc, argv, after, c->readonly, waiter);
	if (a.later) {
		c->waiter = waiter;
	} else {
		free(waiter);
		client_answer(c, &a);
	}
	command_answer_release(&a);
}

static void client_request(struct client *c, const char *line, size_t length)
{
	json_t *request = json_loadb(line, length, 0, NULL);
	char *argv[WORDS_MAX];
	const int argc = request_words(request, argv);

	bufferevent_disable(c->io, EV_READ);
	c->wants_json = json_is_true(json_object_get(request, "json"));
	if (argc < 0)
		client_send(c, json_pack("{s:i,s:s}", "status", 2, "error",
					 "the request is not {\"argv\": [WORD, ...]}"));
	else
		client_run(c, argc, argv, json_string_value(json_object_get(request, "after")));
	json_decref(request);
}

static void on_read(struct bufferevent *io, void *arg)
{
	struct client *c = arg;
	struct evbuffer *input = bufferevent_get_input(io);
	size_t length;
	char *line = evbuffer_readln(input, &length, EVBUFFER_EOL_LF);

	if (line) {
		client_request(c, line, length);
		free(line);
	} else if (evbuffer_get_length(input) >= REQUEST_MAX) {
		client_free(c);
	}
}

/* Everything the client was to get has been written. */
static void on_written(struct bufferevent *io, void *arg)
{
	struct client *c = arg;

	(void)io;
	if (c->answered)
		client_free(c);
}

static void on_event(struct bufferevent *io, short what, void *arg)
{
	(void)io;
	(void)what; /* end, error or time over: all the same to us */
	client_free(arg);
}

static void on_connect(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
		       int length, void *arg)
{
	static const struct timeval patience = { CLIENT_SECONDS, 0 };
	static const char busy[] = "{\"status\":1,\"error\":\"too many clients; try again\"}\n";
	struct endpoint *e = arg;
	struct control_socket *cs = e->cs;
	struct client *c;

	(void)from;
	(void)length;
	c = cs->count < CLIENTS_MAX ? calloc(1, sizeof(*c)) : NULL;
	if (c)
		c->io = bufferevent_socket_new(evconnlistener_get_base(listener), fd,
					       BEV_OPT_CLOSE_ON_FREE);
	if (!c || !c->io) {
		if (send(fd, busy, sizeof(busy) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			log_debug("control", "a client beyond the %u was turned away", CLIENTS_MAX);
		close(fd);
		free(c);
		return;
	}
	c->cs = cs;
	c->readonly = e->readonly;
	c->next = cs->clients;
	cs->clients = c;
	cs->count++;
	bufferevent_setcb(c->io, on_read, on_written, on_event, c);
	bufferevent_setwatermark(c->io, EV_READ, 0, REQUEST_MAX);
	bufferevent_set_timeouts(c->io, &patience, &patience);
	bufferevent_enable(c->io, EV_READ | EV_WRITE);
}

/* ---- the socket files ---- */

static bool answers(const struct sockaddr_un *address)
{
	const int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool yes;

	if (s < 0)
		return true; /* not known: leave it alone */
	yes = connect(s, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
	      errno == EAGAIN;
	close(s);
	return yes;
}

/*
 * A socket that nobody listens on is left over from a kill; one that answers is another napd's.
 * It may be on its deathbed: the kernel frees what a killed one had of memory before its sockets.
 */
static int remove_stale(const struct sockaddr_un *address)
{
	struct stat status;
	int rc = -EADDRINUSE;

	for (int ms = 0; rc && ms < DYING_MS; ms += DYING_STEP_MS) {
		if (!answers(address))
			rc = 0;
		else
			usleep(DYING_STEP_MS * 1000);
	}
	if (rc == 0 && lstat(address->sun_path, &status) == 0) {
		if (!S_ISSOCK(status.st_mode))
			return -EEXIST;
		unlink(address->sun_path);
	}
	return rc;
}

/* Make the folder of a socket where it is missing: /run is empty after a boot. */
static void make_folder(const char *path)
{
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char *slash;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (slash && slash != folder) {
		*slash = '\0';
		if (mkdir(folder, 0755) != 0 && errno != EEXIST)
			log_warning("control", "%s: %s", folder, strerror(errno));
	}
}

static int set_owner(const struct endpoint *e, const char *group)
{
	const struct group *g = group ? getgrnam(group) : NULL;

	if (chmod(e->path, e->readonly ? 0666 : 0660) != 0)
		return -errno;
	if (!e->readonly && g && chown(e->path, -1, g->gr_gid) != 0)
		log_warning("control", "%s: cannot be given to group %s: %s", e->path, group,
			    strerror(errno));
	return 0;
}

static int endpoint_open(struct control_socket *cs, struct endpoint *e, const char *path,
			 bool readonly)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int rc;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	make_folder(path);
	rc = remove_stale(&address);
	if (rc != 0)
		return rc;
	*e = (struct endpoint){ .cs = cs, .path = strdup(path), .readonly = readonly };
	if (!e->path)
		return -ENOMEM;
	e->listener = evconnlistener_new_bind(cs->rt->base, on_connect, e,
					      LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 32,
					      (struct sockaddr *)&address, sizeof(address));
	if (!e->listener)
		return -errno;
	return set_owner(e, cs->rt->config->control.group);
}

int control_socket_open(struct runtime *rt, struct control_socket **out)
{
	struct control_socket *cs = calloc(1, sizeof(*cs));
	const char *path[2] = { rt->config->control.socket, rt->config->control.readonly_socket };

	if (!cs)
		return -ENOMEM;
	cs->rt = rt;
	*out = cs;
	for (int i = 0; i < 2; i++) {
		const int rc = endpoint_open(cs, &cs->endpoint[i], path[i], i == 1);

		if (rc == 0)
			continue;
		log_error("control", "%s: %s", path[i],
			  rc == -EADDRINUSE ? "another napd answers there; give each its own "
					      "control.socket"
					    : strerror(-rc));
		return rc;
	}
	return 0;
}

void control_socket_close(struct control_socket *cs)
{
	if (!cs)
		return;
	while (cs->clients)
		client_free(cs->clients);
	for (int i = 0; i < 2; i++) {
		if (cs->endpoint[i].listener) {
			evconnlistener_free(cs->endpoint[i].listener);
			unlink(cs->endpoint[i].path);
		}
		free(cs->endpoint[i].path);
	}
	free(cs);
}
