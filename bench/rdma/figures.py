"""What `make bench-rdma` runs, and the table that it prints: medians of interleaved rounds, Baton
beside ib_write_bw with the same queue pairs, depth and message size."""
import dataclasses
import re
import statistics

_K = 1 << 10
_MIB = 1 << 20
_DEPTH = 128


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    side: str  # "perftest", "ucx", "raw" or "baton"
    arguments: str
    baseline: str = ""
    target: float = 0
    above: bool = False  # strictly more than the target


def _size(page: int) -> str:
    return "%d MiB" % (page // _MIB) if page >= _MIB else "%d KiB" % (page // _K)


def _bytes_of(page: int) -> int:
    return (64 if page < 64 * _K else 256) * _MIB


def _perftest(page: int, queue_pairs: int, post_list: int = 1) -> Case:
    name = "ib_write_bw %s, %d qp" % (_size(page), queue_pairs)
    arguments = "-s %d -q %d -t %d -n %d" % (page, queue_pairs, _DEPTH,
                                             _bytes_of(page) // page // queue_pairs)
    if post_list > 1:
        name += ", post lists of %d" % post_list
        arguments += " -l %d" % post_list
    return Case(name, "perftest", arguments)


def _pool(pool_mib: int) -> str:
    return ", over %d MiB" % pool_mib if pool_mib > 1 else ""


def _baton(page: int, order: str, queue_pairs: int, baseline: Case, target: float = 0,
           above: bool = False, pool_mib: int = 1) -> Case:
    """perftest writes from one buffer of a message's size to another, which stay in the CPU's
    cache; a pool of 1 MiB is as near to that as pages come."""
    return Case("baton %s %s, %d qp%s" % (_size(page), order, queue_pairs, _pool(pool_mib)),
                "baton",
                "--page=%d --order=%s --mib=%d --pool_mib=%d --queue_pairs=%d --depth=%d"
                % (page, order, _bytes_of(page) // _MIB, pool_mib, queue_pairs, _DEPTH),
                baseline.name, target, above)


def _raw(page: int, pool_mib: int, baseline: Case) -> Case:
    """A loop over libibverbs, which goes over a pool as Baton does: the yardstick for pools that
    are larger than the cache."""
    return Case("verbs loop %s scattered, 1 qp%s" % (_size(page), _pool(pool_mib)), "raw",
                "--page=%d --order=scattered --mib=%d --pool_mib=%d --depth=%d"
                % (page, _bytes_of(page) // _MIB, pool_mib, _DEPTH), baseline.name)


_LARGE_MIB = 16


def _over_large_pools(page: int, perftest: Case) -> list[Case]:
    large = _raw(page, _LARGE_MIB, perftest)
    return [_raw(page, 1, perftest), large,
            _baton(page, "scattered", 1, large, pool_mib=_LARGE_MIB)]


def _ucx(page: int, baseline: Case) -> Case:
    return Case("ucx_perftest put, zcopy, rc_verbs, %s" % _size(page), "ucx",
                "-s %d -n %d" % (page, _bytes_of(page) // page), baseline.name)


_SEVERAL = 4


def _of_small_pages() -> list[Case]:
    made = []
    for queue_pairs in (1, _SEVERAL):
        single = _perftest(4 * _K, queue_pairs)
        lists = _perftest(4 * _K, queue_pairs, 32)
        made += [single, lists, _baton(4 * _K, "scattered", queue_pairs, lists, 0.9),
                 _baton(4 * _K, "contiguous", queue_pairs, single, 1, above=True)]
        if queue_pairs == 1:
            made += [*_over_large_pools(4 * _K, lists), _ucx(4 * _K, single)]
    return made


def _of_pages(page: int, target: float) -> list[Case]:
    made = []
    for queue_pairs in (1, _SEVERAL):
        base = _perftest(page, queue_pairs)
        made += [base, _baton(page, "scattered", queue_pairs, base, target),
                 _baton(page, "contiguous", queue_pairs, base, target)]
        if queue_pairs == 1:
            # One call a message costs perftest more than the bytes do, up to some size.
            lists = _perftest(page, 1, 32)
            made += [lists, *_over_large_pools(page, lists), _ucx(page, base)]
    return made


def cases() -> list[Case]:
    """Those of one page size share the size in their names, and stand side by side."""
    return (_of_small_pages() + _of_pages(16 * _K, 0) + _of_pages(64 * _K, 0.95)
            + _of_pages(_MIB, 0.95))


def script(what: list[Case]) -> str:
    """The file that in_guest.sh reads."""
    return "".join("%s|%s|%s\n" % (c.name, c.side, c.arguments) for c in what)


@dataclasses.dataclass
class Samples:
    mib_per_s: list[float] = dataclasses.field(default_factory=list)
    cpu_ns_per_byte: list[float] = dataclasses.field(default_factory=list)


def read(lines: list[str]) -> dict[str, Samples]:
    """Of what the guest printed: the samples of each case."""
    found: dict[str, Samples] = {}
    current = Samples()
    for line in lines:
        if line.startswith("@case "):
            current = found.setdefault(line[len("@case "):], Samples())
            continue
        match = re.match(r"^(?:perftest|ucx|raw|baton) ([0-9.]+)(?: ([0-9.]+))?$", line)
        if match:
            current.mib_per_s.append(float(match.group(1)))
            if match.group(2):
                current.cpu_ns_per_byte.append(float(match.group(2)))
    return found


def _verdict(case: Case, ratio: float) -> str:
    if not case.target:
        return ""
    met = ratio > case.target if case.above else ratio >= case.target
    return "%s %.2f %s" % (">" if case.above else ">=", case.target, "ok" if met else "MISSED")


def table(what: list[Case], found: dict[str, Samples]) -> list[str]:
    lines = ["%-46s %6s %8s %17s %6s %8s" % ("case", "rounds", "MiB/s", "least to most", "ratio",
                                             "CPU ns/B")]
    for case in what:
        samples = found.get(case.name, Samples())
        if not samples.mib_per_s:
            lines.append("%-46s  no figure" % case.name)
            continue
        middle = statistics.median(samples.mib_per_s)
        row = "%-46s %6d %8.0f %8.0f %8.0f" % (case.name, len(samples.mib_per_s), middle,
                                               min(samples.mib_per_s), max(samples.mib_per_s))
        base = found.get(case.baseline, Samples()).mib_per_s
        if base:
            ratio = middle / statistics.median(base)
            cpu = (" %8.3f" % statistics.median(samples.cpu_ns_per_byte)
                   if samples.cpu_ns_per_byte else "")
            row += " %6.2f%s  %s" % (ratio, cpu, _verdict(case, ratio))
        lines.append(row.rstrip())
    return lines


# A baseline above this says more of the host's load than of the path.
_BASELINE_US_MAX = 100
_LATENCY_RATIO_MAX = 2


def _microseconds(samples: list[tuple[float, float]]) -> str:
    middle, late = (statistics.median(column) for column in zip(*samples))
    return "%.1f us, 99 %% in %.1f us" % (middle, late)


def latency(lines: list[str]) -> list[str]:
    """The lines of the two guests' part: the smallest part beside ib_write_lat, then the smallest
    room from engine to engine. perftest prints half of a round trip of two writes, so its figure is
    one write's way there."""
    found: dict[str, list[tuple[float, float]]] = {"perftest": [], "baton": [], "engines": []}
    for line in lines:
        match = re.match(r"^(perftest|baton|engines) ([0-9.]+) [0-9.]+ ([0-9.]+)$", line)
        if match:
            found[match.group(1)].append((float(match.group(2)), float(match.group(3))))
    if not all(found.values()):
        missing = ", ".join(side for side in found if not found[side])
        return ["two guests, 64 bytes: no figure of %s" % missing]
    base, ours = (statistics.median(middle for middle, _ in found[side])
                  for side in ("perftest", "baton"))
    ratio = ours / base
    verdict = "<= %d %s" % (_LATENCY_RATIO_MAX, "ok" if ratio <= _LATENCY_RATIO_MAX else "MISSED")
    if base > _BASELINE_US_MAX:
        verdict = "does not count, the baseline is above %d us" % _BASELINE_US_MAX
    return ["two guests, 64 bytes, medians of the rounds' medians and 99 %:",
            "  ib_write_lat, one way          " + _microseconds(found["perftest"]),
            "  baton, Submit to completion    %s; ratio %.2f, %s"
            % (_microseconds(found["baton"]), ratio, verdict),
            "  engine to engine               " + _microseconds(found["engines"])]
