"""A vLLM engine in a process of its own, forked from one that has imported vLLM: engine core and
worker are inside, and it steps as vLLM's own engine core does, also when no request is left."""
import ctypes
import multiprocessing
import os
import queue
import signal
import threading
import time
import traceback

_PR_SET_PDEATHSIG = 1
FORK = multiprocessing.get_context("fork")
DEFAULTS = {"enforce_eager": True, "max_model_len": 2048, "max_num_seqs": 16, "dtype": "float32",
            "seed": 0, "kv_cache_memory_bytes": 64 << 20}


def _serve(name: str, log: str, options: dict, transfer: dict, pipe) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    try:
        _run(name, options, transfer, pipe)
    except BaseException:  # pylint: disable=broad-exception-caught
        traceback.print_exc()
        pipe.send(("died", traceback.format_exc()))
    os._exit(0)


def _run(name: str, options: dict, transfer: dict, pipe) -> None:
    from vllm import LLM
    from vllm.config import KVTransferConfig
    from vllm.v1.executor import multiproc_executor
    # Workers are forked too: nothing of vLLM has started threads in this process yet.
    multiproc_executor.get_mp_context = lambda: FORK
    if transfer:
        options = {**options, "kv_transfer_config": KVTransferConfig(**transfer)}
    engine = LLM(**options).llm_engine
    core = engine.engine_core.engine_core
    pipe.send(("up", core.vllm_config.cache_config.num_gpu_blocks))
    _loop(engine, core, pipe)


def _loop(engine, core, pipe) -> None:
    preempt_at: dict[str, int] = {}
    while True:
        busy = core.scheduler.has_requests() or engine.has_unfinished_requests()
        while pipe.poll(0 if busy else 1):
            command = pipe.recv()
            if command[0] == "stop":
                core.shutdown()
                pipe.send(("stopped",))
                return
            if command[0] == "preempt":
                preempt_at[command[1]] = command[2]
            else:
                _obey(engine, core, command, pipe)
            busy = True
        if busy:
            _step(engine, pipe)
            _preempt(core, preempt_at)
            if not core.scheduler.running:
                time.sleep(0.001)  # as vLLM's engine core does while everybody waits


def _preempt(core, preempt_at: dict[str, int]) -> None:
    for request in core.scheduler.running:
        name = request.request_id.rsplit("-", 1)[0]
        if name in preempt_at and request.num_computed_tokens >= preempt_at[name]:
            del preempt_at[name]
            core.scheduler.reset_prefix_cache(reset_running_requests=True)
            return


def _obey(engine, core, command, pipe) -> None:
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind
    from vllm.v1.metrics.reader import get_metrics_snapshot
    verb, *rest = command
    if verb == "add":
        request, prompt, tokens, params, samples = rest
        extra = {"kv_transfer_params": params} if params else None
        sampling = SamplingParams(temperature=0, max_tokens=tokens, ignore_eos=True,
                                  extra_args=extra)
        if samples > 1:
            # Of one word to choose from it takes that, as greedy does, which allows one sample.
            sampling = SamplingParams(temperature=1, top_k=1, n=samples, max_tokens=tokens,
                                      ignore_eos=True, extra_args=extra,
                                      output_kind=RequestOutputKind.FINAL_ONLY)
        engine.add_request(request, {"prompt_token_ids": prompt}, sampling)
    elif verb == "abort":
        engine.abort_request([rest[0]])
        pipe.send(("done", rest[0], [], "abort", None))
    elif verb == "free":
        pool = core.scheduler.kv_cache_manager.block_pool
        pipe.send(("free", pool.get_num_free_blocks()))
    elif verb == "metrics":
        pipe.send(("metrics", {
            (metric.name, *(metric.labels.get(label, "") for label in ("side", "outcome"))):
                getattr(metric, "value", None) or getattr(metric, "count", 0)
            for metric in get_metrics_snapshot() if "baton" in metric.name}))
    elif verb == "reset":
        pipe.send(("reset", core.scheduler.reset_prefix_cache()))


