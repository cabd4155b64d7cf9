"""SGLang's sender and receiver over rooms that are moved by hand."""
import unittest

import baton
from client.python.tests import sglang_stand_in as stand_in

stand_in.install()

from baton.sglang import context  # noqa: E402  after the stand-in
from baton.sglang import early as earlies  # noqa: E402
from baton.sglang import receiver as receivers  # noqa: E402
from baton.sglang import sender as senders  # noqa: E402

KVPoll = stand_in.KVPoll
LOST = baton.BatonError("ENGINE_LOST", "it has ended", "prefill-a[dp0/pp0/cp0/tp0]")


class Event:
    done = False

    def query(self):
        return self.done


class SenderTest(unittest.TestCase):
    def setUp(self):
        self.manager = stand_in.Manager()

    def make(self, total=40, room=5):
        with context.TOTAL_TOKENS.of(total):
            return senders.Sender(self.manager, "10.0.0.1:8998", room)

    def offered(self, total=40, prefix=0):
        sender = self.make(total)
        room = self.manager.rooms[-1]
        room.phase, room.prefix = baton.Phase.OFFERED, prefix
        self.assertEqual(sender.poll(), KVPoll.WaitingForInput)
        sender.init(3, 9)
        return sender, room

    def test_it_waits_for_the_offer_and_tells_the_prefix(self):
        sender = self.make()
        self.assertEqual(sender.poll(), KVPoll.Bootstrapping)
        self.manager.rooms[0].phase = baton.Phase.OFFERED
        self.manager.rooms[0].prefix = 16
        self.assertEqual(sender.poll(), KVPoll.WaitingForInput)
        self.assertEqual(sender.pop_decode_prefix_len(), 16)

    def test_chunks_follow_each_other_from_the_prefix_to_the_last_token(self):
        sender, room = self.offered(total=40, prefix=16)
        sender.send([1], None, 16)
        sender.send([2], [], 8)
        self.assertEqual(room.chunks, [(16, 32, [1], False, 9), (32, 40, [2], True, 9)])
        self.assertEqual(sender.poll(), KVPoll.Transferring)
        room.phase, room.released = baton.Phase.DONE, True
        self.assertEqual(sender.poll(), KVPoll.Success)
        self.assertTrue(room.closed)
        self.assertEqual(sender.get_transfer_metric().transfer_total_bytes, 77)

    def test_the_last_chunk_is_sent_without_pages_too(self):
        sender, _ = self.offered()
        self.assertTrue(sender.should_send_kv_chunk(0, True))
        self.assertFalse(sender.should_send_kv_chunk(0, False))

    def test_a_full_ring_keeps_chunks_in_order_until_there_is_place(self):
        sender, room = self.offered()
        room.full = True
        sender.send([1], None, 16)
        sender.send([2], [], 24)
        sender.poll()
        self.assertEqual(room.chunks, [])
        room.full = False
        sender.poll()
        self.assertEqual([chunk[:2] for chunk in room.chunks], [(0, 16), (16, 40)])

    def test_a_chunk_waits_for_the_event_that_was_noted_with_it(self):
        sender, room = self.offered()
        sender._early_send_wait_event = event = Event()
        sender.send([1], None, 16)
        sender.send([2], [], 24)
        sender.poll()
        self.assertEqual(room.chunks, [])
        event.done = True
        sender.poll()
        self.assertEqual(len(room.chunks), 2)

    def test_a_failure_is_told_once_no_page_is_read_any_more(self):
        sender, room = self.offered()
        sender.send([1], None, 16)
        room.fail(LOST, released=False)
        self.assertEqual(sender.poll(), KVPoll.WaitingForInput)
        room.released = True
        self.assertEqual(sender.poll(), KVPoll.Failed)
        with self.assertRaisesRegex(Exception, "ENGINE_LOST.*prefill-a") as raised:
            sender.failure_exception()
        self.assertFalse(raised.exception.is_from_another_rank)

    def test_a_room_that_is_in_use_fails_the_request(self):
        sender = self.make()
        self.manager.rooms[0].fail(baton.BatonError("ROOM_IN_USE", "room 5 is in use"))
        self.assertEqual(sender.poll(), KVPoll.Failed)
        self.assertEqual(len(self.manager.rooms), 1)

    def test_a_prompt_is_computed_and_sent_before_decode_has_given_pages(self):
        self.manager.early = earlies.Early(160)
        sender = self.make()
        self.assertEqual(sender.poll(), KVPoll.WaitingForInput)
        self.assertEqual(sender.pop_decode_prefix_len(), 0)
        sender.init(3, 9)
        sender.send([1], None, 16)
        room = self.manager.rooms[0]
        room.phase, room.prefix = baton.Phase.OFFERED, 16
        self.assertEqual(sender.poll(), KVPoll.WaitingForInput)
        sender.send([2, 3], [], 24)
        self.assertEqual(room.chunks, [(0, 16, [1], False, 9), (16, 40, [2, 3], True, 9)])

    def test_prompts_that_wait_for_decode_hold_a_quarter_of_the_pool(self):
        self.manager.early = earlies.Early(400)
        first = self.make(60)
        self.assertEqual(first.poll(), KVPoll.WaitingForInput)
        first.init(4, 9)
        second = self.make(60, room=6)
        self.assertEqual(second.poll(), KVPoll.Bootstrapping)
        self.manager.rooms[0].phase = baton.Phase.OFFERED
        first.poll()
        self.assertEqual(second.poll(), KVPoll.WaitingForInput)

    def test_a_prompt_that_is_given_up_makes_place_for_another(self):
        self.manager.early = earlies.Early(400)
        first = self.make(60)
        self.assertEqual(first.poll(), KVPoll.WaitingForInput)
        first.abort()
        self.assertEqual(self.make(60, room=6).poll(), KVPoll.WaitingForInput)

    def test_a_full_table_and_an_agent_that_restarts_are_waited_for(self):
        lost = baton.BatonError("AGENT_LOST", "it restarts")
        self.manager.refusals = [baton.Full("FULL", "no place"), lost]
        sender = self.make()
        while not self.manager.rooms:
            self.assertEqual(sender.poll(), KVPoll.Bootstrapping)

    def test_what_the_agent_refuses_fails_the_request_and_not_the_engine(self):
        self.manager.refusals = [baton.BatonError("BAD_MESSAGE", "no such thing")]
        sender = self.make()
        self.assertEqual(sender.poll(), KVPoll.Failed)

    def test_giving_up_aborts_the_room(self):
        sender, room = self.offered()
        sender.abort()
        self.assertIn("prefill engine aborted", room.aborted)
        self.assertTrue(room.closed)
        self.assertEqual(sender.poll(), KVPoll.Failed)

    def test_a_failure_of_another_rank_ends_this_one_s_room(self):
        sender, room = self.offered()
        with self.assertRaisesRegex(Exception, "another rank") as raised:
            sender.failure_exception()
        self.assertTrue(raised.exception.is_from_another_rank)
        self.assertTrue(room.closed)


