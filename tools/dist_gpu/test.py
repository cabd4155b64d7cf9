#!/usr/bin/env python3
"""Tests Baton on a machine with GPUs: what tools/dist_gpu/build.sh laid out, all of it, within
eight minutes. The last line counts.

    python3 test.py [STEP ...]
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = os.path.join(HERE, "python")
PROGRAMS = os.path.join(PYTHON, "baton", "bin")
STEP_S = 240


def run(words: list[str], timeout: float = STEP_S, **environment: str) -> tuple[int, str]:
    """Status and output; a step that takes too long has failed."""
    environment = {**os.environ, "PYTHONPATH": PYTHON, "PYTHONUNBUFFERED": "1",
                   "BATON_PROGRAMS": PROGRAMS, **environment}
    # What it started ends with it, whatever happens.
    process = subprocess.Popen(words, cwd=PYTHON, env=environment, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        return 124, output + f"\nstopped after {timeout:.0f} s"
    return process.returncode, output


def unittests(module: str, **environment: str):
    # Pools of 256 MiB: pages of 4 KiB in 8 views.
    return run([sys.executable, "-m", "unittest", "-v", module],
               **{"BATON_GPU_PAGES": "8192", "BATON_GPU_KILLS": "8", **environment})


def program(name: str, *words: str, under: tuple[str, ...] = (), **environment: str):
    return run([*under, os.path.join(HERE, "bin", name), *words],
               LD_LIBRARY_PATH=os.path.join(HERE, "lib") + ":" +
               os.environ.get("LD_LIBRARY_PATH", ""), **environment)


def machine():
    return run(["sh", "-c", "nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv; "
                "nvidia-smi topo -m; python3 -c 'import torch; print(\"torch\", "
                "torch.__version__)'; uname -r"])


def kernel():
    """The committed PTX is what nvcc makes of the source."""
    with tempfile.TemporaryDirectory() as folder:
        made = os.path.join(folder, "pull.ptx")
        status, output = run(["bash", os.path.join(HERE, "kernel", "make_ptx.sh"), made])
        if status != 0:
            return status, output

        def code(path: str) -> str:
            with open(path, encoding="utf-8") as file:
                return re.sub(r"//.*", "", file.read())
        same = code(made) == code(os.path.join(HERE, "kernel", "pull.ptx"))
        return (0, "the same") if same else (1, "differs from pull.ptx")


def doctor():
    """What it finds of GPUs; no agent runs here, so that other checks may fail."""
    with tempfile.TemporaryDirectory() as folder:
        _, output = run([os.path.join(PROGRAMS, "batonctl"), "doctor", "--transport=cuda", "-o",
                         "wide", f"--attach_socket={folder}/attach.sock"])
    line = next((line for line in output.split("\n") if "GPUs" in line), "")
    return (0 if " OK " in line.upper() or line.upper().startswith("OK") else 1), output


def conformance():
    return program("cuda_conformance_test", "--gtest_brief=1", BATON_CUDA_DRIVER="libcuda.so.1")


def sanitizer():
    """The kernel's every access to memory, over what the conformance suite moves."""
    tool = shutil.which("compute-sanitizer") or "/usr/local/cuda/bin/compute-sanitizer"
    return program("cuda_conformance_test", "--gtest_brief=1",
                   "--gtest_filter=*Moves*:*Lands*:*Fence*:*Closes*-*FourGiB*",
                   under=(tool, "--error-exitcode=9"), BATON_CUDA_DRIVER="libcuda.so.1")


def torch_pd(model: str):
    return run([sys.executable, "-m", "client.examples.torch_pd", "--model=" + model,
                "--device=cuda", "--transport=cuda"])


STEPS = {
    "machine": machine,
    "kernel": kernel,
    "doctor": doctor,
    "pools": lambda: program("cuda_pool_gpu_test"),
    "rooms": lambda: unittests("tests.gpu.rooms_test"),
    "killed": lambda: unittests("tests.gpu.killed_test"),
    # Pools of 32 MiB: all of it is compared after every 64 rooms.
    "many rooms": lambda: unittests("tests.gpu.many_rooms_test", BATON_GPU_PAGES="1024",
                                    BATON_GPU_ROOMS="100000"),
    "torch llama": lambda: torch_pd("llama"),
    "torch mla": lambda: torch_pd("mla"),
    "figures": lambda: run([sys.executable, "-m", "tests.gpu.figures"]),
    "conformance": conformance,
    "sanitizer": sanitizer,
}


def main() -> int:
    failed = []
    began = time.monotonic()
    wanted = sys.argv[1:] or list(STEPS)
    with open(os.path.join(HERE, "COMMIT"), encoding="utf-8") as file:
        print("test-gpu: commit", file.read().strip(), flush=True)
    for name in wanted:
        start = time.monotonic()
        status, output = STEPS[name]()
        print("\n".join("  | " + line for line in output.strip().split("\n")[-60:]))
        print("%s: %s in %.1f s" % (name, "PASS" if status == 0 else "FAIL (%d)" % status,
                                    time.monotonic() - start), flush=True)
        if status != 0:
            failed.append(name)
    print("test-gpu: %d of %d steps passed in %.0f s%s" %
          (len(wanted) - len(failed), len(wanted), time.monotonic() - began,
           "; failed: " + ", ".join(failed) if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
