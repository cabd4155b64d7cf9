"""What the connector counts, through vLLM's own hooks: its log line and its Prometheus endpoint."""
import statistics
from dataclasses import dataclass
from typing import Any

from vllm.distributed.kv_transfer.kv_connector.v1.metrics import (
    KVConnectorPromMetrics,
    KVConnectorStats,
)

_COUNTS = ("received", "sent", "receive_failed", "send_failed", "bytes")
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)


@dataclass
class BatonStats(KVConnectorStats):
    """Of one interval. `seconds`: from opening to the end, of each receive that was done."""

    _quiet = True  # nothing was counted since the last take

    def __post_init__(self) -> None:
        if not self.data:
            self.reset()

    def reset(self) -> None:
        self._quiet = True
        self.data = {**dict.fromkeys(_COUNTS, 0), "seconds": []}

    def count(self, what: str, number: int = 1) -> None:
        self.data[what] += number
        self._quiet = False

    def took(self, seconds: float) -> None:
        """A receive, from opening to its end."""
        self.data["seconds"].append(seconds)
        self._quiet = False

    def aggregate(self, other: KVConnectorStats) -> KVConnectorStats:
        for key, value in other.data.items():
            self.data[key] = self.data[key] + value
        return self

    def is_empty(self) -> bool:
        return not any(self.data.values())

    def take(self) -> "BatonStats | None":
        """What was counted since the last call; None where nothing was."""
        if self._quiet:
            return None
        taken = BatonStats(data=self.data)
        self.reset()
        return taken

    def reduce(self) -> dict[str, int | float]:
        seconds = self.data["seconds"]
        return {
            "Rooms received": self.data["received"], "Rooms sent": self.data["sent"],
            "Failed receives": self.data["receive_failed"],
            "Failed sends": self.data["send_failed"],
            "MB moved": round(self.data["bytes"] / 1e6, 3),
            "Median time to receive (ms)":
                round(statistics.median(seconds) * 1e3, 3) if seconds else 0,
        }


class BatonPromMetrics(KVConnectorPromMetrics):
    """Counts and one histogram, by engine."""

    def __init__(self, vllm_config: Any, metric_types: Any, labelnames: list[str],
                 per_engine_labelvalues: dict[int, list[object]]) -> None:
        super().__init__(vllm_config, metric_types, labelnames, per_engine_labelvalues)
        self._rooms = self._counter_cls(
            name="vllm:baton_rooms", documentation="Rooms that Baton ended, by side and outcome.",
            labelnames=labelnames + ["side", "outcome"])
        self._bytes = self._counter_cls(
            name="vllm:baton_bytes", documentation="Bytes of KV cache that Baton moved.",
            labelnames=labelnames)
        self._seconds = self._histogram_cls(
            name="vllm:baton_receive_seconds", buckets=_SECONDS, labelnames=labelnames,
            documentation="Time from opening a receive to its last byte.")

    def observe(self, transfer_stats_data: dict[str, Any], engine_idx: int = 0) -> None:
        labels = self.per_engine_labelvalues[engine_idx]
        for key, side, outcome in (("received", "receive", "done"), ("sent", "send", "done"),
                                   ("receive_failed", "receive", "failed"),
                                   ("send_failed", "send", "failed")):
            if transfer_stats_data[key]:
                self._rooms.labels(*labels, side, outcome).inc(transfer_stats_data[key])
        self._bytes.labels(*labels).inc(transfer_stats_data["bytes"])
        for seconds in transfer_stats_data["seconds"]:
            self._seconds.labels(*labels).observe(seconds)
