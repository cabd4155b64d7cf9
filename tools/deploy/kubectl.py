"""Holds kubectl commands of the guides against the manifests, without a cluster."""
import shlex

_VERBS = ("apply", "delete", "get", "describe", "logs", "rollout", "wait", "exec", "label",
          "port-forward", "scale", "create")
_SHORT = {"deployment": "Deployment", "job": "Job", "service": "Service",
          "svc": "Service", "lws": "LeaderWorkerSet", "leaderworkerset": "LeaderWorkerSet"}


def wrong(text: str, rendered, overlays: list[str]) -> list[str]:
    """What of the commands names something that the manifests do not have.

    `rendered(folder)` gives the objects of a Kustomize folder, or raises.
    """
    found = []
    known = [thing for overlay in overlays for thing in rendered(overlay)]
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line.removeprefix("$ "), comments=True)
        if not words or not (line.startswith("$ ") or words[0] == "kubectl"):
            continue  # what a command of a console prints
        if words[0] != "kubectl":
            found.append("no kubectl command: " + line)
            continue
        found += ["%s: %s" % (line, what) for what in _of_words(words[1:], rendered, known)]
    return found


def _of_words(words: list[str], rendered, known: list[dict]):
    if not any(word in _VERBS for word in words):
        yield "no verb that we know"
    namespaces = {t["metadata"].get("namespace") for t in known}
    for flag, value in zip(words, words[1:]):
        if flag == "-k":
            try:
                rendered(value.rstrip("/"))
            except Exception as error:  # pylint: disable=broad-except
                yield str(error)
        if flag in ("-n", "--namespace") and value not in namespaces:
            yield "no namespace " + value
        if flag == "-c" and value not in _containers(known):
            yield "no container " + value
    for word in words:
        kind, slash, name = word.partition("/")
        if slash and "/" not in name and kind in _SHORT and not any(
                t["kind"] == _SHORT[kind] and t["metadata"]["name"] == name for t in known):
            yield "no " + word


def _containers(things) -> set[str]:
    found = set()

    def walk(value):
        if isinstance(value, dict):
            for key in ("containers", "initContainers"):
                for container in value.get(key) or []:
                    found.add(container["name"])
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(things)
    return found
