"""The pods that rendered objects would start."""
import dataclasses


@dataclasses.dataclass
class Pod:
    """One pod template."""
    owner: dict  # the object that holds it
    labels: dict
    spec: dict

    @property
    def name(self) -> str:
        return "%s/%s" % (self.owner["kind"], self.owner["metadata"]["name"])

    def containers(self) -> list[dict]:
        return self.spec.get("initContainers", []) + self.spec.get("containers", [])

    def agents(self) -> list[dict]:
        return [c for c in self.containers() if c["name"] == AGENT]

    def volumes(self) -> dict[str, dict]:
        return {v["name"]: v for v in self.spec.get("volumes", [])}

    def user(self, container: dict) -> int | None:
        own = container.get("securityContext", {})
        return own.get("runAsUser", self.spec.get("securityContext", {}).get("runAsUser"))


AGENT = "baton-agent"
ENGINE = "engine"
LWS = "LeaderWorkerSet"

# What the controller of LeaderWorkerSets adds to the pods.
_LWS_LABELS = {"leaderworkerset.sigs.k8s.io/group-index": "0"}
LWS_ENVIRONMENT = ("LWS_LEADER_ADDRESS", "LWS_GROUP_SIZE", "LWS_WORKER_INDEX")


def _pod(owner: dict, template: dict, extra: dict) -> Pod:
    labels = dict(template.get("metadata", {}).get("labels", {}))
    labels.update(extra)
    return Pod(owner, labels, template["spec"])


def of(things: list[dict]) -> list[Pod]:
    found = []
    for thing in things:
        spec = thing.get("spec", {})
        if thing["kind"] == LWS:
            group = spec["leaderWorkerTemplate"]
            extra = {**_LWS_LABELS, "leaderworkerset.sigs.k8s.io/name": thing["metadata"]["name"]}
            index = "leaderworkerset.sigs.k8s.io/worker-index"
            leader = group.get("leaderTemplate", group["workerTemplate"])
            found.append(_pod(thing, leader, {**extra, index: "0"}))
            found.append(_pod(thing, group["workerTemplate"], {**extra, index: "1"}))
        elif thing["kind"] == "Pod":
            found.append(Pod(thing, thing["metadata"].get("labels", {}), spec))
        elif isinstance(spec.get("template"), dict):
            found.append(_pod(thing, spec["template"], {}))
    return found


def selects(selector: dict, labels: dict) -> bool:
    """A label selector; a Service's plain map is one with matchLabels alone."""
    for key, value in selector.get("matchLabels", {}).items():
        if labels.get(key) != value:
            return False
    for term in selector.get("matchExpressions", []):
        has = labels.get(term["key"])
        fits = {"In": has in term.get("values", []), "NotIn": has not in term.get("values", []),
                "Exists": has is not None, "DoesNotExist": has is None}[term["operator"]]
        if not fits:
            return False
    return True
