"""Static pods as kubeadm makes them, and members of etcd, for the tests of this room."""

from dataclasses import replace
from typing import Any

from kubectl_admin.control_plane.static_pods import ControlPlaneNode, among
from kubectl_admin.etcd.members import pods
from kubectl_admin.etcd.members.etcdctl import Hash, Listed, Status
from kubectl_admin.etcd.members.facts import Member, State
from kubectl_admin.etcd.members.pods import Etcd

PKI = "/etc/kubernetes/pki/etcd"


def etcd_command(node: str, address: str) -> list[str]:
    """The command of kubeadm's manifest (cmd/kubeadm/app/phases/etcd/local.go)."""
    return [
        "etcd",
        f"--advertise-client-urls=https://{address}:2379",
        f"--cert-file={PKI}/server.crt",
        "--client-cert-auth=true",
        "--data-dir=/var/lib/etcd",
        f"--initial-advertise-peer-urls=https://{address}:2380",
        f"--initial-cluster={node}=https://{address}:2380",
        f"--key-file={PKI}/server.key",
        f"--listen-client-urls=https://127.0.0.1:2379,https://{address}:2379",
        "--listen-metrics-urls=http://127.0.0.1:2381",
        f"--name={node}",
        f"--trusted-ca-file={PKI}/ca.crt",
    ]


def apiserver_command(servers: str = "https://127.0.0.1:2379") -> list[str]:
    """As much of the command of kubeadm's manifest as is about etcd."""
    return [
        "kube-apiserver",
        "--allow-privileged",
        f"--etcd-cafile={PKI}/ca.crt",
        "--etcd-certfile=/etc/kubernetes/pki/apiserver-etcd-client.crt",
        "--etcd-keyfile=/etc/kubernetes/pki/apiserver-etcd-client.key",
        f"--etcd-servers={servers}",
    ]


def static_pod(component: str, node: str, command: list[str], **container: Any) -> dict[str, Any]:
    """The object of a static pod of the control plane that runs this command."""
    return {
        "metadata": {
            "name": f"{component}-{node}",
            "namespace": "kube-system",
            "uid": f"object-of-{node}",
            "labels": {"component": component, "tier": "control-plane"},
            "annotations": {
                "kubernetes.io/config.hash": f"hash-of-{node}",
                "kubernetes.io/config.mirror": f"hash-of-{node}",
            },
            "ownerReferences": [
                {
                    "apiVersion": "v1",
                    "kind": "Node",
                    "name": node,
                    "uid": f"uid-of-{node}",
                    "controller": True,
                }
            ],
        },
        "spec": {
            "nodeName": node,
            "containers": [{"name": component, "image": f"x/{component}:1", "command": command, **container}],
        },
        "status": {
            "hostIP": "192.0.2.1",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": component, "containerID": f"containerd://running-on-{node}"}],
        },
    }


def node_object(name: str, **status: Any) -> dict[str, Any]:
    """The object of a control-plane node to which static pods of that node belong."""
    return {"metadata": {"name": name, "uid": f"uid-of-{name}"}, "status": status}


def node(name: str, *addresses: str) -> ControlPlaneNode:
    """The same as what is known of it."""
    return ControlPlaneNode(name, addresses, f"uid-of-{name}")


def of_pods(found: list[dict[str, Any]]) -> Etcd:
    """What these static pods say, each on a node of the control plane."""
    nodes = {str(pod["spec"].get("nodeName")): None for pod in found}
    return pods.of_static_pods(among(found, map(node, nodes)))


def etcd_pod(node: str = "cp-1", address: str = "192.0.2.1") -> dict[str, Any]:
    """kubeadm's etcd pod on a node."""
    return static_pod("etcd", node, etcd_command(node, address))


LEADER = 0x9D806C50726F9643  # larger than what a JSON reader with doubles can tell apart


def status(member_id: int = LEADER, **changes: Any) -> Status:
    """The status of a member of a sound cluster."""
    sound = Status(
        cluster_id=0x1F446A79E5D49D70,
        member_id=member_id,
        revision=1555,
        term=2,
        version="3.6.8",
        leader=LEADER,
        index=2054,
        applied=2054,
        size=200 << 20,
        in_use=150 << 20,
        quota=2 << 30,
        storage_version="3.6.0",
    )
    return replace(sound, **changes)


def sound_member(number: int, **changes: Any) -> Member:
    """A member of a sound cluster: the leader is number 1."""
    name, address = f"cp-{number}", f"192.0.2.{number}"
    member_id = LEADER + number - 1
    sound = Member(
        id=member_id,
        name=name,
        node=name,
        pod=pods.member(etcd_pod(name, address)),
        listed=Listed(member_id, name, (f"https://{address}:2380",), (f"https://{address}:2379",), False),
        status=status(member_id),
        hash=Hash(0x2C7D4E97, 1555, 1000, 1557),
    )
    return replace(sound, **changes)


def state(*members: Member, **changes: Any) -> State:
    """The state of a cluster with these members, each on a control-plane node of its own."""
    found = tuple(member.pod for member in members if member.pod)
    apiservers = of_pods(
        [static_pod("kube-apiserver", member.node, apiserver_command()) for member in members if member.node]
    ).apiservers
    nodes = tuple(node(member.node, f"192.0.2.{member.node[-1]}") for member in members if member.node)
    sound = State(
        context="prod",
        server="https://192.0.2.100:6443",
        etcd=Etcd(found, apiservers, nodes),
        members=members,
        hashed=1555,
    )
    return replace(sound, **changes)


def three(**changes: Any) -> State:
    """A sound cluster of three; changes: of its second member."""
    return state(sound_member(1), sound_member(2, **changes), sound_member(3))
