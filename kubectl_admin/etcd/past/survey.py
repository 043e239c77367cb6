"""Control-plane nodes that may open a snapshot: by their static pods, and by what their hosts say."""

from collections.abc import Mapping
from dataclasses import dataclass

from kubectl_admin.control_plane import static_pods
from kubectl_admin.control_plane.component import APISERVER, ETCD
from kubectl_admin.control_plane.pod import container_id_of, container_of, static_pod
from kubectl_admin.control_plane.static_pods import StaticPods
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.past import programs
from kubectl_admin.etcd.past.facts import Place
from kubectl_admin.etcd.past.programs import NAMES
from kubectl_admin.node.host import Host
from kubectl_admin.node.script import Script
from kubectl_admin.node.workspace import STATE

SURVEY = Script("etcd", "past-survey")
HINT = "open it on another node (--node), or on this machine (--local)"
# What a host has, by the words of the script, and for a person.
NEEDED = {
    "systemd": "systemd",
    "nsenter": "a program «nsenter»",
    "carrier": "any of bash, socat and nc",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node with etcd and an API server. etcd, apiserver: the runtime's ids of their containers.

    encryption: where its configuration of encryption is on the host; "" for none.
    """

    node: str
    etcd: str
    apiserver: str
    encryption: str = ""


def candidates(found: StaticPods) -> dict[str, Candidate]:
    """The nodes of these static pods that run both, by their names. Pure."""
    ids: dict[str, dict[str, str]] = {}
    configurations = {}
    for pod in found.pods:
        component, node = static_pods.component_of(pod), static_pods.node_of(pod)
        if component in (ETCD, APISERVER):
            running = container_id_of(pod, container_of(pod, component))
            ids.setdefault(node, {})[component] = running
        if component == APISERVER and (part := static_pod(pod)):
            path = part.flags.get("encryption-provider-config", "")
            configurations[node] = part.on_host(path) if path else ""
    return {
        node: Candidate(node, both[ETCD], both[APISERVER], configurations.get(node, ""))
        for node, both in sorted(ids.items())
        if both.get(ETCD) and both.get(APISERVER)
    }


def survey(host: Host, candidate: Candidate) -> Place:
    """A node as it is now. Raises AdminError where it can't open a snapshot, whatever that is."""
    answer = host.script(SURVEY, candidate.etcd, candidate.apiserver, STATE).decode("utf-8", "replace")
    return place_of(host.node, dict(line.split(" ", 1) for line in answer.splitlines() if " " in line))


def place_of(node: str, found: Mapping[str, str]) -> Place:
    """The same of the script's answer, values by names. Pure."""
    name = f"node {node}"
    for word, what in NEEDED.items():
        if word not in found:
            raise AdminError(f"{name}: its host does not have {what}", HINT)
    versions = {program: programs.version(found.get(program, "")) for program in NAMES}
    programs.refuse_unable(versions, name, HINT)
    try:
        return Place(
            name=name,
            memory=int(found["memory"]),
            total=int(found["total"]),
            room=int(found["room"]),
            copies=1,
            etcd=versions[ETCD],
            kubernetes=versions[APISERVER],
        )
    except (KeyError, ValueError):
        raise AdminError(f"{name}: unexpected answer of the host: {str(dict(found))[:80]}") from None
