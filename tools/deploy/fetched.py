"""What the tests of deploy/ take from registries, by name and version, kept in a cache."""
import hashlib
import json
import os
import shutil
import subprocess

KUSTOMIZE = "sigs.k8s.io/kustomize/kustomize/v5@v5.0.3"
SCHEMAS = ("kubernetes-validate", "1.37.0",
           "85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9")
# LeaderWorkerSet's releases, oldest first, with the sum of the definition in each one's module.
LWS = "sigs.k8s.io/lws"
LWS_RELEASES = {
    "v0.6.2": "4ef5945ef53caa12cb2ba4bb72fc0cee2317b9b488e9416c86ef2870e8e0a0e9",
    "v0.9.0": "92382b4a4eac032dbbce7eb9bb1e4e7e99880a30656f90649aeb284ce9dc732a",
}
_LWS_DEFINITION = "config/crd/bases/leaderworkerset.x-k8s.io_leaderworkersets.yaml"


class Unavailable(Exception):
    """Something could not be fetched: says what and why."""


def cache() -> str:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = os.path.join(base, "baton-deploy")
    os.makedirs(folder, exist_ok=True)
    return folder


def _run(command: list[str], env: dict[str, str], what: str) -> str:
    done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False, timeout=540)
    if done.returncode != 0:
        raise Unavailable("%s: %s" % (what, (done.stderr or done.stdout).strip()[-2000:]))
    return done.stdout


def _go() -> str:
    go = shutil.which("go")
    if go is None:
        raise Unavailable("there is no go on the PATH: run make setup-deploy")
    return go


def kustomize() -> str:
    """The path of the renderer, built by the Go tool from its own module."""
    folder = os.path.join(cache(), KUSTOMIZE.rpartition("@")[2])
    program = os.path.join(folder, "kustomize")
    if not os.path.exists(program):
        # With another folder first, so that a build cut short leaves nothing behind.
        fresh = folder + ".new"
        _run([_go(), "install", KUSTOMIZE], {"GOBIN": fresh, "GOFLAGS": ""},
             "go install " + KUSTOMIZE)
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(fresh, folder)
    return program


def _sum(path: str) -> str:
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def schemas() -> str:
    """The path of the archive with the JSON schemas of the Kubernetes releases."""
    name, version, want = SCHEMAS
    path = os.path.join(cache(), "%s-%s-py3-none-any.whl" % (name.replace("-", "_"), version))
    if not os.path.exists(path) or _sum(path) != want:
        _run(["/usr/bin/python3", "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:",
              "--disable-pip-version-check", "-d", cache(), "%s==%s" % (name, version)],
             {}, "pip download " + name)
    if _sum(path) != want:
        raise Unavailable("%s %s is not what it was: its check sum differs" % (name, version))
    return path


def lws_definition(release: str) -> str:
    """The path of the custom resource definition of LeaderWorkerSet."""
    path = os.path.join(cache(), "lws-%s.yaml" % release)
    if not os.path.exists(path) or _sum(path) != LWS_RELEASES[release]:
        module = "%s@%s" % (LWS, release)
        said = _run([_go(), "mod", "download", "-json", module], {"GOFLAGS": ""},
                    "go mod download " + module)
        shutil.copyfile(os.path.join(json.loads(said)["Dir"], _LWS_DEFINITION), path)
    if _sum(path) != LWS_RELEASES[release]:
        raise Unavailable("%s %s is not what it was: its check sum differs" % (LWS, release))
    return path
