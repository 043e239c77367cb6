"""kubeadm's patches, as far as they say what a component is given. Pure.

The files of the directory of --patches are TARGET[SUFFIX][+TYPE].yaml or .json. TYPE is strategic, merge
or json; strategic is the default. Source: kubernetes/kubernetes cmd/kubeadm/app/util/patches.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kubectl_admin.cluster.decode import decode_yaml
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Gap

SETS = frozenset({"add", "replace"})  # operations of a JSON patch that put a value somewhere


def of_target(files: Mapping[str, str], target: str, gaps: list[Gap]) -> Iterator[tuple[str, object]]:
    """The patches of a target, each file's path with a document of it, in the order of the files."""
    for path, text in files.items():
        name = path.rpartition("/")[2]
        if not name.startswith(target) or not name.endswith((".json", ".yaml")):
            continue
        try:
            documents = decode_yaml(text, "it")
        except AdminError as error:
            gaps.append(Gap(path, error.what))
            continue
        yield from ((path, document) for document in documents if document is not None)


def documents(
    files: Mapping[str, str], target: str, gaps: list[Gap]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The patches of a target as documents to be merged, each with its path; null takes something out."""
    for path, patch in of_target(files, target, gaps):
        if isinstance(patch, dict):
            yield path, patch
        elif isinstance(patch, list):
            yield from ((path, found) for step in patch for found in merged(step))


def merged(step: object) -> Iterator[Mapping[str, Any]]:
    """An operation of a JSON patch on a mapping as documents to be merged: the old value goes, then comes
    the new one; none for an operation that changes nothing."""
    if not isinstance(step, dict) or step.get("op") not in {*SETS, "remove"}:
        return
    names = [name.replace("~1", "/").replace("~0", "~") for name in str(step.get("path", "")).split("/")[1:]]
    for value in (None, step.get("value")) if step["op"] in SETS else (None,):
        document: object = value
        for name in reversed(names):
            document = {name: document}
        if isinstance(document, dict):
            yield document


def words(files: Mapping[str, str], target: str, gaps: list[Gap]) -> Iterator[tuple[str, list[str]]]:
    """The flags that patches of a target put into a pod, each with its path: whatever begins with «--»."""
    for path, patch in of_target(files, target, gaps):
        steps = patch if isinstance(patch, list) else [{"op": "add", "value": patch}]
        put = [step.get("value") for step in steps if isinstance(step, dict) and step.get("op") in SETS]
        if found := [text for value in put for text in strings(value) if text.startswith("--")]:
            yield path, found


def strings(value: object) -> Iterator[str]:
    """All texts in a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from strings(each)
