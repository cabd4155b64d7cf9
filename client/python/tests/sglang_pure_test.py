"""The parts of baton.sglang that know no SGLang: layout, settings, peers, versions."""
import os
import types
import unittest
from unittest import mock

import baton
from baton.sglang import config, describe, layout, peers, version

PAGE_TOKENS = 16


def plain(heads_here=2):
    """Two layers of K as one of two tp ranks has them."""
    page = PAGE_TOKENS * heads_here * 64
    own = [layout.Own(layer, 4096 + layer * 10 * page, 10 * page, page) for layer in (0, 1)]
    return layout.Family(baton.Kind.K, "float32", [0, 1], 64, own, heads=4, tp_sharded=True)


GRID = layout.Grid(sizes=(1, 1, 1, 2), coord=(0, 0, 0, 1), stages=[[0, 1]])


class LayoutTest(unittest.TestCase):
    def test_a_spec_is_of_the_whole_server(self):
        spec = layout.spec_of([plain()], GRID, PAGE_TOKENS)
        self.assertEqual(spec.sizes, (1, 1, 1, 2))
        self.assertEqual(spec.tensors[0].heads, 4)
        self.assertEqual(spec.page_groups, [baton.PageGroup(16)])

    def test_a_page_is_token_after_token_and_head_after_head(self):
        aux = layout.Family(baton.Kind.AUX, "int32", [0], 64, [layout.Own(0, 0, 640, 64)],
                            name="output_ids")
        found = layout.buffers_of([plain(), aux], PAGE_TOKENS,
                                  lambda family: lambda address, size: (7, address - 96))
        self.assertEqual([b.tensor for b in found], [0, 0, 1])
        self.assertEqual(found[1], baton.Buffer(0, 1, 10, 2048, 128, 64, 7, 4000 + 20480))
        self.assertEqual((found[2].pages, found[2].page_stride), (10, 64))

    def test_pages_that_tokens_do_not_divide_are_refused_by_name(self):
        odd = layout.Family(baton.Kind.V, "b", [3], 64, [layout.Own(3, 0, 100, 50)])
        with self.assertRaisesRegex(ValueError, "V of layer 3"):
            layout.buffers_of([odd], PAGE_TOKENS, lambda family: lambda address, size: (0, 0))


class DescribeTest(unittest.TestCase):
    def test_pages_that_are_shared_out_over_ranks_are_refused_by_name(self):
        pool = types.SimpleNamespace(shard_spec=object())
        queue = types.SimpleNamespace(token_to_kv_pool=pool)
        with self.assertRaises(baton.BatonError) as raised:
            describe.families(queue, None, GRID, decode=False)
        self.assertIn("--enable-kv-cache-sharding", str(raised.exception))


class ConfigTest(unittest.TestCase):
    def read(self, role="prefill", host="0.0.0.0", **environment):
        with mock.patch.dict(os.environ, environment, clear=False):
            return config.read(role=role, model="m", host=host, port=30000, own_ip="10.0.0.7",
                               bootstrap_port=8998)

    def test_everything_has_a_default(self):
        for name in ("BATON_SERVER", "BATON_LAUNCH_ID", "POD_UID"):
            os.environ.pop(name, None)
        read = self.read()
        self.assertEqual(read.agent_socket, "/run/baton/attach.sock")
        self.assertRegex(read.server, "^prefill-.*-30000$")
        self.assertTrue(read.launch_id)
        self.assertIn("10.0.0.7:8998", read.aliases)
        self.assertNotIn("0.0.0.0:8998", read.aliases)

    def test_ranks_of_one_start_share_the_launch_id_that_their_parent_drew(self):
        environment = {}
        config.draw_launch_id(environment)
        drawn = dict(environment)
        config.draw_launch_id(environment)
        self.assertEqual(environment, drawn)

    def test_decode_servers_have_no_alias(self):
        self.assertEqual(self.read(role="decode", BATON_SERVER="d").aliases, ())

    def test_peers_are_read_and_checked(self):
        read = self.read(BATON_SERVER="d", BATON_PEERS="10.0.0.1:8998=a, b:1=c")
        self.assertEqual(read.peers, {"10.0.0.1:8998": "a", "b:1": "c"})
        with self.assertRaisesRegex(baton.BatonError, "host:port=SERVER"):
            self.read(BATON_SERVER="d", BATON_PEERS="a")

    def test_a_number_that_is_none_is_named(self):
        with self.assertRaisesRegex(baton.BatonError, "BATON_PEER_TIMEOUT='soon'"):
            self.read(BATON_SERVER="d", BATON_PEER_TIMEOUT="soon")


