"""Which certificates the control plane was told to use, and where it serves them, by its static pods. Pure.

Source: kubernetes/kubernetes cmd/kubeadm/app/phases/certs/certlist.go (names and places);
docs «PKI certificates and requirements» (which flag names which file).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kubectl_admin.certificates.facts import Process, Use
from kubectl_admin.control_plane.component import APISERVER, CONTROLLER_MANAGER, ETCD, ETCD_PORT, SCHEDULER
from kubectl_admin.control_plane.flags import listed, url_parts
from kubectl_admin.control_plane.pod import StaticPod, port_of

KUBERNETES = "/etc/kubernetes"
PKI = f"{KUBERNETES}/pki"


@dataclass(frozen=True, slots=True)
class File:
    """A file that holds certificates. kubeconfig: whether it is such a file. required: as in `Seen`."""

    name: str
    path: str
    use: Use
    kubeconfig: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True)
class Port:
    """A port on which a process serves.

    file: the name of the certificate on disk that is meant to be served; "" where the process makes its own.
    host: the address at which it listens where that is not the loopback; "" for the loopback.
    """

    node: str
    component: str
    number: int
    file: str
    host: str = ""

    @property
    def name(self) -> str:
        """Its certificate's name in listings."""
        return self.file or f"{self.component.removeprefix('kube-')}-serving"


# component -> flag -> the name and use of the certificate that it names.
FLAGS: Mapping[str, Mapping[str, tuple[str, Use]]] = {
    APISERVER: {
        "tls-cert-file": ("apiserver", Use.SERVER),
        "kubelet-client-certificate": ("apiserver-kubelet-client", Use.CLIENT),
        "etcd-certfile": ("apiserver-etcd-client", Use.CLIENT),
        "proxy-client-cert-file": ("front-proxy-client", Use.CLIENT),
        "client-ca-file": ("ca", Use.AUTHORITY),
        "etcd-cafile": ("etcd-ca", Use.AUTHORITY),
        "requestheader-client-ca-file": ("front-proxy-ca", Use.AUTHORITY),
        "kubelet-certificate-authority": ("kubelet-serving-ca", Use.AUTHORITY),
    },
    ETCD: {
        "cert-file": ("etcd-server", Use.SERVER),
        "peer-cert-file": ("etcd-peer", Use.SERVER),
        "trusted-ca-file": ("etcd-ca", Use.AUTHORITY),
        "peer-trusted-ca-file": ("etcd-ca", Use.AUTHORITY),
    },
    CONTROLLER_MANAGER: {
        "cluster-signing-cert-file": ("ca", Use.AUTHORITY),
        "root-ca-file": ("ca", Use.AUTHORITY),
        "client-ca-file": ("ca", Use.AUTHORITY),
        "requestheader-client-ca-file": ("front-proxy-ca", Use.AUTHORITY),
        "tls-cert-file": ("controller-manager-serving", Use.SERVER),
    },
    SCHEDULER: {"tls-cert-file": ("scheduler-serving", Use.SERVER)},
}
CONFIGS = {CONTROLLER_MANAGER: "controller-manager.conf", SCHEDULER: "scheduler.conf"}
# Where kubeadm puts files that no flag names, or that only people use.
USUAL = (
    File("etcd-healthcheck-client", f"{PKI}/etcd/healthcheck-client.crt", Use.CLIENT, required=False),
    *(
        File(name, f"{KUBERNETES}/{name}", Use.CLIENT, kubeconfig=True, required=False)
        for name in ("admin.conf", "super-admin.conf", *CONFIGS.values())
    ),
)
# kubeadm's layout, for control planes whose static pods are not to be seen.
LAYOUT = {
    f"{PKI}/ca.crt": ("ca", Use.AUTHORITY),
    f"{PKI}/apiserver.crt": ("apiserver", Use.SERVER),
    f"{PKI}/apiserver-kubelet-client.crt": ("apiserver-kubelet-client", Use.CLIENT),
    f"{PKI}/apiserver-etcd-client.crt": ("apiserver-etcd-client", Use.CLIENT),
    f"{PKI}/front-proxy-ca.crt": ("front-proxy-ca", Use.AUTHORITY),
    f"{PKI}/front-proxy-client.crt": ("front-proxy-client", Use.CLIENT),
    f"{PKI}/etcd/ca.crt": ("etcd-ca", Use.AUTHORITY),
    f"{PKI}/etcd/server.crt": ("etcd-server", Use.SERVER),
    f"{PKI}/etcd/peer.crt": ("etcd-peer", Use.SERVER),
}
EXTERNAL_ETCD = "external-etcd"  # the name of what one serves
EVERYWHERE = ("", "0.0.0.0", "::", "localhost", "127.0.0.1", "::1")  # noqa: S104 - what others listen on


