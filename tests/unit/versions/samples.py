"""Small clusters as facts, for the tests of policy and judgement."""

from kubectl_admin.control_plane.component import CONTROLLERS, Component
from kubectl_admin.versions.facts import Evidence, Facts, Instance, Node
from kubectl_admin.versions.version import Version


def said(version: str, source: str = "its /version") -> Evidence:
    """Evidence of a version."""
    return Evidence(Version.parse(version), source)


def part(component: Component, version: str, node: str | None = "cp1", **fields: object) -> Instance:
    """A running instance."""
    return Instance(component, node, running=said(version), **fields)  # type: ignore[arg-type]


def node(name: str, **fields: object) -> Node:
    """A healthy node of today."""
    return Node(
        **{  # type: ignore[arg-type]
            "name": name,
            "status": "Ready",
            "roles": "control-plane" if name.startswith("cp") else "<none>",
            "os_image": "Debian GNU/Linux 12 (bookworm)",
            "kernel": "6.1.0",
            "runtime": "containerd://2.2.9",
            **fields,
        }
    )


def cluster(
    apiservers: dict[str, str],
    kubelets: dict[str, str] | None = None,
    *further: Instance,
    **node_fields: object,
) -> Facts:
    """Control planes with these API servers, controllers of the same version, and these kubelets."""
    kubelets = apiservers if kubelets is None else kubelets
    parts = [
        part(component, version, name)
        for name, version in apiservers.items()
        for component in (Component.APISERVER, *CONTROLLERS[:2])
    ]
    parts += [part(Component.KUBELET, version, name) for name, version in kubelets.items()]
    names = dict.fromkeys([*apiservers, *kubelets])
    return Facts(
        context="lab",
        server="https://127.0.0.1:6443",
        nodes=tuple(node(name, **node_fields) for name in names),
        instances=(*parts, *further),
    )