class ReceiverTest(unittest.TestCase):
    def setUp(self):
        self.manager = stand_in.Manager()
        self.receiver = receivers.Receiver(self.manager, "10.0.0.1:8998", 5)

    def posted(self):
        self.receiver.init(0)
        with context.TOTAL_TOKENS.of(40):
            self.receiver.send_metadata([3, 4], 9, [], 16)
        return self.manager.rooms[-1]

    def test_it_is_ready_for_pages_once_its_prefill_is_known(self):
        self.assertEqual(self.receiver.poll(), KVPoll.Bootstrapping)
        self.receiver.init(0)
        self.assertEqual(self.receiver.poll(), KVPoll.WaitingForInput)

    def test_it_is_announced_before_it_has_pages(self):
        self.receiver.init(0)
        self.assertEqual(self.manager.rooms[0].what, ("10.0.0.1:8998", 5))
        self.manager.rooms[0].fail(LOST)
        self.assertEqual(self.receiver.poll(), KVPoll.Failed)
        self.receiver.clear()
        self.assertTrue(self.manager.rooms[0].closed)

    def test_pages_are_given_to_prompts_that_are_computed_where_that_was_asked_for(self):
        self.manager.pages_last = True
        self.receiver.init(0)
        self.assertEqual(self.receiver.poll(), KVPoll.Bootstrapping)
        self.manager.rooms[0].complete = True
        self.assertEqual(self.receiver.poll(), KVPoll.WaitingForInput)

    def test_pages_wait_for_a_place_in_the_ring(self):
        self.receiver.init(0)
        room = self.manager.rooms[0]
        room.full = True
        with context.TOTAL_TOKENS.of(40):
            self.receiver.send_metadata([3, 4], 9, [], 16)
        self.assertEqual(self.receiver.poll(), KVPoll.Transferring)
        self.assertIsNone(room.given)
        room.full = False
        self.assertEqual(self.receiver.poll(), KVPoll.Transferring)
        self.assertEqual(room.given["pages"], [[3, 4]])

    def test_an_agent_that_restarts_before_there_are_pages_is_told_again(self):
        self.receiver.init(0)
        self.manager.rooms[0].phase = baton.Phase.AGENT_LOST
        self.manager.rooms[0].released = True
        self.manager.refusals = [baton.BatonError("AGENT_LOST", "it restarts")]
        while len(self.manager.rooms) < 2:
            self.assertNotEqual(self.receiver.poll(), KVPoll.Failed)
        self.assertTrue(self.manager.rooms[0].closed)
        self.assertEqual(self.receiver.poll(), KVPoll.WaitingForInput)

    def test_pages_prefix_and_rows_go_into_the_room(self):
        room = self.posted()
        self.assertEqual(room.given, {
            "total_tokens": 40, "prefix_tokens": 16, "pages": [[3, 4]], "aux_row": 9})
        self.assertEqual(self.receiver.poll(), KVPoll.Transferring)
        room.phase, room.released = baton.Phase.DONE, True
        self.assertEqual(self.receiver.poll(), KVPoll.Success)
        self.receiver.clear()
        self.assertTrue(room.closed)

    def test_a_prefill_that_is_gone_fails_it_with_and_without_a_room(self):
        self.manager.gone = "prefill server prefill-a is away"
        self.assertEqual(self.receiver.poll(), KVPoll.Failed)
        other = receivers.Receiver(self.manager, "10.0.0.1:8998", 6)
        self.receiver = other
        self.posted()
        self.assertEqual(other.poll(), KVPoll.Failed)
        with self.assertRaisesRegex(Exception, "room 6: prefill server prefill-a is away"):
            other.failure_exception()

    def test_a_prefill_with_the_offer_is_not_asked_about(self):
        room = self.posted()
        room.phase = baton.Phase.OFFERED
        self.manager.gone = "away"
        self.assertEqual(self.receiver.poll(), KVPoll.Transferring)

    def test_a_cause_without_a_rank_is_told_with_the_prefill_server(self):
        self.posted().fail(baton.BatonError("INCOMPATIBLE", "page_tokens: 16 and 32"))
        self.assertEqual(self.receiver.poll(), KVPoll.Failed)
        with self.assertRaisesRegex(Exception, "16 and 32 .with prefill server 10.0.0.1:8998"):
            self.receiver.failure_exception()

    def test_its_pages_are_held_until_nothing_can_land_in_them(self):
        room = self.posted()
        self.receiver.abort()
        self.assertEqual(self.receiver.poll(), KVPoll.Failed)
        self.assertIn("decode engine aborted", room.aborted)
        self.assertEqual(self.manager.held, [self.receiver])
        self.assertFalse(self.receiver.released)
        room.fail(LOST)
        self.assertTrue(self.receiver.released)

    def test_a_request_without_pages_has_nothing_to_hold(self):
        self.receiver.abort()
        self.assertEqual(self.receiver.poll(), KVPoll.Failed)
        self.assertEqual(self.manager.held, [])
        self.assertFalse(self.receiver.abort_notified)

    def test_a_request_that_is_given_up_without_pages_closes_its_room(self):
        self.receiver.init(0)
        self.receiver.abort()
        self.assertTrue(self.manager.rooms[0].closed)
        self.assertEqual(self.manager.held, [])


if __name__ == "__main__":
    unittest.main()
