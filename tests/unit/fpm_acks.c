// SPDX-License-Identifier: BSD-3-Clause
/* Acknowledgements to zebra: what they say, when they leave, and that they are bounded. */
#include "test.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/rtnetlink.h>

#include "feed/fpm_acks.h"

struct route {
	struct nlmsghdr header;
	struct rtmsg message;
	uint32_t attribute[2];
};

static const struct route route = {
	.header = { sizeof(route), RTM_NEWROUTE, NLM_F_CREATE, 7, 0 },
	.message = { .rtm_family = AF_INET, .rtm_dst_len = 24, .rtm_flags = RTNH_F_ONLINK },
	.attribute = { 0x00010008, 0x01020304 },
};

struct fixture {
	struct fpm_acks *acks;
	int end[2]; /* napd's and zebra's */
};

static struct fixture make(void)
{
	struct fixture f = { .acks = fpm_acks_create() };

	assert_non_null(f.acks);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, f.end), 0);
	return f;
}

static void unmake(struct fixture *f)
{
	fpm_acks_free(f->acks);
	close(f->end[0]);
	close(f->end[1]);
}

static void they_say_the_route_with_a_flag(void **state)
{
	struct fixture f = make();
	uint8_t said[200];
	struct route back;
	uint64_t routes;

	(void)state;
	fpm_acks_add(f.acks, &route.header, RTM_F_OFFLOAD);
	fpm_acks_built(f.acks);
	assert_true(fpm_acks_published(f.acks));
	assert_int_equal(fpm_acks_write(f.acks, f.end[0], &routes), 0);
	assert_int_equal(routes, 1);
	assert_int_equal(read(f.end[1], said, sizeof(said)), 4 + sizeof(route));
	assert_memory_equal(said, ((uint8_t[]){ 1, 1, 0, 4 + sizeof(route) }), 4);
	memcpy(&back, said + 4, sizeof(back));
	assert_int_equal(back.header.nlmsg_flags, NLM_F_CREATE | NLM_F_REQUEST);
	assert_int_equal(back.message.rtm_flags, RTNH_F_ONLINK | RTM_F_OFFLOAD);
	back.header = route.header;
	back.message.rtm_flags = route.message.rtm_flags;
	assert_memory_equal(&back, &route, sizeof(route));
	unmake(&f);
}

static void they_leave_when_the_route_is_in_force(void **state)
{
	struct fixture f = make();
	uint64_t routes;

	(void)state;
	fpm_acks_add(f.acks, &route.header, RTM_F_OFFLOAD);
	assert_false(fpm_acks_published(f.acks)); /* of tables made before it came */
	fpm_acks_built(f.acks);
	assert_false(fpm_acks_ready(f.acks));
	fpm_acks_add(f.acks, &route.header, RTM_F_OFFLOAD);
	assert_true(fpm_acks_published(f.acks));
	assert_int_equal(fpm_acks_write(f.acks, f.end[0], &routes), 0);
	assert_int_equal(routes, 1); /* the second came later */
	assert_false(fpm_acks_ready(f.acks));
	fpm_acks_built(f.acks);
	assert_true(fpm_acks_published(f.acks));
	unmake(&f);
}

static void nobody_waits_for_a_zebra_that_does_not_read(void **state)
{
	enum { MANY = 4000000 };
	struct fixture f = make();
	uint64_t routes, written = 0;
	uint8_t drain[65536];
	ssize_t n;

	(void)state;
	for (int i = 0; i < MANY; i++)
		fpm_acks_add(f.acks, &route.header, RTM_F_OFFLOAD);
	fpm_acks_built(f.acks);
	fpm_acks_published(f.acks);
	assert_true(fpm_acks_lost(f.acks) > 0);
	assert_true(fpm_acks_lost(f.acks) < MANY / 2);
	while (fpm_acks_ready(f.acks)) {
		assert_int_equal(fpm_acks_write(f.acks, f.end[0], &routes), 0);
		written += routes;
		while ((n = read(f.end[1], drain, sizeof(drain))) > 0)
			;
	}
	assert_int_equal(written + fpm_acks_lost(f.acks), MANY);
	close(f.end[1]);
	f.end[1] = -1;
	fpm_acks_add(f.acks, &route.header, RTM_F_OFFLOAD); /* there is room again */
	fpm_acks_built(f.acks);
	assert_true(fpm_acks_published(f.acks));
	assert_int_equal(fpm_acks_write(f.acks, f.end[0], &routes), -EPIPE);
	unmake(&f);
}

static void what_is_no_route_is_not_said(void **state)
{
	struct fixture f = make();
	struct nlmsghdr small = { sizeof(small), RTM_NEWROUTE, 0, 0, 0 };

	(void)state;
	fpm_acks_add(f.acks, &small, RTM_F_OFFLOAD);
	fpm_acks_built(f.acks);
	assert_false(fpm_acks_published(f.acks));
	unmake(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_say_the_route_with_a_flag),
		cmocka_unit_test(they_leave_when_the_route_is_in_force),
		cmocka_unit_test(nobody_waits_for_a_zebra_that_does_not_read),
		cmocka_unit_test(what_is_no_route_is_not_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
