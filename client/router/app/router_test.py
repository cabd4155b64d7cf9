"""baton-router among real agents: legs, streaming, retries, clients that go away, and bounds."""
import socket
import threading
import unittest

import baton
from client.router.app import fleet
from tests.programs import program

PREFILL, DECODE = baton.Role.PREFILL, baton.Role.DECODE
ASKED = {"model": "small", "prompt": "hello", "max_tokens": 8, "stream_options": {"x": 1}}
OUTCOME = 'baton_router_requests_total{outcome="%s"}'


class RouterTest(unittest.TestCase):
    def setUp(self):
        self.fleet = fleet.Fleet(self)

    def pair(self):
        """The engines of one pair, and a router that knows them."""
        prefill = self.fleet.add(PREFILL, "prefill-a")
        decode = self.fleet.add(DECODE, "decode-a")
        self.fleet.start_router()
        return prefill, decode

    def answer_after(self, prefill: fleet.Api, decode: fleet.Api):
        """As a decode server does, which answers once it has the pages."""
        def script(call):
            program.eventually(lambda: prefill.bodies, "the prefill has its leg")
            decode.say_who(call)
        decode.script = script

    def counts(self, outcome: str, count: int = 1):
        program.eventually(lambda: self.fleet.metric(OUTCOME % outcome) == count,
                           "%d %s" % (count, outcome))

    def held_stream(self):
        """An answer whose second piece comes when the event is set."""
        _, decode = self.pair()
        go_on = threading.Event()

        def script(call):
            call.begin_stream()
            call.piece({"choices": [{"text": "one"}]})
            go_on.wait(program.LIMIT_S)
            call.piece({"choices": [{"text": "two"}]})
            call.end_stream()
        decode.script = script
        return self.fleet.open({**ASKED, "stream": True}).getresponse(), go_on

    def test_both_legs_of_a_request_name_one_room_and_the_decodes_answer_is_the_clients(self):
        prefill, decode = self.pair()
        self.answer_after(prefill, decode)
        status, text = self.fleet.post(ASKED)
        self.assertEqual(status, 200, text)
        self.assertIn("from decode-a", text)
        send = prefill.bodies[0].pop("kv_transfer_params")["baton"]
        receive = decode.bodies[0].pop("kv_transfer_params")["baton"]
        self.assertEqual(send.pop("decode_server"), "decode-a")
        self.assertEqual(receive, {**send, "side": "receive", "prefill_server": "prefill-a",
                                   "prefill_dp": 0})
        self.assertEqual(send["side"], "send")
        self.assertEqual(decode.bodies[0], ASKED)
        self.assertEqual(prefill.bodies[0], {"model": "small", "prompt": "hello", "max_tokens": 1,
                                             "stream": False})
        self.counts("answered")
        self.assertEqual(self.fleet.metric("baton_router_open_requests"), 0)

    def test_the_clients_key_reaches_both_engines(self):
        prefill, decode = self.pair()
        self.answer_after(prefill, decode)
        self.assertEqual(self.fleet.post(ASKED, Authorization="Bearer key")[0], 200)
        self.assertEqual(prefill.authorizations + decode.authorizations, ["Bearer key"] * 2)

    def test_both_legs_are_on_the_wire_at_once(self):
        prefill, decode = self.pair()
        met = threading.Barrier(2, timeout=program.LIMIT_S)

        def meet(api):
            def script(call):
                met.wait()
                api.say_who(call)
            return script
        prefill.script, decode.script = meet(prefill), meet(decode)
        self.assertEqual(self.fleet.post(ASKED)[0], 200)

    def test_sglangs_legs_name_the_prefills_bootstrap_address(self):
        prefill = self.fleet.add(PREFILL, "prefill-a", "sglang", bootstrap="10.0.0.1:8998")
        decode = self.fleet.add(DECODE, "decode-a", "sglang")
        self.fleet.add(DECODE, "decode-of-another-engine", "vllm")
        self.answer_after(prefill, decode)
        self.fleet.start_router()
        status, text = self.fleet.post(ASKED)
        self.assertEqual(status, 200, text)
        room = decode.bodies[0]["bootstrap_room"]
        want = {**ASKED, "bootstrap_host": "10.0.0.1", "bootstrap_port": 8998,
                "bootstrap_room": room}
        self.assertEqual(decode.bodies[0], want)
        self.assertEqual(prefill.bodies[0], {**want, "stream": False})

    def test_pieces_pass_through_as_they_come(self):
        reply, go_on = self.held_stream()
        self.assertEqual(reply.headers["Content-Type"], "text/event-stream")
        self.assertIn(b"one", reply.readline())  # while the engine still waits
        go_on.set()
        self.assertIn(b"two", reply.read())
        self.counts("answered")

    def test_a_leg_that_fails_is_tried_with_another_server_and_its_partner_is_let_go(self):
        broken = self.fleet.add(PREFILL, "prefill-broken")
        broken.script = broken.fail
        self.fleet.add(PREFILL, "prefill-good")
        decode = self.fleet.add(DECODE, "decode-a")

        def wait_for_the_good_one(call):
            server = call.body["kv_transfer_params"]["baton"]["prefill_server"]
            (decode.say_who if server == "prefill-good" else decode.hang)(call)
        decode.script = wait_for_the_good_one
        router = self.fleet.start_router()
        while not broken.bodies:  # which one is tried first is drawn
            status, text = self.fleet.post(ASKED)
            self.assertEqual(status, 200, text)
        program.eventually(lambda: decode.closed == len(broken.bodies), "its partner ends")
        self.assertIn("prefill-broken: HTTP 500", router.log())
        self.assertGreater(self.fleet.metric('baton_router_failed_legs_total{role="prefill"}'), 0)

    def test_when_every_pair_fails_the_client_hears_which_servers_and_why(self):
        _, decode = self.pair()
        decode.script = decode.fail
        status, text = self.fleet.post(ASKED)
        self.assertEqual(status, 502)
        self.assertEqual(text.count("decode-a: HTTP 500"), 3)
        self.assertEqual(len(decode.bodies), 3)
        self.counts("failed")

    def test_an_engine_that_cannot_be_reached_is_passed_over(self):
        self.fleet.add(PREFILL, "prefill-a")
        self.fleet.add(DECODE, "decode-a")
        deaf = socket.socket()  # has a port, and does not listen on it
        self.addCleanup(deaf.close)
        deaf.bind(("127.0.0.1", 0))
        self.fleet.add(DECODE, "decode-gone", http="127.0.0.1:%d" % deaf.getsockname()[1])
        router = self.fleet.start_router()
        while "decode-gone" not in router.log():
            status, text = self.fleet.post(ASKED)
            self.assertEqual(status, 200, text)

    def test_a_hand_off_that_failed_within_an_answer_is_tried_again(self):
        _, decode = self.pair()
        for failed in ({"error": {"message": "room failed"}},
                       {"choices": [{"text": "", "finish_reason": "error"}]}):
            def fail_first(call, failed=failed):
                decode.script = decode.say_who
                call.begin_stream()
                call.piece(failed)
                call.end_stream()
            decode.script = fail_first
            status, text = self.fleet.post({**ASKED, "stream": True})
            self.assertEqual(status, 200, text)
            self.assertIn("from decode-a", text)
            self.assertNotIn("error", text)

    def test_what_the_engine_refuses_reaches_the_client_in_its_words(self):
        _, decode = self.pair()
        decode.script = lambda call: call.answer({"message": "prompt too long"}, 400)
        status, text = self.fleet.post(ASKED)
        self.assertEqual(status, 400)
        self.assertIn("prompt too long", text)
        self.assertEqual(len(decode.bodies), 1)

    def test_a_client_that_goes_away_ends_both_legs(self):
        prefill, decode = self.pair()
        prefill.script, decode.script = prefill.hang, decode.hang
        client = self.fleet.open(ASKED)
        program.eventually(lambda: prefill.bodies and decode.bodies, "both legs began")
        client.close()
        program.eventually(lambda: prefill.closed and decode.closed, "both legs end")
        self.counts("client_gone")

    def test_a_client_that_goes_away_in_mid_stream_ends_the_decode(self):
        _, decode = self.pair()

        def script(call):
            call.begin_stream()
            call.piece({"choices": [{"text": "one"}]})
            decode.hang(call)
        decode.script = script
        client = self.fleet.open({**ASKED, "stream": True})
        reply = client.getresponse()
        self.assertIn(b"one", reply.readline())
        reply.close()
        client.close()
        program.eventually(lambda: decode.closed, "the decode ends")
        self.counts("client_gone")

    def test_baton_is_told_of_a_client_that_went_away(self):
        prefill, decode = self.pair()  # the decode's is the engine that attached last
        prefill.script, decode.script = prefill.hang, decode.hang
        client = self.fleet.open(ASKED)
        program.eventually(lambda: decode.bodies, "the decode's leg began")
        named = decode.bodies[0]["kv_transfer_params"]["baton"]
        room = self.fleet.engine.open_receive(
            named["room"], "prefill-a", 16, pages=[[0]], nonce=named["nonce"], prefill_dp=0)
        client.close()
        program.eventually(lambda: room.poll().ended, "the room ends")
        self.assertIn("the client has gone", str(room.cause()))

    def test_a_decode_that_dies_in_mid_stream_ends_the_stream_with_an_error(self):
        _, decode = self.pair()

        def script(call):
            call.begin_stream()
            call.piece({"choices": [{"text": "one"}]})  # and no end
        decode.script = script
        status, text = self.fleet.post({**ASKED, "stream": True})
        self.assertEqual(status, 200)
        self.assertIn("one", text)
        self.assertIn("the decode server: decode-a:", text)
        self.counts("broken")

    def test_what_cannot_be_served_says_what_is_missing(self):
        self.fleet.add(PREFILL, "prefill-a")
        self.fleet.start_router(wait_ms="100")
        status, text = self.fleet.post(ASKED)
        self.assertEqual(status, 503)
        self.assertIn("decode", text)
        status, text = self.fleet.post({**ASKED, "model": "huge"})
        self.assertEqual(status, 503)
        self.assertIn("no server has the model 'huge'; there are: small", text)
        self.counts("no_pair", 2)

    def test_a_request_that_is_wrong_is_refused_in_openais_shape(self):
        self.fleet.start_router(max_request_bytes="1024")
        for body, status, words in ((b"{", 400, "the body is no JSON"),
                                    (b"[1]", 400, "must be a JSON object"),
                                    (b"[" * 500, 400, "nested deeper"),
                                    ({"prompt": "x" * 4096}, 413, "--max_request_bytes")):
            answered, text = self.fleet.post(body)
            self.assertEqual(answered, status, text)
            self.assertIn(words, text)
            self.assertIn('"type":"invalid_request_error"', text)
        self.assertEqual(self.fleet.post({}, "/v1/nonsense")[0], 404)
        self.counts("refused", 4)

    def test_one_request_too_many_is_told_to_come_again(self):
        prefill = self.fleet.add(PREFILL, "prefill-a")
        decode = self.fleet.add(DECODE, "decode-a")
        prefill.script, decode.script = prefill.hang, decode.hang
        self.fleet.start_router(max_requests="1")
        self.fleet.open(ASKED)
        program.eventually(lambda: decode.bodies, "the first one is under way")
        status, text = self.fleet.post(ASKED)
        self.assertEqual(status, 503)
        self.assertIn("--max_requests: ask again later", text)

    def test_a_router_that_is_ended_lets_a_stream_come_to_its_end(self):
        reply, go_on = self.held_stream()
        self.assertIn(b"one", reply.readline())
        self.fleet.router.terminate()
        program.eventually(lambda: self.fleet.router.get("/readyz")[0] == 503, "it drains")
        self.assertEqual(self.fleet.post(ASKED)[0], 503)
        go_on.set()
        self.assertIn(b"two", reply.read())
        self.assertEqual(self.fleet.router.wait(), 0)

    def test_what_is_left_when_the_time_to_end_is_over_is_told_so(self):
        prefill = self.fleet.add(PREFILL, "prefill-a")
        decode = self.fleet.add(DECODE, "decode-a")
        prefill.script, decode.script = prefill.hang, decode.hang
        router = self.fleet.start_router(drain_ms="0")
        client = self.fleet.open(ASKED)
        program.eventually(lambda: prefill.bodies and decode.bodies, "both legs began")
        router.terminate()
        reply = client.getresponse()
        self.assertEqual(reply.status, 503)
        self.assertIn(b"this router is ending", reply.read())
        self.assertEqual(router.wait(), 0)
        program.eventually(lambda: prefill.closed and decode.closed, "both legs end")


if __name__ == "__main__":
    unittest.main()
