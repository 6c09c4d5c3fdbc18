// SPDX-License-Identifier: BSD-3-Clause
/*
 * The feed tables.fpm: listens for zebra (-M dplane_fpm_nl), and reads what it sends on a thread of
 * its own, as fast as it comes. One zebra at a time: the first that connects is taken at once; a
 * newcomer beside it takes its place with its first frame, so that a zebra whose end the kernel
 * was not told of is replaced by the next, and a port scan replaces nobody.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/rtnetlink.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../address.h"
#include "../log.h"
#include "fpm.h"
#include "fpm_acks.h"
#include "live_feed.h"

#define MODULE      "fpm"
#define SECOND_NS   UINT64_C(1000000000)
#define READ_BYTES  65536 /* a read, and a piece of work */
#define READS       16    /* of a session between two looks at the others */
#define ROUTE_BYTES 48    /* of a route on the wire, at least */
#define SLICE_BYTES 4096  /* between two looks of control at what is learned */
#define HELD_MS     5     /* until a piece is tried again */
#define PAUSE_MS    1000  /* without a descriptor for a newcomer */

#define CALM_NS (3 * SECOND_NS)  /* fewer than BUSY messages a tick for so long */
#define LONG_NS (60 * SECOND_NS) /* the first table has come, however much is going on */
#define BUSY    100

/* One connection. The reader's and each piece's until the last is done. */
struct session {
	unsigned int references;
	struct feed *feed;
	int wake; /* of its reader, while that lives */
	char peer[INET6_ADDRSTRLEN + 16];
	int fd;                /* the reader's */
	bool broken;           /* the tables thread cannot go on with it; atomic */
	struct fpm *fpm;       /* the tables thread's */
	struct fpm_acks *acks; /* NULL: they are not wanted */
};

/* What a session posts: its beginning, bytes, its end. */
struct piece {
	struct tables_work work;
	struct session *session;
	enum piece_kind { PIECE_BEGIN, PIECE_BYTES, PIECE_END } kind;
	size_t bytes, at;
	uint8_t data[];
};

struct fpm_server {
	struct feed *feed;
	pthread_t thread;
	int wake; /* to stop, or because a session is broken */
	int listener;
	bool stop; /* atomic */
	bool acknowledge;
	pthread_mutex_t mutex; /* of session, for others than the reader */
	/* the reader's */
	struct session *session; /* NULL: nobody is connected */
	uint64_t acks_lost;
	int newcomer;       /* -1: none */
	struct piece *held; /* the tables are behind: nothing is read meanwhile */
	bool paused;        /* no descriptor for newcomers */
	uint8_t buffer[READ_BYTES];
	/* control's */
	uint64_t messages, busy_ns; /* how many there were; when they were many */
	unsigned int rests;         /* ticks that the tables rest */
};

/* ---- pieces, on the tables thread ---- */

static void session_release(struct session *s)
{
	if (__atomic_sub_fetch(&s->references, 1, __ATOMIC_ACQ_REL))
		return;
	fpm_free(s->fpm);
	fpm_acks_free(s->acks);
	close(s->wake);
	free(s);
}

static void poke(int wake)
{
	const uint64_t one = 1;

	if (write(wake, &one, sizeof(one)) < 0)
		log_error(MODULE, "eventfd: %s", strerror(errno));
}

static void session_break(struct session *s)
{
	__atomic_store_n(&s->broken, true, __ATOMIC_RELEASE);
	poke(s->wake);
}

static bool is_broken(const struct session *s)
{
	return __atomic_load_n(&s->broken, __ATOMIC_ACQUIRE);
}

static void acknowledge(void *arg, const struct nlmsghdr *route, enum learned_state state)
{
	struct session *s = arg;

	if (state == LEARNED_USED)
		fpm_acks_add(s->acks, route, RTM_F_OFFLOAD);
	else if (state == LEARNED_REFUSED)
		fpm_acks_add(s->acks, route, RTM_F_OFFLOAD_FAILED);
}

