// SPDX-License-Identifier: BSD-3-Clause
/* Short conversations: who gets a place, for how long, and what happens when descriptors run out.
 */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "server.h"

#define PLACES 4
#define LATER  "later\n"

static struct event_base *base;
static struct server *server;
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static struct client *waiting;
static int gone;

/* A line is a request; its echo is the answer, but to "later" there is none yet. */
static bool on_request(struct client *client, struct evbuffer *input)
{
	size_t n;
	char *line = evbuffer_readln(input, &n, EVBUFFER_EOL_LF);

	if (!line)
		return false;
	if (strcmp(line, "later") == 0) {
		waiting = client;
	} else {
		evbuffer_add_printf(client_output(client), "%s\n", line);
		client_answered(client);
	}
	free(line);
	return true;
}

static void on_gone(struct client *client)
{
	(void)client;
	gone++;
}

/* Nobody's time is over but where a test waits for that: machines may be slow. */
static struct protocol protocol = {
	.module = "test",
	.clients_max = PLACES,
	.request_ms = 60000,
	.answer_ms = 60000,
	.request_max = 1024,
	.request = on_request,
	.gone = on_gone,
	.busy = "busy\n",
};

static int setup(void **state)
{
	(void)state;
	base = event_base_new();
	snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/napd-unit-server-%d", getpid());
	unlink(address.sun_path);
	gone = 0;
	waiting = NULL;
	protocol.request_ms = 60000;
	return server_open(base, &protocol, (struct sockaddr *)&address, sizeof(address), NULL,
			   &server);
}

static int teardown(void **state)
{
	(void)state;
	server_close(server);
	event_base_free(base);
	unlink(address.sun_path);
	return 0;
}

/* Let the server work for a while; returns how often its loop turned. */
static unsigned int turn(unsigned int ms)
{
	struct timespec end, now;
	unsigned int turns = 0;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += ms % 1000 * 1000000L;
	end.tv_sec += ms / 1000 + end.tv_nsec / 1000000000;
	end.tv_nsec %= 1000000000;
	do {
		const struct timeval step = { 0, 5000 };

		event_base_loopexit(base, &step);
		event_base_loop(base, EVLOOP_ONCE);
		turns++;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (turns < 8 || now.tv_sec < end.tv_sec ||
		 (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
	return turns;
}

static int client(const char *says)
{
	const int s = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_true(s >= 0);
	assert_int_equal(connect(s, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(s, says, strlen(says), MSG_NOSIGNAL), strlen(says));
	turn(20);
	return s;
}

/* What has come, and whether that was all: text, then "|" at the end. */
static const char *heard(int s)
{
	static char text[128];
	size_t n = 0;
	ssize_t more;

	while ((more = recv(s, text + n, sizeof(text) - n - 2, MSG_DONTWAIT)) > 0)
		n += (size_t)more;
	if (more == 0 || errno == ECONNRESET)
		text[n++] = '|';
	text[n] = '\0';
	return text;
}

static void an_answer_and_the_end(void **state)
{
	const int s = client("hello\n");

	(void)state;
	assert_string_equal(heard(s), "hello\n|");
	assert_int_equal(gone, 1);
	close(s);
}

static void the_oldest_silent_makes_room(void **state)
{
	int s[PLACES], one;

	(void)state;
	s[0] = client(LATER);
	for (int i = 1; i < PLACES; i++)
		s[i] = client("sl");
	one = client("quick\n");
	assert_string_equal(heard(one), "quick\n|");
	assert_string_equal(heard(s[1]), "busy\n|"); /* the oldest of those that did not ask */
	assert_string_equal(heard(s[2]), "");
	assert_string_equal(heard(s[0]), "");
	close(one);
	for (int i = 0; i < PLACES; i++)
		close(s[i]);
}

static void who_waits_for_us_stays(void **state)
{
	int s[PLACES], one;

	(void)state;
	protocol.request_ms = 300;
	for (int i = 0; i < PLACES; i++)
		s[i] = client(LATER);
	one = client("");
	assert_string_equal(heard(one), "busy\n|");
	turn(400); /* longer than anybody may take to ask */
	evbuffer_add(client_output(waiting), "now\n", 4);
	client_answered(waiting);
	turn(20);
	assert_string_equal(heard(s[PLACES - 1]), "now\n|");
	close(one);
	for (int i = 0; i < PLACES; i++)
		close(s[i]);
}

static void a_byte_now_and_then_wins_no_time(void **state)
{
	int s;

	(void)state;
	protocol.request_ms = 300;
	s = client("a");
	for (int i = 0; i < 10; i++) {
		send(s, "a", 1, MSG_NOSIGNAL);
		turn(50);
	}
	assert_string_equal(heard(s), "|");
	close(s);
}

static void an_endless_request_ends(void **state)
{
	char many[2000];
	const int s = client("");

	(void)state;
	memset(many, 'x', sizeof(many));
	assert_int_equal(send(s, many, sizeof(many), MSG_NOSIGNAL), sizeof(many));
	turn(50);
	assert_string_equal(heard(s), "|");
	close(s);
}

/* The listener rests instead of failing again at once, and goes on by itself. */
static void without_descriptors_it_waits(void **state)
{
	struct rlimit before, now;
	const int s = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(connect(s, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(s, "hello\n", 6, MSG_NOSIGNAL), 6);
	now = before;
	now.rlim_cur = (rlim_t)s; /* every lower one is taken */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	assert_in_range(turn(300), 1, 100);
	assert_string_equal(heard(s), "");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	for (int i = 0; i < 100 && !gone; i++)
		turn(100);
	assert_string_equal(heard(s), "hello\n|");
	close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_answer_and_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(the_oldest_silent_makes_room, setup, teardown),
		cmocka_unit_test_setup_teardown(who_waits_for_us_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(a_byte_now_and_then_wins_no_time, setup, teardown),
		cmocka_unit_test_setup_teardown(an_endless_request_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(without_descriptors_it_waits, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
