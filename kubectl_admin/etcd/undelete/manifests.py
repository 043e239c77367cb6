"""Objects as manifests that kubectl applies, and as `kubectl diff` has them beside the live ones. Pure."""

import difflib
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.undelete.facts import Item, Json, Plan
from kubectl_admin.etcd.undelete.kinds import SECRETS
from kubectl_admin.etcd.undelete.merge import put_back
from kubectl_admin.etcd.undelete.written import as_written
from kubectl_admin.report.text import printable

# Text that is text without quotes to every reader of YAML; kubectl's takes «y» and «1e3» for other things.
PLAIN = re.compile(r"[A-Za-z/_][A-Za-z0-9/_-]*(?:[.:][A-Za-z0-9/_-]+)*\Z")
WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
LONG = 1 << 30  # columns of a line, so that none is folded
HIDDEN, BEFORE, AFTER = "***", "*** (before)", "*** (after)"  # as kubectl's diff hides Secrets
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
Said = Mapping[str, Any]


def manifests(plan: Plan) -> str:
    """All that is to be done, as YAML documents in order. Raises AdminError for an object that is too deep.

    Values of Secrets are in it.
    """
    return "".join(f"---\n{text(item, manifest(item))}" for item in plan.todo)


def manifest(item: Item) -> Json:
    """An object as it is applied. Of its owners, those are named that are there: others have no UID yet."""
    made = as_written(item.then)
    made["metadata"].pop("ownerReferences", None)
    if owners := [{**one.reference, "uid": one.uid} for one in item.owners if one.uid]:
        made["metadata"]["ownerReferences"] = owners
    return {"apiVersion": item.resource.api_version, "kind": item.resource.kind, **_without_kind(made)}


def diff(plan: Plan) -> str:
    """How all that is to be done would change the live cluster; the values of Secrets are hidden."""
    return "".join(_diff(item) for item in plan.todo)


def _diff(item: Item) -> str:
    version = item.resource.api_version.replace("/", ".")
    parts = [version, item.resource.kind, item.key.namespace, item.key.name]
    name = printable(".".join(parts)).replace("/", "_")
    sides = _sides(item)
    if (item.key.group, item.key.plural) == SECRETS:
        sides = hidden(*sides)
    old, new = (text(item, side).splitlines(keepends=True) if side else [] for side in sides)
    changed = "".join(difflib.unified_diff(old, new, f"LIVE/{name}", f"MERGED/{name}"))
    return f"diff -u -N LIVE/{name} MERGED/{name}\n{changed}" if changed else ""


def _sides(item: Item) -> tuple[Json, Json]:
    """The live object and what it becomes, both as a person would write them."""
    if item.now is None:
        return {}, manifest(item)
    head = {"apiVersion": item.resource.api_version, "kind": item.resource.kind}
    now = {**item.now, **head}
    both = (now, put_back({**item.then, **head}, now))
    old, new = (as_written(side) for side in both)
    return old, new


def hidden(now: Said, then: Said) -> tuple[Json, Json]:
    """The two sides of a Secret without its values; those that differ are told apart, as kubectl does."""
    sides = dict(now), dict(then)
    for field in ("data", "stringData"):
        both = [side.get(field) for side in (now, then)]
        for side, mine, word in zip(sides, both, (BEFORE, AFTER), strict=True):
            other = both[1] if word is BEFORE else both[0]
            if isinstance(mine, dict):
                known = other if isinstance(other, dict) else {}
                side[field] = {
                    name: word if name in known and known[name] != value else HIDDEN
                    for name, value in mine.items()
                }
    for side in sides:
        metadata = dict(side.get("metadata") or {})
        if APPLIED in (metadata.get("annotations") or {}):
            metadata["annotations"] = {**metadata["annotations"], APPLIED: HIDDEN}
        side["metadata"] = metadata
    return sides


def text(item: Item, content: Said) -> str:
    """An object as YAML in plain ASCII. Raises AdminError for one that is nested too deeply."""
    try:
        return _dumped(content, quick=True)
    except UnicodeEncodeError:  # half a character, which libyaml can't escape
        return _dumped(content, quick=False)
    except RecursionError:
        raise AdminError(f"{printable(item.title)} is nested too deeply to be written as YAML") from None


def _dumped(content: Said, *, quick: bool) -> str:
    import yaml

    dumper = _dumper(quick=quick)
    return str(yaml.dump(content, Dumper=dumper, sort_keys=False, allow_unicode=False, width=LONG))


@cache
def _dumper(*, quick: bool) -> Any:
    """A dumper that puts in quotes what another reader may take for a number or a truth value."""
    import yaml

    base = getattr(yaml, "CSafeDumper", yaml.SafeDumper) if quick else yaml.SafeDumper

    def represent(dumper: Any, said: str) -> Any:
        style = None if PLAIN.match(said) and said.lower() not in WORDS else _style(said)
        return dumper.represent_scalar("tag:yaml.org,2002:str", said, style=style)

    made: Any = type("Dumper", (base,), {"ignore_aliases": lambda *_: True})
    made.add_representer(str, represent)
    return made


def _style(said: str) -> str:
    lines = said.split("\n")
    is_block = len(lines) > 1 and said.isascii() and all(line == line.rstrip() for line in lines)
    return "|" if is_block else '"'


def _without_kind(made: Json) -> Json:
    return {field: value for field, value in made.items() if field not in ("apiVersion", "kind")}
