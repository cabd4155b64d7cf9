"""An engine in a process of its own, to be killed: engine_process FOLDER ROLE PLACE SEED.

Says "attached", then takes rooms from standard input, one a line: id and page numbers. A source
sends all pages of a room once they are wanted, a target waits for them; then it says "open".
"""
import sys

import baton
from tests.gpu import bed, cache


def main() -> None:
    folder, role, place, seed = sys.argv[1:]
    own = cache.Cache(place)
    own.write(cache.content(int(seed)))
    source = role == "prefill"
    with own.attach(folder, baton.Role.PREFILL if source else baton.Role.DECODE) as engine:
        print("attached", flush=True)
        rooms = []
        for line in sys.stdin:
            number, *pages = map(int, line.split())
            total = len(pages) * cache.PAGE_TOKENS
            if source:
                rooms.append(engine.open_send(number, total))
                bed.wait_offered(rooms[-1])
                rooms[-1].send(0, total, [pages], last=True)
            else:
                rooms.append(engine.open_receive(number, "prefill-a", total, pages=[pages]))
            print("open", number, flush=True)


if __name__ == "__main__":
    main()
