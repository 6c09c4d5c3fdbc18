// SPDX-License-Identifier: BSD-3-Clause
/* Address sets, meters and MAC tables against what they must say. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>

#include "snapshot.h"

static uint64_t random_state = 1;

static uint64_t random64(void)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return random_state ^ random_state >> 29;
}

static void address_set_holds_what_it_was_given(void **state)
{
	enum { N = 5000 };
	struct address_entry *entry = calloc(N, sizeof(*entry));
	struct address_set set;
	uint32_t strangers = 0;

	(void)state;
	for (uint32_t i = 0; i < N; i++) {
		/* half are IPv4 keys, in the top 32 bits, near each other */
		entry[i].address.hi = i % 2 ? (uint64_t)(0xc6336400u + i) << 32 : random64();
		entry[i].address.lo = i % 2 ? 0 : i;
		entry[i].port = (uint16_t)i;
		entry[i].kind = ADDRESS_OWN;
	}
	assert_int_equal(address_set_init(&set, entry, N), 0);
	for (uint32_t i = 0; i < N; i++) {
		const struct address_entry *found = address_set_find(&set, entry[i].address);

		assert_non_null(found);
		assert_int_equal(found->port, i);
		assert_true(address_set_maybe(&set, entry[i].address));
		assert_true(address_sieve_maybe(&set, entry[i].address));
	}
	for (uint32_t i = 0; i < 100000; i++) {
		struct ipv6_key other = { (uint64_t)(0x0a000000u + i) << 32, 0 };

		assert_null(address_set_find(&set, other));
		strangers += address_set_maybe(&set, other);
	}
	assert_true(strangers < 100000 / 40);
	address_set_release(&set);
	free(entry);
}

/* Of a dozen special addresses, as of four ports, hardly a stranger gets through the sieve. */
static void address_sieve_lets_few_through(void **state)
{
	enum { PORTS = 4, EACH = 3, STRANGERS = 100000 };
	struct address_entry entry[PORTS * EACH] = { 0 };
	static const uint32_t host[EACH] = { 0, 1, 255 };
	uint32_t strangers4 = 0, strangers6 = 0;
	struct address_set set;

	(void)state;
	for (uint32_t i = 0; i < RTE_DIM(entry); i++) {
		const uint32_t address = 0xc6120000u + i / EACH * 256 + host[i % EACH];

		entry[i].address.hi = (uint64_t)address << 32;
		entry[i].kind = ADDRESS_OWN;
	}
	assert_int_equal(address_set_init(&set, entry, RTE_DIM(entry)), 0);
	for (uint32_t i = 0; i < RTE_DIM(entry); i++)
		assert_true(address_sieve_maybe(&set, entry[i].address));
	for (uint32_t i = 0; i < STRANGERS; i++) {
		const struct ipv6_key other4 = { (uint64_t)(0x0a000000u + i) << 32, 0 };
		const struct ipv6_key other6 = { 0x20010db800000000u + i / 256, i % 256 };

		strangers4 += address_sieve_maybe(&set, other4);
		strangers6 += address_sieve_maybe(&set, other6);
	}
	assert_true(strangers4 < STRANGERS / 500);
	assert_true(strangers6 < STRANGERS / 500);
	address_set_release(&set);
}

static void address_set_first_entry_wins(void **state)
{
	const struct address_entry entry[] = {
		{ { 7, 7 }, 1, ADDRESS_OWN },
		{ { 7, 7 }, 2, ADDRESS_BROADCAST },
		{ { 0, 0 }, 3, ADDRESS_BROADCAST },
	};
	struct address_set set;

	(void)state;
	assert_int_equal(address_set_init(&set, entry, 3), 0);
	assert_int_equal(address_set_find(&set, entry[0].address)->port, 1);
	assert_int_equal(address_set_find(&set, entry[2].address)->port, 3);
	address_set_release(&set);
	assert_int_equal(address_set_init(&set, NULL, 0), 0);
	assert_null(address_set_find(&set, entry[2].address));
	address_set_release(&set);
}

/* The rate of a profile is rate_per_s within a millionth; exactly where exact is asked. */
static void check_rate(uint64_t rate_per_s, uint64_t burst, bool exact)
{
	struct meter meter;
	unsigned __int128 have, want, difference;

	meter_init(&meter, rate_per_s, burst);
	assert_true(meter.enabled);
	assert_int_equal(meter.profile.cbs, burst);
	assert_int_equal(meter.profile.ebs, 0);
	assert_true(meter.profile.cir_period > 0);
	have = (unsigned __int128)meter.profile.cir_bytes_per_period * 1000000000u;
	want = (unsigned __int128)rate_per_s * meter.profile.cir_period;
	difference = have > want ? have - want : want - have;
	assert_true(difference * 1000000 <= want);
	if (exact)
		assert_true(difference == 0);
	/* tokens do not come in lumps that the bucket cannot hold */
	if (burst >= 16)
		assert_true(meter.profile.cir_bytes_per_period <= burst);
}

