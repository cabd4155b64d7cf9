"""Validates objects against the JSON schemas of a Kubernetes release, unknown fields refused."""
import functools
import json
import zipfile

import jsonschema
import yaml

from tools.deploy import fetched

# The oldest release with native sidecars on by default, and the newest that the archive has.
RELEASES = ("v1.29.0", "v1.37.0")

_BASE = "file:///api/"
_DEFINITIONS = _BASE + "_definitions.json"
# Not Kubernetes' own: from the definition that its project releases, an old one beside the old
# release of Kubernetes and a new one beside the new.
_LWS = ("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet")
_LWS_BESIDE = dict(zip(RELEASES, fetched.LWS_RELEASES))


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


def _strict(schema: object) -> object:
    """A definition's schema with unknown fields refused, as an API server refuses or drops them."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: _strict(value) for key, value in schema.items()}
    keeps = schema.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(schema.get("properties"), dict) and "type" in schema and not keeps:
        schema.setdefault("additionalProperties", False)
    return schema


@functools.cache
def _lws_schema(release: str) -> dict:
    with open(fetched.lws_definition(_LWS_BESIDE[release]), encoding="utf-8") as f:
        definition = yaml.load(f, Loader=yaml.CSafeLoader)
    version, = [v for v in definition["spec"]["versions"] if v["name"] == "v1"]
    schema = _strict(version["schema"]["openAPIV3Schema"])
    # The definition leaves it to the server to know its own fields.
    schema["properties"]["metadata"] = {
        "$ref": _DEFINITIONS + "#/$defs/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
    return schema


def _schema(release: str, api_version: str, kind: str) -> dict | None:
    if (api_version, kind) == _LWS:
        return _lws_schema(release)
    return _read(release, _file_name(api_version, kind))


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
