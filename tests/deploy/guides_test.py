"""Every command block of the guides and of the README: run in order, page by page, with the
programs as built, in a network of its own and with nothing left behind. A block that cannot run
here is marked with a reason from the list below, and held against the tree instead."""
import functools
import glob
import os
import re
import subprocess
import tempfile
import unittest

from tools.deploy import guides
from tools.deploy import kubectl
from tools.deploy import render

PAGES = ["README.md"] + sorted(glob.glob("docs/guides/*.md"))
OVERLAYS = sorted(glob.glob("deploy/k8s/overlays/*"))
LIMIT_S = 60

# Why a block is not run, and what is checked in its place.
REASONS = {
    "CI runs it as a step of its own": "each make target is one of .ci/run",
    "make test-vllm runs it": "tests/engines/vllm/guide_test.py runs each block that is so marked",
    "make test-sglang runs it": "tests/engines/sglang/guides.py runs each block that is so marked",
    "make test-wheel runs it": "tools/wheel/test.py runs each block that is so marked",
    "needs RDMA devices": "each program is of a Debian package that the page names",
    "needs a container engine": "each Containerfile and script that it names is there",
}

PACKAGES = {"ib_write_bw": "perftest", "ibv_devinfo": "ibverbs-utils", "rdma": "iproute2",
            "ls": "coreutils"}


@functools.cache
def rendered(folder: str) -> list[dict]:
    return render.render(folder)


def read(path: str) -> str:
    with open(path, encoding="utf-8") as f:
        return f.read()


def run(page: str) -> tuple[int, str, dict[str, str]]:
    """Exit status, what was printed, and what each console command printed."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "script")
        with open(path, "w", encoding="utf-8") as f:
            f.write(guides.script(page, folder))
        isolated = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child",
                    "--mount-proc"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
        command = isolated + ["bash", "-c", "ip link set lo up; mount -t tmpfs tmpfs /run; "
                              "exec timeout -k 2 %d bash %s" % (LIMIT_S, path)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                              check=False, stderr=subprocess.STDOUT,
                              env={**os.environ, "TMPDIR": folder})
        printed = {}
        for path in glob.glob(folder + "/[0-9]*.[0-9]*"):
            if os.path.isfile(path):
                printed[os.path.basename(path)] = read(path)
        return done.returncode, done.stdout, printed


class GuidesTest(unittest.TestCase):
    def check_page(self, page: str) -> None:
        status, output, printed = run(page)
        self.assertEqual(status, 0, output)
        for block in guides.of_commands(page):
            if block.mark or block.kind != "console":
                continue
            for number, command in enumerate(guides.commands(block)):
                text = printed["%d.%d" % (block.line, number)]
                self.assertTrue(guides.fits(command.output, text), "line %d: %s prints\n%s" % (
                    block.line, command.text, text))

    def marked(self, mark: str):
        for path in PAGES:
            for block in guides.of_commands(read(path)):
                if block.mark == mark:
                    yield "%s:%d" % (path, block.line), block

    def test_every_block_runs_and_prints_what_the_page_says(self):
        for path in PAGES:
            with self.subTest(page=path):
                self.check_page(read(path))

    def test_every_page_has_a_block_or_says_that_it_needs_none(self):
        for path in PAGES:
            text = read(path)
            if "<!-- no commands -->" not in text:
                self.assertTrue(guides.of_commands(text), path)

    def test_what_looks_like_a_command_is_in_a_block_of_commands(self):
        for path in PAGES:
            for block in guides.blocks(read(path)):
                if block.kind in ("", "text"):
                    self.assertNotRegex(block.text, r"(?m)^(\$ |make |kubectl |batonctl )",
                                        "%s:%d" % (path, block.line))

    def test_every_mark_has_a_reason_from_the_list(self):
        for path in PAGES:
            for block in guides.of_commands(read(path)):
                if block.mark and block.mark != "cluster":
                    reason = block.mark.removeprefix("not run: ")
                    self.assertIn(reason, REASONS, "%s:%d" % (path, block.line))
                    print("not run: %s:%d: %s; %s" % (path, block.line, reason, REASONS[reason]))

    def test_what_ci_runs_as_a_step_is_a_step(self):
        steps = read(".ci/run")
        for where, block in self.marked("not run: CI runs it as a step of its own"):
            targets = re.findall(r"(?m)^(?:\$ )?make (.+?)(?:  +#.*)?$", block.text)
            self.assertTrue(targets, where)
            for target in " ".join(targets).split():
                if "=" not in target:
                    self.assertRegex(steps, r"(?m)^ *\w+ .*(make|tools/)[ ]?%s\b" % target, where)

    def test_what_needs_rdma_devices_names_programs_and_their_packages(self):
        for path in PAGES:
            page = read(path)
            for block in guides.of_commands(page):
                if block.mark != "not run: needs RDMA devices":
                    continue
                for line in block.text.splitlines():
                    package = PACKAGES[line.split()[0]]
                    self.assertTrue(package == "coreutils" or "`%s`" % package in page, line)

    def test_what_needs_a_container_engine_names_what_is_there(self):
        for where, block in self.marked("not run: needs a container engine"):
            for name in re.findall(r"Containerfile\.\w+|\b\w+\.sh", block.text):
                self.assertTrue(os.path.exists("deploy/images/" + name), where + ": " + name)

    def test_what_needs_a_cluster_names_what_the_manifests_have(self):
        blocks = list(self.marked("cluster"))
        self.assertTrue(blocks)
        for where, block in blocks:
            with self.subTest(block=where):
                self.assertEqual(kubectl.wrong(block.text, rendered, OVERLAYS), [])

    def test_a_block_that_fails_is_noticed(self):
        with self.assertRaises(AssertionError):
            self.check_page("```sh\ntrue\n```\n\n```sh\nfalse\n```\n")
        with self.assertRaises(AssertionError):
            self.check_page("```console\n$ false\n```\n")

    def test_an_output_that_differs_is_noticed(self):
        self.check_page("```console\n$ printf 'a  b 17\\nx\\ny\\nc\\n'\na b ...\n...\nc\n```\n")
        with self.assertRaises(AssertionError):
            self.check_page("```console\n$ echo yes\nno\n```\n")
        with self.assertRaises(AssertionError):
            self.check_page("```console\n$ printf 'a\\nb\\n'\na\n```\n")

    def test_a_kubectl_command_that_names_nothing_is_noticed(self):
        for bad in ("kubectl apply -k deploy/k8s/overlays/none", "kubectl -n nowhere get pods",
                    "kubectl -n baton logs job/none", "kubectl -n baton logs x -c none",
                    "kubectl frobnicate", "helm install x"):
            self.assertNotEqual(kubectl.wrong("$ " + bad, rendered, OVERLAYS), [], bad)


if __name__ == "__main__":
    unittest.main()
