"""vLLM on the CPU, one prefill and one decode engine: what each connector adds to the time to the
first token, beside the same engine alone; and what Baton's costs an engine that it does nothing in.
tools/bench_vllm makes what it needs. Prints each figure with its target."""
import argparse
import os
import statistics
import sys
import tempfile
import time

from bench.engines.vllm import connectors
from tests.engines.vllm.engine import Engine
from tests.engines.vllm.pair import prompt

SIZES = (300, 1500)
ROUNDS = 15
STEPS = 150
ALL = (connectors.Baton, connectors.Mooncake, connectors.Nixl)


def _ms(seconds: float) -> str:
    return "%.1f ms" % (seconds * 1e3)


def _first_token(submit, engine: Engine, request: str) -> float:
    start = time.monotonic()
    submit()
    return engine.first_token_at(request) - start


def _added(connector, prefill: Engine, decode: Engine, size: int, rounds: int) -> tuple:
    """Medians of rounds in turn: one engine alone, and both."""
    alone, both = [], []
    for number in range(-2, rounds):  # Two to warm up.
        seed = 100 + number
        request = "alone-%d-%d" % (size, number)
        words = prompt(size, 2 * seed)
        alone.append(_first_token(lambda: prefill.add(request, words, 1), prefill, request))
        prefill.done(request)
        request = "both-%d-%d" % (size, number)
        words = prompt(size, 2 * seed + 1)
        both.append(_first_token(
            lambda: connector.submit(prefill, decode, request, words, 2), decode, request))
        made, why = decode.done(request)
        assert (len(made), why) == (2, "length"), (made, why)
    return statistics.median(alone[2:]), statistics.median(both[2:])


def measure(kind, model: str, rounds: int) -> dict[int, float]:
    """Added seconds for each size of prompt."""
    added = {}
    with tempfile.TemporaryDirectory(prefix="baton-bench-") as folder:
        connector = kind(folder)
        engines = {}
        try:
            for side in ("prefill", "decode"):
                with connectors.set_environment(connector.environment(side)):
                    engines[side] = Engine(side, folder, model, connector.transfer(side))
            for engine in engines.values():
                engine.wait_up()
            for size in SIZES:
                alone, both = _added(connector, engines["prefill"], engines["decode"], size,
                                     rounds)
                added[size] = both - alone
                print("%-26s %5d tokens  alone %9s  1P1D %9s  added %9s" % (
                    kind.name, size, _ms(alone), _ms(both), _ms(both - alone)), flush=True)
        except AssertionError as error:
            for engine in engines.values():
                print("\n".join(engine.text().splitlines()[-15:]), file=sys.stderr)
            print("%-26s failed: %s" % (kind.name, error), flush=True)
        finally:
            for engine in engines.values():
                engine.kill()
            connector.close()
    return added


def _step_seconds(engine: Engine, number: int) -> float:
    """Of one decode step of four requests."""
    names = ["step-%d-%d" % (number, i) for i in range(4)]
    start = time.monotonic()
    for i, name in enumerate(names):
        engine.add(name, prompt(20, number * 10 + i), STEPS)
    for name in names:
        engine.done(name)
    return (time.monotonic() - start) / STEPS


def idle_ratios(model: str, rounds: int) -> tuple[float, float]:
    """Of step times with Baton's connector: of without any, and of one that does nothing. The three
    engines take turns."""
    with tempfile.TemporaryDirectory(prefix="baton-bench-") as folder:
        connector = connectors.Baton(folder)
        engines = {name: Engine(name, folder, model, transfer) for name, transfer in (
            ("none", {}), ("nothing", connectors.NOTHING),
            ("idle", connector.transfer("decode")))}
        try:
            for engine in engines.values():
                engine.wait_up()
            for engine in engines.values():
                _step_seconds(engine, 0)
            times: dict[str, list[float]] = {name: [] for name in engines}
            order = list(engines)
            for number in range(1, rounds + 1):
                order = order[1:] + order[:1]
                for name in order:
                    times[name].append(_step_seconds(engines[name], number))
        finally:
            for engine in engines.values():
                engine.kill()
            connector.close()
    print("step of 4 requests: without a connector %s, with one that does nothing %s, with Baton's "
          "idle %s" % tuple("%.3f ms" % (statistics.median(times[name]) * 1e3) for name in engines),
          flush=True)
    return tuple(statistics.median(b / a for a, b in zip(times[name], times["idle"]))
                 for name in ("none", "nothing"))


def _judge(what: str, ratio: float, target: float) -> None:
    print("%-66s %6.3f  target %.2f  %s" % (what, ratio, target,
                                           "ok" if ratio <= target else "MISSED"), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default="", help="connectors whose name has this")
    options = parser.parse_args()
    os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
    import vllm  # pylint: disable=unused-import
    import torch
    # Without a GPU it raises, and MooncakeConnector asks.
    torch.accelerator.current_device_index = lambda: 0
    print("load before: %.1f of %d processors" % (os.getloadavg()[0], os.cpu_count()), flush=True)
    model = os.path.join(os.environ["BATON_ENGINE"], "models", "gqa")
    kinds = [kind for kind in ALL if options.only in kind.name]
    added = {kind: measure(kind, model, options.rounds) for kind in kinds}
    for size in SIZES:
        ours = added.get(connectors.Baton, {}).get(size)
        theirs = {kind.name: a[size] for kind, a in added.items()
                  if kind is not connectors.Baton and size in a}
        if ours is not None and theirs:
            best = min(theirs, key=theirs.get)
            what = "added time to first token, %d tokens, of %s" % (size, best)
            if theirs[best] <= 0:
                print("%-66s no verdict: less than nothing was added" % what, flush=True)
                continue
            _judge(what, ours / theirs[best], 0.5)
    without, nothing = idle_ratios(model, options.rounds)
    _judge("step time with the connector idle, of without", without, 1.01)
    _judge("step time with the connector idle, of one that does nothing", nothing, 1.01)
    print("load after: %.1f" % os.getloadavg()[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
