"""HTTP clients that send a byte now and then, and come back when they are put out."""
import socket
import threading
import unittest

from tests.e2e.field import fleet
from tests.programs import program


class Dripper(threading.Thread):
    def __init__(self, address: str, over: threading.Event):
        super().__init__(daemon=True)
        host, port = address.rsplit(":", 1)
        self._address = (host, int(port))
        self._over = over

    def run(self) -> None:
        while not self._over.is_set():
            try:
                with socket.create_connection(self._address, timeout=program.LIMIT_S) as connection:
                    for byte in b"GET /healthz HTTP/1.1\r\nX-Slow: " + b"y" * 500:
                        connection.sendall(bytes([byte]))
                        if self._over.wait(0.2):
                            return
            except OSError:
                continue


class DrippingTest(fleet.FieldTest):
    def test_slow_senders_leave_the_operators_port_open(self):
        bootstrap = self.bootstrap()
        over = threading.Event()
        drippers = [Dripper(bootstrap.admin_address(), over) for _ in range(40)]
        for dripper in drippers:
            dripper.start()
        try:
            for _ in range(20):
                self.assertEqual(bootstrap.get("/healthz"), (200, "ok\n"))
        finally:
            over.set()
            for dripper in drippers:
                dripper.join()


if __name__ == "__main__":
    unittest.main()