def files(pods: Iterable[StaticPod]) -> list[File]:
    """The files that one node's static pods were told to use, each once, and those that kubeadm adds."""
    found: dict[str, File] = {}
    for pod in pods:
        for flag, (name, use) in FLAGS[pod.component].items():
            if path := pod.flags.get(flag):
                found.setdefault(path := pod.on_host(path), File(name, path, use))
        for path in map(pod.on_host, pod.by_name):
            found.setdefault(path, File(path.removeprefix(f"{KUBERNETES}/"), path, Use.SERVER))
        if (config := CONFIGS.get(pod.component)) and (path := pod.flags.get("kubeconfig")):
            found.setdefault(path := pod.on_host(path), File(config, path, Use.CLIENT, kubeconfig=True))
    return [*found.values(), *(file for file in USUAL if file.path not in found)]


def ports(pod: StaticPod) -> Iterator[Port]:
    """The ports on which a part of the control plane serves with TLS."""
    if pod.component == ETCD:
        for flag, name in (("listen-client-urls", "etcd-server"), ("listen-peer-urls", "etcd-peer")):
            urls = [url_parts(url, 0) for url in listed(pod.flags.get(flag, ""))]
            secure = [(host, number) for scheme, host, number in urls if scheme == "https" and number]
            if secure:
                # The loopback is the nearest.
                host, number = min(secure, key=lambda url: url[0] not in EVERYWHERE)
                yield _port(pod, number, name, host)
        return
    if port := port_of(pod.flags, pod.component):
        name = FLAGS[pod.component]["tls-cert-file"][0] if "tls-cert-file" in pod.flags else ""
        yield _port(pod, port, name, pod.flags.get("bind-address", ""))


def external_etcd(pods: Sequence[StaticPod]) -> tuple[str, ...]:
    """Where the API servers say that etcd is, where no static pod runs it; () where one does."""
    if any(pod.component == ETCD for pod in pods):
        return ()
    urls = [url for pod in pods for url in listed(pod.flags.get("etcd-servers", ""))]
    return tuple(dict.fromkeys(urls))


def is_loopback(url: str) -> bool:
    """Whether an address leads to the asking host itself."""
    _, host, _ = url_parts(url, 0)
    return host in {"localhost", "::1"} or host.startswith("127.")


def external_ports(pods: Sequence[StaticPod]) -> Iterator[Port]:
    """Where each API server reaches an etcd outside of the cluster with TLS, as its own node sees it."""
    if not external_etcd(pods):
        return
    for pod in pods:
        for url in listed(pod.flags.get("etcd-servers", "")):
            scheme, host, number = url_parts(url, ETCD_PORT)
            if scheme == "https" and host:
                yield Port(pod.node, ETCD, number, EXTERNAL_ETCD, _address(host, number))


def process(pod: StaticPod) -> Process | None:
    """The process in a static pod that has read a kubeconfig file; None where it reads none."""
    config = CONFIGS.get(pod.component)
    if config is None or pod.started is None:
        return None
    return Process(pod.node, pod.component, config, pod.started)


def _port(pod: StaticPod, number: int, name: str, host: str) -> Port:
    near = host in EVERYWHERE
    return Port(pod.node, pod.component, number, name, "" if near else _address(host, number))


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
