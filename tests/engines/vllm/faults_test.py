"""Processes that die under requests, and engines that do not fit: each is a clear error in the
engine's log, with the rank and what to do, and the engine lives."""
import re
import signal
import time

from tests.engines.vllm import agents
from tests.engines.vllm.bed import PairTest, model
from tests.engines.vllm.engine import Engine
from tests.engines.vllm.pair import prompt
from tests.programs import program


class FaultsTest(PairTest):
    def expect_recovery(self, seed: int) -> None:
        """Requests succeed again, after as many failures as it takes."""
        def handed_off():
            legs = self.pair.legs(prompt(300, seed))
            legs.receive["baton"]["time_left_s"] = legs.send["baton"]["time_left_s"] = 5
            self.pair.add(legs)
            made, why = self.pair.decode.done(legs.name)
            self.pair.prefill.done(legs.name)
            return why == "length" and (made, self.pair.difference(legs))
        made, difference = program.eventually(handed_off, "a hand-off succeeds again")
        self.assertEqual(difference, "")
        self.assertEqual(made, self.pair.oracle(prompt(300, seed)))

    def open_alone(self, side: str, seed: int):
        """A request of which the other side never hears; its room is open."""
        legs = self.pair.legs(prompt(300, seed))
        if side == "decode":
            self.pair.decode.add(legs.name, legs.prompt, legs.tokens, legs.receive)
        else:
            self.pair.prefill.add(legs.name, legs.prompt, 1, legs.send)
            self.pair.prefill.done(legs.name)
        return legs

    def test_the_decode_agent_is_killed_under_a_request_and_started_again(self):
        legs = self.open_alone("decode", 1)
        program.eventually(lambda: self.pair.decode.free_pages() < self.pair.decode.pages_in_all,
                           "the request has pages")
        agents.kill(self.cluster.agent("decode"))
        self.assertEqual(self.pair.decode.done(legs.name), ([], "error"))
        self.assert_log(self.pair.decode, "room %d of prefill.*AGENT_LOST" % legs.room)
        self.cluster.agent("decode")
        self.expect_recovery(2)
        self.pair.settled()

    def test_the_prefill_agent_is_killed_under_a_request_and_started_again(self):
        self.open_alone("prefill", 3)
        agents.kill(self.cluster.agent("prefill"))
        self.assert_log_eventually(self.pair.prefill, "cannot be sent.*AGENT_LOST")
        self.cluster.agent("prefill")
        self.expect_recovery(4)
        self.pair.settled()

    def assert_log_eventually(self, engine, text: str) -> None:
        program.eventually(lambda: re.search(text, engine.text()), text)

    def test_requests_go_on_while_the_bootstrap_service_is_gone_for_ten_seconds(self):
        self.expect_recovery(5)
        agents.kill(self.cluster.bootstrap)
        ends = time.monotonic() + 10
        seed = 50
        while time.monotonic() < ends:
            seed += 1
            self.assert_handed_off(prompt(200, seed))
        self.cluster.start_bootstrap()
        self.assert_handed_off(prompt(200, 6))

    def test_the_decode_engine_is_killed_under_a_request_and_started_again(self):
        legs = self.pair.legs(prompt(1500, 8))
        self.pair.add(legs)
        self.pair.decode.kill()
        self.pair.prefill.done(legs.name)
        self.pair.prefill.forget_prefixes()
        program.eventually(
            lambda: self.pair.prefill.free_pages() == self.pair.prefill.pages_in_all,
            "the prefill engine has its pages back")
        self.assert_gone_was_noticed("decode")
        self.pair.decode = self.pair.start("decode")
        self.pair.decode.wait_up()
        self.expect_recovery(9)

    def test_the_prefill_engine_is_killed_under_a_request_and_started_again(self):
        legs = self.pair.legs(prompt(1500, 10))
        self.pair.add(legs)
        self.pair.prefill.kill()
        made, why = self.pair.decode.done(legs.name)
        self.assertIn((made == [], why), ((True, "error"), (False, "length")))
        self.assert_gone_was_noticed("prefill")
        self.pair.prefill = self.pair.start("prefill")
        self.pair.prefill.wait_up()
        self.expect_recovery(11)

    def assert_gone_was_noticed(self, side: str) -> None:
        """A request that only the other side hears of ends long before its deadline, with its
        pages given back."""
        other = self.pair.decode if side == "prefill" else self.pair.prefill
        before = len(other.text())
        self.open_alone("decode" if side == "prefill" else "prefill", 15)
        program.eventually(
            lambda: re.search("room.*: .*%s server %s" % (side, side), other.text()[before:]),
            "the log says that the other server is gone")
        other.forget_prefixes()
        program.eventually(lambda: other.free_pages() == other.pages_in_all,
                           "the other engine has its pages back")
        self.assertNotIn("DEADLINE", other.text()[before:])

    def test_an_agent_that_stands_still_fails_requests_and_they_go_on_when_it_runs(self):
        self.expect_recovery(12)
        agent = self.cluster.agent("prefill")
        agent.process.send_signal(signal.SIGSTOP)
        legs = self.pair.legs(prompt(300, 13))
        legs.receive["baton"]["time_left_s"] = legs.send["baton"]["time_left_s"] = 4
        self.pair.add(legs)
        self.assertEqual(self.pair.decode.done(legs.name), ([], "error"))
        agent.process.send_signal(signal.SIGCONT)
        self.expect_recovery(14)
        self.pair.settled()


