"""The images' root file systems: both programs and the demo run in them, with nothing of this host
but /proc and /dev/shm, so that a library missing from an image is found."""
import glob
import os
import re
import shutil
import subprocess
import tempfile
import time
import unittest

from tools.deploy import fetched
from tools.deploy import pods
from tools.deploy import render

IMAGES = "deploy/images"
LIMIT_S = 120
# Lists what a program needs, as ldd does, for which there is no shell in an image.
LOADER = (glob.glob("/lib64/ld-linux-*.so.*") + glob.glob("/lib/ld-linux-*.so.*"))[0]
USER = "65532"


def entrypoint(image: str) -> str:
    with open("%s/Containerfile.%s" % (IMAGES, image), encoding="utf-8") as f:
        return re.findall(r'(?m)^ENTRYPOINT \["([^"]+)"\]$', f.read())[-1]


def device(root: str, name: str, minor: int) -> None:
    """As a container's runtime makes them."""
    path = os.path.join(root, "dev", name)
    os.mknod(path, 0o20666, os.makedev(1, minor))
    os.chmod(path, 0o666)


def programs(root: str) -> list[str]:
    found = []
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            with open(path, "rb") as f:
                if f.read(4) == b"\x7fELF" and ".so" not in name:
                    found.append("/" + os.path.relpath(path, root))
    return sorted(found)


