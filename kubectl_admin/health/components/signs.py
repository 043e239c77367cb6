"""The signs of life of a node, beside the answers of its components. Pure."""

import re

from kubectl_admin.control_plane.component import Component
from kubectl_admin.health.components.ages import age_of_lease
from kubectl_admin.health.components.checks import health_replies
from kubectl_admin.health.facts import Facts, Node, NoReply, Reply, Why
from kubectl_admin.report.text import span

# A kubelet that has renewed its node's lease since this time is alive: it does so every 10 s.
# Source: kubernetes/kubernetes pkg/kubelet/kubelet.go, nodeLeaseRenewIntervalFraction of 40 s.
SIGN_OF_LIFE = 12.0  # seconds
# Words of an API server that has no connection to a kubelet since nothing listens at its port.
REFUSED = "connection refused"
DIALED = re.compile(r"dial tcp (\S+): ")  # «dial tcp 10.0.0.11:10250: connect: connection refused»
# Words of a kubelet whose runtime does not do what it asks; others are of one that forwards to nobody.
# Source: kubernetes/kubernetes pkg/kubelet/server/server.go, getPortForward; cri-client remote_runtime.go.
RUNTIME = ("rpc error", "deadline", "timed out", "timeout", ".sock", "container")


def is_of_runtime(said: str) -> bool:
    """Whether the words of a kubelet that has not forwarded ports accuse its container runtime."""
    return any(word in said.lower() for word in RUNTIME)


def forwards_nothing(node: Node) -> str:
    """The words of a kubelet whose runtime has forwarded none of the ports asked for; "" for another."""
    replies = [reply for process in node.processes for reply in health_replies(process).values()]
    refused = [one.said for one in replies if isinstance(one, NoReply) and one.why is Why.FORWARD]
    if not refused or len(refused) < len(replies):
        return ""
    return next((said for said in refused if is_of_runtime(said)), "")


def is_alive(facts: Facts, node: Node) -> bool:
    """Whether there is a sign of life of a node: its lease is renewed, or something on it has answered.

    A connection that is refused is an answer as well: that of the machine, which has no kubelet.
    """
    answered = any(
        isinstance(reply, Reply) for process in node.processes for reply in process.replies.values()
    )
    return answered or refuses(node) or is_renewing(facts, node)


def refuses(node: Node) -> bool:
    """Whether a node's machine has refused the API server's connection to its kubelet."""
    return isinstance(node.way, NoReply) and REFUSED in node.way.said


def waits_for_instance(node: Node) -> bool:
    """Whether a node's kubelet says nothing since the API server of its node hangs.

    A kubelet lets nobody in before the API server that it knows has allowed it, and kubeadm has it know its
    own node's. Something else of the node has answered, so the machine is there.
    """
    if not isinstance(node.way, NoReply) or node.way.why is not Why.SILENT:
        return False
    instance = node.process(Component.APISERVER)
    replies = list(health_replies(instance).values()) if instance else []
    hangs = bool(replies) and all(isinstance(one, NoReply) and one.why is Why.SILENT for one in replies)
    others = [each for each in node.processes if each is not instance]
    return hangs and any(isinstance(one, Reply) for each in others for one in each.replies.values())


def is_renewing(facts: Facts, node: Node) -> bool:
    """Whether its kubelet has renewed its lease just now; by its condition where the lease is not known."""
    age = age_of_lease(facts, node)
    if age is not None:
        return not age.is_above(SIGN_OF_LIFE)
    ready = node.condition("Ready")
    return ready is not None and ready.status != "Unknown"


def not_reached(node: Node) -> str:
    """How a kubelet's port has received the API server, in words: «10.0.0.11:10250 refuses connections»."""
    said = node.way.said if isinstance(node.way, NoReply) else ""
    dialed = DIALED.search(said)
    if refuses(node):
        return f"{dialed[1] if dialed else 'its port'} refuses connections"
    return f"the API server can't reach it: {said or 'it does not say why'}"


def last_sign(facts: Facts, node: Node) -> str:
    """When the kubelet was last seen alive, in words."""
    age = age_of_lease(facts, node)
    return f"last sign of life {span(age.seconds)} ago" if age else "no Lease tells of its last sign of life"


def signs(facts: Facts, node: Node) -> str:
    """The kubelet's own signs of life, in words."""
    ready, age = node.condition("Ready"), age_of_lease(facts, node)
    since = f" for {span((facts.now - ready.since).total_seconds())}" if ready and ready.since else ""
    condition = f"Ready is {ready.status}{since}" if ready else "it has no condition Ready"
    lease = f"its lease was renewed {span(age.seconds)} ago" if age else "it has no lease to be seen"
    return f"{condition}, {lease}"
