// SPDX-License-Identifier: BSD-3-Clause
/* Reads the head of a request (RFC 9112), answers with a page, closes. Connections are server.h's.
 */
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "server.h"

#define HEAD_MAX 16384 /* bytes of a request */

struct http_server {
	const struct http_page *pages;
	void *arg;
	struct server *server;
};

/* ---- requests ---- */

/* Does the head end within length bytes, with a blank line? */
static bool is_whole(const char *text, size_t length)
{
	return memmem(text, length, "\r\n\r\n", 4) || memmem(text, length, "\n\n", 2);
}

/* The word that begins at *at, up to the next space or end; its length goes to n. */
static const char *next_word(const char **at, const char *end, size_t *n)
{
	const char *word = *at;

	*n = 0;
	while (word + *n < end && word[*n] != ' ')
		(*n)++;
	*at = word + *n < end ? word + *n + 1 : end;
	return word;
}

/* The path of a target, /metrics?x=y or http://host/metrics. */
static int copy_path(const char *target, size_t n, char path[HTTP_PATH_MAX])
{
	static const char scheme[] = "http://";
	const size_t skip = sizeof(scheme) - 1;
	const char *query;

	if (n > skip && strncasecmp(target, scheme, skip) == 0) {
		const char *slash = memchr(target + skip, '/', n - skip);

		n = slash ? n - (size_t)(slash - target) : 0;
		target = slash;
	}
	if (!n || target[0] != '/')
		return 400;
	query = memchr(target, '?', n);
	if (query)
		n = (size_t)(query - target);
	if (n >= HTTP_PATH_MAX)
		return 404; /* none of ours is as long */
	memcpy(path, target, n);
	path[n] = '\0';
	return strlen(path) == n ? 200 : 400;
}

static bool is(const char *word, size_t n, const char *what)
{
	return n == strlen(what) && memcmp(word, what, n) == 0;
}

int http_parse(const char *text, size_t length, char path[HTTP_PATH_MAX], bool *head)
{
	const char *end = memchr(text, '\n', length), *at = text, *method, *target, *version;
	size_t method_n, target_n, version_n;

	if (!is_whole(text, length))
		return length >= HEAD_MAX ? 431 : 0;
	if (end > text && end[-1] == '\r')
		end--;
	method = next_word(&at, end, &method_n);
	target = next_word(&at, end, &target_n);
	version = next_word(&at, end, &version_n);
	if (!method_n || !target_n || at != end || version_n < 6 ||
	    memcmp(version, "HTTP/", 5) != 0)
		return 400;
	if (!is(version, version_n, "HTTP/1.1") && !is(version, version_n, "HTTP/1.0"))
		return 505;
	*head = is(method, method_n, "HEAD");
	if (!*head && !is(method, method_n, "GET"))
		return 501;
	return copy_path(target, target_n, path);
}

/* ---- answers ---- */

static const char *reason_of(int status)
{
	static const struct {
		int status;
		const char *reason;
	} known[] = {
		{ 200, "OK" },
		{ 400, "Bad Request" },
		{ 404, "Not Found" },
		{ 431, "Request Header Fields Too Large" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].status == status)
			return known[i].reason;
	return "Error";
}

static struct http_answer make_page(const struct http_server *http, const char *path)
{
	for (const struct http_page *page = http->pages; page->path; page++)
		if (strcmp(page->path, path) == 0)
			return page->make(http->arg);
	return (struct http_answer){ .status = 404,
				     .type = "text/plain",
				     .text = strdup("not found\n") };
}

static void free_text(const void *data, size_t length, void *text)
{
	(void)data;
	(void)length;
	free(text);
}

static bool on_request(struct client *client, struct evbuffer *input)
{
	const size_t length = evbuffer_get_length(input);
	const char *text = (const char *)evbuffer_pullup(input, -1);
	struct evbuffer *output = client_output(client);
	struct http_answer answer = { .type = "text/plain" };
	char path[HTTP_PATH_MAX] = "";
	bool head = false;

	answer.status = text ? http_parse(text, length, path, &head) : 503;
	if (answer.status == 0)
		return false;
	if (answer.status == 200)
		answer = make_page(client->arg, path);
	if (answer.status == 200 && !answer.text)
		answer = (struct http_answer){ .status = 503, .type = "text/plain" };
	evbuffer_drain(input, length);
	evbuffer_add_printf(output,
			    "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
			    "Connection: close\r\n\r\n",
			    answer.status, reason_of(answer.status), answer.type,
			    answer.text ? strlen(answer.text) : 0);
	if (answer.text && (head || !*answer.text ||
			    evbuffer_add_reference(output, answer.text, strlen(answer.text),
						   free_text, answer.text) != 0))
		free(answer.text);
	client_answered(client);
	return true;
}

/* ---- its life ---- */

static const struct protocol http_protocol = {
	.module = "metrics",
	.clients_max = 64,
	.request_ms = 5000,
	.answer_ms = 30000,
	.request_max = HEAD_MAX,
	.request = on_request,
	.busy = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
};

int http_open(struct event_base *base, const char *host, uint16_t port,
	      const struct http_page *pages, void *arg, struct http_server **out)
{
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
					.ai_socktype = SOCK_STREAM };
	struct http_server *http = calloc(1, sizeof(*http));
	struct addrinfo *address = NULL;
	char service[8];
	int rc = -ENOMEM;

	if (!http)
		return rc;
	*http = (struct http_server){ .pages = pages, .arg = arg };
	snprintf(service, sizeof(service), "%u", port);
	rc = getaddrinfo(host, service, &hints, &address) == 0
		     ? server_open(base, &http_protocol, address->ai_addr, address->ai_addrlen,
				   http, &http->server)
		     : -EADDRNOTAVAIL;
	if (address)
		freeaddrinfo(address);
	if (rc != 0)
		http_close(http);
	else
		*out = http;
	return rc;
}

void http_close(struct http_server *http)
{
	if (!http)
		return;
	server_close(http->server);
	free(http);
}
