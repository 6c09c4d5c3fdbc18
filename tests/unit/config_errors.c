// SPDX-License-Identifier: BSD-3-Clause
/* Every error of the configuration: a row each, with its exact words and place. */
#include "test.h"

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What most rows begin with: lines 1 to 3. */
#define TWO_PORTS                                                                             \
	"ports:\n"                                                                            \
	"  - {name: pa, device: net_a, addresses: [198.51.100.1/24, \"2001:db8:a::1/64\"]}\n" \
	"  - {name: pb, device: net_b, addresses: [192.0.2.1/24]}\n"

/* clang-format off */
static const struct row {
	const char *claim;
	bool two_ports;
	const char *text;
	const char *problems; /* LINE:COLUMN: TEXT, in the order of their places */
} rows[] = {
	{ "empty file", false,
	  "",
	  "1:1: ports: missing: an exchange needs at least one port, such as {name: "
	  "pa, device: \"0000:3b:00.0\", addresses: [198.51.100.1/31]}\n" },
	{ "only a comment", false,
	  "# nothing\n",
	  "1:1: ports: missing: an exchange needs at least one port, such as {name: "
	  "pa, device: \"0000:3b:00.0\", addresses: [198.51.100.1/31]}\n" },
	{ "no ports", false,
	  "exchange: {name: x}\n",
	  "1:1: ports: missing: an exchange needs at least one port, such as {name: "
	  "pa, device: \"0000:3b:00.0\", addresses: [198.51.100.1/31]}\n" },
	{ "an empty list of ports", false,
	  "ports: []\n",
	  "1:8: ports: missing: an exchange needs at least one port, such as {name: "
	  "pa, device: \"0000:3b:00.0\", addresses: [198.51.100.1/31]}\n" },
	{ "a list as file", false,
	  "- a\n",
	  "1:1: a list stands where a mapping (key: value) is wanted\n" },
	{ "text as file", false,
	  "napd\n",
	  "1:1: plain text stands where a mapping (key: value) is wanted\n" },
	{ "syntax", false,
	  "ports: [\n",
	  "2:1: not YAML: did not find expected node content (while parsing a flow "
	  "node from 2:1)\n" },
	{ "syntax with context", false,
	  "exchange: {name: \"x\n",
	  "2:1: not YAML: found unexpected end of stream (while scanning a quoted "
	  "scalar from 1:18)\n" },
	{ "tab as indent", false,
	  "exchange:\n"
	  "\011name: x\n",
	  "2:1: not YAML: found character that cannot start any token (while "
	  "scanning for the next token from 2:1)\n" },
	{ "second document", false,
	  "a: 1\n"
	  "---\n"
	  "b: 2\n",
	  "2:1: a second document begins; a file holds one\n" },
	{ "tag", false,
	  "ports: !!str x\n",
	  "1:8: the tag tag:yaml.org,2002:str: tags are not supported, leave it out\n" },
	{ "own tag", false,
	  "ports: !x [1]\n",
	  "1:8: the tag !x: tags are not supported, leave it out\n" },
	{ "control character", false,
	  "exchange: {name: a\001b}\n",
	  "1:19: not text in UTF-8: control characters are not allowed (0x01)\n" },
	{ "no UTF-8", false,
	  "exchange:\n"
	  "  name: ab\377\n",
	  "2:11: not text in UTF-8: invalid leading UTF-8 octet (0xff)\n" },
	{ "escaped NUL", false,
	  "exchange: {name: \"a\\0b\"}\n",
	  "1:18: a NUL character in text\n" },
	{ "alias to nothing", false,
	  "exchange: *x\n",
	  "1:11: *x: no such anchor above, or this stands inside it\n" },
	{ "alias of itself", false,
	  "ports: &a [*a]\n",
	  "1:12: *a: no such anchor above, or this stands inside it\n" },
	{ "merge key", true,
	  "exchange: &e {name: x}\n"
	  "metrics: {<<: *e}\n",
	  "5:11: metrics.<<: merge keys are not supported; write the keys out\n" },
	{ "unknown key, near", true,
	  "exchnage: {name: x}\n",
	  "4:1: exchnage: no such setting; did you mean exchange?\n" },
	{ "unknown key, far", true,
	  "qqqqqqqqqq: 1\n",
	  "4:1: qqqqqqqqqq: no such setting; there are exchange, dataplane, ports, "
	  "members, routes, tables, metrics, control, log, include\n" },
	{ "unknown key deep", true,
	  "dataplane: {capacity: {ipv5: 1}}\n",
	  "4:24: dataplane.capacity.ipv5: no such setting; did you mean ipv4?\n" },
	{ "key twice", true,
	  "exchange: {name: x}\n"
	  "exchange: {name: y}\n",
	  "5:1: exchange: given twice, first at line 4\n" },
	{ "list as key", true,
	  "[a, b]: 1\n",
	  "4:1: key: a list stands where a key is wanted\n" },
	{ "a colon makes a mapping", true,
	  "members:\n"
	  "  - name: A\n"
	  "    port: pa\n"
	  "    prefixes:\n"
	  "      - 2001:db8::\n",
	  "8:9: members[0].prefixes[0]: a mapping (key: value) stands where a prefix "
	  "such as 203.0.113.0/24 is wanted (text that ends in a colon needs quotes)\n" },
	{ "mapping for text", true,
	  "exchange: {name: {a: b}}\n",
	  "4:18: exchange.name: a mapping (key: value) stands where text of at most "
	  "128 bytes is wanted (text that ends in a colon needs quotes)\n" },
	{ "list for text", true,
	  "exchange: {name: [a]}\n",
	  "4:18: exchange.name: a list stands where text of at most 128 bytes is "
	  "wanted\n" },
	{ "nothing for text", true,
	  "exchange: {name: }\n",
	  "4:18: exchange.name: nothing stands where text of at most 128 bytes is "
	  "wanted\n" },
	{ "text for mapping", true,
	  "exchange: demo\n",
	  "4:11: exchange: plain text stands where a mapping (key: value) is wanted\n" },
	{ "text for list of mappings", true,
	  "members: Alpha\n",
	  "4:10: members: plain text stands where a list of mappings (- key: value) "
	  "is wanted\n" },
	{ "text among mappings", true,
	  "members: [Alpha]\n",
	  "4:11: members[0]: plain text stands where a mapping (key: value) is "
	  "wanted\n" },
	{ "empty name", true,
	  "exchange: {name: \"\"}\n",
	  "4:18: exchange.name: must not be empty\n" },
	{ "line break in name", true,
	  "exchange: {name: \"a\\nb\"}\n",
	  "4:18: exchange.name: a line break or control character in it\n" },
	{ "asn 0", true,
	  "exchange: {asn: 0}\n",
	  "4:17: exchange.asn: 0 is not in 1..4294967295\n" },
	{ "asn too big", true,
	  "exchange: {asn: 4294967296}\n",
	  "4:17: exchange.asn: 4294967296 is not in 1..4294967295\n" },
	{ "asn far too big", true,
	  "exchange: {asn: 99999999999999999999999}\n",
	  "4:17: exchange.asn: 99999999999999999999999 is not in 1..4294967295\n" },
	{ "asn with letters", true,
	  "exchange: {asn: AS64500}\n",
	  "4:17: exchange.asn: 'AS64500' is not a number in 1..4294967295\n" },
	{ "octal", true,
	  "exchange: {asn: 064500}\n",
	  "4:17: exchange.asn: '064500' is not a number in 1..4294967295\n" },
	{ "negative", true,
	  "exchange: {asn: -1}\n",
	  "4:17: exchange.asn: '-1' is not a number in 1..4294967295\n" },
	{ "workers 0", true,
	  "dataplane: {workers: 0}\n",
	  "4:22: dataplane.workers: 0 is not in 1..64\n" },
	{ "workers text", true,
	  "dataplane: {workers: many}\n",
	  "4:22: dataplane.workers: 'many' is not auto or a number in 1..64\n" },
	{ "cores: not numbers", true,
	  "dataplane: {cores: a}\n",
	  "4:20: dataplane.cores: 'a' is not auto, or CPU numbers such as 2-7,10\n" },
	{ "cores: do not ascend", true,
	  "dataplane: {cores: \"4,2\"}\n",
	  "4:20: dataplane.cores: '4,2': CPU numbers must ascend, up to 1023\n" },
	{ "cores: range backwards", true,
	  "dataplane: {cores: 7-2}\n",
	  "4:20: dataplane.cores: '7-2': CPU numbers must ascend, up to 1023\n" },
	{ "cores: trailing comma", true,
	  "dataplane: {cores: \"1,\"}\n",
	  "4:20: dataplane.cores: '1,' is not auto, or CPU numbers such as 2-7,10\n" },
	{ "cores: too big", true,
	  "dataplane: {cores: \"1024\"}\n",
	  "4:20: dataplane.cores: '1024': CPU numbers must ascend, up to 1023\n" },
	{ "hugepages", true,
	  "dataplane: {hugepages: always}\n",
	  "4:24: dataplane.hugepages: 'always' is not one of auto, never, required\n" },
	{ "idle", true,
	  "dataplane: {idle: sleep}\n",
	  "4:19: dataplane.idle: 'sleep' is not one of auto, poll, adaptive\n" },
	{ "memory too small", true,
	  "dataplane: {memory: 1M}\n",
	  "4:21: dataplane.memory: 1M is not in 64M..1T\n" },
	{ "memory unit", true,
	  "dataplane: {memory: 1T}\n",
	  "4:21: dataplane.memory: '1T' is not a size in bytes in 64M..1T (k M G)\n" },
	{ "capacity unit", true,
	  "dataplane: {capacity: {ipv4: 1G}}\n",
	  "4:30: dataplane.capacity.ipv4: '1G' is not a number in 1k..16M (k M)\n" },
	{ "hash-seed", true,
	  "dataplane: {hash-seed: 4294967296}\n",
	  "4:24: dataplane.hash-seed: 4294967296 is not in 0..4294967295\n" },
	{ "eal argument is a mapping", true,
	  "dataplane: {eal: [{a: b}]}\n",
	  "4:19: dataplane.eal[0]: a mapping (key: value) stands where text of at "
	  "most 255 bytes is wanted (text that ends in a colon needs quotes)\n" },
	{ "port without name and device", false,
	  "ports:\n"
	  "  - {description: x}\n",
	  "2:5: ports[0]: `device` is missing: a PCI address such as 0000:3b:00.0, "
	  "or a DPDK vdev\n"
	  "2:5: ports[0]: `name` is missing: a name: a-z, then up to 14 of a-z 0-9 "
	  "-, not drop-*\n" },
	{ "port name Pa", false,
	  "ports:\n"
	  "  - {name: \"Pa\", device: net_a}\n",
	  "2:12: ports[0].name: 'Pa' is not a name: a-z, then up to 14 of a-z 0-9 -, "
	  "not drop-*\n" },
	{ "port name 1a", false,
	  "ports:\n"
	  "  - {name: \"1a\", device: net_a}\n",
	  "2:12: ports[0].name: '1a' is not a name: a-z, then up to 14 of a-z 0-9 -, "
	  "not drop-*\n" },
	{ "port name a_b", false,
	  "ports:\n"
	  "  - {name: \"a_b\", device: net_a}\n",
	  "2:12: ports[0].name: 'a_b' is not a name: a-z, then up to 14 of a-z 0-9 "
	  "-, not drop-*\n" },
	{ "port name abcdefghijklmnop", false,
	  "ports:\n"
	  "  - {name: \"abcdefghijklmnop\", device: net_a}\n",
	  "2:12: ports[0].name: 'abcdefghijklmnop' is not a name: a-z, then up to 14 "
	  "of a-z 0-9 -, not drop-*\n" },
	{ "port name -a", false,
	  "ports:\n"
	  "  - {name: \"-a\", device: net_a}\n",
	  "2:12: ports[0].name: '-a' is not a name: a-z, then up to 14 of a-z 0-9 -, "
	  "not drop-*\n" },
	{ "empty port name", false,
	  "ports:\n"
	  "  - {name: \"\", device: net_a}\n",
	  "2:12: ports[0].name: '' is not a name: a-z, then up to 14 of a-z 0-9 -, "
	  "not drop-*\n" },
	{ "port name drop-", false,
	  "ports:\n"
	  "  - {name: drop-x, device: net_a}\n",
	  "2:12: ports[0].name: 'drop-x': names that begin with drop- are taken by "
	  "captures of drops\n" },
	{ "port name twice", false,
	  "ports:\n"
	  "  - {name: pa, device: net_a}\n"
	  "  - {name: pb, device: net_b}\n"
	  "  - {name: pa, device: net_c}\n",
	  "4:12: ports[2].name: 'pa' is the name of ports[0] already\n" },
	{ "bad PCI address", false,
	  "ports:\n"
	  "  - {name: pa, device: \"3b:0.0\"}\n",
	  "2:24: ports[0].device: '3b:0.0' is not a PCI address such as "
	  "0000:3b:00.0, or a DPDK vdev\n" },
	{ "PCI device 32", false,
	  "ports:\n"
	  "  - {name: pa, device: \"0000:3b:20.0\"}\n",
	  "2:24: ports[0].device: '0000:3b:20.0' is not a PCI address such as "
	  "0000:3b:00.0, or a DPDK vdev\n" },
	{ "PCI function 8", false,
	  "ports:\n"
	  "  - {name: pa, device: \"0000:3b:00.8\"}\n",
	  "2:24: ports[0].device: '0000:3b:00.8' is not a PCI address such as "
	  "0000:3b:00.0, or a DPDK vdev\n" },
	{ "device with a space", false,
	  "ports:\n"
	  "  - {name: pa, device: \"net_tap0, iface=x\"}\n",
	  "2:24: ports[0].device: 'net_tap0, iface=x' is not a PCI address such as "
	  "0000:3b:00.0, or a DPDK vdev\n" },
	{ "same device name, other arguments", false,
	  "ports:\n"
	  "  - {name: pa, device: \"net_af_packet0,iface=a\"}\n"
	  "  - {name: pb, device: \"net_af_packet0,iface=b\"}\n",
	  "3:24: ports[1].device: net_af_packet0 is the device of ports[0] already, with other "
	  "arguments; each device needs a name (number) of its own\n" },
	{ "two devices on one kernel interface", false,
	  "ports:\n"
	  "  - {name: pa, device: \"net_af_packet0,iface=eth9\"}\n"
	  "  - {name: pb, device: \"net_af_packet1,blocksz=4096,iface=eth9,framecnt=512\", vlan: 5}\n",
	  "3:24: ports[1].device: the interface eth9 is that of ports[0] already; ports that share "
	  "one have the same device, and tags\n" },
	{ "a TAP device on the interface of another device", false,
	  "ports:\n"
	  "  - {name: pa, device: \"net_tap7,iface=eth9\"}\n"
	  "  - {name: pb, device: \"net_af_packet0,iface=eth9\"}\n"
	  "  - {name: pc, device: \"net_af_packet1,iface=eth90\"}\n"
	  "  - {name: pd, device: \"net_vhost0,iface=eth9\"}\n",
	  "3:24: ports[1].device: the interface eth9 is that of ports[0] already; ports that share "
	  "one have the same device, and tags\n" },
	{ "a device on the host's TAP of a port", false,
	  "ports:\n"
	  "  - {name: pa, device: \"net_af_packet0,iface=pb\"}\n"
	  "  - {name: pb, device: \"net_tap0,iface=pc\", tap: true}\n"
	  "  - {name: pc, device: net_c}\n",
	  "2:24: ports[0].device: the interface pb is the TAP of ports[1], which has that name (tap: "
	  "true); rename one\n" },
	{ "a device on the host's TAP of its own port", false,
	  "tables: {kernel: {table: 100}}\n"
	  "ports:\n"
	  "  - {name: pa, device: \"net_af_packet0,iface=pa\"}\n",
	  "3:24: ports[0].device: the interface pa is the TAP of ports[0], which has that name (tap: "
	  "true); rename one\n" },
	{ "same device untagged twice", false,
	  "ports:\n"
	  "  - {name: pa, device: net_a}\n"
	  "  - {name: pb, device: net_a}\n",
	  "3:24: ports[1].device: ports[0] on the same device is untagged already; "
	  "give this a `vlan`\n" },
	{ "same PCI device in two forms", false,
	  "ports:\n"
	  "  - {name: pa, device: \"0000:3B:00.0\"}\n"
	  "  - {name: pb, device: \"3b:00.0\"}\n",
	  "3:24: ports[1].device: ports[0] on the same device is untagged already; "
	  "give this a `vlan`\n" },
	{ "same tag twice", false,
	  "ports:\n"
	  "  - {name: pa, device: net_a, vlan: 7}\n"
	  "  - {name: pb, device: net_a, vlan: 7}\n",
	  "3:37: ports[1].vlan: 7 is the tag of ports[0] on the same device already\n" },
	{ "what a device's ports say differs", false,
	  "ports:\n"
	  "  - {name: pa, device: net_a, mac: 02:00:00:00:00:01, speed: 1G, queues: "
	  "1}\n"
	  "  - {name: pb, device: net_a, vlan: 7, mac: 02:00:00:00:00:02, speed: 2G, "
	  "queues: 2}\n",
	  "3:45: ports[1].mac: differs from that of ports[0], which shares the "
	  "device\n"
	  "3:71: ports[1].speed: differs from that of ports[0], which shares the "
	  "device\n"
	  "3:83: ports[1].queues: differs from that of ports[0], which shares the "
	  "device\n" },
	{ "vlan", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    vlan: 4095\n",
	  "4:11: ports[0].vlan: 4095 is not in 1..4094\n" },
	{ "vlan 0", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    vlan: 0\n",
	  "4:11: ports[0].vlan: 0 is not in 1..4094\n" },
	{ "mac short", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    mac: 02:4e:41:00:00:1\n",
	  "4:10: ports[0].mac: '02:4e:41:00:00:1' is not a unicast MAC address such "
	  "as 02:4e:41:00:00:01\n" },
	{ "mac no hex", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    mac: 02:4e:41:00:00:0g\n",
	  "4:10: ports[0].mac: '02:4e:41:00:00:0g' is not a unicast MAC address such "
	  "as 02:4e:41:00:00:01\n" },
	{ "mac mixed separators", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    mac: 02:4e-41:00:00:01\n",
	  "4:10: ports[0].mac: '02:4e-41:00:00:01' is not a unicast MAC address such "
	  "as 02:4e:41:00:00:01\n" },
	{ "mac multicast", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    mac: 01:00:5e:00:00:01\n",
	  "4:10: ports[0].mac: 01:00:5e:00:00:01 is a multicast MAC address; a "
	  "unicast MAC address is wanted\n" },
	{ "mac zero", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    mac: 00:00:00:00:00:00\n",
	  "4:10: ports[0].mac: 00:00:00:00:00:00 is zero; a unicast MAC address is "
	  "wanted\n" },
	{ "mtu low", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    mtu: 1279\n",
	  "4:10: ports[0].mtu: 1279 is not in 1280..9600\n" },
	{ "mtu high", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    mtu: 9601\n",
	  "4:10: ports[0].mtu: 9601 is not in 1280..9600\n" },
	{ "speed", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    speed: fast\n",
	  "4:12: ports[0].speed: 'fast' is not a rate in bits a second in 1M..10T (k "
	  "M G T)\n" },
	{ "speed unit", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    speed: 10g\n",
	  "4:12: ports[0].speed: '10g' is not a rate in bits a second in 1M..10T (k "
	  "M G T)\n" },
	{ "speed space", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    speed: 10 G\n",
	  "4:12: ports[0].speed: '10 G' is not a rate in bits a second in 1M..10T (k "
	  "M G T)\n" },
	{ "enabled", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    enabled: maybe\n",
	  "4:14: ports[0].enabled: 'maybe' is not true or false\n" },
	{ "rate too low", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    rate-limit: 7999\n",
	  "4:17: ports[0].rate-limit: 7999 is not in 8k..10T\n" },
	{ "rate with a fraction of nothing", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    rate-limit: 1.G\n",
	  "4:17: ports[0].rate-limit: '1.G' is not a rate in bits a second in "
	  "8k..10T (k M G T)\n" },
	{ "rate negative", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    rate-limit: -5G\n",
	  "4:17: ports[0].rate-limit: '-5G' is not a rate in bits a second in "
	  "8k..10T (k M G T)\n" },
	{ "rate too big", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    rate-limit: 999999999999999999T\n",
	  "4:17: ports[0].rate-limit: 999999999999999999T is not in 8k..10T\n" },
	{ "burst", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    rate-limit: 1G\n"
	  "    burst: 1\n",
	  "5:12: ports[0].burst: 1 is not in 64..16G\n" },
	{ "icmp", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    icmp-rate: 0\n"
	  "    icmp-burst: 0\n",
	  "4:16: ports[0].icmp-rate: 0 is not in 1..10M\n"
	  "5:17: ports[0].icmp-burst: 0 is not in 1..10M\n" },
	{ "words", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    source-check: maybe\n"
	  "    source-check-action: ignore\n"
	  "    tap-accept: [bgp, ssh]\n",
	  "4:19: ports[0].source-check: 'maybe' is not one of none, loose, strict, "
	  "prefixes\n"
	  "5:26: ports[0].source-check-action: 'ignore' is not one of report, drop\n"
	  "6:23: ports[0].tap-accept[1]: 'ssh' is not one of bgp, bfd, icmp, all\n" },
	{ "address without length", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    addresses: [198.51.100.1]\n",
	  "4:17: ports[0].addresses[0]: '198.51.100.1' is not an address with a "
	  "length such as 198.51.100.1/31\n" },
	{ "address length", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    addresses: [198.51.100.1/33, 198.51.100.1/7, \"2001:db8::1/129\"]\n",
	  "4:17: ports[0].addresses[0]: 198.51.100.1/33: the length is not in 8..32\n"
	  "4:34: ports[0].addresses[1]: 198.51.100.1/7: the length is not in 8..32\n"
	  "4:50: ports[0].addresses[2]: 2001:db8::1/129: the length is not in 8..128\n" },
	{ "network address", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    addresses: [198.51.100.0/24]\n",
	  "4:17: ports[0].addresses[0]: 198.51.100.0/24 is the network address of "
	  "198.51.100.0/24; take another\n" },
	{ "broadcast address", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    addresses: [198.51.100.255/24]\n",
	  "4:17: ports[0].addresses[0]: 198.51.100.255/24 is the broadcast address "
	  "of 198.51.100.0/24; take another\n" },
	{ "subnet-router anycast", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    addresses: [\"2001:db8::/64\"]\n",
	  "4:17: ports[0].addresses[0]: 2001:db8::/64 is the subnet-router anycast "
	  "address of 2001:db8::/64; take another\n" },
	{ "addresses that cannot be", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    addresses: [127.0.0.1/8, 224.0.0.1/24, 0.0.0.1/8, 240.0.0.1/8, "
	  "169.254.0.1/16, \"::/64\", \"::1/128\", \"ff02::1/64\", \"fe80::1/64\"]\n",
	  "4:17: ports[0].addresses[0]: 127.0.0.1/8 is loopback\n"
	  "4:30: ports[0].addresses[1]: 224.0.0.1/24 is multicast\n"
	  "4:44: ports[0].addresses[2]: 0.0.0.1/8 is in 0.0.0.0/8, this network\n"
	  "4:55: ports[0].addresses[3]: 240.0.0.1/8 is in 240.0.0.0/4, reserved\n"
	  "4:68: ports[0].addresses[4]: 169.254.0.1/16 is IPv4 link-local\n"
	  "4:84: ports[0].addresses[5]: ::/64 is unspecified\n"
	  "4:93: ports[0].addresses[6]: ::1/128 is loopback\n"
	  "4:104: ports[0].addresses[7]: ff02::1/64 is multicast\n"
	  "4:118: ports[0].addresses[8]: fe80::1/64 is link-local; that goes to "
	  "`link-local`\n" },
	{ "link-local that is not", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    link-local: \"2001:db8::1\"\n",
	  "4:17: ports[0].link-local: '2001:db8::1' is not an address in fe80::/10\n" },
	{ "mac-lock without a MAC", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    mac-lock: true\n",
	  "4:15: ports[0].mac-lock: true, but no router with a MAC is listed for the "
	  "port: nobody could send\n" },
	{ "a MAC that is wrong is a MAC to the lock", false,
	  "ports: [{name: pa, device: net_a, mac-lock: true}]\n"
	  "members: [{name: A, port: pa, routers: [{mac: zz}]}]\n",
	  "2:47: members[0].routers[0].mac: 'zz' is not a unicast MAC address such as "
	  "02:4e:41:00:00:01\n" },
	{ "subnets of one port overlap", false,
	  "ports:\n"
	  "  - name: pa\n"
	  "    device: net_a\n"
	  "    addresses: [198.51.100.1/24, 198.51.100.129/25]\n",
	  "4:34: ports[0].addresses[1]: the subnet 198.51.100.128/25 overlaps "
	  "198.51.100.0/24 of the same port\n" },
	{ "subnets of two ports overlap", true,
	  "  - {name: pc, device: net_c, addresses: [198.51.100.2/31, "
	  "\"2001:db8::1/32\"]}\n",
	  "4:43: ports[2].addresses[0]: the subnet 198.51.100.2/31 overlaps "
	  "198.51.100.0/24 of ports[0]\n"
	  "4:60: ports[2].addresses[1]: the subnet 2001:db8::/32 overlaps "
	  "2001:db8:a::/64 of ports[0]\n" },
	{ "a nested subnet after a disjoint one", false,
	  "ports:\n"
	  "  - {name: pa, device: net_a, addresses: [10.0.0.1/8]}\n"
	  "  - {name: pb, device: net_b, addresses: [10.1.0.1/16]}\n"
	  "  - {name: pc, device: net_c, addresses: [10.200.0.1/16]}\n",
	  "3:43: ports[1].addresses[0]: the subnet 10.1.0.0/16 overlaps 10.0.0.0/8 "
	  "of ports[0]\n"
	  "4:43: ports[2].addresses[0]: the subnet 10.200.0.0/16 overlaps 10.0.0.0/8 "
	  "of ports[0]\n" },
	{ "member without name", true,
	  "members:\n"
	  "  - {port: pa, prefixes: [203.0.113.0/24]}\n",
	  "5:5: members[0]: `name` is missing: text of at most 128 bytes\n" },
	{ "member twice", true,
	  "members:\n"
	  "  - {name: A, port: pa, prefixes: [203.0.113.0/24]}\n"
	  "  - {name: A, port: pb, prefixes: [203.0.113.0/24]}\n",
	  "6:12: members[1].name: 'A' is the name of members[0] already\n" },
	{ "no such port", true,
	  "members:\n"
	  "  - {name: A, port: pz, prefixes: [203.0.113.0/24]}\n",
	  "5:21: members[0].port: there is no port 'pz'; did you mean pa?\n" },
	{ "no such port, nothing near", true,
	  "members:\n"
	  "  - {name: A, port: uplink, prefixes: [203.0.113.0/24]}\n",
	  "5:21: members[0].port: there is no port 'uplink'\n" },
	{ "router on no such port", true,
	  "members:\n"
	  "  - {name: A, port: pa, routers: [{port: qq, mac: 02:00:00:00:00:01}]}\n",
	  "5:42: members[0].routers[0].port: there is no port 'qq'\n" },
	{ "router without port", true,
	  "members:\n"
	  "  - {name: A, routers: [{mac: 02:00:00:00:00:01}]}\n",
	  "5:25: members[0].routers[0]: no `port`: give one here, or to the member "
	  "for all its routers\n" },
	{ "router with nothing", true,
	  "members:\n"
	  "  - {name: A, port: pa, routers: [{}]}\n",
	  "5:35: members[0].routers[0]: neither `mac` nor `addresses` is given\n" },
	{ "router on no subnet", true,
	  "members:\n"
	  "  - {name: A, port: pa, routers: [{addresses: [9.9.9.9]}]}\n",
	  "5:48: members[0].routers[0].addresses[0]: 9.9.9.9 is on no subnet of port "
	  "pa\n" },
	{ "router on another port's subnet", true,
	  "members:\n"
	  "  - {name: A, port: pa, routers: [{addresses: [192.0.2.2]}]}\n",
	  "5:48: members[0].routers[0].addresses[0]: 192.0.2.2 is on a subnet of "
	  "port pb, not of port pa\n" },
	{ "router has the port's address", true,
	  "members:\n"
	  "  - {name: A, port: pa, routers: [{addresses: [198.51.100.1, "
	  "198.51.100.0, 198.51.100.255, \"2001:db8:a::\"]}]}\n",
	  "5:48: members[0].routers[0].addresses[0]: 198.51.100.1 is the address of "
	  "port pa itself\n"
	  "5:62: members[0].routers[0].addresses[1]: 198.51.100.0 is the network "
	  "address of 198.51.100.0/24\n"
	  "5:76: members[0].routers[0].addresses[2]: 198.51.100.255 is the broadcast "
	  "address of 198.51.100.0/24\n"
	  "5:92: members[0].routers[0].addresses[3]: 2001:db8:a:: is the "
	  "subnet-router anycast address of 2001:db8:a::/64\n" },
	{ "router has the port's link-local and MAC", false,
	  "ports:\n"
	  "  - {name: pa, device: net_a, link-local: fe80::1, mac: "
	  "02:00:00:00:00:01}\n"
	  "members:\n"
	  "  - {name: A, port: pa, routers: [{addresses: fe80::1, mac: "
	  "02:00:00:00:00:01}]}\n",
	  "4:47: members[0].routers[0].addresses: fe80::1 is the link-local address "
	  "of port pa itself\n"
	  "4:61: members[0].routers[0].mac: 02:00:00:00:00:01 is the MAC address of "
	  "port pa itself\n" },
	{ "router address that cannot be", true,
	  "members:\n"
	  "  - {name: A, port: pa, routers: [{addresses: [127.0.0.1, x, "
	  "198.51.100.2/24]}]}\n",
	  "5:48: members[0].routers[0].addresses[0]: 127.0.0.1 is loopback\n"
	  "5:59: members[0].routers[0].addresses[1]: 'x' is not an IP address\n"
	  "5:62: members[0].routers[0].addresses[2]: '198.51.100.2/24' is not an IP "
	  "address\n" },
	{ "router address twice", true,
	  "members:\n"
	  "  - {name: A, port: pa, routers: [{addresses: [198.51.100.2]}]}\n"
	  "  - {name: B, port: pa, routers: [{addresses: [x, 198.51.100.2]}]}\n",
	  "6:48: members[1].routers[0].addresses[0]: 'x' is not an IP address\n"
	  "6:51: members[1].routers[0].addresses[1]: 198.51.100.2 is an address of "
	  "members[0].routers[0] already\n" },
	{ "link-local twice on one port", true,
	  "members:\n"
	  "  - {name: A, port: pa, routers: [{addresses: [fe80::a]}, {addresses: "
	  "[fe80::a], port: pb}]}\n"
	  "  - {name: B, port: pa, routers: [{addresses: [fe80::a]}]}\n",
	  "6:48: members[1].routers[0].addresses[0]: fe80::a is an address of "
	  "members[0].routers[0] already\n" },
	{ "router MAC of two members", true,
	  "members:\n"
	  "  - {name: A, port: pa, routers: [{mac: 02:00:00:00:00:01}]}\n"
	  "  - {name: B, port: pa, routers: [{mac: [02:00:00:00:00:02, "
	  "02:00:00:00:00:01]}]}\n",
	  "6:61: members[1].routers[0].mac[1]: 02:00:00:00:00:01 is a MAC address of "
	  "members[0].routers[0] on the same port already\n" },
	{ "router MAC twice in one list", true,
	  "members:\n"
	  "  - {name: A, port: pa, routers: [{mac: [02:00:00:00:00:01, "
	  "02:00:00:00:00:01]}]}\n",
	  "5:61: members[0].routers[0].mac[1]: 02:00:00:00:00:01 is a MAC address of "
	  "members[0].routers[0] on the same port already\n" },
	{ "host bits", true,
	  "members:\n"
	  "  - {name: A, port: pa, prefixes: [203.0.113.1/24, \"2001:db8::1/32\"]}\n",
	  "5:36: members[0].prefixes[0]: 203.0.113.1/24 has host bits set; the "
	  "prefix is 203.0.113.0/24\n"
	  "5:52: members[0].prefixes[1]: 2001:db8::1/32 has host bits set; the "
	  "prefix is 2001:db8::/32\n" },
	{ "no prefixes", true,
	  "members:\n"
	  "  - {name: A, port: pa, prefixes: [203.0.113.0, 203.0.113.0/33, "
	  "\"2001:db8::/129\", x/8]}\n",
	  "5:36: members[0].prefixes[0]: '203.0.113.0' is not a prefix such as "
	  "203.0.113.0/24\n"
	  "5:49: members[0].prefixes[1]: 203.0.113.0/33: the length is not in 0..32\n"
	  "5:65: members[0].prefixes[2]: 2001:db8::/129: the length is not in 0..128\n"
	  "5:83: members[0].prefixes[3]: 'x/8' is not a prefix such as "
	  "203.0.113.0/24\n" },
	{ "route without prefix", true,
	  "routes:\n"
	  "  - {blackhole: true}\n",
	  "5:5: routes[0]: `prefix` is missing: a prefix such as 203.0.113.0/24\n" },
	{ "route without anything", true,
	  "routes:\n"
	  "  - {prefix: 203.0.113.0/24}\n",
	  "5:5: routes[0]: `via`, `blackhole`, `unreachable` or `prohibit` is needed\n" },
	{ "route with two", true,
	  "routes:\n"
	  "  - {prefix: 203.0.113.0/24, blackhole: true, via: 198.51.100.2}\n",
	  "5:41: routes[0].blackhole: cannot stand beside `via`\n" },
	{ "blackhole: false", true,
	  "routes:\n"
	  "  - {prefix: 203.0.113.0/24, blackhole: false}\n",
	  "5:41: routes[0].blackhole: only true makes sense here; else leave the key "
	  "out\n" },
	{ "blackhole: maybe", true,
	  "routes:\n"
	  "  - {prefix: 203.0.113.0/24, blackhole: maybe}\n",
	  "5:41: routes[0].blackhole: 'maybe' is not true or false\n" },
	{ "no next hops", true,
	  "routes:\n"
	  "  - {prefix: 203.0.113.0/24, via: []}\n",
	  "5:35: routes[0].via: needs at least one next hop\n" },
	{ "next hop on no subnet", true,
	  "routes:\n"
	  "  - {prefix: 203.0.113.0/24, via: [198.51.100.2, 9.9.9.9]}\n",
	  "5:50: routes[0].via[1]: 9.9.9.9 is on no port's subnet\n" },
	{ "next hop is ours", true,
	  "routes:\n"
	  "  - {prefix: 203.0.113.0/24, via: [198.51.100.1]}\n",
	  "5:36: routes[0].via[0]: 198.51.100.1 is the address of port pa itself\n" },
	{ "next hop is broadcast", true,
	  "routes:\n"
	  "  - {prefix: 203.0.113.0/24, via: [198.51.100.255]}\n",
	  "5:36: routes[0].via[0]: 198.51.100.255 is the broadcast address of "
	  "198.51.100.0/24\n" },
	{ "link-local without port", true,
	  "routes:\n"
	  "  - {prefix: 203.0.113.0/24, via: [\"fe80::a\"]}\n",
	  "5:36: routes[0].via[0]: fe80::a is link-local: name its port, as in "
	  "fe80::a%pa\n" },
	{ "link-local with a port that is not", true,
	  "routes:\n"
	  "  - {prefix: 203.0.113.0/24, via: [\"fe80::a%pz\"]}\n",
	  "5:36: routes[0].via[0]: there is no port 'pz'; did you mean pa?\n" },
	{ "next hop on another port", true,
	  "routes:\n"
	  "  - {prefix: 203.0.113.0/24, via: [\"198.51.100.2%pb\"]}\n",
	  "5:36: routes[0].via[0]: 198.51.100.2 is on a subnet of port pa, not of "
	  "port pb\n" },
	{ "IPv6 over IPv4", true,
	  "routes:\n"
	  "  - {prefix: \"2001:db8:5::/48\", via: [198.51.100.2]}\n",
	  "5:39: routes[0].via[0]: 198.51.100.2: an IPv6 prefix cannot go over an "
	  "IPv4 next hop\n" },
	{ "same next hop twice", true,
	  "routes:\n"
	  "  - {prefix: 203.0.113.0/24, via: [198.51.100.2, \"fe80::a%pa\", "
	  "\"fe80::a%pb\", {address: 198.51.100.2, weight: 2}]}\n",
	  "5:78: routes[0].via[3]: 198.51.100.2 is a next hop of this route already\n" },
	{ "weight", true,
	  "routes:\n"
	  "  - {prefix: 203.0.113.0/24, via: [{address: 198.51.100.2, weight: 0}, "
	  "{address: 198.51.100.3, weight: 257}, {weight: 1}]}\n",
	  "5:68: routes[0].via[0].weight: 0 is not in 1..256\n"
	  "5:104: routes[0].via[1].weight: 257 is not in 1..256\n"
	  "5:110: routes[0].via[2]: `address` is missing: an IP address, or "
	  "ADDRESS%PORT\n" },
	{ "no next hop", true,
	  "routes:\n"
	  "  - {prefix: 203.0.113.0/24, via: [gateway]}\n",
	  "5:36: routes[0].via[0]: 'gateway' is not an IP address, ADDRESS%PORT, or "
	  "{address, weight}\n" },
	{ "route twice", true,
	  "routes:\n"
	  "  - {prefix: 203.0.113.0/24, blackhole: true}\n"
	  "  - {prefix: 203.0.113.0/25, blackhole: true}\n"
	  "  - {prefix: 203.0.113.0/24, prohibit: true}\n",
	  "7:14: routes[2].prefix: 203.0.113.0/24 is the prefix of routes[0] "
	  "already; list all next hops there\n" },
	{ "multicast and link-local routes", true,
	  "routes:\n"
	  "  - {prefix: 224.0.0.0/4, blackhole: true}\n"
	  "  - {prefix: \"ff00::/8\", blackhole: true}\n"
	  "  - {prefix: \"fe80::/10\", blackhole: true}\n",
	  "5:14: routes[0].prefix: 224.0.0.0/4 is multicast, which is not routed\n"
	  "6:14: routes[1].prefix: ff00::/8 is multicast, which is not routed\n"
	  "7:14: routes[2].prefix: fe80::/10 is link-local, which is not routed\n" },
	{ "kernel without table", true,
	  "tables: {kernel: }\n",
	  "4:18: tables.kernel: `table` is missing: a number in 1..4294967295\n" },
	{ "table 0", true,
	  "tables: {kernel: {table: 0}}\n",
	  "4:26: tables.kernel.table: 0 is not in 1..4294967295\n" },
	{ "listener not loopback", true,
	  "metrics: {listen: \"0.0.0.0:9473\"}\n"
	  "tables: {fpm: {listen: \"[2001:db8::1]:2620\", insecure: false}}\n",
	  "4:19: metrics.listen: 0.0.0.0:9473 is not loopback; if that is meant, put "
	  "`insecure: true` beside it\n"
	  "5:24: tables.fpm.listen: [2001:db8::1]:2620 is not loopback; if that is "
	  "meant, put `insecure: true` beside it\n" },
	{ "listeners that are none", true,
	  "metrics: {listen: 9473}\n"
	  "tables: {fpm: {listen: \"::1:2620\"}}\n",
	  "4:19: metrics.listen: '9473' is not an address with a port such as "
	  "127.0.0.1:9473\n"
	  "5:24: tables.fpm.listen: '::1:2620' is not an address with a port such as "
	  "127.0.0.1:9473\n" },
	{ "listener's port", true,
	  "metrics: {listen: \"127.0.0.1:0\"}\n"
	  "tables: {fpm: {listen: \"127.0.0.1:65536\"}}\n",
	  "4:19: metrics.listen: 127.0.0.1:0: the port is not in 1..65535\n"
	  "5:24: tables.fpm.listen: 127.0.0.1:65536: the port is not in 1..65535\n" },
	{ "relative socket", true,
	  "control: {socket: napd.sock}\n",
	  "4:19: control.socket: 'napd.sock' is not an absolute path of at most 107 "
	  "bytes\n" },
	{ "one path for both sockets", true,
	  "control: {socket: /run/a, readonly-socket: /run/a}\n",
	  "4:44: control.readonly-socket: /run/a is `socket` too; they must differ\n" },
	{ "level", true,
	  "log: {level: loud}\n",
	  "4:14: log.level: 'loud' is not one of error, warning, info, debug\n" },
	{ "empty path", true,
	  "tables: {file: [\"\"]}\n",
	  "4:17: tables.file[0]: must not be empty\n" },
	{ "include that is not there", true,
	  "include: [members.yaml]\n",
	  "4:11: include[0]: members.yaml: No such file or directory\n" },
	{ "include of a mapping", true,
	  "include: {a: b}\n",
	  "4:10: include: a mapping (key: value) stands where a list of paths is "
	  "wanted\n" },
};
/* clang-format on */

static int place_order(const void *left, const void *right)
{
	const struct problem *a = left, *b = right;

	if (a->place.line != b->place.line)
		return a->place.line < b->place.line ? -1 : 1;
	if (a->place.column != b->place.column)
		return a->place.column < b->place.column ? -1 : 1;
	return strcmp(a->text, b->text);
}

/* The problems as text, a line each. */
static void problems_text(struct problems *problems, char *text, size_t size)
{
	size_t n = 0;

	qsort(problems->list, problems->count, sizeof(*problems->list), place_order);
	text[0] = 0;
	for (size_t i = 0; i < problems->count && n < size; i++) {
		const struct problem *p = &problems->list[i];

		assert_string_equal(p->place.file, "x.yaml");
		n += (size_t)snprintf(text + n, size - n, "%u:%u: %s%s\n", p->place.line,
				      p->place.column, p->warning ? "warning: " : "", p->text);
	}
}

static void every_error_is_told_with_its_place(void **state)
{
	static char text[8192], found[8192];
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct problems problems = { 0 };
		struct config *config;

		snprintf(text, sizeof(text), "%s%s", rows[i].two_ports ? TWO_PORTS : "",
			 rows[i].text);
		config = config_parse(text, strlen(text), "x.yaml", &problems);
		problems_text(&problems, found, sizeof(found));
		if (config || strcmp(found, rows[i].problems) != 0) {
			print_error("%s: expected\n%sbut found\n%s", rows[i].claim,
				    rows[i].problems, found);
			wrong++;
		}
		config_free(config);
		problems_release(&problems);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_error_is_told_with_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
