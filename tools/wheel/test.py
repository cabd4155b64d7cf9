"""Builds the wheel and uses it as a new user does: installs it, and hands a prompt over.

    tools/test_wheel [--wheel=FILE]
"""
import argparse
import glob
import os
import subprocess
import sys
import tempfile
import unittest

from tools.deploy import guides

WHEEL = None
PAGES = ["README.md"] + sorted(glob.glob("docs/guides/*.md"))
# Far beyond what a passing test takes.
LIMIT_S = 300
# Libraries that every Linux has.
EVERYWHERE = r"lib(c|m|dl|rt|z|gcc_s|stdc\+\+|pthread|resolv)\.so"


def run(*words: str, **more) -> str:
    """Standard output and error of a command that must succeed."""
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=LIMIT_S, check=False, **more)
    if done.returncode != 0:
        raise AssertionError("%s: exit status %d\n%s" % (" ".join(words), done.returncode,
                                                        done.stdout))
    return done.stdout


class WheelTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls._folder = tempfile.TemporaryDirectory()
        cls.bin = os.path.join(cls._folder.name, "bin")
        run("/usr/bin/python3", "-m", "venv", cls._folder.name)
        run(os.path.join(cls.bin, "pip"), "install", "--quiet", "--disable-pip-version-check",
            "baton-kv[router] @ file://" + os.path.abspath(WHEEL), "pytest")

    @classmethod
    def tearDownClass(cls):
        cls._folder.cleanup()

    def python(self, *words: str, **more) -> str:
        return run(os.path.join(self.bin, "python"), *words, **more)

    def package(self) -> str:
        """The folder where `baton` was installed."""
        return self.python("-P", "-c", "import baton; print(baton.__path__[0])").strip()

    def test_one_wheel_serves_every_python_from_3_10_on(self):
        self.assertRegex(os.path.basename(WHEEL),
                         r"^baton_kv-[\d.]+-py3-none-manylinux_2_\d+_x86_64")

    def test_two_commands_hand_a_prompt_over(self):
        for transport in ("tcp", "shm"):
            said = self.python("-m", "baton.demo", "--transport=" + transport, "--rooms=5")
            self.assertIn("5 rooms of 1024 tokens, 80 MiB, every byte checked", said)
            self.assertIn("demo: PASS", said)

    def test_the_programs_are_on_the_path(self):
        for program in ("baton-bootstrap", "baton-agent", "batonctl"):
            self.assertIn(program, run(os.path.join(self.bin, program), "--help"))

    def test_no_library_of_the_system_is_needed_but_those_that_every_linux_has(self):
        site = self.package()
        for file in glob.glob(site + "/bin/*") + [site + "/lib/libbaton_c.so"]:
            for line in run("ldd", file).splitlines():
                if "=>" in line and not line.split("=>")[1].strip().startswith(
                        os.path.realpath(os.path.dirname(site))):
                    self.assertRegex(line, EVERYWHERE, file)

    def test_what_the_guides_say_of_the_wheel_works(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(folder + "/dist")
            os.symlink(os.path.abspath(WHEEL), "%s/dist/%s" % (folder, os.path.basename(WHEEL)))
            ran = 0
            for page in PAGES:
                with open(page, encoding="utf-8") as file:
                    blocks = guides.of_commands(file.read())
                for block in blocks:
                    if block.mark == "not run: make test-wheel runs it":
                        run("bash", "-euc", block.text, cwd=folder,
                            env={**os.environ, "PATH": self.bin + ":" + os.environ["PATH"]})
                        ran += 1
        self.assertGreaterEqual(ran, 2)

    def test_the_packages_own_tests_pass_on_what_is_installed(self):
        tests = sorted(glob.glob("client/python/*tests/*_test.py"))
        said = self.python("-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests,
                           env={**os.environ, "PYTHONPATH": os.getcwd(),
                                "PYTHONDONTWRITEBYTECODE": "1",
                                "BATON_PROGRAMS": os.path.join(self.package(), "bin")})
        self.assertRegex(said, r"\d+ passed")


def main():
    global WHEEL
    parser = argparse.ArgumentParser(prog="tools/test_wheel", description=__doc__)
    parser.add_argument("--wheel", help="test this one instead of building it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.wheel is None:
            subprocess.run(["tools/wheel/build.sh", folder], check=True)
            arguments.wheel = glob.glob(folder + "/*.whl")[0]
        WHEEL = arguments.wheel
        result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(
            unittest.defaultTestLoader.loadTestsFromTestCase(WheelTest))
    failed = len(result.failures) + len(result.errors)
    print("%d passed, %d failed, %d skipped" % (result.testsRun - failed - len(result.skipped),
                                                failed, len(result.skipped)))
    return 1 if failed or result.testsRun == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
