"""Validates objects against the JSON schemas of a Kubernetes release, unknown fields refused."""
import functools
import json
import os
import zipfile

import jsonschema

from tools.deploy import fetched

# The oldest release with native sidecars on by default, and the newest that the archive has.
RELEASES = ("v1.29.0", "v1.37.0")

_BASE = "file:///api/"
_DEFINITIONS = _BASE + "_definitions.json"
# Not Kubernetes' own: a part of it, written from its documentation.
_OWN = {("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet"):
        os.path.join(os.path.dirname(__file__), "leaderworkerset.schema.json")}


@functools.cache
def _archive() -> zipfile.ZipFile:
    return zipfile.ZipFile(fetched.schemas())


@functools.cache
def _read(release: str, name: str) -> dict | None:
    path = "kubernetes_validate/kubernetes-json-schema/%s-local-strict/%s" % (release, name)
    try:
        schema = json.loads(_archive().read(path))
    except KeyError:
        return None
    # Its own name would send the resolver to the network.
    schema.pop("$id", None)
    return schema


def _file_name(api_version: str, kind: str) -> str:
    group, _, version = api_version.rpartition("/")
    words = [kind.lower()] + ([group.split(".")[0]] if group else []) + [version]
    return "-".join(words) + ".json"


def _schema(release: str, api_version: str, kind: str) -> dict | None:
    own = _OWN.get((api_version, kind))
    if own is None:
        return _read(release, _file_name(api_version, kind))
    with open(own, encoding="utf-8") as f:
        return json.load(f)


def check(release: str, thing: dict) -> list[str]:
    """What is wrong with one object; empty: nothing."""
    api_version, kind = thing.get("apiVersion", ""), thing.get("kind", "")
    name = "%s/%s" % (kind, thing.get("metadata", {}).get("name", "?"))
    schema = _schema(release, api_version, kind)
    if schema is None:
        return ["%s: %s has no %s %s" % (name, release, api_version, kind)]
    definitions = _read(release, "_definitions.json")
    resolver = jsonschema.RefResolver(_BASE + "x.json", schema, store={_DEFINITIONS: definitions})
    validator = jsonschema.Draft202012Validator(schema, resolver=resolver)
    return ["%s: %s: %s" % (name, "/".join(map(str, e.path)) or "the object", e.message[:300])
            for e in validator.iter_errors(thing)]
