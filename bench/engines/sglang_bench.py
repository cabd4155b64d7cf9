"""Time to the first token of SGLang: one engine, a pair over Baton, a pair over Mooncake.

    bench/engines/sglang.sh [--rounds=15] [--tokens=64,512,1024,2000] [--transport=tcp]

All engines run at once and take turns, request by request, with prompts that no cache has; the
figures are medians. What a pair adds to the single engine's time is what its backend costs, the
second engine's first step included. The target is a ratio of at most 0.7.
"""
import argparse
import json
import os
import random
import statistics
import sys
import threading
import time
import urllib.request

from tests.engines.sglang import bed as beds
from tests.engines.sglang import engines

HERE = os.path.dirname(os.path.abspath(__file__))
MOONCAKE_PORT = 8990
TARGET = 0.7


def first_token(port: int, body: dict) -> float:
    """Seconds until the first piece of a streamed answer."""
    request = urllib.request.Request(
        "http://127.0.0.1:%d/generate" % port, json.dumps({**body, "stream": True}).encode(),
        {"content-type": "application/json"})
    start = time.perf_counter()
    with urllib.request.urlopen(request, timeout=120) as reply:
        for line in reply:
            if line.startswith(b"data: {"):
                took = time.perf_counter() - start
                if b'"error"' in line:
                    raise RuntimeError(line.decode())
                reply.read()
                return took
    raise RuntimeError("an answer without a token")


class Pair:
    def __init__(self, prefill: engines.Engine, decode: engines.Engine, bootstrap_port: int):
        self._prefill, self._decode, self._port = prefill, decode, bootstrap_port

    def first_token(self, body: dict, room: int) -> float:
        both = {**body, "bootstrap_host": "127.0.0.1", "bootstrap_port": self._port,
                "bootstrap_room": room}
        leg = threading.Thread(target=engines.post, args=(self._prefill.port, "/generate", both))
        leg.start()
        took = first_token(self._decode.port, both)
        leg.join()
        return took


def mooncake(bed: beds.Bed) -> tuple[engines.Engine, engines.Engine]:
    folder = bed.path("mooncake")
    beds.entry_point(folder, "baton_mooncake_on_cpu", "baton_mooncake_on_cpu:register")
    path = ":".join([folder, HERE + "/sglang_mooncake", engines.folder() + "/bench"])
    made = []
    for role, port in (("prefill", 31610), ("decode", 31710)):
        flags = {"disaggregation-mode": role, "disaggregation-transfer-backend": "mooncake",
                 "disaggregation-bootstrap-port": str(MOONCAKE_PORT)}
        if role == "decode":
            flags["disaggregation-decode-retraction-backup"] = "cpu_tensor"
        env = {"PYTHONPATH": path, "MOONCAKE_PROTOCOL": "tcp"}
        made.append(engines.Engine("mooncake " + role, port, bed.path("mooncake-%s.log" % role),
                                   env, **flags))
    return made[0], made[1]


def measure(bed: beds.Bed, pairs: dict[str, Pair], tokens: int, rounds: int) -> dict:
    draw = random.Random(tokens)
    times: dict[str, list[float]] = {name: [] for name in ("single", *pairs)}
    for number in range(rounds + 2):
        for name in times:
            body = {"input_ids": [draw.randrange(3, 250) for _ in range(tokens)],
                    "sampling_params": {"max_new_tokens": 2, "temperature": 0, "ignore_eos": True}}
            if name == "single":
                took = first_token(bed.single.port, body)
            else:
                took = pairs[name].first_token(body, draw.getrandbits(62) | 1)
            if number >= 2:  # The first ones connect.
                times[name].append(took)
    return {name: statistics.median(values) * 1e3 for name, values in times.items()}


def report(rows: dict[int, dict]) -> None:
    print("%8s %10s %10s %10s %12s %14s %7s" % (
        "tokens", "single ms", "baton ms", "mooncake", "baton adds", "mooncake adds", "ratio"))
    for tokens, row in rows.items():
        ours, theirs = row["baton"] - row["single"], row["mooncake"] - row["single"]
        row["ratio"] = ours / theirs
        print("%8d %10.1f %10.1f %10.1f %12.1f %14.1f %7.2f" % (
            tokens, row["single"], row["baton"], row["mooncake"], ours, theirs, row["ratio"]))
    print("target: a ratio of at most %.1f" % TARGET)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench/engines/sglang.sh", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--tokens", default="64,512,1024,2000")
    parser.add_argument("--transport", default="tcp")
    parser.add_argument("--json", default="")
    options = parser.parse_args()
    bed = beds.Bed(probe=False, transport=options.transport)
    prefill, decode = mooncake(bed)
    bed.all += [prefill, decode]
    try:
        bed.start()
        pairs = {"baton": Pair(bed.prefill, bed.decode, beds.PREFILL_PORT),
                 "mooncake": Pair(prefill, decode, MOONCAKE_PORT)}
        rows = {}
        for tokens in [int(word) for word in options.tokens.split(",")]:
            beds.say("%d tokens" % tokens)
            rows[tokens] = measure(bed, pairs, tokens, options.rounds)
        report(rows)
        if options.json:
            with open(options.json, "w", encoding="utf-8") as f:
                json.dump(rows, f, indent=1)
    finally:
        bed.close()


if __name__ == "__main__":
    sys.exit(main())