static void take_bytes(struct piece *p, struct model *model)
{
	struct session *s = p->session;
	struct learned *learned = feed_enter(s->feed, model);
	const size_t n = p->bytes - p->at < SLICE_BYTES ? p->bytes - p->at : SLICE_BYTES;
	struct fpm_counts before = { 0 }, after = { 0 };
	const char *wrong = "no memory";
	int rc = -ENOMEM;

	if (learned && !s->fpm) {
		s->fpm = fpm_create(learned);
		if (s->fpm && s->acks)
			fpm_on_applied(s->fpm, acknowledge, s);
	}
	if (s->fpm) {
		fpm_counts(s->fpm, &before);
		rc = fpm_receive(s->fpm, p->data + p->at, n, &wrong);
		fpm_counts(s->fpm, &after);
	}
	feed_leave(s->feed, after.messages - before.messages);
	p->at += n;
	if (!rc)
		return;
	log_error(MODULE,
		  "tables.fpm: %s: %s in the frame at byte %llu of what it sent; the "
		  "connection is closed",
		  s->peer, wrong, (unsigned long long)after.frame_at);
	session_break(s);
}

static bool piece_run(struct tables_work *work, struct model *model)
{
	struct piece *p = (struct piece *)work;

	if (p->kind == PIECE_END)
		feed_mark(p->session->feed, model);
	if (p->kind != PIECE_BYTES || is_broken(p->session))
		return false;
	take_bytes(p, model);
	return p->at < p->bytes;
}

static void piece_free(struct tables_work *work)
{
	session_release(((struct piece *)work)->session);
	free(work);
}

/* NULL without memory. */
static struct piece *piece_create(struct session *s, enum piece_kind kind, const void *data,
				  size_t bytes)
{
	struct piece *p = malloc(sizeof(*p) + bytes);

	if (!p)
		return NULL;
	*p = (struct piece){ .work = { .run = piece_run, .free = piece_free },
			     .session = s,
			     .kind = kind,
			     .bytes = bytes };
	if (bytes) {
		p->work.weight = bytes / ROUTE_BYTES + 1;
		memcpy(p->data, data, bytes);
	}
	__atomic_add_fetch(&s->references, 1, __ATOMIC_RELAXED);
	return p;
}

/* ---- sessions, on the reader's thread ---- */

static void peer_text(int fd, char *text, size_t size)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	char host[INET6_ADDRSTRLEN] = "?", port[8] = "?";

	if (getpeername(fd, (struct sockaddr *)&address, &length) == 0)
		getnameinfo((struct sockaddr *)&address, length, host, sizeof(host), port,
			    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(text, size, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

/* A peer on another machine may die without a word. */
static void keep_alive(int fd)
{
	const int on = 1, idle_s = 10, every_s = 5, probes = 3;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every_s, sizeof(every_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

/* Takes fd. */
static void session_begin(struct fpm_server *server, int fd)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s) {
		close(fd);
		return;
	}
	s->references = 1;
	s->feed = server->feed;
	s->wake = fcntl(server->wake, F_DUPFD_CLOEXEC, 0);
	s->fd = fd;
	keep_alive(fd);
	peer_text(fd, s->peer, sizeof(s->peer));
	if (server->acknowledge) {
		s->acks = fpm_acks_create();
		if (!s->acks)
			log_error(MODULE, "tables.fpm: no memory to acknowledge routes");
	}
	pthread_mutex_lock(&server->mutex);
	server->session = s;
	pthread_mutex_unlock(&server->mutex);
	feed_up(server->feed, "zebra at %s is connected", s->peer);
}

/* What was read of it is still applied; then its routes are stale. */
static void session_end(struct fpm_server *server, const char *why)
{
	struct session *s = server->session;
	struct piece *end;

	if (!s)
		return;
	pthread_mutex_lock(&server->mutex);
	server->session = NULL;
	pthread_mutex_unlock(&server->mutex);
	server->acks_lost = 0;
	close(s->fd);
	if (server->held) { /* cut off here: its frame may not be whole */
		piece_free(&server->held->work);
		server->held = NULL;
	}
	feed_down(server->feed, "zebra at %s %s", s->peer, why);
	end = piece_create(s, PIECE_END, NULL, 0);
	if (end)
		feed_post(server->feed, &end->work);
	else
		log_error(MODULE, "tables.fpm: no memory to mark its routes stale");
	session_release(s);
}

static void session_read(struct fpm_server *server)
{
	for (int i = 0; i < READS && !server->held; i++) {
		struct session *s = server->session;
		const ssize_t n = read(s->fd, server->buffer, sizeof(server->buffer));

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			session_end(server, n ? strerror(errno) : "has closed the connection");
			return;
		}
		server->held = piece_create(s, PIECE_BYTES, server->buffer, (size_t)n);
		if (!server->held) {
			session_end(server, "was cut off for want of memory");
			return;
		}
		if (feed_post(server->feed, &server->held->work) == 0)
			server->held = NULL;
	}
}

/* What zebra does not read stays; where there is no room for more, it is not told. */
static void session_acknowledge(struct fpm_server *server)
{
	struct session *s = server->session;
	uint64_t routes, lost;
	const int rc = fpm_acks_write(s->acks, s->fd, &routes);

	if (routes)
		feed_acknowledged(server->feed, routes);
	lost = fpm_acks_lost(s->acks);
	if (lost && !server->acks_lost)
		log_error(MODULE, "tables.fpm: %s does not read acknowledgements; they are lost",
			  s->peer);
	server->acks_lost = lost;
	if (rc)
		session_end(server, strerror(-rc));
}

/* ---- newcomers ---- */

static void newcomer_close(struct fpm_server *server)
{
	if (server->newcomer >= 0)
		close(server->newcomer);
	server->newcomer = -1;
}

static void newcomer_accept(struct fpm_server *server)
{
	const int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		newcomer_close(server);
		server->newcomer = fd;
		return;
	}
	server->paused = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
	if (server->paused)
		log_error(MODULE, "tables.fpm: a connection waits: %s", strerror(errno));
}