class UnfitTest(PairTest):
    """A prefill engine, and decode engines that differ from it."""

    def start_decode(self, name: str, extra: dict | None = None, transfer: dict | None = None,
                     agent: bool = True, **options) -> Engine:
        if agent:
            self.cluster.agent(name)
        engine = Engine(name, self.pair.folder, model("gqa"), {
            "kv_connector": "SpyConnector", "kv_connector_module_path": "tests.engines.vllm.spy",
            "kv_role": "kv_consumer", "kv_connector_extra_config": {
                "server": name, "agent_socket": self.cluster.socket(name), **(extra or {})},
            **(transfer or {})}, **options)
        self.addCleanup(engine.kill)
        engine.wait_up()
        return engine

    def expect_alone(self, engine: Engine, seed: int) -> None:
        """It serves what needs no Baton."""
        words = prompt(200, seed)
        engine.add("alone", words, 4)
        self.assertEqual(engine.done("alone")[1], "length")

    def expect_refused(self, engine: Engine, *texts: str) -> None:
        legs = self.pair.legs(prompt(300, 1))
        engine.add(legs.name, legs.prompt, legs.tokens, legs.receive)
        self.pair.prefill.add(legs.name, legs.prompt, 1, legs.send)
        self.assertEqual(engine.done(legs.name), ([], "error"))
        self.assert_log(engine, *texts)
        self.expect_alone(engine, 2)

    def test_another_page_size_is_refused_with_both_values(self):
        engine = self.start_decode("decode-b", block_size=64)
        self.expect_refused(engine, "INCOMPATIBLE.*float32/cpu-vec-128.*float32/cpu-vec-64")

    def test_another_element_type_is_refused_with_both_values(self):
        engine = self.start_decode("decode-c", dtype="bfloat16")
        self.expect_refused(engine, "INCOMPATIBLE.*float32.*bfloat16")

    def test_an_engine_without_an_agent_lives_and_attaches_when_one_starts(self):
        engine = self.start_decode("decode-d", {"attach_timeout_s": 0.5}, agent=False)
        self.expect_refused(engine, r"decode-d\[dp0/pp0/cp0/tp0\] is not attached to an agent at "
                            ".*Start baton-agent there")
        self.cluster.agent("decode-d")

        def handed_off():
            legs = self.pair.legs(prompt(300, 3))
            engine.add(legs.name, legs.prompt, legs.tokens, legs.receive)
            self.pair.prefill.add(legs.name, legs.prompt, 1, legs.send)
            made, why = engine.done(legs.name)
            self.pair.prefill.done(legs.name)
            return why == "length" and made
        made = program.eventually(handed_off, "the engine attaches")
        self.assertEqual(made, self.pair.oracle(prompt(300, 3)))

    def test_a_pool_that_cannot_be_adopted_is_named_and_the_engine_lives(self):
        engine = self.start_decode("decode-e", transfer={
            "kv_connector": "ForeignPoolConnector",
            "kv_connector_module_path": "tests.engines.vllm.misfits"})
        self.expect_refused(engine, r"decode-e\[dp0/pp0/cp0/tp0\] is not attached.*BAD_REGION")

    def test_a_pool_that_vllm_allocated_elsewhere_is_adopted(self):
        engine = self.start_decode("decode-f", transfer={
            "kv_connector": "OwnPoolConnector",
            "kv_connector_module_path": "tests.engines.vllm.misfits"})
        legs = self.pair.legs(prompt(300, 4))
        engine.add(legs.name, legs.prompt, legs.tokens, legs.receive)
        self.pair.prefill.add(legs.name, legs.prompt, 1, legs.send)
        self.assertEqual(engine.done(legs.name), (self.pair.oracle(legs.prompt), "length"))

    def test_a_version_of_vllm_that_was_not_tried_is_said(self):
        engine = self.start_decode("decode-g", transfer={
            "kv_connector": "NewerVersionConnector",
            "kv_connector_module_path": "tests.engines.vllm.misfits"})
        self.assert_log(engine, r"was tried with vLLM 0\.32\.0, and this is vLLM 9\.0\.0\+cpu\. "
                        r"If .* install vllm==0\.32\.0")
        self.expect_alone(engine, 5)
