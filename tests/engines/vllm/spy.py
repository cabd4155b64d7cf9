"""BatonConnector as the tests load it: what it does is the product's, and it notes what went
through it. Each worker appends to FOLDER/SERVER.RANK.jsonl, FOLDER from BATON_SPY:

    {"event": "sent" | "landed", "room": 7, "tokens": [begin, end], "pages": {LAYER: [[HASH, ...]]}}
        hashes of each head of each page, at the end of the last chunk, and when all has landed
    {"event": "chunk", "room": 7, "last": false, "submitted": true}
        a step has ended, and whether chunks of the room are with the agent by now
    {"event": "canaries", "broken": [PAGE, ...]}
        pages that the scheduler never gave out and that something wrote to
"""
import dataclasses
import hashlib
import json
import os

import torch
from vllm.distributed.kv_transfer.kv_connector.v1.base import KVConnectorRole

from baton.vllm.connector import BatonConnector
from tests.engines.vllm import pipeline_fix

pipeline_fix.apply()

CANARY = 0x5A


def _hash(content: torch.Tensor) -> str:
    return hashlib.sha256(content.contiguous().view(torch.uint8).numpy()).hexdigest()[:16]


class SpyConnector(BatonConnector):
    def __init__(self, vllm_config, role, kv_cache_config):
        super().__init__(vllm_config, role, kv_cache_config)
        self._given_out: set[int] = set()
        self._rooms: dict[str, tuple] = {}
        self._chunks: dict[str, list] = {}
        if role == KVConnectorRole.SCHEDULER:
            self._plain_build = self._scheduler.build
            self._scheduler.build = self._build

    # In the scheduler: which pages it gives out.

    def update_state_after_alloc(self, request, blocks, num_external_tokens):
        self._give_out(blocks.get_block_ids())
        super().update_state_after_alloc(request, blocks, num_external_tokens)

    def _give_out(self, block_ids) -> None:
        for ids in block_ids or ():
            self._given_out.update(ids)

    def _build(self, output):
        step = dataclasses.replace(self._plain_build(output))
        for request in output.scheduled_new_reqs:
            self._give_out(request.block_ids)
        for ids in output.scheduled_cached_reqs.new_block_ids:
            self._give_out(ids)
        step.given_out, self._given_out = self._given_out, set()
        return step

    # In the workers.

    def register_kv_caches(self, kv_caches):
        self._caches = kv_caches
        super().register_kv_caches(kv_caches)
        for pool in self._worker._memory.pools:
            pool.buffer[:] = bytes([CANARY]) * pool.size
        parallel = self._vllm_config.parallel_config
        self._path = os.path.join(os.environ["BATON_SPY"], "%s.%d.jsonl" % (
            self._worker._settings.server, parallel.rank))

    def bind_connector_metadata(self, connector_metadata):
        step = connector_metadata
        self._given_out |= step.given_out
        for send in step.sends:
            self._rooms[send.request] = (send.room, 0, send.total)
        for receive in step.receives:
            if receive.wanted:
                self._rooms[receive.request] = (receive.room, receive.prefix, receive.total)
                self._chunks[receive.request] = receive.pages
        super().bind_connector_metadata(connector_metadata)

    def wait_for_save(self):
        step = self._connector_metadata
        chunks = step.chunks if step is not None else ()
        for chunk in chunks:
            # A chunk that begins inside a page has that page again.
            pages = self._chunks.setdefault(chunk.request, [[] for _ in chunk.pages])
            if chunk.begin == 0:  # anew, after a preemption
                pages = self._chunks[chunk.request] = [[] for _ in chunk.pages]
            for group, (have, new) in enumerate(zip(pages, chunk.pages)):
                tokens = self._worker._groups.groups[group].page_tokens
                if have and new and chunk.begin % tokens != 0:
                    new = new[1:]
                have.extend(new)
            if chunk.last:
                self._note("sent", chunk.request)
        super().wait_for_save()
        for chunk in chunks:
            send = self._worker._sends._all.get(chunk.request)
            self._write({"event": "chunk", "room": self._rooms[chunk.request][0],
                         "last": chunk.last, "submitted": bool(send and send.submitted)})

    def get_transfer_results(self, finished_req_ids):
        results = super().get_transfer_results(finished_req_ids)
        for request in results.finished_recving - results.failed_recving:
            self._note("landed", request)
        return results

    def _note(self, event: str, request: str) -> None:
        room, begin, end = self._rooms[request]
        pages = {}
        for number, index in enumerate(self._worker._groups.ids):
            for name in self._kv_cache_config.kv_cache_groups[index].layer_names:
                if name in self._caches:
                    pages[name] = self._hashes(self._caches[name],
                                               self._chunks[request][number], end)
        self._write({"event": event, "room": room, "tokens": [begin, end], "pages": pages})

    @staticmethod
    def _hashes(cache: torch.Tensor, pages: list[int], end: int) -> list[list[str]]:
        """Of a packed page all bytes; of others those of the room's tokens."""
        tokens = cache.shape[2]
        packed = cache.stride(2) == cache.shape[3] and cache.shape[1] > 1
        found = []
        for page in pages:
            count = (end - 1) % tokens + 1 if page == pages[-1] and not packed else tokens
            found.append([_hash(head[:count]) for head in cache[page]])
        return found

    def _write(self, event: dict) -> None:
        with open(self._path, "a", encoding="utf-8") as f:
            f.write(json.dumps(event) + "\n")

    def check_canaries(self) -> None:
        """Called in the worker by the test."""
        broken = set()
        for cache in self._caches.values():
            for page in range(1, cache.shape[0]):
                if page not in self._given_out:
                    content = cache[page].contiguous().view(torch.uint8)
                    if not bool((content == CANARY).all()):
                        broken.add(page)
        self._write({"event": "canaries", "broken": sorted(broken)})

    def shutdown(self):
        if self._worker is not None:
            self.check_canaries()
        super().shutdown()
