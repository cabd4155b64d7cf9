"""Runs one command a file, several at once, within a budget of time, and shows how far it is."""
import concurrent.futures
import dataclasses
import os
import re
import subprocess
import time


@dataclasses.dataclass
class Result:
    path: str
    status: int | None  # None: not run, or stopped, when the budget was spent
    output: str


def _run(path: str, command: list[str], cwd: str, deadline: float) -> Result:
    left = deadline - time.monotonic()
    if left <= 0:
        return Result(path, None, "")
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=left)
    except subprocess.TimeoutExpired:
        return Result(path, None, "")
    # A tool's own count of suppressed warnings says nothing to a reader.
    return Result(path, done.returncode, done.stdout if done.stdout.strip() else done.stderr)


def run(name: str, jobs: list[tuple[str, list[str]]], cwd: str, budget_s: float) -> list[Result]:
    start = time.monotonic()
    deadline = start + budget_s
    results = []
    workers = os.cpu_count() or 1
    shown = start
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(_run, path, command, cwd, deadline) for path, command in jobs]
        for future in concurrent.futures.as_completed(futures):
            results.append(future.result())
            now = time.monotonic()
            if now - shown > 20:
                shown = now
                print("%s: %d of %d files, %d s" % (name, len(results), len(jobs), now - start),
                      flush=True)
    return results


# Where a finding begins in the output of a compiler or of clang-tidy.
_FINDING = re.compile(r"(?m)^(?=(?:\./)?\S+:\d+:\d+: (?:error|warning):)")


def distinct(outputs: list[str]) -> list[str]:
    """The findings, each once: one in a header comes back with every file that includes it."""
    found: dict[str, None] = {}
    for output in outputs:
        for part in _FINDING.split(output):
            if part.strip():
                found[part.strip()] = None
    return list(found)


def report(name: str, results: list[Result]) -> int:
    """Prints the findings; 1 when there are any."""
    bad = [r for r in results if r.status not in (0, None)]
    for each in distinct([r.output for r in sorted(bad, key=lambda r: r.path)]):
        print(each)
    unseen = sum(r.status is None for r in results)
    late = ", %d not looked at within the budget" % unseen if unseen else ""
    print("%s: %d files, %d with findings%s" % (name, len(results) - unseen, len(bad), late),
          flush=True)
    return 1 if bad else 0
