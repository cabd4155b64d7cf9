"""Rooms from engine to engine through the Python package, with real agents between."""
import threading
import unittest

import numpy as np

import baton
from client.python.tests import pairs
from tests.programs import program


def hand_over(pair, room_id, source_pages, target_pages, prefix=0, total=None):
    """Both ends of one room, ended and released; the pages are whole."""
    total = total or len(source_pages) * pairs.PAGE_TOKENS
    receive = pair.target.open_receive(room_id, "prefill-a", total, pages=[target_pages],
                                       prefix_tokens=prefix)
    send = pair.source.open_send(room_id, total)
    program.eventually(lambda: send.poll().phase == baton.Phase.OFFERED, "an offer")
    send.send(prefix, total, [source_pages], last=True)
    return send, receive


class HandOffTest(unittest.TestCase):
    def test_pages_land_byte_for_byte(self):
        for transport in ("tcp", "shm"):
            with self.subTest(transport=transport):
                pair = pairs.Pair(self, transport=transport)
                source = np.array([5, 3, 9], np.int32)
                target = np.array([1, 60, 2], np.int32)
                send, receive = hand_over(pair, 1, source, target)
                for room in (send, receive):
                    self.assertEqual(pairs.wait_ended(room).phase, baton.Phase.DONE, room.cause())
                    self.assertIsNone(room.cause())
                self.assertTrue(pair.landed_equal(source, target))
                self.assertEqual(receive.bytes_moved(), 3 * 2 * pairs.PAGE_BYTES)
                untouched = np.delete(np.arange(pairs.PAGES), target)
                pool = pair.target_pool.numpy().reshape(2, pairs.PAGES, -1)
                self.assertFalse(pool[:, untouched].any())
                send.close()
                self.assertEqual(send.poll().phase, baton.Phase.CLOSED)

    def test_a_prefix_is_told_to_the_source_and_not_sent_again(self):
        pair = pairs.Pair(self)
        send, receive = hand_over(pair, 1, np.array([7], np.int32), np.array([8], np.int32),
                                  prefix=16, total=32)
        self.assertEqual(send.poll().prefix_tokens, 16)
        self.assertEqual(pairs.wait_ended(receive).phase, baton.Phase.DONE)
        self.assertTrue(pair.landed_equal([7], [8]))

    def test_pages_may_be_any_sequence_of_numbers(self):
        pair = pairs.Pair(self)
        wide = np.arange(4, dtype=np.int64)[::2]
        _, receive = hand_over(pair, 1, wide, [10, 11])
        self.assertEqual(pairs.wait_ended(receive).phase, baton.Phase.DONE)
        self.assertTrue(pair.landed_equal(wide, [10, 11]))

    def test_a_poll_set_tells_each_change_once_and_only_of_its_rooms(self):
        pair = pairs.Pair(self)
        rooms = pair.target.poll_set()
        legs = {}
        for i in range(100):
            send, receive = hand_over(pair, i, [i % 64], [i % 64])
            rooms.add(receive)
            legs[receive] = send
        self.assertEqual(len(rooms), 100)
        kept = list(legs)[::2]
        for room in list(legs)[1::2]:
            rooms.discard(room)
        ended = []

        def all_told():
            for room, status in rooms.poll():
                if status.ended and status.released:
                    self.assertEqual(status.phase, baton.Phase.DONE, room.cause())
                    ended.append(room)
            return len(ended) >= len(kept)
        program.eventually(all_told, "50 rooms end")
        self.assertCountEqual(ended, kept)
        self.assertEqual(rooms.poll(), [])
        for room in kept:
            rooms.discard(room)
            self.assertNotIn(room, rooms)
        self.assertEqual(rooms.poll(), [])

    def test_many_threads_hand_over_at_once(self):
        pair = pairs.Pair(self)
        failures = []

        def work(first):
            for i in range(first, first + 20):
                send, receive = hand_over(pair, i, [i % 64], [i % 64])
                if pairs.wait_ended(receive).phase != baton.Phase.DONE:
                    failures.append(receive.cause())
                pairs.wait_ended(send)
                send.close()
                receive.close()
        threads = [threading.Thread(target=work, args=(100 * n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])


class LateTest(unittest.TestCase):
    def test_a_total_may_come_with_the_last_chunk(self):
        pair = pairs.Pair(self)
        receive = pair.target.open_receive(1, "prefill-a", 40, pages=[[1, 2, 3]])
        send = pair.source.open_send(1, None)
        send.send(0, 32, [[4, 5]])
        send.send(32, 40, [[6]], last=True)
        self.assertEqual(pairs.wait_ended(receive).phase, baton.Phase.DONE, receive.cause())
        self.assertTrue(pair.landed_equal([4, 5], [1, 2]))

    def test_an_announced_room_gets_its_pages_when_the_source_is_complete(self):
        pair = pairs.Pair(self)
        receive = pair.target.announce(1, "prefill-a")
        send = pair.source.open_send(1, None)
        send.send(0, 16, [[4]], last=True)
        program.eventually(lambda: receive.poll().source_complete, "the source is complete")
        self.assertEqual(receive.source_tokens(), 16)
        receive.provide(16, pages=[[9]])
        self.assertEqual(pairs.wait_ended(receive).phase, baton.Phase.DONE, receive.cause())
        self.assertTrue(pair.landed_equal([4], [9]))

    def test_an_announced_room_ends_with_its_source(self):
        pair = pairs.Pair(self)
        receive = pair.target.announce(1, "prefill-a")
        send = pair.source.open_send(1, 16)
        send.abort("out of memory")
        self.assertEqual(pairs.wait_ended(receive).phase, baton.Phase.FAILED)
        self.assertIn("out of memory", receive.cause().text)

    def test_an_id_is_used_again_at_once(self):
        pair = pairs.Pair(self)
        for turn in range(20):
            send, receive = hand_over(pair, 7, [turn], [turn + 20])
            for room in (receive, send):
                self.assertEqual(pairs.wait_ended(room).phase, baton.Phase.DONE, room.cause())
                room.close()
            self.assertTrue(pair.landed_equal([turn], [turn + 20]))


class PeerTest(unittest.TestCase):
    def ready(self, engine, name):
        return program.eventually(
            lambda: (s := engine.peer(name)) and s.ready and s, name + " is ready")

    def test_a_server_is_found_by_alias_and_rooms_name_it_so(self):
        pair = pairs.Pair(self, source={"aliases": ["10.0.0.1:8998"]})
        status = self.ready(pair.target, "10.0.0.1:8998")
        self.assertEqual((status.server, status.dp_size), ("prefill-a", 1))
        self.assertIsNone(status.why)
        receive = pair.target.open_receive(1, "10.0.0.1:8998", 16, pages=[[3]])
        send = pair.source.open_send(1, 16)
        send.send(0, 16, [[4]], last=True)
        self.assertEqual(pairs.wait_ended(receive).phase, baton.Phase.DONE, receive.cause())
        self.assertTrue(pair.landed_equal([4], [3]))

    def test_a_server_that_is_not_there_or_does_not_fit_says_so(self):
        pair = pairs.Pair(self)
        program.eventually(lambda: pair.target.peer("nobody").state == baton.PeerState.UNKNOWN,
                           "nobody is unknown")
        pair.source_side.attach(pair.source_pool.region(), server="prefill-b", model="huge")
        status = program.eventually(
            lambda: (s := pair.target.peer("prefill-b")).state == baton.PeerState.INCOMPATIBLE
            and s, "prefill-b does not fit")
        self.assertIn("huge", status.why.text)
        pair.target.forget_peer("nobody")

    def test_a_prefill_that_dies_is_no_longer_ready(self):
        pair = pairs.Pair(self)
        self.ready(pair.target, "prefill-a")
        pair.source.close()
        program.eventually(lambda: not pair.target.peer("prefill-a").ready, "it is gone")


class FailureTest(unittest.TestCase):
    def test_an_abort_reaches_the_other_side_with_its_words(self):
        pair = pairs.Pair(self)
        receive = pair.target.open_receive(1, "prefill-a", 16, pages=[[1]])
        send = pair.source.open_send(1, 16)
        program.eventually(lambda: send.poll().phase == baton.Phase.OFFERED, "an offer")
        send.abort("the user went away")
        self.assertEqual(pairs.wait_ended(receive).phase, baton.Phase.FAILED)
        cause = receive.cause()
        self.assertEqual(cause.reason, "ABORTED")
        self.assertEqual(cause.rank, "prefill-a[dp0/pp0/cp0/tp0]")
        self.assertIn("the user went away", cause.text)

    def test_an_agent_that_restarts_loses_its_rooms_and_the_engine_goes_on(self):
        pair = pairs.Pair(self)
        receive = pair.target.open_receive(1, "prefill-a", 16, pages=[[1]])
        before = pair.target.agent_epoch
        pair.target_side.restart_agent()
        self.assertEqual(pairs.wait_ended(receive).phase, baton.Phase.AGENT_LOST)
        self.assertEqual(receive.cause().reason, "AGENT_LOST")
        receive.close()
        program.eventually(lambda: pair.target.attached and pair.target.agent_epoch != before,
                           "the client attaches to the new agent")
        send, receive = hand_over(pair, 2, [4], [5])
        self.assertEqual(pairs.wait_ended(receive).phase, baton.Phase.DONE, receive.cause())
        self.assertTrue(pair.landed_equal([4], [5]))

    def test_a_table_without_a_free_slot_says_full(self):
        pair = pairs.Pair(self)
        engine = pair.source_side.attach(pair.source_pool.region(), server="small", slots=1)
        engine.open_send(1, 16)
        with self.assertRaises(baton.Full) as caught:
            engine.open_send(2, 16)
        self.assertEqual(caught.exception.reason, "FULL")

    def test_unlike_layouts_are_refused_with_both_values(self):
        pair = pairs.Pair(self)
        wide = pairs.spec(tensors=[baton.TensorSpec(kind, [0], "fp8", pairs.HEAD_BYTES,
                                                    heads=pairs.HEADS, tp_sharded=True)
                                   for kind in (baton.Kind.K, baton.Kind.V)])
        other = pair.target_side.attach(pair.target_pool.region(), server="decode-b", spec=wide)
        receive = other.open_receive(1, "prefill-a", 16, pages=[[1]])
        self.assertEqual(pairs.wait_ended(receive).phase, baton.Phase.FAILED)
        cause = receive.cause()
        self.assertEqual(cause.reason, "INCOMPATIBLE")
        self.assertIn("bf16", cause.text)
        self.assertIn("fp8", cause.text)

    def test_wrong_use_raises_before_anything_is_sent(self):
        pair = pairs.Pair(self)
        with self.assertRaises(baton.BatonError) as caught:
            pair.target.open_send(1, 16)
        self.assertIn("OpenSend is for prefill ranks", str(caught.exception))
        with self.assertRaises(baton.BatonError):
            pair.target.open_receive(1, "", 16, pages=[[1]])
        pair.target.close()
        with self.assertRaises(baton.BatonError) as caught:
            pair.target.open_receive(1, "prefill-a", 16, pages=[[1]])
        self.assertIn("the engine is closed", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
