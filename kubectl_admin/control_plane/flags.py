"""The flags of a program in a container, read from its pod: what it was given, not what is usual. Pure."""

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise, takewhile
from typing import Any
from urllib.parse import urlsplit

# Fields of its own pod that a container may ask for, if of use in flags: kubernetes.io/docs «Downward API».
FIELDS: Mapping[str, tuple[str, ...]] = {
    "metadata.name": ("metadata", "name"),
    "metadata.namespace": ("metadata", "namespace"),
    "spec.nodeName": ("spec", "nodeName"),
    "status.hostIP": ("status", "hostIP"),
    "status.podIP": ("status", "podIP"),
}
# «$(NAME)», and «$$», which is how a dollar sign itself is written.
REFERENCE = re.compile(r"\$(?:\$|\(([^()\s]+)\))")
FLAG = re.compile(r"--?(?P<name>[A-Za-z][^=]*)(?:=(?P<value>.*))?", re.DOTALL)
TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})  # Go's strconv.ParseBool


def command_line(pod: Mapping[str, Any], container: Mapping[str, Any]) -> list[str]:
    """The words with which a container's program is started, as far as the pod says them.

    References to the container's variables are replaced as the kubelet does; unknown ones stay as they are.
    Source: kubernetes/kubernetes third_party/forked/golang/expansion.
    """
    variables = environment(pod, container)

    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return "$"
        return variables.get(match[1], match[0])

    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    return [REFERENCE.sub(value, str(word)) for word in words]


def environment(pod: Mapping[str, Any], container: Mapping[str, Any]) -> dict[str, str]:
    """The container's variables whose values are in the pod: literal ones, and fields of the pod itself."""
    variables: dict[str, str] = {}
    for entry in container.get("env") or ():
        field = str(((entry.get("valueFrom") or {}).get("fieldRef") or {}).get("fieldPath") or "")
        if field in FIELDS:
            top, name = FIELDS[field]
            variables[entry["name"]] = str((pod.get(top) or {}).get(name) or "")
        elif "valueFrom" not in entry:
            variables[entry["name"]] = str(entry.get("value") or "")
    return variables


def flags(words: Iterable[str], lists: Iterable[str] = ()) -> dict[str, str]:
    """The flags among a command line's words by their names without dashes; «true» for one without a value.

    «--name=value», «--name value», both with one dash, too; «-1» is a value, «-x» never. Of a flag that is
    given twice the last counts, but for those of `lists`, whose items add up. After a «--» no flag comes.
    """
    own = takewhile(lambda word: word != "--", words)
    found: dict[str, str] = {}
    for word, following in pairwise([*own, "--"]):
        flag = FLAG.fullmatch(word)
        if flag is None:
            continue
        name, value = flag["name"], flag["value"]
        if value is None:
            value = "true" if following == "--" or FLAG.fullmatch(following) else following
        found[name] = f"{found[name]},{value}" if name in lists and name in found else value
    return found


def dashed(found: Mapping[str, str], lists: Iterable[str] = ()) -> dict[str, str]:
    """Flags by the names that count to Kubernetes' programs, to which «_» is «-»; those of `lists` add up.

    Source: component-base cli/flag.WordSepNormalizeFunc.
    """
    names: dict[str, str] = {}
    for written, value in found.items():
        name = written.replace("_", "-")
        names[name] = f"{names[name]},{value}" if name in lists and name in names else value
    return names


def variables_as_flags(variables: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Flags that are given by variables: with the prefix «ETCD_», ETCD_DATA_DIR is data-dir; empty ones are
    not given.

    Source: etcd pkg/flags/flag.go.
    """
    return {
        name.removeprefix(prefix).lower().replace("_", "-"): value
        for name, value in variables.items()
        if name.startswith(prefix) and value
    }


def is_true(value: str) -> bool:
    """Whether a switch is on, as Go reads it."""
    return value in TRUE


def listed(value: str) -> tuple[str, ...]:
    """The items of a flag that takes several, separated by commas."""
    return tuple(item for part in value.split(",") if (item := part.strip()))


def url_parts(url: str, port: int) -> tuple[str, str, int]:
    """Scheme, host and port of a URL of a flag; "", "" and 0 for anything else.

    port: the one that counts where it names none.
    """
    try:
        split = urlsplit(url)
        return split.scheme, split.hostname or "", split.port or port
    except ValueError:
        return "", "", 0
