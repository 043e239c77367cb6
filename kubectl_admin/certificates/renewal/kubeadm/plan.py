"""What a renewal by kubeadm would do on each control-plane node, and what forbids it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from kubectl_admin.certificates.facts import Seen
from kubectl_admin.certificates.renewable import ALL, CLIENT, RENEWABLE, RENEWAL_DOCS
from kubectl_admin.certificates.renewal.facts import ABSENT, Facts, Node
from kubectl_admin.certificates.renewal.plan import NodeStep, Plan, busy, why
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Finding, Severity


def renewal(facts: Facts, names: Sequence[str] | None) -> Plan:
    """The plan of a renewal. names: kubeadm's; None is all of them, as far as they are on a node.

    Raises AdminError for a name that is on none of the nodes.
    """
    steps = []
    # A member of etcd that does not answer comes back by its renewal, or costs nothing: the others need it.
    for node in sorted(facts.nodes, key=lambda node: node.node in facts.etcd.up):
        here = tuple(name for name in names if node.has(name)) if names else node.renewable
        if here:
            steps.append(NodeStep(node, here, here if names else (ALL,)))
    for name in names or ():
        if not any(node.has(name) for node in facts.nodes):
            raise AdminError(f"{name} is on none of the nodes {', '.join(node.node for node in facts.nodes)}")
    findings = [finding for step in steps for finding in forbidding(step)]
    return Plan(facts.context, tuple(steps), (*findings, *quorum(facts, steps), *remarks(facts.nodes)))


def forbidding(step: NodeStep) -> Iterator[Finding]:
    """What forbids a renewal on one node."""
    node = step.node
    objects = (f"node/{node.node}",)
    if not node.survey.kubeadm:
        yield Finding(
            Severity.VIOLATION,
            "no-kubeadm",
            "kubeadm",
            "certificates are renewed by the node's own kubeadm",
            "it is not there, or does not say its version",
            "install the kubeadm of the cluster's version on it",
            RENEWAL_DOCS,
            objects,
        )
    yield from busy(node)
    yield from external(step)
    broken = [name for name in step.names if node.certificate(name) is None]
    if broken and not any(backup.open for backup in node.survey.backups):
        yield Finding(
            Severity.VIOLATION,
            "broken-certificate",
            ", ".join(broken),
            "kubeadm makes a new certificate after the old one, which it must be able to read",
            "; ".join(why(node, name) for name in broken),
            "bring an older one back with kubectl admin certs rollback, or make it anew on the node: "
            "kubeadm init phase certs",
            RENEWAL_DOCS,
            objects,
        )


def external(step: NodeStep) -> Iterator[Finding]:
    """Certificates whose signer's key is not on the node: kubeadm would pass over them without an error."""
    node = step.node
    keyless: dict[str, list[str]] = {}
    for name in step.names:
        authority = node.on_disk(RENEWABLE[name].authority)
        if authority is None or authority.key is False:
            keyless.setdefault(RENEWABLE[name].authority, []).append(name)
    for signed_by, names in keyless.items():
        found = node.on_disk(signed_by)
        yield Finding(
            Severity.VIOLATION,
            "external-authority",
            ", ".join(names),
            "kubeadm renews what an authority on the node can sign",
            f"the key of {signed_by} is not there",
            # Without the configuration, requests lack the name of the cluster's endpoint and its kind of key;
            # without an InitConfiguration, they have the default route's address and the hostname.
            "on the node, with the cluster's configuration in FILE and this node's InitConfiguration: "
            "kubeadm certs generate-csr --config FILE --cert-dir /root/csr/pki --kubeconfig-dir /root/csr; "
            f"have the .csr files of {', '.join(names)} signed by {signer(found)}, and put keys and "
            "certificates in their places; docs/certificates.md has every step",
            f"{RENEWAL_DOCS}#external-ca-mode",
            (f"node/{node.node}",),
        )


def signer(authority: Seen | None) -> str:
    """Who signs: the subject of the authority's certificate, as far as that is there."""
    found = authority.certificate if authority else None
    return f"«{found.subject}»" if found else "whoever holds the authority's key"


def quorum(facts: Facts, steps: Sequence[NodeStep]) -> Iterator[Finding]:
    """Whether etcd can spare a member: one that does not reload by itself is started anew."""
    etcd, up = facts.etcd, facts.etcd.up
    for step in steps:
        node = step.node.node
        if not any(RENEWABLE[name].server == "etcd" for name in step.names):
            continue
        now = replace(etcd, up=up)
        if etcd.problem or not now.can_restart(node):
            all_up = len(up) == etcd.voters and not etcd.problem
            yield Finding(
                Severity.WARNING if all_up else Severity.VIOLATION,
                "no-spare-member",
                "etcd",
                "a member may have to be started anew, so the others must be a quorum without it",
                etcd.problem or f"{len(up)} of {etcd.voters} voting members answer",
                "" if all_up else "bring its members back first: kubectl admin etcd-status",
                objects=() if etcd.problem else (f"node/{node}",),
            )
            return
        up |= {node}  # or this run ends there


def remarks(nodes: Sequence[Node]) -> Iterator[Finding]:
    """What is to be known beforehand, and forbids nothing."""
    embedded = [node.node for node in nodes if node.survey.embedded]
    if embedded:
        yield Finding(
            Severity.WARNING,
            "kubelet-conf-embeds",
            "kubelet.conf",
            "a kubelet's certificate is in a file that it renews itself",
            "the certificate stands in kubelet.conf, which neither kubeadm nor the kubelet renews there",
            f"kubectl admin certs renew {CLIENT}, which has it name the kubelet's own file again",
            f"{RENEWAL_DOCS}#check-certificate-expiration",
            tuple(f"node/{name}" for name in embedded),
        )
    outside = [node.node for node in nodes if node.etcd_is_external and node.has("apiserver-etcd-client")]
    if outside:
        yield Finding(
            Severity.NOTE,
            "external-etcd",
            "apiserver-etcd-client",
            "kubeadm renews nothing that an external etcd has signed",
            "the API servers use an etcd outside of the cluster",
            "have it renewed by whoever runs that etcd",
            objects=tuple(f"node/{name}" for name in outside),
        )
    for node in nodes:
        gone = [name for name in RENEWABLE if (one := node.on_disk(name)) and one.content == ABSENT]
        if gone:
            yield Finding(
                Severity.WARNING,
                "missing-certificate",
                ", ".join(gone),
                "what is there is renewed",
                "it is not there, and a process was told to use it",
                "bring it back with kubectl admin certs rollback, or make it anew on the node: "
                "kubeadm init phase certs",
                RENEWAL_DOCS,
                (f"node/{node.node}",),
            )
        for backup in node.survey.backups[-1:]:
            if backup.open:
                yield Finding(
                    Severity.NOTE,
                    "goes-on",
                    "an earlier renewal",
                    "a renewal is seen to its end",
                    f"it was not (backup {backup.name}); all is looked at once more, what is good is kept "
                    "first, and a key that lies beside another's certificate is renewed as well",
                    objects=(f"node/{node.node}",),
                )
