"""The half of the connector in the engine core: it follows requests through vLLM's scheduler and
tells the workers what to open, send and give up. It knows no Baton client."""
import dataclasses
from typing import TYPE_CHECKING

from vllm.logger import init_logger
from vllm.v1.request import RequestStatus

from baton.vllm import params
from baton.vllm.groups import PageGroups
from baton.vllm.meta import Chunk, OpenReceive, OpenSend, Step
from baton.vllm.settings import Settings

if TYPE_CHECKING:
    from vllm.v1.core.kv_cache_manager import KVCacheBlocks, KVCacheManager
    from vllm.v1.core.sched.output import SchedulerOutput
    from vllm.v1.outputs import KVConnectorOutput
    from vllm.v1.request import Request

logger = init_logger("vllm.baton")


_NOTHING = Step()


@dataclasses.dataclass
class _Send:
    request: "Request"
    total: int
    sent: int = 0  # tokens whose chunks have gone to the workers


@dataclasses.dataclass
class _Receive:
    leg: params.Leg | None  # None: what the router said is wrong
    total: int
    why: str = ""
    local: int = 0
    started: bool = False
    ended: bool = False
    # Of several samples of one request the first receives, and the others find it in the cache.
    first: str = ""


class SchedulerSide:
    """A room has all tokens of the prompt but the last: the decode engine computes that one anyway,
    to sample from it."""

    def __init__(self, settings: Settings, side: str, groups: PageGroups) -> None:
        self._settings = settings
        self._side = side
        self._groups = groups
        self._cache: "KVCacheManager | None" = None
        self._sends: dict[str, _Send] = {}
        self._receives: dict[str, _Receive] = {}
        self._first_of: dict[tuple[int, int], str] = {}
        self._step: Step | None = None

    def _next(self) -> Step:
        """What the next step tells the workers."""
        if self._step is None:
            self._step = Step()
        return self._step

    def bind(self, cache: "KVCacheManager") -> None:
        self._cache = cache

    def add(self, request: "Request") -> None:
        total = request.num_prompt_tokens - 1
        why = ""
        try:
            leg = params.parse(request.kv_transfer_params, self._side)
        except ValueError as error:
            leg, why = None, str(error)
            logger.error("Baton: request %s: %s", request.request_id, why)
        if total <= 0 or (leg is None and not why):
            return
        if self._side == params.RECEIVE:
            self._start_receive(request.request_id, _Receive(leg, total, why))
        elif leg is not None:
            self._start_send(request, leg, total)

    def _start_receive(self, request: str, receive: _Receive) -> None:
        self._receives[request] = receive
        if receive.leg is None:
            return
        first = self._first_of.setdefault((receive.leg.room, receive.leg.nonce), request)
        if first != request:
            receive.first, receive.started, receive.ended = first, True, True

    def _start_send(self, request: "Request", leg: params.Leg, total: int) -> None:
        # More tokens would move windows on and free pages that are still to be sent.
        if request.max_tokens > 1:
            logger.warning("Baton: request %s asks a prefill server for %d tokens; it makes one. "
                           "Let the router set max_tokens to 1.", request.request_id,
                           request.max_tokens)
            request.max_tokens = 1
        self._sends[request.request_id] = _Send(request, total)
        self._next().sends.append(OpenSend(request.request_id, leg.room, leg.nonce, total,
                                         leg.time_left_s or self._settings.time_left_s,
                                           leg.decode_server))

    def matched(self, request: "Request", local: int) -> tuple[int | None, bool]:
        """Tokens that come from the prefill, beyond the `local` ones that are cached here; None:
        ask later."""
        receive = self._receives.get(request.request_id)
        if receive is None:
            return 0, False
        if receive.started:
            first = self._receives.get(receive.first)
            return (None if first is not None and not first.ended else 0), False
        receive.local = min(local, receive.total)
        tokens = receive.total - receive.local
        return tokens, tokens > 0

    def allocated(self, request: "Request", blocks: "KVCacheBlocks", tokens: int) -> None:
        receive = self._receives.get(request.request_id)
        if receive is None or receive.started:
            return
        receive.started = True
        if tokens == 0:
            receive.ended = True
            self._decline(request.request_id, receive)
            return
        if receive.leg is None:
            self._next().refused.append((request.request_id, receive.why))
            return
        prefix = receive.total - tokens
        pages = self._groups.pages(blocks.get_block_ids(), prefix, receive.total, receive.total)
        self._next().receives.append(self._open(request.request_id, receive, prefix, pages))

    def _open(self, request: str, receive: _Receive, prefix: int, pages: list[list[int]],
              wanted: bool = True) -> OpenReceive:
        leg = receive.leg
        assert leg is not None
        return OpenReceive(request, leg.room, leg.nonce, leg.prefill_server, leg.prefill_dp,
                           receive.total, prefix, pages,
                           leg.time_left_s or self._settings.time_left_s, wanted)

    def _decline(self, request: str, receive: _Receive) -> None:
        """Nothing is to come: the prefill is told, so that it need not wait to be asked."""
        if receive.leg is not None:
            self._next().receives.append(self._open(request, receive, receive.total,
                                                  self._groups.none(), wanted=False))

    def build(self, output: "SchedulerOutput") -> Step:
        if self._step is None and not self._sends:
            return _NOTHING
        step, self._step = self._next(), None
        for request in output.preempted_req_ids or ():
            if request in self._sends:
                self._sends[request].sent = 0
                step.preempted.append(request)
        if self._sends:
            for request, tokens in output.num_scheduled_tokens.items():
                self._add_chunk(step, request, tokens)
        return step

    def _add_chunk(self, step: Step, request: str, tokens: int) -> None:
        send = self._sends.get(request)
        if send is None or send.sent == send.total:
            return
        assert self._cache is not None
        # The first chunk has also what was cached here.
        end = min(send.request.num_computed_tokens + tokens, send.total)
        if end <= send.sent:
            return
        pages = self._groups.pages(self._cache.get_block_ids(request), send.sent, end, send.total)
        step.chunks.append(Chunk(request, send.sent, end, end == send.total, pages))
        send.sent = end

    def received(self, output: "KVConnectorOutput") -> None:
        for request in output.finished_recving or ():
            if request in self._receives:
                self._receives[request].ended = True

    def finished(self, request: "Request", block_ids: tuple[list[int], ...]) -> bool:
        """Whether the pages stay until the workers report the request as sent. Those of a receive
        are kept by vLLM itself, until it is reported as received."""
        name = request.request_id
        receive = self._receives.pop(name, None)
        if receive is not None and receive.leg is not None and not receive.first:
            del self._first_of[receive.leg.room, receive.leg.nonce]
        if receive is not None and not receive.started:
            self._decline(name, receive)
        elif receive is not None and not receive.ended:
            self._next().aborts.append((name, "the decode request was aborted"))
        send = self._sends.pop(name, None)
        if send is None:
            return False
        keep = any(block_ids)
        if send.sent < send.total or request.status == RequestStatus.FINISHED_ABORTED:
            self._next().aborts.append((name, "the prefill request was aborted"))
        self._next().finished.append((name, keep))
        return keep

    def pending(self) -> bool:
        """Whether the workers must hear of something though no request is left."""
        return self._step is not None
