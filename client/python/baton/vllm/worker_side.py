"""The half of the connector in a worker: attaches the rank's cache, opens rooms, sends chunks as
steps end, and reports what has landed or may be reused. Nothing blocks the worker's thread but the
start of the engine, its end, and a preemption of pages that an agent is reading."""
import logging
import time
from collections.abc import Collection
from typing import TYPE_CHECKING

import torch
from vllm.distributed.kv_transfer.kv_connector.v1.base import KVConnectorTransferResults
from vllm.logger import init_logger

import baton
from baton.vllm import describe, layout, params
from baton.vllm.groups import PageGroups
from baton.vllm.link import WATCHED, Link
from baton.vllm.memory import CacheMemory
from baton.vllm.meta import Step
from baton.vllm.receives import Receives
from baton.vllm.sends import Sends
from baton.vllm.settings import Settings
from baton.vllm.stats import BatonStats

if TYPE_CHECKING:
    from vllm.config import VllmConfig
    from vllm.v1.kv_cache_interface import KVCacheConfig

logger = init_logger("vllm.baton")

_CLOSE_S = 3.0
_PARTS = 8
_ROLES = {params.SEND: baton.Role.PREFILL, params.RECEIVE: baton.Role.DECODE}


class WorkerSide:
    def __init__(self, config: "VllmConfig", kv_config: "KVCacheConfig", settings: Settings,
                 side: str, groups: PageGroups) -> None:
        self._config = config
        self._kv_config = kv_config
        self._settings = settings
        self._side = side
        self._groups = groups
        self._memory = CacheMemory()
        self._stats = BatonStats()
        self._cuda = False
        # Where a part of a step's layers ends: the global numbers of the layers after which what is
        # there is sent. Empty where kernels run behind the processor's back.
        self._part_ends: frozenset[int] = frozenset()
        self._polls: baton.PollSet | None = None
        self._polls_of: baton.Engine | None = None
        self._link = Link("?", settings.agent_socket, self._not_registered)
        self._sends = Sends(self._link, self._stats, settings.peer_timeout_s)
        self._receives = Receives(self._link, self._stats, settings.peer_timeout_s)

    @staticmethod
    def _not_registered(_: float) -> baton.Engine:
        raise baton.BatonError("BAD_SPEC", "vLLM has registered no cache")

    def memory(self) -> CacheMemory | None:
        """Answers the allocation of the cache on a CPU. A GPU's memory is exported afterwards."""
        return self._memory if self._config.device_config.device_type == "cpu" else None

    def register(self, tensors: dict[str, torch.Tensor]) -> None:
        """Attaches. What is wrong goes to the log, and the engine lives without an agent."""
        coord = describe.coord(self._config)
        rank = "%s[dp%d/pp%d/cp%d/tp%d]" % (self._settings.server, *coord)
        caches = describe.caches(self._config, self._kv_config, self._groups, tensors)
        stages = describe.gather_stages([cache.spec for cache in caches])
        self._cuda = any(cache.tensor.is_cuda for cache in caches)
        if not self._cuda:
            self._part_ends = part_ends({cache.spec.layer for cache in caches})
        spec, tensor_of = layout.server_spec(describe.sizes(self._config), self._groups.groups,
                                             stages)
        count = len(self._groups.groups)

        def attach(timeout: float) -> baton.Engine:
            places = []
            for cache in caches:
                memory, offset = self._memory.find(cache.tensor)
                places.append(layout.Place(cache.spec, memory, offset, self._kv_config.num_blocks,
                                           cache.strides))
            settings = self._settings
            return baton.Engine(
                agent_socket=settings.agent_socket, server=settings.server, coord=coord,
                launch_id=settings.launch_id or describe.launch_id(self._config),
                role=_ROLES[self._side], model=settings.model or describe.model(self._config),
                labels={"engine": "vllm", **dict(settings.labels)}, spec=spec,
                layout=layout.buffers(places, tensor_of, count), slots=settings.slots,
                peers=WATCHED,
                regions=self._memory.regions(count), ring_bytes=settings.ring_bytes,
                attach_timeout=timeout,
                device_orders_writes=self._memory.device_orders_writes())

        self._link = Link(rank, self._settings.agent_socket, attach)
        patience_s = self._settings.peer_timeout_s
        self._sends = Sends(self._link, self._stats, patience_s)
        self._receives = Receives(self._link, self._stats, patience_s)
        self._link.start(self._settings.attach_timeout_s)

    def _poll_set(self) -> baton.PollSet | None:
        engine = self._link.engine
        if engine is not self._polls_of:
            self._polls_of = engine
            self._polls = engine.poll_set() if engine is not None else None
        return self._polls

    def begin(self, step: Step) -> None:
        """Before the forward of a step that has anything for the worker."""
        polls = self._poll_set()
        self._sends.open(step.sends, polls)
        self._receives.open(step.receives, polls)
        self._receives.refuse(step.refused)
        for request, why in step.aborts:
            self._sends.abort(request, why)
            self._receives.abort(request, why)
        self._sends.finish(step.finished)

    def preempt(self, requests: list[str]) -> None:
        """Before their pages are overwritten."""
        self._sends.preempt(requests)

    def layer_done(self, step: Step, layer_name: str) -> None:
        """In the midst of a forward."""
        if not self._part_ends:
            return
        layer, _ = describe.split_name(layer_name)
        if layer not in self._part_ends:
            return
        if not self._sends.all_offered(step.chunks):
            self._poll()
        self._sends.add_layers(step.chunks, layer + 1)

    def end(self, step: Step) -> None:
        """After the forward of a step: its tokens are in the pages, on a GPU soon."""
        after = None
        if self._cuda:
            after = torch.cuda.Event()
            after.record()
        self._sends.add(step.chunks, after)

    def _poll(self) -> baton.PollSet | None:
        polls = self._poll_set()
        if polls is not None:
            for room, status in polls.poll():
                if not self._sends.saw(room, status):
                    self._receives.saw(room, status, polls)
        return polls

    def results(self) -> KVConnectorTransferResults:
        if not self._sends and not self._receives:
            return KVConnectorTransferResults()
        polls = self._poll()
        received, failed = self._receives.take_received(polls)
        return KVConnectorTransferResults(
            finished_sending=self._sends.take_sent(polls) if len(self._sends) else set(),
            finished_recving=received, failed_recving=failed)

    def take_stats(self) -> BatonStats | None:
        return self._stats.take()

    def close(self) -> None:
        """Gives rooms up, and waits a moment for the agent to let go of the pages."""
        why = "the engine shuts down"
        rooms = self._sends.abort_all(why) + self._receives.abort_all(why)
        deadline = time.monotonic() + _CLOSE_S
        while any(not room.poll().released for room in rooms) and time.monotonic() < deadline:
            time.sleep(0.001)
        self._link.close()


def part_ends(layers: Collection[int]) -> frozenset[int]:
    """A step's layers go in so many parts at most; the last goes with the end of the step."""
    ordered = sorted(layers)
    size = -(-len(ordered) // _PARTS)
    return frozenset(ordered[size - 1:-1:size])


def log_with_vllm() -> None:
    """The client's own lines go where vLLM's go."""
    client = logging.getLogger("baton")
    for handler in logging.getLogger("vllm").handlers:
        if handler not in client.handlers:
            client.addHandler(handler)
            client.propagate = False
            client.setLevel(logging.INFO)