class Attachment:
    """Answers every question with what a test has put there."""

    def __init__(self):
        self.status = None
        self.engine = self

    def peer(self, _server):
        if isinstance(self.status, Exception):
            raise self.status
        return self.status


def status(state, why=None):
    return baton.PeerStatus(state, "prefill-a", 1, 1, False, why)


class PeersTest(unittest.TestCase):
    def setUp(self):
        self.attachment = Attachment()
        self.time = 100.0
        self.peers = peers.Peers(self.attachment, {"h:1": "prefill-a"}, 3.0, lambda: self.time)

    def gone_after(self, seconds, address="h:1"):
        """Asks twice a second."""
        why = self.peers.gone(address)
        for _ in range(int(seconds * 2)):
            self.time += 0.5
            why = self.peers.gone(address)
        return why

    def test_an_address_has_the_name_that_was_given_or_is_an_alias(self):
        self.assertEqual(self.peers.server("h:1"), "prefill-a")
        self.assertEqual(self.peers.server("h:2"), "h:2")

    def test_one_that_is_ready_is_never_gone(self):
        self.attachment.status = status(baton.PeerState.READY)
        self.assertEqual(self.gone_after(9), "")
        self.assertTrue(self.peers.ready("h:1"))

    def test_one_that_is_away_for_a_moment_is_waited_for(self):
        lost = baton.BatonError("NOT_READY", "tp1 is missing")
        self.attachment.status = status(baton.PeerState.NOT_READY, lost)
        self.assertEqual(self.gone_after(2.5), "")
        self.assertFalse(self.peers.ready("h:1"))
        self.assertIn("tp1 is missing", self.gone_after(0.5))

    def test_one_that_was_seen_again_gets_the_whole_time_anew(self):
        self.attachment.status = status(baton.PeerState.UNKNOWN)
        self.gone_after(2.5)
        self.attachment.status = status(baton.PeerState.READY)
        self.gone_after(0.5)
        self.attachment.status = status(baton.PeerState.UNKNOWN)
        self.assertEqual(self.gone_after(2.5), "")

    def test_one_that_nobody_asked_about_for_long_is_judged_anew(self):
        self.attachment.status = status(baton.PeerState.UNKNOWN)
        self.gone_after(2.5)
        self.time += 60
        self.assertEqual(self.peers.gone("h:1"), "")

    def test_one_that_does_not_fit_is_gone_at_once(self):
        unlike = baton.BatonError("SPEC_MISMATCH", "page_tokens 16 and 32")
        self.attachment.status = status(baton.PeerState.INCOMPATIBLE, unlike)
        self.assertIn("page_tokens 16 and 32", self.peers.gone("h:1"))

    def test_an_unknown_one_is_named_as_the_router_gave_it(self):
        self.attachment.status = status(baton.PeerState.UNKNOWN)
        self.assertIn("h:2 is registered", self.gone_after(3, "h:2"))

    def test_without_an_agent_the_reason_is_its_own(self):
        self.attachment.status = baton.BatonError("DEADLINE", "start baton-agent")
        self.assertFalse(self.peers.ready("h:1"))
        self.assertIn("start baton-agent", self.gone_after(3))

    def test_too_many_watched_servers_stop_nobody(self):
        self.attachment.status = baton.Full("FULL", "too many")
        self.assertTrue(self.peers.ready("h:1"))
        self.assertEqual(self.gone_after(9), "")


class VersionTest(unittest.TestCase):
    def test_the_advice_names_what_was_tried_and_what_is_there(self):
        self.assertTrue(version.tried(version.TRIED[-1]))
        self.assertFalse(version.tried("0.6.0"))
        for word in (version.TRIED[-1], "0.6.0"):
            self.assertIn(word, version.advice("0.6.0"))


if __name__ == "__main__":
    unittest.main()
