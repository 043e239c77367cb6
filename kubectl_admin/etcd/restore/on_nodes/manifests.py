"""Which files of a kubelet's manifest directory are the four of kubeadm, by their content. Pure.

A file of that name may be anything, and another file may start a second etcd: a restore moves exactly those
that start the four, and no other static pod.
Source: kubernetes/kubernetes pkg/kubelet/config/file.go: every file there counts whose name does not begin
with a dot, in YAML or JSON; directories do not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubectl_admin.cluster.decode import decode_yaml, mapping
from kubectl_admin.cluster.paths import KUBE_SYSTEM
from kubectl_admin.control_plane.flags import command_line
from kubectl_admin.control_plane.pod import PARTS
from kubectl_admin.errors import AdminError


@dataclass(frozen=True, slots=True)
class Manifest:
    """A static pod's file. name: the file's, in its directory. pod: its content."""

    name: str
    pod: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Manifests:
    """A kubelet's manifest directory.

    path: the directory on the host. parts: for each part of the control plane the files that start it, in the
    order of their names. others: files that start other static pods. unread: files that nobody could read.
    """

    path: str
    parts: Mapping[str, tuple[Manifest, ...]]
    others: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    def only(self, component: str) -> Manifest:
        """The one file that starts a part. Raises AdminError for none, and for several."""
        if self.unread:
            raise AdminError(f"{self.path}/{self.unread[0]} can't be read, so nobody knows what it starts")
        found = self.parts.get(component, ())
        if len(found) != 1:
            names = ", ".join(one.name for one in found) or "none"
            raise AdminError(
                f"{self.path} must have one manifest of {component}, and it has {len(found)} ({names})",
                "keep the one that kubeadm wrote, and move others out of that directory",
            )
        return found[0]


def manifests_of(path: str, texts: Mapping[str, str], unread: tuple[str, ...] = ()) -> Manifests:
    """The directory's files by what they start. texts: of all files below it, by path. unread: paths."""
    parts: dict[str, list[Manifest]] = {component: [] for component in PARTS}
    others, dark = [], [name for one in unread if (name := _name(path, one))]
    for file, text in sorted(texts.items()):
        if not (name := _name(path, file)):
            continue
        try:
            documents = [mapping(one) for one in decode_yaml(text, file)]
        except AdminError:
            dark.append(name)
            continue
        started = {component for pod in documents for component in components_of(pod)}
        for component in started:
            parts[component].append(Manifest(name, documents[0]))
        if len(started) > 1 or len(documents) != 1:
            dark.append(name)  # a kubelet takes one pod from a file, and a pod of ours is one part
        elif not started:
            others.append(name)
    return Manifests(
        path, {component: tuple(found) for component, found in parts.items()}, tuple(others), tuple(dark)
    )


def components_of(pod: Mapping[str, Any]) -> set[str]:
    """The parts of the control plane that a manifest starts: by its label in kube-system, and by programs."""
    about = mapping(pod.get("metadata"))
    label = str(mapping(about.get("labels")).get("component") or "")
    named = {label} if about.get("namespace") == KUBE_SYSTEM else set()
    containers = mapping(pod.get("spec")).get("containers")
    for one in containers if isinstance(containers, list) else ():
        words = command_line(pod, mapping(one))
        named.add(words[0].rpartition("/")[2] if words else str(mapping(one).get("name") or ""))
    return named & set(PARTS)


def _name(directory: str, path: str) -> str:
    """The name of a file that is in the directory itself and counts to a kubelet, else ""."""
    name = path.removeprefix(f"{directory.rstrip('/')}/")
    return "" if "/" in name or name.startswith(".") else name
