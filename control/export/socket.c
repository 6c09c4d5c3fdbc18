// SPDX-License-Identifier: BSD-3-Clause
/*
 * Serves the control socket: one request a connection, as one line of JSON,
 * {"argv": [...], "json": bool}; one answer, {"status": n, "text": ...} or with
 * "error". Connections are server.h's.
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
#include <jansson.h>

#include "log.h"
#include "server.h"
#include "show.h"

#define WORDS_MAX     32
#define DYING_MS      1000 /* for a killed predecessor's sockets to go */
#define DYING_STEP_MS 20

/* Who asked, and how. It outlives its client when that goes before the answer comes. */
struct waiter {
	struct client *client; /* NULL: gone */
	bool wants_json;
};

struct endpoint {
	struct control_socket *cs;
	struct server *server;
	char *path;
	bool readonly;
};

struct control_socket {
	struct runtime *rt;
	struct endpoint endpoint[2]; /* the main one, and the one that only shows */
};

/* ---- requests ---- */

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
static void send_reply(struct client *client, json_t *reply)
{
	struct evbuffer *output = client_output(client);
	char *text = reply ? json_dumps(reply, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;

	if (text)
		evbuffer_add(output, text, strlen(text));
	evbuffer_add(output, "\n", 1);
	client_answered(client);
	free(text);
	json_decref(reply);
}

static void send_answer(struct client *client, bool wants_json, const struct command_answer *a)
{
	json_t *reply = json_pack("{s:i}", "status", a->status);

	if (a->error)
		json_object_set_new(reply, "error", json_string(a->error));
	if (wants_json && a->json)
		json_object_set(reply, "json", a->json);
	else if (!wants_json && a->text)
		json_object_set_new(reply, "text", json_string(a->text));
	if (a->next)
		json_object_set_new(reply, "next", json_string(a->next));
	send_reply(client, reply);
}

void waiter_answer(struct waiter *waiter, const struct command_answer *answer)
{
	if (waiter->client) {
		waiter->client->own = NULL;
		send_answer(waiter->client, waiter->wants_json, answer);
	}
	free(waiter);
}

static void on_gone(struct client *client)
{
	struct waiter *waiter = client->own;

	if (waiter)
		waiter->client = NULL;
}

/* Run what it asks for; what takes long answers later. */
static void run_command(struct client *client, bool wants_json, int argc, char **argv,
			const char *after)
{
	const struct endpoint *e = client->arg;
	struct waiter *waiter = calloc(1, sizeof(*waiter));
	struct command_answer a;

	if (!waiter) {
		send_reply(client, NULL);
		return;
	}
	*waiter = (struct waiter){ client, wants_json };
	a = command_run(e->cs->rt, argc, argv, after, e->readonly, waiter);
	if (a.later) {
		client->own = waiter;
	} else {
		free(waiter);
		send_answer(client, wants_json, &a);
	}
	command_answer_release(&a);
}

static bool on_request(struct client *client, struct evbuffer *input)
{
	char *argv[WORDS_MAX], *line;
	json_t *request;
	size_t length;
	int argc;

	line = evbuffer_readln(input, &length, EVBUFFER_EOL_LF);
	if (!line)
		return false;
	request = json_loadb(line, length, 0, NULL);
	argc = request_words(request, argv);
	if (argc < 0)
		send_reply(client, json_pack("{s:i,s:s}", "status", 2, "error",
					     "the request is not {\"argv\": [WORD, ...]}"));
	else
		run_command(client, json_is_true(json_object_get(request, "json")), argc, argv,
			    json_string_value(json_object_get(request, "after")));
	json_decref(request);
	free(line);
	return true;
}

/* Each endpoint has places of its own: what everybody may use takes none from the operators. */
static const struct protocol control_protocol = {
	.module = "control",
	.clients_max = 64,
	.request_ms = 5000,
	.answer_ms = 30000,
	.request_max = 65536,
	.request = on_request,
	.gone = on_gone,
	.busy = "{\"status\":1,\"error\":\"too many clients at once; try again\"}\n",
};

/* ---- the socket files ---- */

/* 1: somebody listens there; 0: nobody; negative errno: it cannot be known. */
static int answers(const struct sockaddr_un *address)
{
	const int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc = 0;

	if (s < 0)
		return -errno;
	if (connect(s, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
		rc = 1;
	close(s);
	return rc;
}

/*
 * A socket that nobody listens on is left over from a kill; one that answers is another napd's.
 * It may be on its deathbed: the kernel frees what a killed one had of memory before its sockets.
 */
static int remove_stale(const struct sockaddr_un *address)
{
	struct stat status;
	int rc = 1;

	for (int ms = 0; rc == 1 && ms < DYING_MS; ms += DYING_STEP_MS) {
		rc = answers(address);
		if (rc == 1)
			usleep(DYING_STEP_MS * 1000);
	}
	if (rc == 0 && lstat(address->sun_path, &status) == 0) {
		if (!S_ISSOCK(status.st_mode))
			return -EEXIST;
		unlink(address->sun_path);
	}
	return rc == 1 ? -EADDRINUSE : rc;
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
	rc = server_open(cs->rt->base, &control_protocol, (struct sockaddr *)&address,
			 sizeof(address), e, &e->server);
	if (rc != 0)
		return rc;
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
	for (int i = 0; i < 2; i++) {
		if (cs->endpoint[i].server) {
			server_close(cs->endpoint[i].server);
			unlink(cs->endpoint[i].path);
		}
		free(cs->endpoint[i].path);
	}
	free(cs);
}
