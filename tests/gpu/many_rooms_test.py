"""Very many rooms between GPU pools, waves of them at a time, some given up in the middle: each
that is done has its bytes, and nothing was written beside the pages of a wave's rooms."""
import os
import unittest

import numpy as np

import baton
from tests.gpu import bed, cache
from tests.programs import program

ROOMS = int(os.environ.get("BATON_GPU_ROOMS", "512"))
WAVE = 64
# A third of a wave's rooms has one page, the others up to as many as fit.
LARGEST = max(1, cache.PAGES // WAVE)


class Wave:
    """Rooms over disjoint pages of the target; several may read one page of the source."""

    def __init__(self, seed: int, count: int):
        random = np.random.default_rng(seed)
        sizes = np.where(random.random(count) < 1 / 3, 1, random.integers(1, LARGEST + 1, count))
        free = random.permutation(cache.PAGES)[:sizes.sum()].astype(np.int32)
        self.target_pages = np.split(free, np.cumsum(sizes)[:-1])
        self.source_pages = [random.permutation(cache.PAGES)[:size].astype(np.int32)
                             for size in sizes]
        # 0: neither side gives it up; 1: the source; 2: the target.
        self.given_up_by = random.choice(3, count, p=(0.9, 0.05, 0.05))
        self.written = free

    def run(self, sender: baton.Engine, receiver: baton.Engine, first_id: int) -> list[bool]:
        """Which of the rooms are done; all have ended, are released and closed."""
        waiting = sender.poll_set(), receiver.poll_set()
        targets = []
        for number, pages in enumerate(self.target_pages):
            total = len(pages) * cache.PAGE_TOKENS
            receive = receiver.open_receive(first_id + number, "prefill-a", total, pages=[pages])
            send = sender.open_send(first_id + number, total)
            send.send(0, total, [self.source_pages[number]], last=True)
            if self.given_up_by[number]:
                (send, receive)[self.given_up_by[number] - 1].abort("given up by the test")
            waiting[0].add(send)
            waiting[1].add(receive)
            targets.append(receive)
        done = {}

        def all_ended() -> bool:
            for rooms in waiting:
                for room, status in rooms.poll():
                    if status.ended and status.released:
                        done[room] = status.phase == baton.Phase.DONE
                        rooms.discard(room)
                        room.close()
            return not any(len(rooms) for rooms in waiting)
        program.eventually(all_ended, "all rooms of a wave end")
        return [done[room] for room in targets]


class ManyRoomsTest(unittest.TestCase):
    def test_every_byte_of_very_many_rooms(self):
        here = bed.Bed(self, transport="cuda")
        source, target = cache.Cache("gpu0"), cache.Cache("gpu1")
        sent = cache.content(1)
        source.write(sent)
        untouched = np.full_like(sent, cache.CANARY)
        landed = given_up = 0
        with here.attach(baton.Role.PREFILL, source) as sender, \
             here.attach(baton.Role.DECODE, target) as receiver:
            for first in range(0, ROOMS, WAVE):
                target.write(untouched)
                wave = Wave(first, min(WAVE, ROOMS - first))
                done = wave.run(sender, receiver, 1 + first)
                now = target.read()
                for number, is_done in enumerate(done):
                    pages = wave.target_pages[number]
                    if is_done:
                        self.assertTrue(np.array_equal(now[:, pages],
                                                       sent[:, wave.source_pages[number]]),
                                        "room %d" % (1 + first + number))
                    else:
                        self.assertTrue(wave.given_up_by[number], here.logs())
                now[:, wave.written] = cache.CANARY
                self.assertTrue(np.array_equal(now, untouched), "beside the rooms from %d" % first)
                landed += sum(done)
                given_up += len(done) - sum(done)
        np.testing.assert_array_equal(source.read(), sent)
        self.assertGreater(landed, ROOMS * 4 // 5)
        print("%d rooms landed, %d were given up, every byte looked at" % (landed, given_up))


if __name__ == "__main__":
    unittest.main()
