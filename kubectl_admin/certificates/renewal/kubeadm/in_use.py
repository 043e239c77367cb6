"""Sees what lies on a node's disk in use: served, or read by a process that is young enough.

Servers read their files again by themselves, or are started anew; one at a time, and only where that is seen
to be necessary.
"""

from collections.abc import Callable
from dataclasses import replace

from kubectl_admin.certificates.inventory import components, served
from kubectl_admin.certificates.inventory.components import CONFIGS, Port
from kubectl_admin.certificates.renewable import RENEWABLE
from kubectl_admin.certificates.renewal.facts import Node
from kubectl_admin.certificates.renewal.kubeadm.gather import etcd_of, on_disk
from kubectl_admin.certificates.renewal.work import POLL_INTERVAL
from kubectl_admin.certificates.x509 import Certificate
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.objects import is_ready
from kubectl_admin.cluster.paths import SYSTEM_PODS
from kubectl_admin.cluster.wait import looks
from kubectl_admin.control_plane.component import APISERVER, ETCD
from kubectl_admin.errors import AdminError
from kubectl_admin.node.host import Host, Say
from kubectl_admin.node.script import Script

RESTART = Script("certificates", "certs-restart")
SETTLING = 15.0  # seconds in which a server must have read its files by itself; 1.37's take three
COMING = 360.0  # seconds until a process that was ended must serve again: kubelets wait up to 300
READY_TIMEOUT = 60.0  # seconds in which an API server must be ready, whose kubelet looks every one
AGAIN = "what is done is done: run it again and it goes on; kubectl admin certs rollback brings back what was"


class Use:
    """What is in use on one node. restarted: which processes were started anew. say: is given sentences.

    check: called right before one is; raises AdminError where the run may not go on.
    """

    def __init__(self, cluster: Cluster, there: Host, say: Say, check: Callable[[], None]) -> None:
        self._cluster, self._host, self._say, self._check = cluster, there, say, check
        self.restarted: list[str] = []

    def see_served(self, node: Node, name: str) -> bool | None:
        """Sees what is on the disk being served, by its server as it is or started anew.

        None where nobody can look. Raises AdminError where it does not come to be.
        """
        component, found = RENEWABLE[name].server, node.certificate(name)
        ports = node.ports(name)
        if found is None or not ports:
            return None
        shown = [self._until_served(node, port, found, SETTLING) for port in ports]
        if None in shown:
            return None
        if all(shown):
            return True
        self._refuse_changed(node, name)
        self._say(f"{component} does not serve its new certificate by itself")
        self._start_anew(node, component, name)
        if not all(self._until_served(node, port, found, COMING) for port in ports):
            raise AdminError(
                f"node {node.node}: {component} does not serve the certificate {name} on its disk",
                AGAIN,
            )
        return True

    def _refuse_changed(self, node: Node, name: str) -> None:
        """What somebody else has written meanwhile is no reason to start anything anew."""
        now = replace(node, seen=on_disk(self._host, dict(node.parts)))
        if now.certificate(name) != node.certificate(name):
            raise AdminError(
                f"node {node.node}: somebody else has changed the certificate {name} meanwhile",
                "find out who; nothing was started anew",
            )

    def renew_reader(self, node: Node, component: str) -> None:
        """Has a process started anew that has read its kubeconfig before it was changed; sees it serve."""
        if component not in node.parts:
            return
        self._start_anew(node, component, CONFIGS[component])
        for port in components.ports(node.parts[component]):
            if not port.host and not self._answers(node, port, COMING):
                raise AdminError(
                    f"node {node.node}: {component} does not answer on port {port.number}", AGAIN
                )

    def see_well(self, node: Node) -> None:
        """Sees the node's API server ready and its member of etcd up; AdminError where one does not get so.

        A server shows a certificate that has ended as well as any other; whether it works, its clients tell.
        """
        if ETCD in node.parts:
            self._until_member_is_up()
        if APISERVER not in node.parts:
            return
        path = f"{SYSTEM_PODS}/{node.parts[APISERVER].name}"
        for _ in looks(READY_TIMEOUT, POLL_INTERVAL):
            try:
                if is_ready(self._cluster.get(path)):
                    return
            except AdminError:
                continue  # one that restarts
        raise AdminError(
            f"node {node.node}: its API server is not ready, so no further node is changed", AGAIN
        )

    def _start_anew(self, node: Node, component: str, name: str) -> None:
        """Has the kubelet start a process again, unless it is younger than the file of that name."""
        if component == ETCD and not etcd_of(self._cluster).may_start_anew(node.node):
            raise AdminError(
                f"node {node.node}: etcd is to be started anew, and can't spare a member now",
                "bring its members back first: kubectl admin etcd-status",
            )
        found = node.on_disk(name)
        since = int(found.changed.timestamp()) if found and found.changed else 0
        answer = self._host.script(
            RESTART,
            component,
            node.uids[component],
            str(since),
            str(int(COMING)),
            timeout=COMING + 30,
            before=self._check,
        )
        if answer.strip() == b"restarted":
            self._say(f"{component} was started anew")
            self.restarted.append(component)
        if component == ETCD:
            self._until_member_is_up()

    def _until_member_is_up(self) -> None:
        """Waits until the node's member of etcd answers."""
        for _ in looks(COMING, POLL_INTERVAL):
            try:
                if self._host.node in etcd_of(self._cluster).up:
                    return
            except AdminError:
                continue  # an API server whose etcd restarts
        raise AdminError(
            f"node {self._host.node}: etcd's member is not back", "see kubectl admin etcd-status"
        )

    def _until_served(self, node: Node, port: Port, wanted: Certificate, seconds: float) -> bool | None:
        """Whether the port comes to serve this certificate; None where nothing can look at it."""
        for _ in looks(seconds, POLL_INTERVAL):
            try:
                if self._shown(node, port).fingerprint == wanted.fingerprint:
                    return True
            except AdminError as error:
                if "neither openssl nor curl" in error.what:
                    self._say(f"what is served on port {port.number} can't be seen: {error.what}")
                    return None
        return False

    def _answers(self, node: Node, port: Port, seconds: float) -> bool:
        """Whether the port comes to serve any certificate."""
        for _ in looks(seconds, POLL_INTERVAL):
            try:
                self._shown(node, port)
            except AdminError:
                continue
            return True
        return False

    def _shown(self, node: Node, port: Port) -> Certificate:
        """What a port of the node shows just now."""
        if port.host:
            return served.through_host(self._host.script, port.host)
        return served.certificate(self._cluster, node.parts[APISERVER].name, port.number)
