// SPDX-License-Identifier: BSD-3-Clause
/* A thread a job; the finished wake control by an eventfd. */
#include "background.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#define NICENESS 10 /* control shares its CPU with what it waits for, and goes first */

struct job {
	struct job *next;
	struct background *background;
	pthread_t thread;
	void (*work)(void *arg);
	void (*done)(void *arg, bool cancelled);
	void *arg;
};

struct background {
	struct event *wakes;
	int fd;
	unsigned int running;  /* control's */
	pthread_mutex_t mutex; /* of finished */
	struct job *finished;
};

static void *run(void *arg)
{
	struct job *job = arg;
	struct background *b = job->background;
	const uint64_t one = 1;

	setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS);
	job->work(job->arg);
	pthread_mutex_lock(&b->mutex);
	job->next = b->finished;
	b->finished = job;
	/* under the lock: b is there as long as somebody waits for this job */
	if (write(b->fd, &one, sizeof(one)) < 0)
		abort(); /* an eventfd takes 2^64 - 2 of them */
	pthread_mutex_unlock(&b->mutex);
	return NULL;
}

static void collect(struct background *b, bool cancelled)
{
	struct job *job;

	pthread_mutex_lock(&b->mutex);
	job = b->finished;
	b->finished = NULL;
	pthread_mutex_unlock(&b->mutex);
	while (job) {
		struct job *next = job->next;

		pthread_join(job->thread, NULL);
		b->running--;
		job->done(job->arg, cancelled);
		free(job);
		job = next;
	}
}

static void on_finished(evutil_socket_t fd, short what, void *arg)
{
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) == sizeof(count))
		collect(arg, false);
}

struct background *background_create(struct event_base *base)
{
	struct background *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	pthread_mutex_init(&b->mutex, NULL);
	b->fd = eventfd(0, EFD_CLOEXEC);
	if (b->fd >= 0)
		b->wakes = event_new(base, b->fd, EV_READ | EV_PERSIST, on_finished, b);
	if (b->wakes && event_add(b->wakes, NULL) == 0)
		return b;
	background_free(b, 0);
	return NULL;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool background_free(struct background *b, unsigned int wait_ms)
{
	const uint64_t end_ms = now_ms() + wait_ms;
	uint64_t count;

	if (!b)
		return true;
	while (b->running) {
		struct pollfd finished = { .fd = b->fd, .events = POLLIN };
		const uint64_t now = now_ms();

		if (poll(&finished, 1, now < end_ms ? (int)(end_ms - now) : 0) == 0)
			return false;
		if (finished.revents && read(b->fd, &count, sizeof(count)) == sizeof(count))
			collect(b, true);
	}
	if (b->wakes)
		event_free(b->wakes);
	if (b->fd >= 0)
		close(b->fd);
	pthread_mutex_destroy(&b->mutex);
	free(b);
	return true;
}

int background_run(struct background *b, void (*work)(void *arg),
		   void (*done)(void *arg, bool cancelled), void *arg)
{
	struct job *job = calloc(1, sizeof(*job));
	sigset_t all, before;
	int rc;

	if (!job)
		return -ENOMEM;
	*job = (struct job){ .background = b, .work = work, .done = done, .arg = arg };
	/* signals are control's */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&job->thread, NULL, run, job);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc) {
		free(job);
		return -rc;
	}
	b->running++;
	return 0;
}