@unittest.skipUnless(os.geteuid() == 0, "chroot and mknod need root")
class ImagesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="baton-images")
        cls.context = os.path.join(cls.folder, "context")
        subprocess.run([IMAGES + "/stage.sh", cls.context], check=True)
        cls.roots = {image: cls.lay_out(image) for image in ("bootstrap", "agent", "demo")}

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def lay_out(cls, image: str) -> str:
        """What the Containerfile's stage `root` does, on this machine."""
        root = os.path.join(cls.folder, image)
        with open("%s/Containerfile.%s" % (cls.context, image), encoding="utf-8") as f:
            text = f.read().partition("\nFROM scratch")[0]
        packages = re.search(r"/image/root\.sh /image/(\S+) /root-fs", text).group(1)
        subprocess.run([cls.context + "/root.sh", os.path.join(cls.context, packages), root,
                        os.path.join(fetched.cache(), "debs")], check=True,
                       stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for sources, target in re.findall(r"(?m)^COPY (.+) /root-fs/(\S+)$", text):
            os.makedirs(os.path.join(root, target), exist_ok=True)
            for source in sources.split():
                source = os.path.join(cls.context, source)
                if os.path.isdir(source):
                    shutil.copytree(source, os.path.join(root, target), dirs_exist_ok=True)
                else:
                    shutil.copy(source, os.path.join(root, target))
        os.makedirs(os.path.join(root, "dev/shm"), exist_ok=True)
        for name, minor in (("null", 3), ("zero", 5), ("random", 8), ("urandom", 9)):
            device(root, name, minor)
        return root

    def start(self, root: str, *command: str, **kwargs) -> subprocess.Popen:
        """As process 1 of namespaces of its own, as the image's user."""
        inside = ('mount -t proc proc "$0/proc" && mount --bind /dev/shm "$0/dev/shm" && '
                  'exec chroot --userspec=%s:%s "$0" "$@"' % (USER, USER))
        program = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--ipc", "--uts", "--net",
             "sh", "-c", "ip link set lo up && " + inside, root, *command], env={},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            **kwargs)
        self.addCleanup(program.stdout.close)
        self.addCleanup(program.wait)
        self.addCleanup(program.kill)
        return program

    def run_in(self, root: str, *command: str) -> tuple[int, str]:
        program = self.start(root, *command)
        output, _ = program.communicate(timeout=LIMIT_S)
        return program.returncode, output

    def process_one(self, program: subprocess.Popen) -> int:
        """This host's number of the program that is process 1 in there."""
        path = "/proc/%d/task/%d/children" % (program.pid, program.pid)
        with open(path, encoding="utf-8") as f:
            return int(f.read().split()[0])

    def await_file(self, path: str, program: subprocess.Popen) -> None:
        deadline = time.monotonic() + LIMIT_S
        while not os.path.exists(path):
            if program.poll() is not None or time.monotonic() > deadline:
                self.fail("no %s: %s" % (path, program.stdout.read()))
            time.sleep(0.01)

    def check_ends_on_sigterm(self, program: subprocess.Popen) -> None:
        subprocess.run(["kill", "-TERM", str(self.process_one(program))], check=True)
        output, _ = program.communicate(timeout=LIMIT_S)
        self.assertEqual(program.returncode, 0, output)

    def test_no_program_lacks_a_library(self):
        for image, root in self.roots.items():
            found = programs(root)
            self.assertIn(entrypoint(image), found)
            for path in found:
                with self.subTest(image=image, program=path):
                    status, output = self.run_in(root, LOADER, "--list", path)
                    self.assertEqual(status, 0, output)
                    self.assertNotIn("not found", output)

    def test_a_missing_library_is_found(self):
        root = os.path.join(self.folder, "lacking")
        shutil.copytree(self.roots["bootstrap"], root, symlinks=True,
                        ignore=shutil.ignore_patterns("libre2*", "dev"))
        os.makedirs(root + "/dev/shm")
        status, output = self.run_in(root, entrypoint("bootstrap"), "--help")
        self.assertNotEqual(status, 0)
        self.assertIn("libre2", output)

    def test_the_drivers_of_rdma_devices_load(self):
        root = self.roots["agent"]
        drivers = [d for d in glob.glob(root + "/usr/lib/*/libibverbs/lib*.so")
                   if os.path.basename(d).startswith(("libmlx5", "libbnxt_re", "libefa", "librxe"))]
        self.assertEqual(len(drivers), 4)
        for path in drivers:
            status, output = self.run_in(root, LOADER, "--list",
                                         "/" + os.path.relpath(path, root))
            self.assertEqual(status, 0, output)
            self.assertNotIn("not found", output)

    def test_there_is_no_shell_and_no_other_program(self):
        self.assertEqual(programs(self.roots["bootstrap"]), [entrypoint("bootstrap")])
        self.assertEqual(programs(self.roots["agent"]),
                         [entrypoint("agent"), "/usr/bin/batonctl"])

    def test_the_programs_are_stripped_and_the_images_small(self):
        for image, limit_mib in (("bootstrap", 40), ("agent", 50), ("demo", 60)):
            size = int(subprocess.run(["du", "-sm", self.roots[image]], capture_output=True,
                                      text=True, check=True).stdout.split()[0])
            print("%s: %d MiB" % (image, size))
            self.assertLess(size, limit_mib, image)
            path = self.roots[image] + entrypoint(image)
            sections = subprocess.run(["readelf", "-SW", path], capture_output=True, text=True,
                                      check=True).stdout
            self.assertNotIn(".symtab", sections)

    def test_both_programs_run_as_process_1_and_end_on_sigterm(self):
        root = self.roots["bootstrap"]
        bootstrap = self.start(root, entrypoint("bootstrap"), "--listen=127.0.0.1:0",
                               "--probe_listen=127.0.0.1:0", "--admin_listen=127.0.0.1:0",
                               "--port_file=/tmp/port")
        self.await_file(root + "/tmp/port", bootstrap)
        self.check_ends_on_sigterm(bootstrap)
        root = self.roots["agent"]
        agent = self.start(root, entrypoint("agent"), "--bootstrap=127.0.0.1:7411",
                           "--listen=127.0.0.1:0", "--probe_listen=127.0.0.1:0",
                           "--attach_socket=/tmp/attach", "--service_socket=/tmp/service",
                           "--port_file=/tmp/port")
        self.await_file(root + "/tmp/port", agent)
        self.check_ends_on_sigterm(agent)

    def test_what_the_manifests_start_is_in_the_images_and_knows_its_flags(self):
        seen = 0
        for pod in pods.of(render.render("deploy/k8s/overlays/loopback-demo")):
            for container in pod.containers():
                image = container["image"].partition(":")[0].removeprefix("baton-")
                command = container.get("command", [entrypoint(image)])
                status, output = self.run_in(self.roots[image], command[0], "--help")
                self.assertIn(status, (0, 1), output)
                for flag in re.findall(r"--(\w+)=", " ".join(command[1:])):
                    if not command[0].endswith("demo_host"):
                        self.assertRegex(output, r"(?m)^ *--%s\b" % flag)
                seen += 1
        self.assertEqual(seen, 6)

    def test_the_demo_passes(self):
        status, output = self.run_in(self.roots["demo"], entrypoint("demo"), "--short",
                                     "--transport=tcp,shm", "--pool_mib=512")
        self.assertEqual(status, 0, output)
        self.assertRegex(output, r"(?m)^demo: PASS ")

    def test_every_image_has_a_user_a_signal_and_a_program_without_a_shell(self):
        for path in glob.glob(IMAGES + "/Containerfile.*"):
            with open(path, encoding="utf-8") as f:
                stages = re.split(r"(?m)^FROM scratch", f.read())[1:]
            self.assertTrue(stages, path)
            for stage in stages:
                self.assertRegex(stage, r"(?m)^USER 65532:65532$")
                self.assertRegex(stage, r"(?m)^STOPSIGNAL SIGTERM$")
                self.assertRegex(stage, r'(?m)^ENTRYPOINT \["/')


if __name__ == "__main__":
    unittest.main()
