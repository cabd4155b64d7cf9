"""A prefill and a decode engine with their agents, and what tests ask of them."""
import itertools
import json
import os
import random

from tests.engines.vllm.agents import Cluster
from tests.engines.vllm.engine import Engine
from tests.programs import program

_rooms = itertools.count(1)


def prompt(tokens: int, seed: int) -> list[int]:
    """Random words, so that no two prompts share a page."""
    draw = random.Random(seed * 10007 + tokens)
    return [draw.randrange(5, 500) for _ in range(tokens)]


class Legs:
    """One user's request, at both engines."""

    def __init__(self, words: list[int], tokens: int, prefill: str, decode: str) -> None:
        self.prompt = words
        self.tokens = tokens
        self.room = next(_rooms)
        self.name = "room-%d" % self.room
        common = {"room": self.room, "nonce": self.room * 31}
        self.send = {"baton": {**common, "side": "send", "decode_server": decode}}
        self.receive = {"baton": {**common, "side": "receive", "prefill_server": prefill}}


class Pair:
    """Engines are forked at once and come up together; a kill leaves nothing of them."""

    def __init__(self, folder: str, cluster: Cluster, model: str, prefill: dict | None = None,
                 decode: dict | None = None, policy: str = "fail", names: str = "") -> None:
        self.folder = folder
        self.cluster = cluster
        self._model = model
        self._policy = policy
        self._options = {"prefill" + names: prefill or {}, "decode" + names: decode or {}}
        self.prefill_name, self.decode_name = self._options
        os.environ["BATON_SPY"] = folder
        self.prefill = self.start(self.prefill_name)
        self.decode = self.start(self.decode_name)

    def wait_up(self) -> None:
        self.prefill.wait_up()
        self.decode.wait_up()

    def kill(self) -> None:
        self.prefill.kill()
        self.decode.kill()

    def start(self, name: str, **extra) -> Engine:
        """Of one of the two names. Its agent is started first."""
        self.cluster.agent(name)
        transfer = {
            "kv_connector": "SpyConnector", "kv_connector_module_path": "tests.engines.vllm.spy",
            "kv_role": "kv_producer" if name == self.prefill_name else "kv_consumer",
            "kv_load_failure_policy": self._policy,
            "kv_connector_extra_config": {
                "server": name, "agent_socket": self.cluster.socket(name), **extra}}
        return Engine(name, self.folder, self._model, transfer, **self._options[name])

    def legs(self, words: list[int], tokens: int = 8) -> Legs:
        return Legs(words, tokens, self.prefill_name, self.decode_name)

    def add(self, legs: Legs) -> None:
        self.decode.add(legs.name, legs.prompt, legs.tokens, legs.receive)
        self.prefill.add(legs.name, legs.prompt, 1, legs.send)

    def hand_off(self, words: list[int], tokens: int = 8) -> tuple[Legs, list[int], str]:
        legs = self.legs(words, tokens)
        self.add(legs)
        made, why = self.decode.done(legs.name)
        self.prefill.done(legs.name)
        return legs, made, why

    def oracle(self, words: list[int], tokens: int = 8) -> list[int]:
        """What the prefill engine makes of it alone, from nothing cached."""
        self.prefill.forget_prefixes()
        name = "alone-%d" % next(_rooms)
        self.prefill.add(name, words, tokens)
        return self.prefill.done(name)[0]

    def notes(self, server: str, event: str) -> list[dict]:
        found = []
        for path in sorted(os.listdir(self.folder)):
            if path.startswith(server + ".") and path.endswith(".jsonl"):
                with open(os.path.join(self.folder, path), encoding="utf-8") as f:
                    found += [note for note in map(json.loads, f) if note["event"] == event]
        return found

    def pages(self, server: str, event: str, room: int, begin: int = 0) -> dict[str, list]:
        """By layer: hashes of the heads of each page, those of all ranks side by side. Page lists
        end alike on both sides; `begin` tokens into the room the other side's begin."""
        layers: dict[str, list] = {}
        for note in self.notes(server, event):
            if note["room"] != room:
                continue
            for layer, pages in note["pages"].items():
                if layer in layers:
                    pages = [a + b for a, b in zip(layers[layer], pages)]
                layers[layer] = pages
        return layers

    def difference(self, legs: Legs) -> str:
        """Between the pages as they left and as they landed; empty: none."""
        sent = self.pages(self.prefill_name, "sent", legs.room)
        landed = self.pages(self.decode_name, "landed", legs.room)
        if sent.keys() != landed.keys():
            return "layers %s were sent, %s landed" % (sorted(sent), sorted(landed))
        for layer, pages in landed.items():
            if not pages:
                return "%s: nothing landed" % layer
            if pages != sent[layer][len(sent[layer]) - len(pages):]:
                return "%s: pages differ" % layer
        return "" if landed else "nothing landed"

    def settled(self) -> None:
        """No page of either engine is held by a request that has ended."""
        for engine in (self.prefill, self.decode):
            engine.forget_prefixes()
        program.eventually(lambda: self.prefill.free_pages() == self.prefill.pages_in_all and
                           self.decode.free_pages() == self.decode.pages_in_all,
                           "all pages are free again")

    def close(self) -> dict[str, list]:
        """Ends both; pages that were written to though nobody had them."""
        broken = {}
        for engine in (self.prefill, self.decode):
            engine.stop()
        for name in self._options:
            notes = self.notes(name, "canaries")
            broken[name] = [page for note in notes for page in note["broken"]] if notes else ["?"]
        return broken
