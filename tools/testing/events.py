"""What became of each test target, read from Bazel's build event file (one JSON object a line)."""
import dataclasses
import json
import urllib.parse


@dataclasses.dataclass
class Shard:
    """The last attempt of one shard of a target."""
    attempt: int
    passed: bool
    ended: bool  # False: Bazel was stopped while it ran
    xml: str | None  # path
    log: str | None  # path


@dataclasses.dataclass
class Target:
    label: str
    shards: dict[tuple[int, int], Shard] = dataclasses.field(default_factory=dict)


def _path(outputs: list[dict], name: str) -> str | None:
    for output in outputs:
        if output.get("name") == name and output.get("uri", "").startswith("file://"):
            return urllib.parse.unquote(output["uri"][len("file://"):])
    return None


def _is_test(event: dict) -> bool:
    kind = event.get("configured", {}).get("targetKind", "")
    return kind.endswith("_test rule")


def read_events(lines) -> dict[str, Target]:
    """Every test target that Bazel configured; one without shards did not run."""
    targets: dict[str, Target] = {}
    for line in lines:
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            continue  # The last line of a build that was stopped.
        ident = event.get("id", {})
        if "targetConfigured" in ident and _is_test(event):
            label = ident["targetConfigured"]["label"]
            targets.setdefault(label, Target(label))
        elif "testResult" in ident and "testResult" in event:
            _add_result(targets, ident["testResult"], event["testResult"])
    return targets


def _add_result(targets: dict[str, Target], ident: dict, result: dict) -> None:
    target = targets.setdefault(ident["label"], Target(ident["label"]))
    key = (ident.get("run", 1), ident.get("shard", 1))
    attempt = ident.get("attempt", 1)
    if key in target.shards and target.shards[key].attempt > attempt:
        return
    outputs = result.get("testActionOutput", [])
    target.shards[key] = Shard(
        attempt=attempt,
        passed=result.get("status") == "PASSED",
        ended=result.get("status") not in ("INCOMPLETE", "NO_STATUS"),
        xml=_path(outputs, "test.xml"),
        log=_path(outputs, "test.log"),
    )
