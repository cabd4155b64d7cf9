"""BatonConnector: the class that vLLM loads. It says which of vLLM's calls means what; the halves
do the work (scheduler_side.py, worker_side.py)."""
from typing import TYPE_CHECKING, Any

import torch

from baton.vllm import version

try:
    from vllm.distributed.kv_transfer.kv_connector.v1.base import (
        KVConnectorBase_V1,
        KVConnectorRole,
        KVConnectorTransferResults,
        SupportsHMA,
    )
    from vllm.logger import init_logger
    from vllm.v1.metrics.cache_hit_source import CacheHitSource

    from baton.vllm import describe, params, settings
    from baton.vllm.meta import Step
    from baton.vllm.scheduler_side import SchedulerSide
    from baton.vllm.stats import BatonPromMetrics, BatonStats
    from baton.vllm.worker_side import WorkerSide, log_with_vllm
except ImportError as error:
    raise ImportError("%s; this is vLLM %s: %s" % (
        version.TRIED_TEXT, version.installed(), error)) from error

if TYPE_CHECKING:
    from vllm.config import VllmConfig
    from vllm.forward_context import ForwardContext
    from vllm.v1.core.kv_cache_manager import KVCacheBlocks, KVCacheManager
    from vllm.v1.core.sched.output import SchedulerOutput
    from vllm.v1.kv_cache_interface import KVCacheConfig
    from vllm.v1.outputs import KVConnectorOutput
    from vllm.v1.request import Request

logger = init_logger("vllm.baton")

_SIDES = {"kv_producer": params.SEND, "kv_consumer": params.RECEIVE}


class BatonConnector(KVConnectorBase_V1, SupportsHMA):
    """vLLM makes one for its scheduler and one for each worker."""

    _cache_hit_source = CacheHitSource.P2P

    def __init__(self, vllm_config: "VllmConfig", role: KVConnectorRole,
                 kv_cache_config: "KVCacheConfig") -> None:
        super().__init__(vllm_config, role, kv_cache_config)
        log_with_vllm()
        complaint = version.complaint(version.installed())
        if complaint:
            logger.error("%s", complaint)
        transfer = vllm_config.kv_transfer_config
        if transfer.kv_role not in _SIDES:
            raise ValueError("Baton's connector is for prefill or for decode: set kv_role to "
                             "kv_producer or kv_consumer, not %s" % transfer.kv_role)
        side = _SIDES[transfer.kv_role]
        said = settings.read(transfer.kv_connector_extra_config)
        describe.check_parallel(vllm_config)
        groups = describe.page_groups(kv_cache_config)
        self._scheduler: SchedulerSide | None = None
        self._worker: WorkerSide | None = None
        if role == KVConnectorRole.SCHEDULER:
            self._scheduler = SchedulerSide(said, side, groups)
        else:
            self._worker = WorkerSide(vllm_config, kv_cache_config, said, side, groups)

    # The worker's half.

    def get_mem_pool_context(self) -> Any:
        return self._worker.memory()

    def register_kv_caches(self, kv_caches: dict[str, torch.Tensor]) -> None:
        self._worker.register(kv_caches)

    def handle_preemptions(self, kv_connector_metadata: Step) -> None:
        if kv_connector_metadata.preempted:
            self._worker.preempt(kv_connector_metadata.preempted)

    def bind_connector_metadata(self, connector_metadata: Step) -> None:
        if connector_metadata:
            self._worker.begin(connector_metadata)
        # Layer by layer vLLM calls only where there is any: it has none for a step that sends
        # nothing.
        if connector_metadata.chunks:
            super().bind_connector_metadata(connector_metadata)

    def start_load_kv(self, forward_context: "ForwardContext", **kwargs: Any) -> None:
        """Rooms are open since bind_connector_metadata."""

    def wait_for_layer_load(self, layer_name: str) -> None:
        """Requests are scheduled when all layers are here."""

    def save_kv_layer(self, layer_name: str, kv_layer: torch.Tensor, attn_metadata: Any,
                      **kwargs: Any) -> None:
        self._worker.layer_done(self._get_connector_metadata(), layer_name)

    def wait_for_save(self) -> None:
        if self._connector_metadata is not None:
            self._worker.end(self._connector_metadata)

    def get_transfer_results(self, finished_req_ids: set[str]) -> KVConnectorTransferResults:
        return self._worker.results()

    def get_kv_connector_stats(self) -> BatonStats | None:
        return self._worker.take_stats() if self._worker is not None else None

    def shutdown(self) -> None:
        if self._worker is not None:
            self._worker.close()

    # The scheduler's half.

    def bind_kv_cache_manager(self, kv_cache_manager: "KVCacheManager") -> None:
        super().bind_kv_cache_manager(kv_cache_manager)
        self._scheduler.bind(kv_cache_manager)

    def on_new_request(self, request: "Request") -> None:
        self._scheduler.add(request)

    def get_num_new_matched_tokens(self, request: "Request",
                                   num_computed_tokens: int) -> tuple[int | None, bool]:
        return self._scheduler.matched(request, num_computed_tokens)

    def get_loaded_kv_cache_group_ids(self, request: "Request") -> tuple[int, ...]:
        return self._kv_cache_config.transfer_group_ids

    def update_state_after_alloc(self, request: "Request", blocks: "KVCacheBlocks",
                                 num_external_tokens: int) -> None:
        self._scheduler.allocated(request, blocks, num_external_tokens)

    def build_connector_meta(self, scheduler_output: "SchedulerOutput") -> Step:
        return self._scheduler.build(scheduler_output)

    def update_connector_output(self, connector_output: "KVConnectorOutput") -> None:
        self._scheduler.received(connector_output)

    def request_finished(self, request: "Request",
                         block_ids: list[int]) -> tuple[bool, dict[str, Any] | None]:
        return self._scheduler.finished(request, (block_ids,)), None

    def request_finished_all_groups(
            self, request: "Request",
            block_ids: tuple[list[int], ...]) -> tuple[bool, dict[str, Any] | None]:
        return self._scheduler.finished(request, block_ids), None

    def has_pending_push_work(self) -> bool:
        return self._scheduler.pending()

    def set_xfer_handshake_metadata_pp_aware(self, metadata: dict[Any, Any]) -> None:
        """Agents find each other by themselves."""

    # vLLM's statistics.

    @classmethod
    def build_kv_connector_stats(cls, data: dict[str, Any] | None = None) -> BatonStats:
        return BatonStats(data=data or {})

    @classmethod
    def build_prom_metrics(cls, vllm_config: "VllmConfig", metric_types: Any, labelnames: list[str],
                           per_engine_labelvalues: dict[int, list[object]]) -> BatonPromMetrics:
        return BatonPromMetrics(vllm_config, metric_types, labelnames, per_engine_labelvalues)
