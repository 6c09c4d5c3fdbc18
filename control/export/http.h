/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HTTP/1, as much as it takes to serve a few pages to Prometheus and a load balancer: GET and HEAD,
 * one request a connection, no body. Control thread.
 */
#ifndef NAPD_EXPORT_HTTP_H
#define NAPD_EXPORT_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_PATH_MAX 64

struct event_base;
struct http_server;

struct http_answer {
	int status; /* of HTTP */
	const char *type;
	char *text; /* malloc, the server's from then on; NULL: no memory */
};

struct http_page {
	const char *path;
	struct http_answer (*make)(void *arg);
};

/*
 * Serve pages, to one without path, at host (an address without brackets) and port. Borrows pages
 * and arg until http_close(). Returns 0 or a negative errno.
 */
int http_open(struct event_base *base, const char *host, uint16_t port,
	      const struct http_page *pages, void *arg, struct http_server **server);
void http_close(struct http_server *server);

/*
 * Judge the head of a request, length bytes of it. Returns 0: it is not whole; 200: path and head
 * (the method is HEAD) say what is wanted; else the status of the refusal. Pure.
 */
int http_parse(const char *text, size_t length, char path[HTTP_PATH_MAX], bool *head);

#endif
