"""The command: python -m baton.router."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal

import aiohttp
import grpc
from aiohttp import web

from baton.router.picks import Picker
from baton.router.proxy import Proxy
from baton.router.table import Table
from baton.v1 import bootstrap_pb2_grpc

# Keepalives find a registry that vanished.
_OPTIONS = [("grpc.keepalive_time_ms", 10000), ("grpc.keepalive_timeout_ms", 5000)]
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=2.0)


async def serve(bootstrap: str, listen: str, port_file: str | None) -> None:
    """Until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    host, _, port = listen.rpartition(":")
    async with (
        grpc.aio.insecure_channel(bootstrap, _OPTIONS) as channel,
        aiohttp.ClientSession(timeout=_TIMEOUT,
                              connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        stub = bootstrap_pb2_grpc.BootstrapStub(channel)
        table = Table(stub)
        watch = asyncio.create_task(table.run())
        # A handler ends when its client goes away.
        runner = web.AppRunner(Proxy(Picker(table, stub), session).application(),
                               handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, host, int(port))
        await site.start()
        address = "%s:%d" % runner.addresses[0][:2]
        logging.info("router: serving at %s, registry %s", address, bootstrap)
        if port_file:
            with open(port_file, "w") as file:
                file.write(address)
        await stop.wait()
        watch.cancel()
        await runner.cleanup()


def main() -> None:
    """Parses the command line and serves."""
    parser = argparse.ArgumentParser(prog="python -m baton.router",
                                     description="Sends each request to a prefill and a decode "
                                                 "server at once, and passes the answer through.")
    parser.add_argument("--bootstrap", default="127.0.0.1:7411", help="Baton's registry")
    parser.add_argument("--listen", default="127.0.0.1:8000",
                        help="host:port; port 0 takes a free one")
    parser.add_argument("--port_file", help="file to write the address to, once it is served")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(serve(arguments.bootstrap, arguments.listen, arguments.port_file))


if __name__ == "__main__":
    main()
