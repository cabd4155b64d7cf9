"""Both status pages in Debian's chromium: what it makes of them, also of names that are markup.

    python3 -m tests.browser.browser_test            the tests; the last line counts them
    python3 -m tests.browser.browser_test PATH.png   writes the picture in docs/ instead
"""
import html.parser
import os
import struct
import subprocess
import sys
import tempfile
import unittest

SERVER = os.path.abspath("bazel-bin/tests/browser/show_pages")
PICTURE = "docs/status-page.png"
PICTURE_BYTES_MAX = 200 * 1024
LIMIT_S = 120
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         # Nothing but the page's own server can be reached.
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
         "--enable-logging=stderr"]


class Elements(html.parser.HTMLParser):
    """The elements that the browser made of a page, and their text."""

    def __init__(self, dom: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text: list[str] = []
        self.title = ""
        self._in_title = False
        self.feed(dom)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._in_title = tag == "title"

    def handle_data(self, data):
        if self._in_title:
            self.title += data
            self._in_title = False
        self.text.append(data)

    def count(self, tag: str, **attributes: str) -> int:
        wanted = {("class" if k == "style" else k): v for k, v in attributes.items()}
        return sum(1 for t, a in self.tags
                   if t == tag and all(a.get(k) == v for k, v in wanted.items()))


class Browser:
    def __init__(self):
        self.server = subprocess.Popen([SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       text=True)
        self.address = self.server.stdout.readline().strip()

    def run(self, path: str, *flags: str) -> subprocess.CompletedProcess:
        with tempfile.TemporaryDirectory() as folder:
            return subprocess.run(
                ["chromium", *FLAGS, "--user-data-dir=" + folder, *flags,
                 "http://%s%s" % (self.address, path)],
                capture_output=True, text=True, timeout=LIMIT_S, check=True)

    def end(self):
        self.server.stdin.close()
        self.server.wait(LIMIT_S)
        self.server.stdout.close()


class BrowserTest(unittest.TestCase):
    browser: Browser

    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.end()

    def open(self, path: str) -> Elements:
        result = self.browser.run(path, "--dump-dom")
        # A script, a style or an image that the page's policy refused is told here.
        self.assertNotIn("CONSOLE", result.stderr)
        self.assertIn("</html>", result.stdout)
        return Elements(result.stdout)

    def test_every_rank_of_every_server_is_a_cell(self):
        page = self.open("/bootstrap")
        self.assertEqual(page.count("td", style="missing"), 3)
        self.assertEqual(page.count("td", style="ready"), 4 * 8 + 2 * 4 * 8)
        self.assertEqual(page.count("td", style="draining"), 8)
        self.assertEqual(page.count("td", style="registering"), 2 * 8 - 3)
        self.assertEqual(page.count("table", style="grid"), 4 + 1 + 2 + 1)
        self.assertEqual(page.title, "baton-bootstrap")

    def test_an_agents_page_names_the_slowest_stage_and_the_cause_of_a_failure(self):
        text = " ".join(" ".join(self.open("/agent").text).split())
        self.assertIn("Slowest stage: land", text)
        self.assertIn("PEER_LOST", text)
        self.assertIn("nothing heard from decode-a for 3000 ms", text)
        self.assertIn("verbs (another host)", text)

    def test_a_hostile_name_makes_no_element_and_runs_nothing(self):
        for path, fair in (("/hostile_bootstrap", "/bootstrap"), ("/hostile_agent", "/agent")):
            page = self.open(path)
            self.assertEqual(page.count("script"), 0, path)
            self.assertEqual(page.count("img"), 0, path)
            self.assertNotEqual(page.title, "owned", path)
            self.assertIn("<script>document.title='owned'</script>", "".join(page.text), path)
            # The same elements as with a fair name, one for one.
            self.assertEqual([tag for tag, _ in page.tags],
                             [tag for tag, _ in self.open(fair).tags], path)

    def test_nothing_is_loaded_from_elsewhere(self):
        for path in ("/bootstrap", "/agent"):
            for tag, attributes in self.open(path).tags:
                self.assertNotIn("src", attributes, (path, tag))
                self.assertNotEqual(tag, "link", path)
                self.assertFalse(attributes.get("href", "/").startswith("http"), (path, tag))

    def test_the_picture_in_docs_is_one_of_the_page_and_small(self):
        with open(PICTURE, "rb") as file:
            picture = file.read()
        self.assertEqual(picture[:8], b"\x89PNG\r\n\x1a\n")
        self.assertLess(len(picture), PICTURE_BYTES_MAX)
        width, height = struct.unpack(">II", picture[16:24])
        self.assertGreater(width, 400)
        self.assertGreater(height, 300)

    def test_a_picture_can_be_taken(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "page.png")
            take(self.browser, path)
            self.assertGreater(os.path.getsize(path), 5000)


def take(browser: Browser, path: str) -> None:
    browser.run("/bootstrap", "--screenshot=" + path, "--window-size=900,900", "--hide-scrollbars")


def main() -> int:
    if len(sys.argv) > 1:
        browser = Browser()
        take(browser, os.path.abspath(sys.argv[1]))
        browser.end()
        return 0
    result = unittest.TextTestRunner(verbosity=2).run(
        unittest.defaultTestLoader.loadTestsFromTestCase(BrowserTest))
    failed = len(result.failures) + len(result.errors)
    skipped = len(result.skipped)
    passed = result.testsRun - failed - skipped
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