static void meter_rates_are_exact(void **state)
{
	(void)state;
	check_rate(625000000, 6250000, true); /* 5G bit/s: 5 bytes every 8 ns */
	check_rate(1000, 100, true);
	check_rate(10, 5, true);
	check_rate(7, 5, false); /* no whole nanoseconds */
	check_rate(1, 1, true);
	check_rate(1000000000, 1500, true);
	check_rate(50000000000, 500000000, true);
	check_rate(12500000, 125000, true);
	check_rate(1234577, 12345, false);
	check_rate(1234567, 100, false); /* 1 in 810 ns, not 1004 at once */
	check_rate(999999937, 15000, false);
	check_rate(125000, 1250, true); /* 1M bit/s */
	check_rate(8000000000000, 80000000000, true);
	for (int i = 0; i < 200000; i++) {
		uint64_t rate = random64() >> (24 + random64() % 39);

		if (rate)
			check_rate(rate, rate / 100 + 1500, false);
	}
}

/* Green exactly while tokens last, against arithmetic in fractions of a nanosecond. */
static void meter_is_green_while_tokens_last(void **state)
{
	static const uint64_t rates[] = { 10, 1000, 125000, 625000000 };

	(void)state;
	for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
		const uint64_t burst = 3000, rate = rates[r];
		/* tokens in units of 1e-9: rate a nanosecond */
		unsigned __int128 tokens = (unsigned __int128)burst * 1000000000u, spent = 0;
		uint64_t now = 1700000000000000000u, start = now;
		struct rte_meter_srtcm bucket = { .time = now, .tc = burst };
		struct meter meter;
		unsigned int green = 0, red = 0;

		meter_init(&meter, rate, burst);
		for (int i = 0; i < 20000; i++) {
			/* whole periods, so that both know the same number of tokens */
			uint64_t step = random64() % 2000 * meter.profile.cir_period;
			uint32_t bytes = 64 + (uint32_t)(random64() % 1400);
			bool expected;

			now += step;
			tokens += (unsigned __int128)step * rate;
			if (tokens > (unsigned __int128)burst * 1000000000u)
				tokens = (unsigned __int128)burst * 1000000000u;
			expected = tokens >= (unsigned __int128)bytes * 1000000000u;
			if (expected) {
				tokens -= (unsigned __int128)bytes * 1000000000u;
				spent += bytes;
			}
			assert_int_equal(rte_meter_srtcm_color_blind_check(&bucket, &meter.profile,
									   now, bytes),
					 expected ? RTE_COLOR_GREEN : RTE_COLOR_RED);
			green += expected;
			red += !expected;
		}
		assert_true(green > 0 && red > 0);
		assert_true(spent * 1000000000u <= (unsigned __int128)(now - start) * rate +
							   burst * (unsigned __int128)1000000000u);
	}
}

static void meter_of_no_rate_is_off(void **state)
{
	struct meter meter;

	(void)state;
	meter_init(&meter, 0, 1000);
	assert_false(meter.enabled);
}

static const struct mac_slot *probe(const struct mac_slot *slot, uint64_t multiplier, uint8_t shift,
				    uint64_t mac)
{
	const struct mac_slot *at = &slot[(mac * multiplier) >> shift];

	return at->mac == mac ? at : NULL;
}

static void every_mac_has_a_slot_of_its_own(void **state)
{
	(void)state;
	for (uint32_t n = 0; n <= 1200; n = n < 20 ? n + 1 : n * 3) {
		struct mac_slot *list = calloc(n + 1, sizeof(*list)), *slot;
		uint64_t multiplier;
		uint8_t shift;

		for (uint32_t i = 0; i < n; i++) {
			/* as people number them: the last byte counts up */
			const uint8_t mac[6] = { 2, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)(i + 1) };

			list[i].mac = mac_number(mac);
			list[i].party = (uint16_t)i;
		}
		slot = mac_slots_init(list, n, &multiplier, &shift);
		assert_non_null(slot);
		assert_true(shift < 64);
		for (uint32_t i = 0; i < n; i++) {
			assert_non_null(probe(slot, multiplier, shift, list[i].mac));
			assert_int_equal(probe(slot, multiplier, shift, list[i].mac)->party, i);
		}
		for (int i = 0; i < 1000; i++) /* any MAC probes inside the table (see ASan) */
			assert_null(probe(slot, multiplier, shift, (random64() >> 16) | 1));
		free(slot);
		free(list);
	}
}

static void a_mac_named_twice_is_the_first_members(void **state)
{
	const struct mac_slot list[] = { { 5, 1 }, { 6, 2 }, { 5, 3 } };
	uint64_t multiplier;
	uint8_t shift;
	struct mac_slot *slot = mac_slots_init(list, 3, &multiplier, &shift);

	(void)state;
	assert_int_equal(probe(slot, multiplier, shift, 5)->party, 1);
	assert_int_equal(probe(slot, multiplier, shift, 6)->party, 2);
	free(slot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(address_set_holds_what_it_was_given),
		cmocka_unit_test(address_sieve_lets_few_through),
		cmocka_unit_test(address_set_first_entry_wins),
		cmocka_unit_test(meter_rates_are_exact),
		cmocka_unit_test(meter_is_green_while_tokens_last),
		cmocka_unit_test(meter_of_no_rate_is_off),
		cmocka_unit_test(every_mac_has_a_slot_of_its_own),
		cmocka_unit_test(a_mac_named_twice_is_the_first_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
