"""Rules for what stands between pods: services, budgets, network policies, namespaces."""
from tools.deploy import pods


def _chosen(things, selector):
    return [pod for pod in pods.of(things) if pods.selects(selector, pod.labels)]


def _of_kind(things, kind):
    return [thing for thing in things if thing["kind"] == kind]


def _name(thing) -> str:
    return "%s/%s" % (thing["kind"], thing["metadata"]["name"])


def selectors(things, _):
    """Every selector finds a pod, and a workload's finds its own."""
    for service in _of_kind(things, "Service"):
        if not _chosen(things, {"matchLabels": service["spec"].get("selector", {"none": ""})}):
            yield "%s selects no pod" % _name(service)
    for kind, field in (("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")):
        for thing in _of_kind(things, kind):
            if not _chosen(things, thing["spec"][field]):
                yield "%s selects no pod" % _name(thing)
    for pod in pods.of(things):
        selector = pod.owner["spec"].get("selector")
        if selector and not pods.selects(selector, pod.labels):
            yield "%s does not select its own pods" % pod.name


def target_ports(things, _):
    """A service names ports of the pods that it selects, and names its own."""
    for service in _of_kind(things, "Service"):
        for port in service["spec"].get("ports", []):
            if not port.get("name"):
                yield "%s: port %s has no name" % (_name(service), port["port"])
            for pod in _chosen(things, {"matchLabels": service["spec"].get("selector", {})}):
                names = {p.get("name") for c in pod.containers() for p in c.get("ports", [])}
                if port.get("targetPort") not in names:
                    yield "%s: %s has no port named %s" % (_name(service), pod.name,
                                                           port.get("targetPort"))


def disruption(things, _):
    """A budget that allows no eviction blocks the drain of a node for ever."""
    for budget in _of_kind(things, "PodDisruptionBudget"):
        spec = budget["spec"]
        replicas = sum({id(p.owner): p.owner["spec"].get("replicas", 1)
                        for p in _chosen(things, spec["selector"])}.values())
        low = spec.get("minAvailable")
        if spec.get("maxUnavailable") in (0, "0%"):
            yield "%s: maxUnavailable 0 blocks the drain of a node" % _name(budget)
        if low is not None and (isinstance(low, str) or low >= replicas):
            yield "%s: minAvailable %s of %d blocks the drain of a node" % (_name(budget), low,
                                                                         replicas)


def addresses(things, _):
    """Who is told of a service by name finds it in the same namespace."""
    services = {s["metadata"]["name"]: {p["port"] for p in s["spec"]["ports"]}
                for s in _of_kind(things, "Service")}
    for pod in pods.of(things):
        for container in pod.containers():
            for row in container.get("env", []):
                if row["name"] != "BATON_BOOTSTRAP":
                    continue
                host, _, port = row.get("value", "").partition(":")
                if not port.isdigit() or int(port) not in services.get(host, ()):
                    yield "%s: there is no service %s" % (pod.name, row.get("value"))


def pod_security(things, _):
    """A namespace whose level refuses the pods that are meant for it."""
    levels = {n["metadata"]["name"]:
              n["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce")
              for n in _of_kind(things, "Namespace")}
    for pod in pods.of(things):
        level = levels.get(pod.owner["metadata"].get("namespace"))
        if level is None:
            yield "%s: its namespace has no level of pod security" % pod.name
        added = [c.get("securityContext", {}).get("capabilities", {}).get("add", [])
                 for c in pod.containers()]
        needs = any("IPC_LOCK" in capabilities for capabilities in added)
        needs = needs or any("hostPath" in v for v in pod.volumes().values())
        if needs and level != "privileged":
            yield "%s: needs a namespace of the level privileged, not %s" % (pod.name, level)


def strategy(things, _):
    """Two bootstrap services behind one name would each know half of the ranks."""
    for pod in pods.of(things):
        if any(c["image"].startswith("baton-bootstrap") for c in pod.containers()):
            spec = pod.owner["spec"]
            if spec.get("replicas") != 1 or spec.get("strategy", {}).get("type") != "Recreate":
                yield "%s: more than one bootstrap service at a time" % pod.name


RULES = {
    "selectors": selectors,
    "target-ports": target_ports,
    "disruption": disruption,
    "addresses": addresses,
    "pod-security": pod_security,
    "strategy": strategy,
}
