"""Rules for every container of every pod."""
import re

from tools.deploy import pods

_HOST_PATHS = ("/dev/infiniband", "/run/baton-shm")
_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def _each(things):
    for pod in pods.of(things):
        for container in pod.containers():
            yield pod, container, "%s, container %s" % (pod.name, container["name"])


def _security(container) -> dict:
    return container.get("securityContext", {})


def _added(container) -> list[str]:
    return _security(container).get("capabilities", {}).get("add", [])


def probes(things, _):
    """Who serves a port is watched: is it up, may it be used, is it stuck."""
    for _, container, where in _each(things):
        for probe in _PROBES:
            if container.get("ports") and probe not in container:
                yield "%s has no %s" % (where, probe)


def probe_ports(things, _):
    """A gRPC probe takes a number, which must be a port of the container; others take its name."""
    for _, container, where in _each(things):
        numbers = {p["containerPort"] for p in container.get("ports", [])}
        names = {p.get("name") for p in container.get("ports", [])}
        for probe in _PROBES:
            for kind in ("grpc", "tcpSocket", "httpGet"):
                port = container.get(probe, {}).get(kind, {}).get("port")
                if port is not None and port not in (numbers if kind == "grpc" else names):
                    yield "%s: the port %s of its %s is none of its ports" % (where, port, probe)


def limits(things, _):
    for _, container, where in _each(things):
        for part in ("requests", "limits"):
            for resource in ("cpu", "memory"):
                if resource not in container.get("resources", {}).get(part, {}):
                    yield "%s has no %s of %s" % (where, part, resource)


def privilege(things, _):
    """No privileged container, none of the host's namespaces, no capability but IPC_LOCK."""
    for pod in pods.of(things):
        for field in ("hostNetwork", "hostPID", "hostIPC"):
            if pod.spec.get(field):
                yield "%s has %s" % (pod.name, field)
    for _, container, where in _each(things):
        if _security(container).get("privileged"):
            yield "%s is privileged" % where
        if "ALL" not in _security(container).get("capabilities", {}).get("drop", []):
            yield "%s does not drop ALL capabilities" % where
        allowed = {"IPC_LOCK"} if container["name"] == pods.AGENT else set()
        for capability in sorted(set(_added(container)) - allowed):
            yield "%s adds the capability %s" % (where, capability)


def escalation(things, _):
    """no_new_privs, except where a file capability is the way to the memory lock."""
    for pod, container, where in _each(things):
        if _security(container).get("allowPrivilegeEscalation") is False:
            continue
        if "setcap" in container["image"] and "IPC_LOCK" in _added(container) and \
                pod.user(container) != 0:
            continue
        yield "%s does not say allowPrivilegeEscalation: false" % where


def root(things, _):
    """Ours run as root only for the memory lock or for the node's folder of shm sockets."""
    for pod, container, where in _each(things):
        if not container["image"].startswith("baton-"):
            continue
        non_root = _security(container).get(
            "runAsNonRoot", pod.spec.get("securityContext", {}).get("runAsNonRoot"))
        if non_root and pod.user(container):
            continue
        mounts = {m["mountPath"] for m in container.get("volumeMounts", [])}
        if "IPC_LOCK" not in _added(container) and "/run/baton-shm" not in mounts:
            yield "%s may be root for no reason" % where


def read_only(things, _):
    for _, container, where in _each(things):
        if container["image"].startswith("baton-") and \
                not _security(container).get("readOnlyRootFilesystem"):
            yield "%s can write to its root file system" % where


def host_paths(things, _):
    for pod in pods.of(things):
        for volume in pod.volumes().values():
            path = volume.get("hostPath", {}).get("path")
            if path is not None and path not in _HOST_PATHS:
                yield "%s mounts the node's %s" % (pod.name, path)


def mounts(things, _):
    """Kubernetes refuses a mount without a volume only when the pod is created."""
    for pod, container, where in _each(things):
        for mount in container.get("volumeMounts", []):
            if mount["name"] not in pod.volumes():
                yield "%s mounts %s, which is no volume" % (where, mount["name"])


def named_ports(things, _):
    for pod in pods.of(things):
        seen = set()
        for container in pod.containers():
            for port in container.get("ports", []):
                name = port.get("name")
                if not name:
                    yield "%s: port %d has no name" % (pod.name, port["containerPort"])
                elif name in seen or port["containerPort"] in seen:
                    yield "%s: port %s is there twice" % (pod.name, name)
                seen |= {name, port["containerPort"]}


def images(things, _):
    """A tag that does not move by its name, or a digest."""
    for _, container, where in _each(things):
        image = container["image"]
        pinned = re.search(r"@sha256:[0-9a-f]{64}$|:v?\d+\.\d+\.\d+[\w.-]*$", image)
        if not pinned:
            yield "%s: the image %s is not pinned to a version" % (where, image)


def token(things, _):
    for pod in pods.of(things):
        if pod.spec.get("automountServiceAccountToken") is not False:
            yield "%s mounts a token of the cluster's API, which nothing here uses" % pod.name


def references(things, _):
    """$(NAME) of a variable that is not defined before stays as it is written."""
    for pod, container, where in _each(things):
        known = set(pods.LWS_ENVIRONMENT) if pod.owner["kind"] == pods.LWS else set()
        for row in container.get("env", []):
            for name in re.findall(r"\$\((\w+)\)", row.get("value", "")):
                if name not in known:
                    yield "%s: %s refers to %s, which is not defined before" % (
                        where, row["name"], name)
            known.add(row["name"])
        for word in container.get("command", []) + container.get("args", []):
            for name in set(re.findall(r"\$\((\w+)\)", word)) - known:
                yield "%s: its command refers to %s, which is not defined" % (where, name)


def known_variables(things, flags):
    """The programs ignore a BATON_ variable that they do not know: a slip would go unnoticed."""
    for _, container, where in _each(things):
        for program, variables in flags.items():
            if container["image"].startswith(program):
                for row in container.get("env", []):
                    if row["name"].startswith("BATON_") and row["name"] not in variables:
                        yield "%s: %s has no setting %s" % (where, program, row["name"])


RULES = {
    "probes": probes,
    "probe-ports": probe_ports,
    "limits": limits,
    "privilege": privilege,
    "escalation": escalation,
    "root": root,
    "read-only": read_only,
    "host-paths": host_paths,
    "mounts": mounts,
    "named-ports": named_ports,
    "images": images,
    "token": token,
    "references": references,
    "known-variables": known_variables,
}
