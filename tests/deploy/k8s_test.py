"""The manifests: every overlay renders, fits Kubernetes' schemas and keeps our own rules."""
import copy
import functools
import os
import re
import subprocess
import unittest

from tools.deploy import pods
from tools.deploy import policy
from tools.deploy import render
from tools.deploy import schema

OVERLAYS = "deploy/k8s/overlays"
VARIANTS = "tests/deploy/variants"
BAD = "tests/deploy/bad"
# What came after the oldest release: claims of devices.
NEW = {"gpu-dra"}
PROGRAMS = {"baton-bootstrap": "bazel-bin/bootstrap_service/app/baton-bootstrap",
            "baton-agent": "bazel-bin/transfer_agent/app/baton-agent"}
BATONCTL = "bazel-bin/client/ctl/batonctl"


@functools.cache
def flags() -> dict[str, set[str]]:
    """The environment variables that each program knows, and batonctl's verbs, from their help."""
    known = {}
    for name, path in PROGRAMS.items():
        text = subprocess.run([path, "--help"], capture_output=True, text=True, check=True).stdout
        known[name] = {"BATON_" + flag.upper() for flag in re.findall(r"(?m)^ *--(\w+)", text)}
        assert "BATON_LISTEN" in known[name], text
    text = subprocess.run([BATONCTL, "help"], capture_output=True, text=True, check=True).stdout
    known["batonctl"] = set(re.findall(r"(?m)^  (\w+(?: \w+)?)  ", text))
    assert "server list" in known["batonctl"], text
    return known


@functools.cache
def rendered(folder: str) -> list[dict]:
    return render.render(folder)


def folders(parent: str) -> list[str]:
    return sorted(os.path.join(parent, name) for name in os.listdir(parent))


class ManifestsTest(unittest.TestCase):
    def test_every_overlay_fits_the_schemas_of_the_oldest_and_the_newest_release(self):
        for folder in folders(OVERLAYS) + folders(VARIANTS):
            for release in schema.RELEASES:
                if os.path.basename(folder) in NEW and release != schema.RELEASES[-1]:
                    continue
                with self.subTest(folder=folder, release=release):
                    wrong = [w for thing in rendered(folder) for w in schema.check(release, thing)]
                    self.assertEqual(wrong, [])

    def test_every_overlay_keeps_every_rule(self):
        for folder in folders(OVERLAYS) + folders(VARIANTS):
            with self.subTest(folder=folder):
                self.assertEqual(policy.check(rendered(folder), flags()), {})

    def test_every_rule_rejects_its_bad_overlay_and_no_other_rule_does(self):
        for name in policy.RULES:
            with self.subTest(rule=name):
                found = policy.check(rendered(os.path.join(BAD, name)), flags())
                self.assertEqual(list(found), [name], found)

    def test_every_bad_overlay_has_a_rule(self):
        self.assertEqual(sorted(os.listdir(BAD)), sorted(policy.RULES))

    def test_every_component_is_in_an_overlay_that_is_checked(self):
        used = set()
        for folder, _, names in os.walk("."):
            if "kustomization.yaml" in names and not folder.startswith("./bazel-"):
                with open(os.path.join(folder, "kustomization.yaml"), encoding="utf-8") as f:
                    used |= set(re.findall(r"components/([\w-]+)|- \.\./([\w-]+)$", f.read(), re.M))
        used = {name for pair in used for name in pair}
        self.assertEqual(set(os.listdir("deploy/k8s/components")) - used, set())

    def test_the_sidecar_is_in_every_pod_of_an_engine(self):
        for engine in ("lws-sglang", "lws-vllm"):
            things = rendered(os.path.join(OVERLAYS, engine))
            sets = [t for t in things if t["kind"] == "LeaderWorkerSet"]
            self.assertEqual([s["metadata"]["name"] for s in sets], ["decode", "prefill"])
            for group in sets:
                for template in ("leaderTemplate", "workerTemplate"):
                    spec = group["spec"]["leaderWorkerTemplate"][template]["spec"]
                    self.assertEqual([c["name"] for c in spec["initContainers"]], ["baton-agent"])

    def test_engine_and_agent_share_one_claim_of_gpus(self):
        for pod in pods.of(rendered(os.path.join(VARIANTS, "gpu-dra"))):
            if pod.owner["kind"] == pods.LWS:
                self.assertEqual([c["name"] for c in pod.spec["resourceClaims"]], ["gpus"])
                for container in pod.containers():
                    self.assertEqual(container["resources"]["claims"], [{"name": "gpus"}])

    def test_the_agent_sees_the_node_s_gpus_and_takes_none(self):
        for pod in pods.of(rendered(os.path.join(VARIANTS, "gpu-shared"))):
            for agent in pod.agents():
                self.assertEqual(pod.spec["runtimeClassName"], "nvidia")
                names = {row["name"]: row.get("value") for row in agent["env"]}
                self.assertEqual(names["NVIDIA_VISIBLE_DEVICES"], "all")
                self.assertNotIn("nvidia.com/gpu", agent["resources"]["limits"])

    def test_an_unknown_field_is_found(self):
        for thing in rendered(os.path.join(OVERLAYS, "lws-sglang")):
            bad = copy.deepcopy(thing)
            bad["spec" if "spec" in bad else "metadata"]["sizes"] = 3
            with self.subTest(kind=thing["kind"]):
                self.assertNotEqual(schema.check(schema.RELEASES[0], bad), [])

    def test_a_wrong_value_in_a_leaderworkerset_is_found(self):
        things = rendered(os.path.join(OVERLAYS, "lws-vllm"))
        group = next(t for t in things if t["kind"] == "LeaderWorkerSet")
        for path, value in ((("replicas",), "two"), (("leaderWorkerTemplate", "size"), 2.5),
                            (("leaderWorkerTemplate", "restartPolicy"), "Always"),
                            (("startupPolicy",), "Whenever"),
                            (("leaderWorkerTemplate", "workerTemplate", "spec", "replicas"), 1)):
            bad = copy.deepcopy(group)
            at = bad["spec"]
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = value
            for release in schema.RELEASES:
                with self.subTest(field=path[-1], release=release):
                    self.assertNotEqual(schema.check(release, bad), [])

    def test_a_kind_that_the_release_does_not_have_is_found(self):
        thing = {"apiVersion": "policy/v1beta1", "kind": "PodDisruptionBudget",
                 "metadata": {"name": "x"}}
        self.assertIn("has no", schema.check(schema.RELEASES[0], thing)[0])


if __name__ == "__main__":
    unittest.main()
