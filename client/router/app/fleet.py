"""Servers that baton-router can find: registered by a real agent, with an HTTP API a test plays."""
import contextlib
import http.client
import http.server
import json
import os
import tempfile
import threading

import baton
from client.python.tests import pairs
from tests.programs import program


class Call:
    """One request at an engine, in the engine's hands until `play` returns."""

    def __init__(self, handler: http.server.BaseHTTPRequestHandler, body: dict):
        self._handler = handler
        self.body = body

    def answer(self, said: dict, status: int = 200) -> None:
        text = json.dumps(said).encode()
        self._handler.send_response(status)
        self._handler.send_header("Content-Type", "application/json")
        self._handler.send_header("Content-Length", str(len(text)))
        self._handler.end_headers()
        self._handler.wfile.write(text)

    def begin_stream(self) -> None:
        self._handler.send_response(200)
        self._handler.send_header("Content-Type", "text/event-stream")
        self._handler.send_header("Transfer-Encoding", "chunked")
        self._handler.end_headers()

    def piece(self, said: dict) -> None:
        event = b"data: " + json.dumps(said).encode() + b"\n\n"
        self._handler.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))

    def end_stream(self) -> None:
        self._handler.wfile.write(b"0\r\n\r\n")

    def wait_for_the_end(self) -> None:
        """Until the router has closed the connection."""
        self._handler.connection.settimeout(program.LIMIT_S)
        while self._handler.connection.recv(1):
            pass


class Api:
    """The API of one engine. Without a script it answers with one piece."""

    def __init__(self, test, name: str):
        self.name = name
        self.bodies = []
        self.authorizations = []
        self.closed = 0  # requests whose connection the router closed
        self.script = self.say_who
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                size = int(self.headers["Content-Length"])
                body = json.loads(self.rfile.read(size))
                api.authorizations.append(self.headers["Authorization"])
                api.bodies.append(body)
                with contextlib.suppress(BrokenPipeError):
                    api.script(Call(self, body))
                self.close_connection = True

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = "127.0.0.1:%d" % self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        test.addCleanup(self._server.server_close)
        test.addCleanup(self._server.shutdown)

    def say_who(self, call: Call) -> None:
        call.answer({"choices": [{"text": "from " + self.name, "finish_reason": "length"}]})

    def hang(self, call: Call) -> None:
        call.wait_for_the_end()
        self.closed += 1

    @staticmethod
    def fail(call: Call) -> None:
        call.answer({"error": "out of order"}, 500)


class Fleet:
    """A bootstrap service, one agent that hosts everything, servers by name, and a router."""

    def __init__(self, test):
        self._test = test
        self._folder = tempfile.TemporaryDirectory()
        test.addCleanup(self._folder.cleanup)
        self.bootstrap = program.start_bootstrap(test, self._folder.name)
        self._side = pairs.Side(test, self.bootstrap.address(), baton.Role.PREFILL)
        self._pool = baton.HostPool(pairs.POOL_BYTES)
        self.router = None

    def add(self, role: baton.Role, name: str, engine: str = "vllm", **labels: str) -> Api:
        api = Api(self._test, name)
        self.engine = self._side.attach(
            self._pool.region(), server=name, role=role,
            labels={"engine": engine, "http": api.address, **labels})
        return api

    def start_router(self, **flags: str) -> program.Program:
        folder = os.path.join(self._folder.name, "router")
        os.mkdir(folder)
        self.router = program.Program(program.ROUTER, folder,
                                      bootstrap=self.bootstrap.address(), **flags)
        self._test.addCleanup(self.router.end)
        return self.router

    def open(self, body: dict | bytes, path: str = "/v1/completions",
             **headers: str) -> http.client.HTTPConnection:
        """A request on its way; closing it is going away."""
        host, _, port = self.router.address().rpartition(":")
        client = http.client.HTTPConnection(host, int(port), timeout=program.LIMIT_S)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        client.request("POST", path, data, {"Content-Type": "application/json", **headers})
        self._test.addCleanup(client.close)
        return client

    def post(self, body: dict | bytes, path: str = "/v1/completions",
             **headers: str) -> tuple[int, str]:
        """Status and text."""
        reply = self.open(body, path, **headers).getresponse()
        return reply.status, reply.read().decode()

    def metric(self, name: str) -> float:
        """A sample of the router's, by its name and labels as they stand there."""
        _, text = self.router.get("/metrics")
        found = [line for line in text.splitlines() if line.startswith(name + " ")]
        assert len(found) == 1, text
        return float(found[0].rpartition(" ")[2])
