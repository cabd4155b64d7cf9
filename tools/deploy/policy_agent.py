"""Rules for the agent beside an engine."""
from tools.deploy import pods

_LABEL = "baton/agent"
_MARGIN_S = 10


def _beside_engines(things):
    for pod in pods.of(things):
        if pod.owner["metadata"].get("labels", {}).get(_LABEL) == "sidecar":
            yield pod


def _environment(container) -> dict[str, dict]:
    return {row["name"]: row for row in container.get("env", [])}


def sidecar(things, _):
    """One native sidecar, whose startup probe holds the engine back."""
    for pod in _beside_engines(things):
        init = [c for c in pod.spec.get("initContainers", []) if c["name"] == pods.AGENT]
        if len(init) != 1 or len(pod.agents()) != 1:
            yield "%s has no agent as an init container, or more than one" % pod.name
            continue
        if init[0].get("restartPolicy") != "Always":
            yield "%s: the agent is no sidecar: restartPolicy is not Always" % pod.name
        if "startupProbe" not in init[0]:
            yield "%s: nothing holds the engine back until the agent is ready" % pod.name


def gpu(things, _):
    """A GPU belongs to one container: what the agent asks for is missing for the engine."""
    for pod in _beside_engines(things):
        for agent in pod.agents():
            resources = agent.get("resources", {})
            for name in {**resources.get("requests", {}), **resources.get("limits", {})}:
                if "gpu" in name:
                    yield "%s: the agent asks for %s" % (pod.name, name)


def claims(things, _):
    """A claim's GPUs are those of a template beside the pod, and are not asked for once more."""
    templates = {(t["metadata"].get("namespace"), t["metadata"]["name"]) for t in things
                 if t["kind"] == "ResourceClaimTemplate"}
    for pod in pods.of(things):
        named = {c["name"]: c.get("resourceClaimTemplateName")
                 for c in pod.spec.get("resourceClaims", [])}
        for name, template in named.items():
            # None: a claim of the cluster's own, which several pods may name.
            if template and (pod.owner["metadata"].get("namespace"), template) not in templates:
                yield "%s: there is no template %s for its claim %s" % (pod.name, template, name)
        for container in pod.containers():
            resources = container.get("resources", {})
            for used in resources.get("claims", []):
                if used["name"] not in named:
                    yield "%s: %s uses claim %s, which the pod has not" % (
                        pod.name, container["name"], used["name"])
            plugin = [r for r in resources.get("limits", {}) if r.endswith("/gpu")]
            if resources.get("claims") and plugin:
                yield "%s: %s asks for %s beside its claim" % (
                    pod.name, container["name"], plugin[0])


def qos(things, _):
    """Pollers need cores of their own: requests equal limits, and verbs wants whole cores."""
    for pod in _beside_engines(things):
        for agent in pod.agents():
            transport = _environment(agent).get("BATON_TRANSPORT", {}).get("value")
            resources = agent.get("resources", {})
            if transport != "verbs":
                continue
            if resources.get("requests") != resources.get("limits"):
                yield "%s: the agent's requests differ from its limits" % pod.name
            if not str(resources.get("limits", {}).get("cpu", "")).isdigit():
                yield "%s: the agent has no whole number of cores" % pod.name


def socket(things, _):
    """Agent and engine meet on an emptyDir, and the engine may open the socket."""
    for pod in _beside_engines(things):
        folders = {name for name, v in pod.volumes().items() if "emptyDir" in v}
        for container in pod.containers():
            found = [m for m in container.get("volumeMounts", []) if m["mountPath"] == "/run/baton"]
            if container["name"] in (pods.AGENT, pods.ENGINE) and \
                    not (found and found[0]["name"] in folders):
                yield "%s: %s has no emptyDir at /run/baton" % (pod.name, container["name"])
            if container["name"] == pods.ENGINE:
                users = {pod.user(c) or 0 for c in pod.agents() + [container]}
                if len(users) != 1:
                    yield "%s: agent and engine have different users" % pod.name


def drain(things, _):
    """The pod's grace covers the agent's drain, after which it would be killed."""
    for pod in _beside_engines(things):
        for agent in pod.agents():
            value = _environment(agent).get("BATON_DRAIN_MS", {}).get("value", "10000")
            need = int(value) / 1000 + _MARGIN_S
            if pod.spec.get("terminationGracePeriodSeconds", 30) < need:
                yield "%s: its grace period is below the agent's drain and %d s" % (
                    pod.name, _MARGIN_S)


def identity(things, _):
    """Names and addresses come from the pod itself: nothing is typed for one pod."""
    for pod in _beside_engines(things):
        for agent in pod.agents():
            env = _environment(agent)
            path = env.get("POD_IP", {}).get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
            if path != "status.podIP" or \
                    not env.get("BATON_LISTEN", {}).get("value", "").startswith("$(POD_IP):"):
                yield "%s: the agent does not listen on the pod's own address" % pod.name
        for engine in pod.spec.get("containers", []):
            name = _environment(engine).get("BATON_SERVER")
            if pod.owner["kind"] == pods.LWS and engine["name"] == pods.ENGINE and \
                    (name is None or "$(LWS_GROUP)" not in name.get("value", "")):
                yield "%s: the server's name is not that of the group" % pod.name


def hooks(things, flags):
    """The pod's end is announced before its engine ends, by a verb that batonctl has."""
    for pod in _beside_engines(things):
        for agent in pod.agents():
            hook = agent.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", [])
            verb = " ".join(hook[1:])
            if hook[:1] != ["/usr/bin/batonctl"] or verb not in flags["batonctl"]:
                yield "%s: preStop is no command of batonctl: %s" % (pod.name, " ".join(hook))


RULES = {
    "sidecar": sidecar,
    "gpu": gpu,
    "claims": claims,
    "qos": qos,
    "socket": socket,
    "drain": drain,
    "identity": identity,
    "hooks": hooks,
}
