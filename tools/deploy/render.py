"""Renders a Kustomize folder into objects."""
import subprocess

import yaml

from tools.deploy import fetched


class Bad(Exception):
    """The folder cannot be rendered: says why."""


def render(folder: str) -> list[dict]:
    done = subprocess.run([fetched.kustomize(), "build", folder], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False, timeout=120)
    if done.returncode != 0:
        raise Bad("%s: %s" % (folder, done.stderr.strip()))
    return [o for o in yaml.safe_load_all(done.stdout) if o]
