"""Recognises an expired certificate where the API server can't be asked, and says what to do on a node."""

from collections.abc import Iterable
from datetime import datetime

from kubectl_admin.certificates.facts import Seen, Use
from kubectl_admin.certificates.inventory import user
from kubectl_admin.certificates.judge.advice import config_of
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import Unauthorized, Unreachable
from kubectl_admin.errors import AdminError
from kubectl_admin.report.text import relative

EXPIRED = "certificate has expired"  # OpenSSL, of a server's certificate or its authority
ALERTS = ("alert certificate expired", "alert bad certificate")  # a server, of the client's


def explained(cluster: Cluster, error: AdminError, now: datetime) -> AdminError:
    """The error in terms of the expired certificate behind it, if there is one; else the error itself."""
    try:
        mine = list(user.seen(cluster))
    except AdminError:
        return error
    return explain(error, mine, cluster.server, now)


def explain(error: AdminError, mine: Iterable[Seen], server: str, now: datetime) -> AdminError:
    """The same, of a user who has these certificates and asks this server. Pure."""
    over = [one for one in mine if one.certificate and one.certificate.not_after <= now]
    refused = isinstance(error, Unauthorized) or any(alert in error.what for alert in ALERTS)
    for one in over:
        if one.use is Use.CLIENT and refused:
            return of_user(one, now)
    if isinstance(error, Unreachable) and EXPIRED in error.what:
        return of_server(server, next((one for one in over if one.use is Use.AUTHORITY), None), now)
    return error


def of_user(one: Seen, now: datetime) -> AdminError:
    """The user's own certificate has expired."""
    found = one.certificate
    when = relative(found.not_after, now) if found else ""
    config = config_of(one)
    hint = (
        f"on a control-plane node: kubeadm certs renew {config}; then use /etc/kubernetes/{config} from there"
        if config
        else "have a new one signed; until then use /etc/kubernetes/admin.conf of a control-plane node"
    )
    return AdminError(f"the client certificate of {one.name} expired {when} ({one.where})", hint)


def of_server(server: str, authority: Seen | None, now: datetime) -> AdminError:
    """The API server's certificate has expired, or the authority that has signed it."""
    if authority and authority.certificate:
        when = relative(authority.certificate.not_after, now)
        what = f"the authority of the cluster expired {when} ({authority.where})"
        return AdminError(what, "replace the authority: docs/certificates.md has every step")
    # kubeadm makes them all on one day, and an API server does not start while etcd's has expired.
    return AdminError(
        f"the certificate of the API server at {server} has expired, and most likely others with it",
        "on each control-plane node: kubeadm certs renew all; move all manifests out of "
        "/etc/kubernetes/manifests and back after 20 s; then use /etc/kubernetes/admin.conf from there",
    )
