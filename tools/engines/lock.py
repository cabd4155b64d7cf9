"""Resolves NAME.in (with NAME.overrides) for Debian 12's Python on x86_64 and writes NAME.lock: one
line for each package, with the hash of the one wheel that fits. For whoever moves a pin:

    tools/engines/lock.py vllm
    tools/engines/lock.py vllm_bench --overrides vllm --less vllm
"""
import argparse
import json
import os
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def path(name: str, ending: str) -> str:
    return os.path.join(HERE, name + ending)


def resolve(name: str, overrides: str, out: str) -> None:
    command = ["uv", "pip", "compile", "-q", "--python-version", "3.11", "--python-platform",
               "x86_64-manylinux_2_36", "--generate-hashes", "--no-header", "--no-annotate",
               "--output-file", out, path(name, ".in")]
    if os.path.exists(path(overrides, ".overrides")):
        command += ["--override", path(overrides, ".overrides")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def wheels(requirements: str) -> list[str]:
    """What pip would install, a line each. It reads the wheels' metadata and downloads no wheel."""
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.json")
        subprocess.run(["/usr/bin/python3", "-m", "venv", folder + "/venv"], check=True)
        subprocess.run([folder + "/venv/bin/pip", "install", "-q", "--dry-run", "--no-deps",
                        "--ignore-installed", "--only-binary", ":all:", "--require-hashes",
                        "--report", report, "-r", requirements], check=True)
        with open(report, encoding="utf-8") as f:
            found = json.load(f)["install"]
    lines = []
    for item in found:
        about = item["metadata"]
        digest = item["download_info"]["archive_info"]["hashes"]["sha256"]
        lines.append("%s==%s --hash=sha256:%s" % (
            about["name"].lower().replace("_", "-"), about["version"], digest))
    return sorted(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    parser.add_argument("--overrides", default="")
    parser.add_argument("--less", default="", help="leave out what this lock has already")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        resolved = os.path.join(folder, "resolved.txt")
        resolve(options.name, options.overrides or options.name, resolved)
        lines = wheels(resolved)
    if options.less:
        with open(path(options.less, ".lock"), encoding="utf-8") as f:
            have = {line.split("==")[0] for line in f}
        lines = [line for line in lines if line.split("==")[0] not in have]
    with open(path(options.name, ".lock"), "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")
    print("%s.lock: %d wheels" % (options.name, len(lines)))


if __name__ == "__main__":
    main()
