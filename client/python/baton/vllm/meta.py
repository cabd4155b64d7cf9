"""What the scheduler's half of the connector tells the workers' half with each step. Plain values:
they are pickled on their way."""
import dataclasses

from vllm.distributed.kv_transfer.kv_connector.v1.base import KVConnectorMetadata


@dataclasses.dataclass
class OpenSend:
    request: str
    room: int
    nonce: int
    total: int
    time_left_s: float
    decode_server: str = ""  # where the router said it


@dataclasses.dataclass
class OpenReceive:
    request: str
    room: int
    nonce: int
    prefill_server: str
    prefill_dp: int | None
    total: int
    prefix: int
    pages: list[list[int]]  # of each page group, from the one that holds the first token to come
    time_left_s: float
    # The engine waits for it. Otherwise the prefill is only told that nothing is left to send.
    wanted: bool = True


@dataclasses.dataclass
class Chunk:
    request: str
    begin: int
    end: int
    last: bool
    pages: list[list[int]]


@dataclasses.dataclass
class Step(KVConnectorMetadata):
    sends: list[OpenSend] = dataclasses.field(default_factory=list)
    receives: list[OpenReceive] = dataclasses.field(default_factory=list)
    # Receives that cannot be opened at all: request, and why.
    refused: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    # Tokens that are in the pages once this step's forward is done.
    chunks: list[Chunk] = dataclasses.field(default_factory=list)
    # Requests whose pages are taken away before this step's forward.
    preempted: list[str] = dataclasses.field(default_factory=list)
    aborts: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    # Prefill requests that have ended, and whether the engine keeps their pages until told.
    finished: list[tuple[str, bool]] = dataclasses.field(default_factory=list)

    def __bool__(self) -> bool:
        return any((self.sends, self.receives, self.refused, self.chunks, self.preempted,
                    self.aborts, self.finished))