def _step(engine, pipe) -> None:
    for output in engine.step():
        if output.outputs and output.outputs[0].token_ids:
            pipe.send(("token", output.request_id, len(output.outputs[0].token_ids),
                       time.monotonic()))
        if output.finished:
            last = output.outputs[0]
            pipe.send(("done", output.request_id,
                       [token for each in output.outputs for token in each.token_ids],
                       last.finish_reason, output.kv_transfer_params))


class Engine:
    """The parent's handle. `wait` calls raise when the engine dies."""

    def __init__(self, name: str, folder: str, model: str, transfer: dict | None = None,
                 **options) -> None:
        self.name = name
        self.log = os.path.join(folder, name + ".log")
        self._pipe, child = FORK.Pipe()
        self._events: dict[tuple, queue.Queue] = {}
        self._lock = threading.Lock()
        self.process = FORK.Process(target=_serve, args=(
            name, self.log, {**DEFAULTS, "model": model, **options}, transfer or {}, child))
        self.process.start()
        child.close()
        threading.Thread(target=self._listen, daemon=True).start()

    def _queue(self, *key) -> queue.Queue:
        with self._lock:
            return self._events.setdefault(key, queue.Queue())

    def _listen(self) -> None:
        while True:
            try:
                event = self._pipe.recv()
            except (EOFError, OSError):
                event = ("died", "the process has ended")
            if event[0] == "died":
                with self._lock:
                    self._dead = event[1]
                    waiting = list(self._events.values())
                for events in waiting:
                    events.put(event)
                return
            key = event[:2] if event[0] in ("token", "done") else event[:1]
            self._queue(*key).put(event)

    _dead = ""

    def _get(self, *key, limit_s: float = 120):
        events = self._queue(*key)
        if self._dead and events.empty():
            raise AssertionError("%s has died: %s" % (self.name, self._dead))
        try:
            event = events.get(timeout=limit_s)
        except queue.Empty:
            raise AssertionError("%s: no %s within %d s; see %s" % (
                self.name, key, limit_s, self.log)) from None
        if event[0] == "died":
            self.process.join(10)
            raise AssertionError("%s has died (exit code %s): %s\n%s" % (
                self.name, self.process.exitcode, event[1], self.text()[-3000:]))
        return event

    pages_in_all = 0

    def wait_up(self) -> None:
        # One page stands for none.
        self.pages_in_all = self._get("up", limit_s=240)[1] - 1

    def add(self, request: str, prompt: list[int], tokens: int, params: dict | None = None,
            samples: int = 1) -> None:
        self._pipe.send(("add", request, prompt, tokens, params, samples))

    def abort(self, request: str) -> None:
        self._pipe.send(("abort", request))

    def preempt(self, request: str, computed: int) -> None:
        """Once, when so many of its tokens are computed: as if pages had run out."""
        self._pipe.send(("preempt", request, computed))

    def done(self, request: str, limit_s: float = 120) -> tuple[list[int], str]:
        """Tokens and finish reason."""
        _, _, tokens, why, _ = self._get("done", request, limit_s=limit_s)
        return tokens, why

    def answer(self, request: str) -> dict | None:
        """The kv_transfer_params that come back, of connectors that have any."""
        return self._get("done", request)[4]

    def first_token_at(self, request: str) -> float:
        """By the monotonic clock."""
        return self._get("token", request)[3]

    def free_pages(self) -> int:
        self._pipe.send(("free",))
        return self._get("free")[1]

    def metrics(self) -> dict[tuple, float]:
        """Baton's, of vLLM's Prometheus registry: by name, side and outcome."""
        self._pipe.send(("metrics",))
        return self._get("metrics")[1]

    def forget_prefixes(self) -> None:
        self._pipe.send(("reset",))
        self._get("reset")

    def text(self) -> str:
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def stop(self) -> None:
        if self.process.is_alive() and not self._dead:
            self._pipe.send(("stop",))
            self._get("stopped")
        self.process.join(30)
        self.kill()

    def kill(self) -> None:
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
