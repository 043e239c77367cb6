"""Where a part of the control plane says how it is, by the probes of its own pod. Pure.

Source: kubernetes/kubernetes cmd/kubeadm/app/phases/controlplane/manifests.go and phases/etcd/local.go.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kubectl_admin.cluster.decode import mapping, whole_number
from kubectl_admin.control_plane.component import APISERVER, ETCD
from kubectl_admin.control_plane.pod import PORT_LIMIT, container_of, port_of, settings_of

READINESS = "readinessProbe"
PROBES = ("startupProbe", "livenessProbe", READINESS)
LOOPBACK = "127.0.0.1"
Probe = tuple[str, int, str, str]  # host, port, scheme, path


def probes_of(pod: Mapping[str, Any], component: str) -> Iterator[Probe]:
    """Host, port, scheme and path of a component's own probes; a host of "" is the pod's address."""
    return (probe for _, probe in _named(pod, component))


def health_url(pod: Mapping[str, Any], component: str) -> str:
    """The URL at which a component says on its own node whether it is ready, or well where it has no more."""
    found = dict(_named(pod, component))
    for kind in (READINESS, *PROBES):
        if kind in found:
            host, port, scheme, path = found[kind]
            return f"{scheme}://{_written(host)}:{port}{path}"
    port = port_of(settings_of(pod, component), component)
    match component:
        case str() if component == ETCD:
            return f"http://{LOOPBACK}:{port}/health"
        case str() if component == APISERVER:
            return f"https://{LOOPBACK}:{port}/readyz"
    return f"https://{LOOPBACK}:{port}/healthz"


def _named(pod: Mapping[str, Any], component: str) -> Iterator[tuple[str, Probe]]:
    container = container_of(pod, component)
    ports = container.get("ports")
    names = {
        str(mapping(one).get("name")): whole_number(mapping(one).get("containerPort"))
        for one in (ports if isinstance(ports, list) else ())
    }
    for kind in PROBES:
        get = mapping(mapping(container.get(kind)).get("httpGet"))
        said = get.get("port")
        port = names.get(str(said)) or whole_number(said)
        if port and port < PORT_LIMIT:
            scheme = str(get.get("scheme") or "HTTP").lower()
            yield kind, (str(get.get("host") or ""), port, scheme, str(get.get("path") or "/"))


def _written(host: str) -> str:
    """The host as it stands in a URL. Pods of the control plane are on their node's network."""
    host = host or LOOPBACK
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
