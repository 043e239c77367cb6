"""kube-proxy and CoreDNS as an upgrade sees them while they are rolled out."""

from kubectl_admin.upgrade.addon_facts import Addons, DnsRollout, ProxyPod, ProxyRollout
from kubectl_admin.versions.version import Version
from tests.unit.upgrade.cases import NEW

IMAGES = {
    "kube-proxy": "registry.k8s.io/kube-proxy:v1.37.2",
    "coredns": "registry.k8s.io/coredns/coredns:v1.14.6",
}


def pod(
    template: str = "2",
    *,
    uid: str = "a",
    name: str = "kube-proxy-x",
    node: str = "cp-1",
    begun: bool = True,
    running: bool = True,
    ready: bool = True,
    restarts: int = 0,
    ended: str = "",
) -> ProxyPod:
    """A pod of kube-proxy; a new one, unless something else is said."""
    return ProxyPod(name, uid, node, template, begun, running, ready, restarts, ended)


def proxies(
    updated: int = 0,
    wanted: int = 4,
    *,
    template: str = "2",
    automatic: bool = True,
    noticed: bool = True,
    holding: tuple[str, ...] = (),
) -> ProxyRollout:
    """How far its DaemonSet is."""
    return ProxyRollout(template, automatic, noticed, updated, wanted, holding)


UNTOUCHED, THROUGH = proxies(), DnsRollout("", serves=True)


def addons_of(
    *here: ProxyPod,
    elsewhere: tuple[ProxyPod, ...] = (),
    trusted: bool = False,
    images: dict[str, str] = IMAGES,
    proxy: ProxyRollout | None = UNTOUCHED,
    dns: DnsRollout | None = THROUGH,
    apiservers: tuple[Version | None, ...] = (NEW,),
) -> Addons:
    """What the cluster has of them; here: kube-proxy's pods on the node."""
    return Addons(here, images, proxy, dns, apiservers, elsewhere, trusted)
