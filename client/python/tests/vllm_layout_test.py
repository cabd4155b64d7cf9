"""The parts of baton.vllm that need no vLLM: what routers and users say, and the description of
caches for shapes of real backends."""
import unittest

from baton.vllm import layout, params, settings, version
from baton.vllm.groups import Group, PageGroups


class ParamsTest(unittest.TestCase):
    def parse(self, side="receive", **fields):
        said = {"room": 7, "side": side, **({"prefill_server": "p"} if side == "receive" else {})}
        return params.parse({"baton": {**said, **fields}}, side)

    def refuse(self, text, side="receive", **fields):
        with self.assertRaisesRegex(ValueError, text):
            self.parse(side, **fields)

    def test_requests_without_a_leg_are_not_ours(self):
        for said in (None, {}, {"baton": None}, {"do_remote_decode": True}):
            self.assertIsNone(params.parse(said, "send"))

    def test_both_legs_are_read_whole(self):
        leg = self.parse(nonce=3, prefill_dp=1, time_left_s=2)
        self.assertEqual(leg, params.Leg(7, 3, "receive", "p", 1, "", 2.0))
        self.assertEqual(self.parse("send"), params.Leg(7, 0, "send"))
        self.assertEqual(self.parse("send", decode_server="d").decode_server, "d")

    def test_a_room_may_be_text_since_javascript_rounds_numbers(self):
        self.assertEqual(self.parse(room="18446744073709551615").room, 2**64 - 1)

    def test_what_is_wrong_is_named(self):
        self.refuse("baton.room is None", room=None)
        self.refuse("baton.room is True", room=True)
        self.refuse("baton.room is -1, want a number from 0", room=-1)
        self.refuse("baton.room is 'x'", room="x")
        self.refuse("baton.nonce is 18446744073709551616", nonce=2**64)
        self.refuse("prefill_server is missing", prefill_server="")
        self.refuse("prefill_dp is 1.5", prefill_dp=1.5)
        self.refuse("time_left_s is 0", time_left_s=0)
        self.refuse("no field 'rooom'; there are: decode_server, nonce", rooom=1)
        with self.assertRaisesRegex(ValueError, "side is None, want"):
            params.parse({"baton": {"room": 1}}, "send")
        with self.assertRaisesRegex(ValueError, "is 'x', want an object"):
            params.parse({"baton": "x"}, "send")

    def test_the_leg_of_the_other_role_is_refused(self):
        with self.assertRaisesRegex(ValueError, "'send' leg to this engine, which is a kv_con"):
            params.parse({"baton": {"room": 1, "side": "send"}}, "receive")


class SettingsTest(unittest.TestCase):
    def test_the_environment_fills_what_is_not_said(self):
        pod = {"BATON_SERVER": "s", "BATON_ATTACH_SOCKET": "/a", "BATON_LAUNCH_ID": "l"}
        self.assertEqual(settings.read({}, pod), settings.Settings("s", "/a", "l"))
        self.assertEqual(settings.read({"server": "t"}, pod).server, "t")
        self.assertEqual(settings.read({}, {"BATON_SERVER": "s"}).agent_socket,
                         "/run/baton/attach.sock")

    def test_what_is_wrong_is_named(self):
        for extra, text in (({}, "set \"server\".*or BATON_SERVER"),
                            ({"server": "s", "sever": 1}, "no key 'sever'; there are: agent"),
                            ({"server": "s", "slots": 0}, "slots is 0, want a number above 0"),
                            ({"server": "s", "time_left_s": "1"}, "time_left_s is '1'")):
            with self.assertRaisesRegex(ValueError, text):
                settings.read(extra, {})


class GroupsTest(unittest.TestCase):
    def test_pages_are_those_that_hold_some_of_the_tokens(self):
        groups = PageGroups((Group(16),), (0,))
        blocks = [[10, 11, 12, 13]]
        self.assertEqual(groups.pages(blocks, 0, 50, 50), [[10, 11, 12, 13]])
        self.assertEqual(groups.pages(blocks, 16, 17, 50), [[11]])
        self.assertEqual(groups.pages(blocks, 17, 33, 50), [[11, 12]])
        self.assertEqual(groups.pages(blocks, 16, 16, 50), [[]])
        self.assertEqual(groups.none(), [[]])

    def test_a_window_leaves_out_pages_that_the_engine_has_not(self):
        # Of vLLM's groups 0 is not handed over, and 0 stands for no block.
        groups = PageGroups((Group(16, 20), Group(16)), (1, 2))
        blocks = [[], [0, 0, 8, 9], [1, 2, 3, 4]]
        self.assertEqual(groups.pages(blocks, 0, 64, 64), [[8, 9], [1, 2, 3, 4]])
        self.assertEqual(groups.pages(blocks, 0, 32, 64), [[], [1, 2]])
        self.assertEqual(groups.pages(blocks, 32, 48, 64), [[8], [3]])