/* It takes the place of who is there when it speaks FPM, or nobody is there. */
static void newcomer_look(struct fpm_server *server)
{
	uint8_t head[4];
	ssize_t n;

	if (!server->session) {
		session_begin(server, server->newcomer);
		server->newcomer = -1;
		return;
	}
	n = recv(server->newcomer, head, sizeof(head), MSG_PEEK);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == (ssize_t)sizeof(head) && head[0] == 1 && head[1] == 1) {
		session_end(server, "has given way to another that connected");
		session_begin(server, server->newcomer);
		server->newcomer = -1;
	} else {
		newcomer_close(server);
	}
}

/* ---- the thread ---- */

enum { POLL_WAKE, POLL_LISTENER, POLL_NEWCOMER, POLL_SESSION, POLLS };

static void wait_for(struct fpm_server *server, struct pollfd fds[POLLS])
{
	struct session *s = server->session;
	const short reads = s && !server->held ? POLLIN : 0;
	const short writes = s && s->acks && fpm_acks_ready(s->acks) ? POLLOUT : 0;
	int timeout = server->held ? HELD_MS : server->paused ? PAUSE_MS : -1;
	uint64_t count;

	fds[POLL_WAKE] = (struct pollfd){ server->wake, POLLIN, 0 };
	fds[POLL_LISTENER] = (struct pollfd){ server->paused ? -1 : server->listener, POLLIN, 0 };
	fds[POLL_NEWCOMER] = (struct pollfd){ server->newcomer, POLLIN, 0 };
	/* without either a hang-up would be told again and again */
	fds[POLL_SESSION] = (struct pollfd){ reads | writes ? s->fd : -1, reads | writes, 0 };
	if (poll(fds, POLLS, timeout) == 0)
		server->paused = false;
	if (fds[POLL_WAKE].revents && read(server->wake, &count, sizeof(count)) < 0)
		log_error(MODULE, "eventfd: %s", strerror(errno));
}

static void *serve(void *arg)
{
	struct fpm_server *server = arg;
	struct pollfd fds[POLLS];

	while (!__atomic_load_n(&server->stop, __ATOMIC_ACQUIRE)) {
		wait_for(server, fds);
		if (server->session && is_broken(server->session))
			session_end(server, "sent what cannot be understood");
		if (server->held && feed_post(server->feed, &server->held->work) == 0)
			server->held = NULL;
		if (fds[POLL_SESSION].revents & POLLOUT && server->session)
			session_acknowledge(server);
		if (fds[POLL_SESSION].revents & ~POLLOUT && server->session && !server->held)
			session_read(server);
		if (fds[POLL_LISTENER].revents)
			newcomer_accept(server);
		if (server->newcomer >= 0)
			newcomer_look(server);
	}
	newcomer_close(server);
	session_end(server, "is not listened to any more");
	return NULL;
}

