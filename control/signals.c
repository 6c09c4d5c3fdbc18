// SPDX-License-Identifier: BSD-3-Clause
/* Handlers while nothing is made, a mask while something is, libevent's handlers in between. */
#include "signals.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t hup_came;

static void on_end(int number)
{
	(void)number;
	_exit(0);
}

static void on_hup(int number)
{
	(void)number;
	hup_came = 1;
}

static sigset_t ours(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	return set;
}

void signals_begin(void)
{
	const struct sigaction end = { .sa_handler = on_end },
			       hup = { .sa_handler = on_hup, .sa_flags = SA_RESTART };

	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGINT, &end, NULL);
	sigaction(SIGHUP, &hup, NULL);
}

void signals_hold(void)
{
	const sigset_t set = ours();

	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

bool signals_end_waits(void)
{
	sigset_t waiting;

	sigpending(&waiting);
	return sigismember(&waiting, SIGTERM) == 1 || sigismember(&waiting, SIGINT) == 1;
}

bool signals_release(void)
{
	const sigset_t set = ours();

	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return hup_came;
}
