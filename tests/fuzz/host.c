// SPDX-License-Identifier: BSD-3-Clause
/*
 * Fuzz target: any bytes as a frame that the host's kernel sends into a TAP, in a buffer of
 * exactly their size. What is let out must be what the contract lets out, by a second, plainer
 * reading of the frame; and every question has an answer that is no question.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>

#include "host_frame.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 198.51.100.1/24, 2001:db8:a::1/64, fe80::1, as in tests/unit/host_frame.c */
static const uint32_t own4[] = { RTE_BE32(0xc6336401) };
static const struct ipv6_key own6[] = { { 0x20010db8000a0000, 1 } };
static const struct subnet subnets4[] = { { { { UINT64_C(0xc633640000000000), 0 }, 24 } } };
static const struct subnet subnets6[] = { { { { 0x20010db8000a0000, 0 }, 64 } } };
static const struct snapshot_port port = {
	.mac = { { 0x02, 0x4e, 0x41, 0, 0, 1 } },
	.mtu = 1500,
	.address4 = own4,
	.address4_count = 1,
	.address6 = own6,
	.address6_count = 1,
	.subnet4 = subnets4,
	.subnet4_count = 1,
	.subnet6 = subnets6,
	.subnet6_count = 1,
	.link_local = { 0xfe80000000000000, 1 },
};
static const uint8_t global[16] = { 0x20, 1, 0x0d, 0xb8, 0, 0x0a, [15] = 1 };
static const uint8_t link_local[16] = { 0xfe, 0x80, [15] = 1 };

static void require(bool true_claim, const char *claim)
{
	if (true_claim)
		return;
	fprintf(stderr, "not true: %s\n", claim);
	abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void check_packet(const struct host_frame *f, const uint8_t *frame, size_t size)
{
	const uint8_t *ip = frame + f->l3_offset;

	require((size_t)f->l3_offset + f->l3_bytes <= size && f->l3_bytes <= port.mtu,
		"a packet lies in its frame and fits the MTU");
	require(!(frame[0] & 1), "a packet is for one");
	if (!f->target.ipv6) {
		require(frame[12] == 8 && frame[13] == 0 && ip[0] >> 4 == 4, "it is IPv4");
		require(memcmp(ip + 12, own4, 4) == 0, "from the port's address");
		require(ip[16] < 224 && ip[16] != 0 && ip[16] != 127, "to one");
		return;
	}
	require(frame[12] == 0x86 && frame[13] == 0xdd && ip[0] >> 4 == 6, "it is IPv6");
	require(memcmp(ip + 8, global, 16) == 0 || memcmp(ip + 8, link_local, 16) == 0,
		"from an address of the port");
	require(ip[24] != 0xff, "to one");
	require(ip[6] != 58 || f->l3_bytes == 40 || ip[40] < 133 || ip[40] > 137,
		"no neighbour discovery");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rte_ether_addr mac = { { 2, 0, 0, 0, 0x0a, 1 } };
	uint8_t *frame = malloc(size ? size : 1), answer[HOST_ANSWER_MAX];
	struct host_frame f;

	if (!frame)
		return 0;
	memcpy(frame, data, size);
	f = host_frame_judge(&port, frame, size);
	if (f.verdict == HOST_PACKET) {
		check_packet(&f, frame, size);
	} else if (f.verdict == HOST_QUESTION) {
		const size_t n = host_answer(&port, &f.target, &f.asker, &mac, answer);

		require(n <= sizeof(answer), "an answer fits");
		require(host_frame_judge(&port, answer, n).verdict == HOST_UNWANTED,
			"an answer is no question");
	}
	free(frame);
	return 0;
}