/* Returns a descriptor, or a negative errno. */
static int listen_at(const char *where)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
					.ai_socktype = SOCK_STREAM };
	char *copy = strdup(where), *host, service[8];
	struct addrinfo *address = NULL;
	const int on = 1;
	uint16_t port;
	int fd = -1, rc = -EINVAL;

	if (copy && listen_split(copy, &host, &port)) {
		snprintf(service, sizeof(service), "%u", port);
		if (getaddrinfo(host, service, &hints, &address) != 0)
			address = NULL;
	}
	if (address)
		fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		rc = bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, 8) == 0
			     ? fd
			     : -errno;
	} else if (address) {
		rc = -errno;
	}
	if (rc < 0 && fd >= 0)
		close(fd);
	if (address)
		freeaddrinfo(address);
	free(copy);
	return rc;
}

static void *start(struct feed *feed, const struct config *config)
{
	struct fpm_server *server = calloc(1, sizeof(*server));
	sigset_t all, before;
	int rc = -ENOMEM;

	if (!server)
		goto failed;
	server->feed = feed;
	server->newcomer = -1;
	server->acknowledge = config->tables.fpm_acknowledge;
	pthread_mutex_init(&server->mutex, NULL);
	server->wake = eventfd(0, EFD_CLOEXEC);
	server->listener = rc = listen_at(config->tables.fpm_listen);
	if (server->wake < 0 || server->listener < 0)
		goto failed;
	feed_down(feed, "waits for zebra at %s", config->tables.fpm_listen);
	/* signals are control's */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = -pthread_create(&server->thread, NULL, serve, server);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!rc)
		return server;

failed:
	feed_down(feed, "cannot listen at %s: %s; it is tried again", config->tables.fpm_listen,
		  strerror(rc < 0 ? -rc : errno));
	if (server && server->listener >= 0)
		close(server->listener);
	if (server && server->wake >= 0)
		close(server->wake);
	free(server);
	return NULL;
}

static void stop(void *reader)
{
	struct fpm_server *server = reader;

	__atomic_store_n(&server->stop, true, __ATOMIC_RELEASE);
	poke(server->wake);
	pthread_join(server->thread, NULL);
	close(server->listener);
	close(server->wake);
	pthread_mutex_destroy(&server->mutex);
	free(server);
}

/* ---- acknowledgements: tables are made, and in force ---- */

static void built(void *reader)
{
	struct fpm_server *server = reader;

	pthread_mutex_lock(&server->mutex);
	if (server->session && server->session->acks)
		fpm_acks_built(server->session->acks);
	pthread_mutex_unlock(&server->mutex);
}

static void published(void *reader)
{
	struct fpm_server *server = reader;
	bool ready = false;

	pthread_mutex_lock(&server->mutex);
	if (server->session && server->session->acks)
		ready = fpm_acks_published(server->session->acks);
	pthread_mutex_unlock(&server->mutex);
	if (ready)
		poke(server->wake);
}

/* A route told again as it was makes no new tables: when they have rested for a while, it is in
 * them. */
static void acknowledge_the_rest(struct fpm_server *server)
{
	server->rests = feed_resting(server->feed) ? server->rests + 1 : 0;
	if (server->rests < 2)
		return;
	published(server); /* what was built at the last tick, or before */
	built(server);
}

/* ---- what is stale ---- */

/* zebra says neither when it has told everything nor what it deleted while nobody listened. */
static void tick(void *reader, const struct config *config, const struct feed_view *view,
		 uint64_t now_ns)
{
	struct fpm_server *server = reader;

	if (server->acknowledge)
		acknowledge_the_rest(server);
	if (view->messages - server->messages > BUSY)
		server->busy_ns = now_ns;
	server->messages = view->messages;
	if (!view->up)
		return;
	feed_consider_sweep(server->feed, view, config->tables.fpm_stale_s, now_ns);
	if (view->loaded || now_ns - view->since_ns < CALM_NS)
		return;
	if (now_ns - server->busy_ns >= CALM_NS || now_ns - view->since_ns >= LONG_NS)
		feed_told_all(server->feed);
}

/* ---- what it is ---- */

static bool wanted(const struct config *config)
{
	return config->tables.fpm;
}

static uint32_t table(const struct config *config)
{
	return config->tables.fpm_table;
}

static void key(const struct config *config, char text[FEED_KEY_MAX])
{
	snprintf(text, FEED_KEY_MAX, "%s%s", config->tables.fpm_listen,
		 config->tables.fpm_acknowledge ? " acknowledge" : "");
}

const struct feed_kind fpm_feed = {
	.source = ROUTE_FPM,
	.name = "tables.fpm",
	.module = MODULE,
	.wanted = wanted,
	.table = table,
	.key = key,
	.start = start,
	.stop = stop,
	.tick = tick,
	.built = built,
	.published = published,
};
