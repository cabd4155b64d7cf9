"""The router among real agents: legs, streaming, retries, and clients that go away."""
import asyncio
import unittest

import baton
from client.python.router_tests import fleet

PREFILL, DECODE = baton.Role.PREFILL, baton.Role.DECODE
ASKED = {"model": "small", "prompt": "hello", "max_tokens": 8, "stream_options": {"x": 1}}


class RouterTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.fleet = await asyncio.to_thread(fleet.Fleet, self)
        self.http = await self.fleet.session()

    async def post(self, router: str, key: str = "", **changes):
        """Status and text."""
        url = "http://%s/v1/completions" % router
        headers = {"Authorization": key} if key else {}
        async with self.http.post(url, json={**ASKED, **changes}, headers=headers) as answer:
            return answer.status, await answer.text()

    async def test_both_legs_of_a_request_name_one_room_and_the_decodes_answer_is_the_clients(self):
        prefill = await self.fleet.add(PREFILL, "prefill-a")
        decode = await self.fleet.add(DECODE, "decode-a")
        router = await self.fleet.start_router()
        status, text = await self.post(router)
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
        await self.post(router)
        again = prefill.bodies[1]["kv_transfer_params"]["baton"]
        self.assertNotEqual(again["room"], send["room"])

    async def test_the_clients_key_reaches_both_engines(self):
        prefill = await self.fleet.add(PREFILL, "prefill-a")
        decode = await self.fleet.add(DECODE, "decode-a")
        status, text = await self.post(await self.fleet.start_router(), key="Bearer key")
        self.assertEqual(status, 200, text)
        self.assertEqual(prefill.authorizations + decode.authorizations, ["Bearer key"] * 2)

    async def test_sglangs_legs_name_the_prefills_bootstrap_address(self):
        prefill = await self.fleet.add(PREFILL, "prefill-a", "sglang", bootstrap="10.0.0.1:8998")
        decode = await self.fleet.add(DECODE, "decode-a", "sglang")
        await self.fleet.add(DECODE, "decode-of-another-engine", "vllm")
        status, text = await self.post(await self.fleet.start_router())
        self.assertEqual(status, 200, text)
        room = decode.bodies[0]["bootstrap_room"]
        want = {**ASKED, "bootstrap_host": "10.0.0.1", "bootstrap_port": 8998,
                "bootstrap_room": room}
        self.assertEqual(decode.bodies[0], want)
        self.assertEqual(prefill.bodies[0], {**want, "stream": False})
        self.assertLess(room, 2**63)

    async def test_pieces_pass_through_as_they_come(self):
        await self.fleet.add(PREFILL, "prefill-a")
        decode = await self.fleet.add(DECODE, "decode-a")
        go_on = asyncio.Event()
        decode.script = fleet.stream([{"text": "one"}, {"text": "two"}], go_on)
        url = "http://%s/v1/completions" % await self.fleet.start_router()
        async with self.http.post(url, json={**ASKED, "stream": True}) as answer:
            self.assertEqual(answer.headers["Content-Type"], "text/event-stream")
            self.assertIn(b"one", await answer.content.readany())
            go_on.set()
            self.assertIn(b"two", await answer.content.read())

    async def test_a_leg_that_fails_is_tried_with_another_server_and_its_partner_is_let_go(self):
        broken = await self.fleet.add(PREFILL, "prefill-broken")
        broken.script = broken.fail
        await self.fleet.add(PREFILL, "prefill-good")
        decode = await self.fleet.add(DECODE, "decode-a")

        async def wait_for_the_good_one(request, body):
            server = body["kv_transfer_params"]["baton"]["prefill_server"]
            script = decode.answer if server == "prefill-good" else decode.hang
            return await script(request, body)
        decode.script = wait_for_the_good_one
        router = await self.fleet.start_router()
        while not broken.bodies:  # which one is tried first is drawn
            status, text = await self.post(router)
            self.assertEqual(status, 200, text)
        await fleet.eventually(lambda: decode.cancelled == len(broken.bodies), "its partner ends")
        self.assertIn("prefill-broken: HTTP 500", self.fleet.router_log())

    async def test_a_hand_off_that_failed_within_an_answer_is_tried_again(self):
        await self.fleet.add(PREFILL, "prefill-a")
        decode = await self.fleet.add(DECODE, "decode-a")
        router = await self.fleet.start_router()
        for failed in ({"error": {"message": "room failed"}},
                       {"choices": [{"text": "", "finish_reason": "error"}]}):
            answers = iter([fleet.stream([failed]), decode.answer])

            async def script(request, body, answers=answers):
                return await next(answers)(request, body)
            decode.script = script
            status, text = await self.post(router, stream=True)
            self.assertEqual(status, 200, text)
            self.assertIn("from decode-a", text)
            self.assertNotIn("error", text)

    async def test_what_the_engine_refuses_reaches_the_client_in_its_words(self):
        await self.fleet.add(PREFILL, "prefill-a")
        decode = await self.fleet.add(DECODE, "decode-a")

        async def refuse(_request, _body):
            return fleet.web.json_response({"message": "prompt too long"}, status=400)
        decode.script = refuse
        status, text = await self.post(await self.fleet.start_router())
        self.assertEqual(status, 400)
        self.assertIn("prompt too long", text)
        self.assertEqual(len(decode.bodies), 1)

    async def test_a_client_that_goes_away_ends_both_legs(self):
        prefill = await self.fleet.add(PREFILL, "prefill-a")
        decode = await self.fleet.add(DECODE, "decode-a")
        prefill.script, decode.script = prefill.hang, decode.hang
        url = "http://%s/v1/completions" % await self.fleet.start_router()
        asking = asyncio.create_task(self.http.post(url, json=ASKED))
        await fleet.eventually(lambda: prefill.bodies and decode.bodies, "both legs began")
        asking.cancel()
        await fleet.eventually(lambda: prefill.cancelled and decode.cancelled, "both legs end")

    async def test_a_decode_that_dies_in_mid_stream_ends_the_stream_with_an_error(self):
        await self.fleet.add(PREFILL, "prefill-a")
        decode = await self.fleet.add(DECODE, "decode-a")
        decode.script = fleet.stream([{"text": "one"}], break_off=True)
        status, text = await self.post(await self.fleet.start_router(), stream=True)
        self.assertEqual(status, 200)
        self.assertIn("one", text)
        self.assertIn("the decode server:", text)

    async def test_what_cannot_be_served_says_what_is_missing(self):
        await self.fleet.add(PREFILL, "prefill-a")
        router = await self.fleet.start_router()
        status, text = await self.post(router)
        self.assertEqual(status, 503)
        self.assertIn("1 prefill and 0 decode servers are ready", text)
        status, text = await self.post(router, model="huge")
        self.assertEqual(status, 503)
        self.assertIn("no server has the model 'huge'; there are: small", text)
        async with self.http.post("http://%s/v1/completions" % router, data=b"{") as answer:
            self.assertEqual(answer.status, 400)
            self.assertIn("the body is no JSON", await answer.text())


if __name__ == "__main__":
    unittest.main()