class EntriesTest(unittest.TestCase):
    def test_heads_outermost_makes_a_block_one_entry(self):
        # vLLM's CPU backend: keys lie transposed in it.
        self.assertEqual(layout.entries((256, 4, 128, 64), (32768, 8192, 64, 1), 4, 128, False),
                         (128, 32768, layout.Strides(131072, 131072, 32768)))

    def test_tokens_outermost_makes_a_token_one_entry(self):
        self.assertEqual(layout.entries((9, 4, 16, 64), (4096, 64, 256, 1), 2, 16, False),
                         (1, 128, layout.Strides(8192, 512, 128)))

    def test_latents_are_told_by_token_whatever_the_page(self):
        self.assertEqual(layout.entries((9, 1, 16, 576), (9216, 576, 576, 1), 2, 16, True),
                         (1, 1152, layout.Strides(18432, 1152, 1152)))

    def test_a_page_of_several_blocks_has_several_entries(self):
        self.assertEqual(layout.entries((8, 2, 16, 64), (2048, 1024, 64, 1), 2, 64, False),
                         (16, 2048, layout.Strides(16384, 4096, 2048)))

    def test_what_cannot_be_told_is_refused(self):
        for shape, strides, tokens in (((8, 2, 16, 64), (4096, 2048, 64, 2), 16),
                                       ((8, 2, 16, 64), (2048, 1024, 64, 1), 24),
                                       ((8, 2, 16, 64), (9999, 64, 128, 1), 32)):
            with self.assertRaises(ValueError):
                layout.entries(shape, strides, 2, tokens, False)


class ServerSpecTest(unittest.TestCase):
    def cache(self, layer, group=0, **changes):
        fields = {"suffix": "attn", "latent": False, "dtype": "bf16", "heads": 4, "sharded": True,
                  "head_bytes": 64, "tokens_per_entry": 16, **changes}
        return layout.CacheSpec(layer=layer, group=group, **fields)

    def test_layers_alike_are_one_tensor_over_all_stages(self):
        stages = [[self.cache(0), self.cache(1)], [self.cache(3), self.cache(2)]]
        spec, tensor_of = layout.server_spec((1, 2, 1, 2), [Group(16)], stages)
        self.assertEqual(spec.stages, [[0, 1], [2, 3]])
        self.assertEqual([(t.name, t.layers) for t in spec.tensors], [("attn", [0, 1, 2, 3])])
        self.assertEqual(set(tensor_of.values()), {0})

    def test_page_groups_have_tensors_of_their_own_under_names_of_their_own(self):
        caches = [self.cache(2, 0), self.cache(0, 1), self.cache(1, 2, suffix="indexer")]
        groups = [Group(16), Group(16, 127), Group(16)]
        spec, tensor_of = layout.server_spec((1, 1, 1, 1), groups, [caches])
        self.assertEqual([(t.name, t.page_group, t.layers) for t in spec.tensors],
                         [("attn", 1, [0]), ("indexer", 2, [1]), ("attn.1", 0, [2])])
        self.assertEqual([g.window_tokens for g in spec.page_groups], [0, 127, 0])
        place = layout.Place(caches[0], memory=1, offset=512, pages=8,
                             strides=layout.Strides(1024, 1024, 64))
        (buffer,) = layout.buffers([place], tensor_of, len(groups))
        self.assertEqual((buffer.tensor, buffer.layer, buffer.region, buffer.offset, buffer.pages,
                          buffer.page_stride, buffer.entry_stride, buffer.head_stride),
                         (2, 2, 3, 512, 8, 1024, 1024, 64))


class VersionTest(unittest.TestCase):
    def test_a_version_that_was_tried_is_no_matter_whatever_its_build(self):
        self.assertIsNone(version.complaint("0.32.0"))
        self.assertIsNone(version.complaint("0.32.0+cpu"))

    def test_another_is_named_with_the_cure(self):
        self.assertIn("was tried with vLLM 0.32.0, and this is vLLM 0.33.1.",
                      version.complaint("0.33.1"))
        self.assertIn("install vllm==0.32.0", version.complaint("unknown"))


if __name__ == "__main__":
    unittest.main()
