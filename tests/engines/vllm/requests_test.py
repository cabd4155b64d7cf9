"""What befalls single requests: chunks, cached prefixes, preemption, aborts, failed hand-offs, and
what a router may say wrong."""
from tests.engines.vllm.bed import PairTest
from tests.engines.vllm.pair import prompt


class RequestsTest(PairTest):
    PREFILL = {"max_num_batched_tokens": 128, "disable_log_stats": False}
    DECODE = {"disable_log_stats": False}

    def expect_failed(self, legs, *cause: str) -> None:
        made, why = self.pair.decode.done(legs.name)
        self.assertEqual((made, why), ([], "error"))
        self.assert_log(self.pair.decode, "room %d of prefill.*" % legs.room + ".*".join(cause))

    def expect_fine(self, seed: int) -> None:
        """The engines live on."""
        self.assert_handed_off(prompt(200, seed))

    def test_chunks_go_while_the_prefill_computes_the_next(self):
        for attempt in range(20):
            words = prompt(1500, 100 + attempt)
            legs, made, _ = self.pair.hand_off(words)
            self.assertEqual(made, self.pair.oracle(words))
            chunks = [note for note in self.pair.notes("prefill", "chunk")
                      if note["room"] == legs.room]
            self.assertEqual([chunk["last"] for chunk in chunks], [False] * 11 + [True])
            if any(chunk["submitted"] for chunk in chunks[:-1]):
                return
        self.fail("no chunk of 20 requests went before the last")

    def test_a_prefix_that_the_prefill_has_cached_is_handed_over_too(self):
        words = prompt(700, 3)
        self.pair.prefill.add("warm", words[:500], 1)
        self.pair.prefill.done("warm")
        self.assert_handed_off(words)

    def test_a_prefix_that_the_decode_has_cached_is_not_sent_again(self):
        words = prompt(700, 4)
        self.assert_handed_off(words[:520])
        legs, made, _ = self.pair.hand_off(words)
        landed = [note for note in self.pair.notes("decode", "landed")
                  if note["room"] == legs.room]
        self.assertEqual([note["tokens"] for note in landed], [[512, 699]])
        self.assertEqual(self.pair.difference(legs), "")
        self.assertEqual(made, self.pair.oracle(words))

    def test_a_prompt_that_the_decode_has_whole_needs_no_page(self):
        words = prompt(513, 5)
        self.assert_handed_off(words)
        legs, made, why = self.pair.hand_off(words)
        self.assertEqual((made, why), (self.pair.oracle(words), "length"))
        self.assertNotIn(legs.room, [n["room"] for n in self.pair.notes("decode", "landed")])
        self.pair.settled()

    def test_a_prefill_preempted_before_it_sent_anything_starts_anew(self):
        legs = self.pair.legs(prompt(900, 6))
        self.pair.prefill.preempt(legs.name, 400)
        self.pair.prefill.add(legs.name, legs.prompt, 1, legs.send)
        self.pair.prefill.done(legs.name)
        self.pair.decode.add(legs.name, legs.prompt, legs.tokens, legs.receive)
        made, why = self.pair.decode.done(legs.name)
        self.assertEqual((made, why), (self.pair.oracle(legs.prompt), "length"))
        self.assertEqual(self.pair.difference(legs), "")

    def test_a_prefill_preempted_while_it_sends_fails_the_room_and_nothing_else(self):
        for attempt in range(20):
            legs = self.pair.legs(prompt(1500, 200 + attempt))
            self.pair.prefill.preempt(legs.name, 1200)
            self.pair.add(legs)
            self.pair.prefill.done(legs.name)
            made, why = self.pair.decode.done(legs.name)
            if why == "error":
                self.assert_log(self.pair.decode,
                                r"room %d of prefill.*ABORTED.*preempted" % legs.room)
                self.assert_log(self.pair.prefill, "was preempted while room %d" % legs.room)
                break
            self.assertEqual(made, self.pair.oracle(legs.prompt))  # It had sent nothing yet.
        else:
            self.fail("no preemption of 20 hit a request that was sending")
        self.expect_fine(7)
        self.pair.settled()

    def test_a_preempted_decode_computes_its_tokens_again(self):
        legs = self.pair.legs(prompt(300, 8), tokens=24)
        self.pair.decode.preempt(legs.name, 310)
        self.pair.add(legs)
        made, why = self.pair.decode.done(legs.name)
        self.assertEqual((made, why), (self.pair.oracle(legs.prompt, 24), "length"))

    def test_a_decode_aborted_before_the_prefill_hears_of_it_sets_the_prefill_free(self):
        legs = self.pair.legs(prompt(300, 9))
        self.pair.decode.add(legs.name, legs.prompt, legs.tokens, legs.receive)
        self.pair.decode.abort(legs.name)
        self.pair.decode.done(legs.name)
        self.pair.prefill.add(legs.name, legs.prompt, 1, legs.send)
        self.pair.prefill.done(legs.name)
        self.pair.settled()

    def test_a_prefill_aborted_before_the_decode_hears_of_it_fails_the_decode(self):
        legs = self.pair.legs(prompt(300, 10))
        legs.receive["baton"]["time_left_s"] = legs.send["baton"]["time_left_s"] = 5
        self.pair.prefill.add(legs.name, legs.prompt, 1, legs.send)
        self.pair.prefill.abort(legs.name)
        self.pair.prefill.done(legs.name)
        self.pair.decode.add(legs.name, legs.prompt, legs.tokens, legs.receive)
        self.expect_failed(legs)
        self.pair.settled()

    def test_an_abort_at_any_moment_costs_that_request_alone(self):
        for moment in range(24):
            legs = self.pair.legs(prompt(1200, 300 + moment))
            self.pair.add(legs)
            # Later each time: while others are handed over.
            for step in range(moment // 4):
                self.pair.hand_off(prompt(20, 1000 * moment + step), 2)
            if moment % 2:
                self.pair.decode.abort(legs.name)
                self.pair.prefill.done(legs.name)
            else:
                self.pair.prefill.abort(legs.name)
            _, why = self.pair.decode.done(legs.name)
            self.assertIn(why, ("error", "abort", "length"))
        self.expect_fine(11)
        self.pair.settled()

    def test_a_room_that_no_prefill_opens_fails_at_its_deadline(self):
        legs = self.pair.legs(prompt(300, 12))
        legs.receive["baton"]["time_left_s"] = 0.5
        self.pair.decode.add(legs.name, legs.prompt, legs.tokens, legs.receive)
        self.expect_failed(legs, "DEADLINE", r"prefill\[dp0/pp0/cp0/tp0\]")
        self.expect_fine(13)

    def test_a_server_that_nobody_knows_fails_the_request_by_name(self):
        legs = self.pair.legs(prompt(300, 14))
        legs.receive["baton"].update(prefill_server="prefill-z", time_left_s=2)
        self.pair.decode.add(legs.name, legs.prompt, legs.tokens, legs.receive)
        made, why = self.pair.decode.done(legs.name)
        self.assertEqual((made, why), ([], "error"))
        self.assert_log(self.pair.decode, "room %d of prefill-z.*prefill-z" % legs.room)

    def test_what_the_router_says_wrong_is_in_the_log(self):
        words = prompt(300, 15)
        for number, (said, complaint) in enumerate((
                ({"side": "receive", "prefill_server": "prefill"}, "baton.room is None"),
                ({"room": 1, "side": "receive"}, "prefill_server is missing"),
                ({"room": 1, "side": "send"}, "router sent the 'send' leg to this engine"),
                ({"room": 1, "side": "receive", "prefil": 1}, "no field 'prefil'"))):
            name = "wrong-%d" % number
            self.pair.decode.add(name, words, 4, {"baton": said})
            self.assertEqual(self.pair.decode.done(name), ([], "error"))
            self.assert_log(self.pair.decode, "request %s.*%s" % (name, complaint))
        self.expect_fine(16)

    def test_a_prefill_that_is_asked_for_many_tokens_makes_one(self):
        legs = self.pair.legs(prompt(300, 17))
        self.pair.decode.add(legs.name, legs.prompt, legs.tokens, legs.receive)
        self.pair.prefill.add(legs.name, legs.prompt, 64, legs.send)
        self.assertEqual(len(self.pair.prefill.done(legs.name)[0]), 1)
        self.assertEqual(self.pair.decode.done(legs.name)[0], self.pair.oracle(legs.prompt))
        self.assert_log(self.pair.prefill, "asks a prefill server for 64 tokens")

    def test_two_samples_of_a_request_share_its_room(self):
        legs = self.pair.legs(prompt(300, 19))
        self.pair.decode.add(legs.name, legs.prompt, legs.tokens, legs.receive, samples=2)
        self.pair.prefill.add(legs.name, legs.prompt, 1, legs.send)
        made, why = self.pair.decode.done(legs.name)
        self.assertEqual((made, why), (2 * self.pair.oracle(legs.prompt), "length"))

    def test_what_was_moved_and_what_failed_is_in_vllms_metrics(self):
        before = self.pair.prefill.metrics(), self.pair.decode.metrics()
        self.expect_fine(23)
        legs = self.pair.legs(prompt(300, 24))
        legs.receive["baton"]["time_left_s"] = 0.2
        self.pair.decode.add(legs.name, legs.prompt, legs.tokens, legs.receive)
        self.pair.decode.done(legs.name)
        after = self.pair.prefill.metrics(), self.pair.decode.metrics()
        sent, received = ({key: new[key] - old.get(key, 0) for key in new}
                          for old, new in zip(before, after))
        self.assertEqual(sent["vllm:baton_rooms", "send", "done"], 1)
        self.assertEqual(received["vllm:baton_rooms", "receive", "done"], 1)
        self.assertEqual(received["vllm:baton_rooms", "receive", "failed"], 1)
        self.assertEqual(received["vllm:baton_receive_seconds", "", ""], 1)
        # Two pages of four layers of 128 KiB.
        for moved in (sent, received):
            self.assertEqual(moved["vllm:baton_bytes", "", ""], 2 * 4 * 131072)

    def test_requests_without_a_leg_are_computed_as_ever(self):
        words = prompt(300, 18)
        self.pair.decode.add("plain", words, 8)
        self.assertEqual(self.pair.decode.done("plain")[0], self.pair.oracle(words))


class RecomputeTest(PairTest):
    """kv_load_failure_policy "recompute", with the page groups of a hybrid model."""
    MODEL = "swa"
    POLICY = "recompute"

    def test_a_failed_room_is_computed_by_the_decode(self):
        words = prompt(700, 20)
        legs = self.pair.legs(words)
        legs.receive["baton"]["time_left_s"] = 0.5
        self.pair.decode.add(legs.name, words, 8, legs.receive)
        self.assertEqual(self.pair.decode.done(legs.name), (self.pair.oracle(words), "length"))
        self.assert_log(self.pair.decode, "room %d of prefill.*DEADLINE" % legs.room)
        self.assert_handed_off(prompt(700, 21))

    def test_what_the_router_says_wrong_is_computed_by_the_decode(self):
        words = prompt(300, 22)
        self.pair.decode.add("wrong", words, 8, {"baton": {"side": "receive", "room": -1}})
        self.assertEqual(self.pair.decode.done("wrong"), (self.pair.oracle(words), "length"))

    def test_zz_every_page_is_given_back(self):
        self.pair.settled()
