"""The user's certificates: the client's own, and the authorities that the kubeconfig trusts."""

from collections.abc import Iterator

from kubectl_admin.certificates import x509
from kubectl_admin.certificates.facts import Seen, Source, Use
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.kubeconfig import Target, material


def seen(cluster: Cluster) -> Iterator[Seen]:
    """The user's client certificate, if there is one, and the cluster's authorities by the kubeconfig.

    Raises AdminError where files of the kubeconfig can't be read, or its plugin gives no credential.
    """
    target = cluster.target
    if shown := cluster.client_certificate:
        content = x509.read(shown)[0]
        where, plugin = holder(target), by_plugin(target)
        yield Seen(f"user {target.user_name}", "", where, Source.USER, Use.CLIENT, content, by_plugin=plugin)
    where = f'certificate-authority of cluster "{target.cluster_name}"'
    for content in x509.read(material(target, "certificate-authority") or b"-"):
        if isinstance(content, x509.Certificate):
            yield Seen("kubeconfig (authority)", "", where, Source.USER, Use.AUTHORITY, content)


def by_plugin(target: Target) -> bool:
    """Whether a program gives the user's client certificate."""
    return not {"client-certificate-data", "client-certificate"} & target.user.keys()


def holder(target: Target) -> str:
    """Where the user's client certificate comes from."""
    if "client-certificate-data" in target.user:
        return f'client-certificate-data of user "{target.user_name}"'
    if "client-certificate" in target.user:
        return str(target.user["client-certificate"])
    plugin = target.user.get("exec") or {}  # whatever `by_plugin` is true for
    return f"given by the plugin {plugin.get('command', '')}"
