"""Asks a running cluster for what a restore of a snapshot depends on.

The hosts of the control planes are opened once, for two files each: the API server's configuration of
encryption at rest, and the authority that pods are given. The first holds keys: it stays in memory, and no
message has anything of it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kubectl_admin.cluster.access import Right, explained
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import decode_yaml, mapping
from kubectl_admin.cluster.errors import NotFound
from kubectl_admin.cluster.objects import is_ready
from kubectl_admin.cluster.paths import KUBE_SYSTEM, KUBEADM_CONFIG
from kubectl_admin.control_plane import static_pods
from kubectl_admin.control_plane.component import APISERVER, CONTROLLER_MANAGER
from kubectl_admin.control_plane.pod import StaticPod, static_pod
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members import gather as members
from kubectl_admin.etcd.restore.look.authorities import fingerprints
from kubectl_admin.etcd.restore.look.facts import Authorities, ControlPlane, LiveFacts, Told
from kubectl_admin.etcd.restore.look.snapshot import kubeadm_version
from kubectl_admin.etcd.stored.encryption import Encryption, Unconfigured, configured, unsealing
from kubectl_admin.etcd.stored.objects import Unseal
from kubectl_admin.node import debug_pod
from kubectl_admin.node.host import Host
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.texts import Texts, read_texts
from kubectl_admin.pool import ask_all

NAMESPACE = f"/api/v1/namespaces/{KUBE_SYSTEM}"
RIGHTS = (
    *members.RIGHTS,
    Right("get", "namespaces"),
    Right("get", "configmaps", KUBE_SYSTEM),
)
ENCRYPTION = "encryption-provider-config"  # flags
ROOT_CA = "root-ca-file"
ASK_TIMEOUT = 30.0  # seconds for single objects


def rights(hosts: Hosts) -> tuple[Right, ...]:
    """Those that `of_cluster` needs."""
    return (*RIGHTS, *debug_pod.rights(hosts.options.namespace))


def of_cluster(
    cluster: Cluster,
    hosts: Hosts,
    *,
    answered: Callable[[int], None] | None = None,
) -> LiveFacts:
    """The facts of a running cluster.

    answered: called after each host's answer with the number of hosts, for progress. A host that gives no
    answer is a ControlPlane whose encryption and authority are not known; none is asked where etcd takes no
    writes. Raises AdminError where the API can't be reached or the rights are missing.
    """
    state = members.gather(cluster, compare=False)
    with explained(cluster, RIGHTS):
        found = static_pods.find(cluster)
        objects = {
            str(node["metadata"]["name"]): node
            for node in cluster.list("/api/v1/nodes", [("labelSelector", static_pods.LABEL)])
        }
        uid = Told(str(cluster.get(NAMESPACE)["metadata"].get("uid") or ""))
        noted, server = _versions(cluster)
    running: dict[str, list[StaticPod]] = {name: [] for name in sorted(objects)}
    for pod in found.pods:
        if (part := static_pod(pod)) and part.node in running:
            running[part.node].append(part)
    nodes = {name: ControlPlane(name, is_ready(objects[name]), tuple(pods)) for name, pods in running.items()}
    live = LiveFacts(
        state=state,
        cluster=uid if uid.text else Told(why=f"namespace {KUBE_SYSTEM} has no UID"),
        server=server,
        kubernetes=noted,
        nodes=nodes,
    )
    if live.is_full:
        return live
    answers = hosts.ask(nodes, lambda host: on_host(host, nodes[host.node]), answered=answered)
    return replace(
        live,
        nodes={
            name: unanswered(nodes[name], answer) if isinstance(answer, AdminError) else answer
            for name, answer in answers.items()
        },
    )


def unseal(live: LiveFacts) -> Unseal:
    """Decrypts values as the API server of any of these control planes would."""
    known = {id(node.encryption): node.encryption for node in live.nodes.values()}
    return unsealing(one for one in known.values() if one is not None)


def on_host(host: Host, node: ControlPlane) -> ControlPlane:
    """The node with what the files of its host say. Raises AdminError where the host can't be asked."""
    wanted = {flag: _file(node, component, flag) for component, flag in _FILES}
    texts = read_texts(host, filter(None, wanted.values()))
    encryption, encryption_why = encryption_of(node, wanted[ENCRYPTION], texts)
    return ControlPlane(
        node.name,
        node.ready,
        node.pods,
        encryption,
        encryption_why,
        authorities_of(node, wanted[ROOT_CA], texts),
    )


def encryption_of(node: ControlPlane, path: str, texts: Texts) -> tuple[Encryption | None, str]:
    """How the node's API server encrypts; None where that is not known, and why."""
    if node.only(APISERVER) is None:
        return None, f"node {node.name} shows no single static pod of {APISERVER}"
    if not path:
        return Encryption(), ""
    if path not in texts.read:
        return None, f"node {node.name}: {path} {'can not be read' if path in texts.unread else 'is missing'}"
    try:
        return configured(document(texts.read[path], path)), ""
    except AdminError as error:
        return None, f"node {node.name}: {error.what}"
    except Unconfigured as error:
        return None, f"node {node.name}: {path}: {error}"


def authorities_of(node: ControlPlane, path: str, texts: Texts) -> Authorities:
    """The authorities that the node's controller-manager gives to pods."""
    if not path:
        return Authorities(why=f"node {node.name}: its {CONTROLLER_MANAGER} has no --{ROOT_CA}")
    found = fingerprints(texts.read.get(path, ""))
    return Authorities(
        found, "" if found else f"node {node.name}: {path} has no certificate that can be read"
    )


def unanswered(node: ControlPlane, error: AdminError) -> ControlPlane:
    """The node whose host gave no answer."""
    why = f"node {node.name}: {error.what.removeprefix(f'node {node.name}: ')}"
    return ControlPlane(node.name, node.ready, node.pods, None, why, Authorities(why=why))


_FILES: Sequence[tuple[str, str]] = ((APISERVER, ENCRYPTION), (CONTROLLER_MANAGER, ROOT_CA))


def _file(node: ControlPlane, component: str, flag: str) -> str:
    """Where on the host the file is that a flag names; "" where it names none."""
    pod = node.only(component)
    path = pod.flags.get(flag, "") if pod else ""
    return pod.on_host(path) if pod and path else ""


def document(text: str, path: str) -> Any:
    """The document of a configuration in YAML or JSON. Raises AdminError, with nothing of what it holds."""
    if text.lstrip().startswith("{"):  # JSON may have tabs, which YAML does not take
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    documents = decode_yaml(text, path)
    return documents[0] if documents else None


def _versions(cluster: Cluster) -> tuple[Told, Told]:
    """The version that kubeadm has noted, and that of the API server that answers."""
    questions: Mapping[str, Callable[[], Any]] = {
        "noted": lambda: cluster.get(KUBEADM_CONFIG),
        "server": lambda: cluster.get("/version"),
    }
    answers = ask_all(questions, deadline=ASK_TIMEOUT)
    noted, server = answers["noted"], answers["server"]
    if isinstance(noted, AdminError) and not isinstance(noted, NotFound):
        raise noted
    if isinstance(server, AdminError):
        raise server
    version = str(mapping(server).get("gitVersion") or "")
    return (
        Told(why="there is no ConfigMap kube-system/kubeadm-config")
        if isinstance(noted, AdminError)
        else kubeadm_version(mapping(noted.get("data"))),
        Told(version, "" if version else "the API server does not tell its version"),
    )
