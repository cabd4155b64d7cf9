"""A rank's attachment to its agent, in the place of SGLang's KV manager."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

from sglang.srt.disaggregation.base.conn import BaseKVManager
from sglang.srt.disaggregation.utils import DisaggregationMode
from sglang.srt.environ import envs
from sglang.srt.runtime_context import get_disagg, get_parallel, get_serving
from sglang.srt.utils.network import get_local_ip_auto

import baton
from baton import pod
from baton.sglang import config, context, describe, layout
from baton.sglang.attach import Attachment
from baton.sglang.early import Early
from baton.sglang.memory import POOLS, Regions
from baton.sglang.peers import WATCHED, Peers

logger = logging.getLogger(__name__)

_ROLES = {
    DisaggregationMode.PREFILL: baton.Role.PREFILL,
    DisaggregationMode.DECODE: baton.Role.DECODE,
}


class Manager(BaseKVManager):
    """Made once a rank, when its pools stand. Everything after that never waits."""

    # Pages of a failed request stay taken until Baton has said that nothing can land in them.
    enable_deferred_decode_kv_release = True
    supports_deferred_decode_kv_release = True
    # All ranks of a context-parallel prefill take part; the plan says who sends what.
    is_dummy_cp_rank = False
    enable_all_cp_ranks_for_transfer = True

    def __init__(
        self,
        args: Any,
        disaggregation_mode: DisaggregationMode,
        server_args: Any,
        is_mla_backend: bool | None = False,
    ) -> None:
        self.kv_args = args
        self.role = _ROLES[disaggregation_mode]
        self.prefill_info_table: dict[str, Any] = {}
        self._held: dict[int, Any] = {}
        self._executor: ThreadPoolExecutor | None = None
        self._time_left = float(
            envs.SGLANG_DISAGGREGATION_BOOTSTRAP_TIMEOUT.get()
            + envs.SGLANG_DISAGGREGATION_WAITING_TIMEOUT.get()
        )
        #: Decode gives pages to prompts that are computed, and to no others.
        self.pages_last = (
            get_disagg().disaggregation_decode_allocation_policy == "prefill_complete"
        )
        self._attach(server_args)

    def _attach(self, server_args: Any) -> None:
        queue = context.QUEUE.read()
        self.early = self._early(queue)
        parallel = get_parallel()
        where = describe.grid(
            parallel,
            self.kv_args.system_dp_rank or 0,
            queue.scheduler.model_config.num_hidden_layers,
        )
        settings = self._settings(server_args)
        families = describe.families(
            queue, self.kv_args, where, self.role == baton.Role.DECODE
        )
        regions = Regions(POOLS)
        buffers = self._buffers(queue, families, regions)
        self._attachment = Attachment(
            settings.attach_timeout,
            agent_socket=settings.agent_socket,
            server=settings.server,
            launch_id=_equal_on_all_ranks(settings.launch_id, parallel),
            role=self.role,
            coord=where.coord,
            model=settings.model,
            spec=layout.spec_of(families, where, self.kv_args.page_size),
            layout=buffers,
            regions=[pool.region() for pool in regions.used],
            aliases=settings.aliases,
            peers=WATCHED,
            labels={**settings.labels, **pod.labels()},
            device_orders_writes=regions.device_orders_writes,
        )
        self.rank = self._attachment.rank
        self.peers = Peers(self._attachment, settings.peers, settings.peer_timeout)

    def _early(self, queue: Any) -> Early:
        tokens = queue.max_total_num_tokens
        if self.pages_last:
            return Early(tokens, share=1)  # Nobody holds pages while he waits for a prompt.
        # A checksum is of what decode lacks, so that its prefix must be known.
        unknown = getattr(queue.scheduler, "kv_checksum_computer", None) is None
        return Early(tokens if unknown and config.early_prefill() else 0)

    def _settings(self, server_args: Any) -> config.Config:
        return config.read(
            role=self.role.name.lower(),
            model=get_serving().served_model_name or server_args.model_path,
            host=get_serving().host,
            port=get_serving().port,
            bootstrap_port=get_disagg().disaggregation_bootstrap_port,
            own_ip=get_local_ip_auto(fallback=""),
        )

    def _buffers(self, queue: Any, families: list, regions: Regions) -> list[baton.Buffer]:
        on_device = "cpu" not in str(queue.token_to_kv_pool.device)

        def locate(family: layout.Family) -> layout.Locate:
            # Metadata lies on the host, also of an engine on a GPU.
            device = on_device and not layout.is_row(family.kind)
            return regions.locate(device, family.name or family.kind.name.lower())

        return layout.buffers_of(families, self.kv_args.page_size, locate)

    def register_to_bootstrap(self) -> None:
        """The agent registers the rank; attaching asked it to."""

    def open_send(self, room: int, total_tokens: int) -> baton.Room:
        """Raises BatonError, Full among them."""
        return self._attachment.engine.open_send(room, total_tokens, time_left=self._time_left)

    def announce(self, address: str, room: int) -> baton.Room:
        """Raises BatonError, Full among them."""
        return self._attachment.engine.announce(
            room, self.peers.server(address), time_left=self._time_left
        )

    def try_ensure_parallel_info(self, bootstrap_addr: str) -> bool:
        """Whether rooms can be opened with the prefill server; asked once a second while not."""
        if bootstrap_addr not in self.prefill_info_table:
            if not self.peers.ready(bootstrap_addr):
                return False
            # One dp rank to SGLang: Baton finds the one that has the room.
            self.prefill_info_table[bootstrap_addr] = SimpleNamespace(
                dp_size=1, follow_bootstrap_room=True, page_size=self.kv_args.page_size
            )
        return True

    def hold(self, receiver: Any) -> None:
        """Its request failed and its room may still be written to."""
        self._held[receiver.bootstrap_room] = receiver

    def is_abort_release_safe(self, bootstrap_room: int, required_acks: int) -> bool:
        """Whether nothing can land in the pages of a failed request any more."""
        receiver = self._held.get(bootstrap_room)
        return receiver is None or receiver.released

    def clear_deferred_abort_state(self, bootstrap_room: int) -> None:
        """Its pages are the engine's again."""
        self._held.pop(bootstrap_room, None)

    def _ensure_prefill_recompute_executor(self) -> ThreadPoolExecutor:
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix="baton-recompute")
        return self._executor

    def submit_prefill_recompute(self, receiver: Any, payload: dict) -> None:
        """Retraction that lets the prefill server compute a prompt anew is not offered."""
        logger.error(
            "baton: room %s cannot be computed anew by its prefill server; pause the engine with "
            "mode=in_place instead of retract",
            payload.get("bootstrap_room"),
        )
        receiver.abort()

    def teardown(self) -> None:
        """Detaches; open rooms fail."""
        self._attachment.close()


def _equal_on_all_ranks(launch_id: str, parallel: Any) -> str:
    """Ranks of several hosts did not inherit one environment: the first one's counts."""
    group = parallel.world_group
    if group is None or group.world_size == 1:
        return launch_id
    return group.broadcast_object(launch_id, src=0)
