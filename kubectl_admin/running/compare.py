"""Differences of two configurations, field by field. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kubectl_admin.control_plane.component import Component
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Finding, Gap
from kubectl_admin.running.facts import Difference, Running, Tree

ZERO: tuple[Any, ...] = (None, "", 0, "0s", {}, [])  # of Go's types: written out where nothing was set


def fields(tree: Tree) -> dict[str, Any]:
    """Every value of a configuration by its path: «authentication.x509.clientCAFile», «profiles[0].name».

    Empty lists and mappings are values as well.
    """
    return dict(_fields(tree, ""))


def between(one: Running, other: Running) -> list[Difference]:
    """The fields of two nodes' configurations, or flags where there are none, that differ."""
    if one.configuration is not None and other.configuration is not None:
        here, there = fields(one.configuration), fields(other.configuration)
    else:
        here, there = as_flags(one.flags or {}), as_flags(other.flags or {})
    return [
        Difference(one.component, name, text(here, name), text(there, name))
        for name in {**here, **there}
        if text(here, name) != text(there, name)
        # A field that holds the node's own name (hostnameOverride) is the same on both.
        and (text(here, name), text(there, name)) != (one.node, other.node)
    ]


def with_written(running: Running, written: Tree) -> list[Difference]:
    """The fields that were written with another value than the one that runs.

    Only what was written is compared: all else is a default. A zero («0s», "", 0) means the default as well,
    since kubeadm writes every field of a configuration (kubernetes/kubeadm#2386); false does not. Flags are
    compared with flags, whose lists are in brackets («[NodeRestriction]»).
    """
    wanted = {name: value for name, value in fields(written).items() if value is False or value not in ZERO}
    if any(name.startswith("--") for name in wanted):
        runs = {
            name: str(value).removeprefix("[").removesuffix("]")
            for name, value in as_flags(running.flags or {}).items()
        }
    else:
        runs = fields(running.configuration or {})
    return [
        Difference(running.component, name, text(runs, name), text(wanted, name))
        for name in wanted
        if name not in ("apiVersion", "kind") and text(runs, name) != text(wanted, name)
    ]


def nodes(found: Sequence[Running], theirs: Sequence[Running]) -> tuple[list[Difference], list[Finding]]:
    """Differences between the components of two nodes, and those that could not be compared.

    Raises AdminError where they are of different minors: fields are spelled and filled in differently then.
    Source: kubernetes CHANGELOG-1.36, «configz».
    """
    others = {one.component: one for one in theirs}
    different: list[Difference] = []
    gaps = [gap.finding() for one in (*found, *theirs) for gap in one.unseen]
    for one in found:
        other = others.get(one.component)
        if other is None or not has_fields(one) or not has_fields(other):
            continue
        if minor(one.version) != minor(other.version):
            raise AdminError(
                f"{one.component} is {one.version or 'of an unknown version'} on node {one.node} and "
                f"{other.version or 'of an unknown version'} on node {other.node}: "
                "configurations of different minors can't be compared",
                "choose two nodes of the same minor: kubectl admin skew",
            )
        different += between(one, other)
    return different, gaps


def all_written(
    found: Sequence[Running], written: Mapping[Component, Tree], gaps: Sequence[Gap]
) -> tuple[list[Difference], list[Finding]]:
    """Fields that run otherwise than they are written, and gaps."""
    different = [
        each
        for one in found
        if one.component in written and has_fields(one)
        for each in with_written(one, written[one.component])
    ]
    return different, [gap.finding() for gap in (*(gap for one in found for gap in one.unseen), *gaps)]


def has_fields(one: Running) -> bool:
    """Whether it told its configuration, or its flags."""
    return one.configuration is not None or one.flags is not None


def minor(version: str) -> str:
    """«1.36» of «1.36.3»; "" of none."""
    return ".".join(version.split(".")[:2])


def as_flags(found: Mapping[str, str]) -> dict[str, Any]:
    """Flags as fields, «--name»."""
    return {f"--{name}": value for name, value in found.items()}


def text(found: Mapping[str, Any], name: str) -> str | None:
    """A value as one line; None where there is none."""
    return shown(found[name]) if name in found else None


def shown(value: Any) -> str:
    """A value as one line: text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _fields(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, each in value.items():
            step = name if name.replace("_", "").replace("-", "").isalnum() else f"[{json.dumps(name)}]"
            yield from _fields(each, f"{path}{step}" if not path or step[0] == "[" else f"{path}.{step}")
    elif isinstance(value, list) and value:
        for place, each in enumerate(value):
            yield from _fields(each, f"{path}[{place}]")
    else:
        yield path, value
