"""A TCP proxy on loopback whose target's answers are late by a fixed time."""
import asyncio
import threading


class SlowProxy:
    def __init__(self, target: str, delay_s: float):
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))
        self._delay_s = delay_s
        self.connections = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._bound = threading.Event()
        self.address = ""
        self._thread.start()
        self._bound.wait()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % server.sockets[0].getsockname()[1]
        self._bound.set()
        self._loop.run_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(self._carry(reader, far_writer, 0),
                             self._carry(far_reader, writer, self._delay_s),
                             return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
                     delay_s: float) -> None:
        loop = asyncio.get_running_loop()

        def pass_on(data: bytes) -> None:
            if not writer.is_closing():
                writer.write(data) if data else writer.close()

        while True:
            try:
                data = await reader.read(65536)
            except OSError:
                data = b""
            # Each piece is late by as much, and none waits for the one before.
            loop.call_later(delay_s, pass_on, data)
            if not data:
                return

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
