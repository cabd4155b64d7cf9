"""How fast rooms go between GPU pools through real agents: printed, not judged.

    python -m tests.gpu.figures
"""
import os
import time
import unittest

import numpy as np

import baton
from tests.gpu import bed, cache
from tests.gpu.cuda import GpuMemory, count

LAYERS = 64


class Pool:
    """`layers` views of 64 KiB pages, or of another size, on one GPU."""

    def __init__(self, gpu: int, page_bytes: int, pages: int):
        self.page_bytes, self.pages = page_bytes, pages
        self.memory = GpuMemory(gpu, LAYERS * pages * page_bytes)
        began = time.perf_counter()
        self.pool = baton.export_cuda(self.memory.address, self.memory.size)
        self.export_ms = 1e3 * (time.perf_counter() - began)

    def attach(self, folder: str, role: baton.Role) -> baton.Engine:
        layers = list(range(LAYERS))
        token = self.page_bytes // 16
        return baton.Engine(
            agent_socket=os.path.join(folder, "attach.sock"), launch_id="1",
            server="prefill-a" if role == baton.Role.PREFILL else "decode-a", role=role,
            spec=baton.ServerSpec(stages=[layers], page_groups=[baton.PageGroup(16)],
                                  tensors=[baton.TensorSpec(baton.Kind.LATENT, layers, "u8",
                                                            token)]),
            layout=[baton.Buffer(0, layer, self.pages, self.page_bytes, token, token,
                                 offset=layer * self.pages * self.page_bytes)
                    for layer in layers],
            regions=[self.pool.region()])


def one_room(source: baton.Engine, target: baton.Engine, number: int, source_pages, target_pages,
             layers=None) -> float:
    """Seconds from the send to the target's poll that saw it land; the offer came before."""
    total = 16 * len(source_pages)
    receive = target.open_receive(number, "prefill-a", total, pages=[target_pages])
    send = source.open_send(number, total)
    while send.poll().phase == baton.Phase.OPEN:
        pass
    began = time.perf_counter()
    send.send(0, total, [source_pages], last=True)
    while not receive.poll().ended:
        pass
    took = time.perf_counter() - began
    assert receive.poll().phase == baton.Phase.DONE, receive.cause()
    for room in (send, receive):
        bed.ended(room)
        room.close()
    return took


class Figures(unittest.TestCase):
    def pair(self, page_bytes: int, pages: int, **flags):
        here = bed.Bed(self, transport="cuda", **flags)
        made = []
        for name, role, gpu in (("prefill", baton.Role.PREFILL, 0),
                                ("decode", baton.Role.DECODE, count() - 1)):
            pool = Pool(gpu, page_bytes, pages)
            began = time.perf_counter()
            engine = pool.attach(here.folder(name), role)
            self.addCleanup(engine.close)
            print("%s: pool of %d MiB exported in %.1f ms, attached in %.0f ms" %
                  (name, pool.memory.size >> 20, pool.export_ms,
                   1e3 * (time.perf_counter() - began)))
            made.append(engine)
        return made

    def test_bandwidth(self):
        print("%d GPUs" % count())
        for page_bytes in (4096, 65536):
            pages = (512 << 20) // (LAYERS * page_bytes)  # a room of 512 MiB
            for blocks in ("16", "64"):
                source, target = self.pair(page_bytes, pages, cuda_blocks=blocks)
                order = np.random.default_rng(1)
                took = [one_room(source, target, n, order.permutation(pages).astype(np.int32),
                                 order.permutation(pages).astype(np.int32)) for n in range(12)]
                rest = sorted(took[1:])
                print("pages of %d B, %s blocks: room of 512 MiB p50 %.2f ms, %.0f GB/s; the first "
                      "%.1f ms" % (page_bytes, blocks, 1e3 * rest[len(rest) // 2],
                                   (512 << 20) / rest[len(rest) // 2] / 1e9, 1e3 * took[0]))
                source.close()
                target.close()

    def test_small_rooms(self):
        source, target = self.pair(1024, 64, spin_us="100000")  # a page: 64 KiB in 64 layers
        took = sorted(one_room(source, target, n, [n % 64], [(n * 7) % 64])
                      for n in range(3000))[:2990]
        print("rooms of 64 KiB, agents awake, Send to landed seen by Poll from Python: p50 %.0f "
              "us, p99 %.0f us" % (1e6 * took[len(took) // 2], 1e6 * took[len(took) * 99 // 100]))


if __name__ == "__main__":
    unittest.main()
