"""The answers to /configz, /flagz and /statusz of every minor, understood or refused. Pure.

Source: kubernetes/kubernetes staging/src/k8s.io/component-base/configz, zpages/{flagz,statusz} (text in 1.32
to 1.34, v1alpha1 since 1.35, v1beta1 since 1.36).
"""

import re
from collections.abc import Mapping
from typing import Any

from kubectl_admin.cluster.decode import decode_object, mapping
from kubectl_admin.errors import AdminError
from kubectl_admin.running.facts import Tree

ACCEPT = ", ".join(
    f"application/json;as={{kind}};v={version};g=config.k8s.io" for version in ("v1beta1", "v1alpha1")
)
DEPTH = 40  # of a configuration; none has half of it
LINE = re.compile(r"\s*(?P<name>[A-Za-z][\w .-]*?)\s*(?:=|:\s)\s*(?P<value>.*)")
STATUS_WORDS = {"started": "startTime", "go version": "goVersion", "binary version": "binaryVersion"}
# Whatever a flag or a file is called: tokens of service accounts, of kubeadm, and passwords in URLs.
SECRET = re.compile(
    r"eyJ[\w-]{10,}\.[\w-]+\.[\w-]+|\b[a-z0-9]{6}\.[a-z0-9]{16}\b|(?<=://)[^/@\s:]*:[^/@\s]*(?=@)"
)
MASK = "***"


def accept(kind: str) -> str:
    """The Accept header that asks for a structured answer, and takes text where there is none yet."""
    return f"{ACCEPT.format(kind=kind)}, text/plain;q=0.5, */*;q=0.1"


def configuration(body: str, what: str) -> Tree:
    """A configuration as /configz gives it: of the only registered one, else of each by its name.

    Raises AdminError for what is none.
    """
    found = decode_object(body, what)
    if not found or not all(isinstance(value, dict) for value in found.values()):
        raise AdminError(f"{what} holds no configuration")
    only = next(iter(found.values())) if len(found) == 1 else found
    return mapping(mask(only, what))


def flags(body: str, what: str) -> Mapping[str, str]:
    """Flags and their values, without secrets. Raises AdminError for what holds none."""
    if not body.lstrip().startswith("{"):
        return _lines(body, what)
    found = decode_object(body, what).get("flags")
    if not isinstance(found, dict):
        raise AdminError(f"{what} holds no flags")
    return {str(name): masked_text(str(value)) for name, value in found.items()}


def status(body: str, what: str) -> Mapping[str, str]:
    """Start and versions, by the names of v1beta1. Raises AdminError for what holds none."""
    if not body.lstrip().startswith("{"):
        found = {name.lower(): value for name, value in _lines(body, what).items()}
        return {ours: found[theirs] for theirs, ours in STATUS_WORDS.items() if theirs in found}
    document = mapping(decode_object(body, what))
    names = ("startTime", "goVersion", "binaryVersion", "emulationVersion")
    return {name: str(document[name]) for name in names if document.get(name)}


def mask(value: Any, what: str, depth: int = 0) -> Any:
    """The value without secrets in its texts. Raises AdminError for one that is nested without end."""
    if depth > DEPTH:
        raise AdminError(f"{what} is nested too deeply")
    if isinstance(value, dict):
        return {str(name): mask(each, what, depth + 1) for name, each in value.items()}
    if isinstance(value, list):
        return [mask(each, what, depth + 1) for each in value]
    return masked_text(value) if isinstance(value, str) else value


def masked_text(text: str) -> str:
    """The text with «***» in the place of tokens and passwords."""
    return SECRET.sub(MASK, text)


def _lines(body: str, what: str) -> dict[str, str]:
    """The lines «name=value» or «name: value» of a text."""
    found = {
        match["name"].strip(): masked_text(match["value"].strip())
        for line in body.splitlines()
        if (match := LINE.fullmatch(line)) and not line.startswith("Warning")
    }
    if not found:
        raise AdminError(f"{what} is not understood")
    return found
