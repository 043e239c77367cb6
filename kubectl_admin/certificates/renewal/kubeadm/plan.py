"""The plan of a renewal by kubeadm on each control-plane node, and what forbids it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from kubectl_admin.certificates.facts import ABSENT, Seen
from kubectl_admin.certificates.renewable import ALL, CLIENT, RENEWABLE
from kubectl_admin.certificates.renewal.facts import Facts, Node
from kubectl_admin.certificates.renewal.plan import NodeStep, busy, why
from kubectl_admin.certificates.rules import (
    BROKEN_CERTIFICATE,
    EXTERNAL_AUTHORITY,
    EXTERNAL_ETCD,
    KUBELET_CONF_EMBEDS,
    MISSING_CERTIFICATE,
    NO_KUBEADM,
    RENEWAL_RESUMED,
)
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members.rules import ETCD_QUORUM
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.plan import Plan

RECREATE = (
    "restore an older one: kubectl admin certs rollback; or recreate it on the node: kubeadm init phase certs"
)


def renewal(facts: Facts, names: Sequence[str] | None) -> Plan[NodeStep]:
    """The plan of a renewal. names: kubeadm's; None is all of them, as far as they are on a node.

    Raises AdminError for a name that is on none of the nodes.
    """
    steps = []
    # A member of etcd that does not answer comes back by its renewal, or costs nothing: the others need it.
    for node in sorted(facts.nodes, key=lambda node: node.name in facts.etcd.up):
        here = tuple(name for name in names if node.has(name)) if names else node.renewable
        if here:
            steps.append(NodeStep.of("renew", node, here, here if names else (ALL,)))
    for name in names or ():
        if not any(node.has(name) for node in facts.nodes):
            where = ", ".join(node.name for node in facts.nodes)
            raise AdminError(f"{name} is not on any of the nodes {where}")
    findings = [finding for step in steps for finding in forbidding(step)]
    return Plan(facts.context, tuple(steps), (*findings, *quorum(facts, steps), *remarks(facts.nodes)))


def forbidding(step: NodeStep) -> Iterator[Finding]:
    """Bars to a renewal on one node."""
    node = step.before
    objects = (f"node/{node.name}",)
    if not node.survey.kubeadm:
        yield NO_KUBEADM.violation(
            subject="kubeadm",
            evidence="kubeadm is missing, or does not tell its version",
            fix="install kubeadm in the cluster's version on the node",
            objects=objects,
        )
    yield from busy(node)
    yield from external(step)
    broken = [name for name in step.names if node.certificate(name) is None]
    if broken and not any(backup.open for backup in node.survey.backups):
        yield BROKEN_CERTIFICATE.violation(
            subject=", ".join(broken),
            evidence="; ".join(why(node, name) for name in broken),
            fix=RECREATE,
            objects=objects,
        )


def external(step: NodeStep) -> Iterator[Finding]:
    """Certificates whose signer's key is not on the node: kubeadm would pass over them without an error."""
    node = step.before
    keyless: dict[str, list[str]] = {}
    for name in step.names:
        authority = node.on_disk(RENEWABLE[name].authority)
        if authority is None or authority.key is False:
            keyless.setdefault(RENEWABLE[name].authority, []).append(name)
    for signed_by, names in keyless.items():
        found = node.on_disk(signed_by)
        yield EXTERNAL_AUTHORITY.violation(
            subject=", ".join(names),
            evidence=f"the key of {signed_by} is not on the node",
            fix="on the node, with the cluster's configuration in FILE and this node's InitConfiguration: "
            "kubeadm certs generate-csr --config FILE --cert-dir /root/csr/pki --kubeconfig-dir /root/csr; "
            f"have the .csr files of {', '.join(names)} signed by {signer(found)}, and copy keys and "
            "certificates to their places; docs/certificates.md has every step",
            objects=(f"node/{node.name}",),
        )


def signer(authority: Seen | None) -> str:
    """Who signs: the subject of the authority's certificate, as far as that is there."""
    found = authority.certificate if authority else None
    return f"«{found.subject}»" if found else "the holder of the authority's key"


def quorum(facts: Facts, steps: Sequence[NodeStep]) -> Iterator[Finding]:
    """Whether the other members are a quorum while one is restarted, if it does not reload by itself."""
    etcd, up = facts.etcd, facts.etcd.up
    for step in steps:
        node = step.node
        if not any(RENEWABLE[name].server == "etcd" for name in step.names):
            continue
        now = replace(etcd, up=up)
        if not now.can_restart(node):
            all_up = len(up) == etcd.voters and not etcd.problem
            yield ETCD_QUORUM.finding(
                Severity.WARNING if all_up else Severity.VIOLATION,
                subject="etcd",
                evidence=etcd.problem or f"{len(up)} of {etcd.voters} voting members answer",
                fix="" if all_up else "bring its members back first: kubectl admin etcd-status",
                objects=() if etcd.problem else (f"node/{node}",),
            )
            return
        up |= {node}  # or this run ends there


def remarks(nodes: Sequence[Node]) -> Iterator[Finding]:
    """Facts to know first; they forbid nothing."""
    embedded = [node.name for node in nodes if node.survey.embedded]
    if embedded:
        yield KUBELET_CONF_EMBEDS.warning(
            subject="kubelet.conf",
            evidence="it embeds a certificate, which neither kubeadm nor the kubelet renews there",
            fix=f"kubectl admin certs renew {CLIENT}, which has it name that file",
            objects=(f"node/{name}" for name in embedded),
        )
    outside = [node.name for node in nodes if node.etcd_is_external and node.has("apiserver-etcd-client")]
    if outside:
        yield EXTERNAL_ETCD.note(
            subject="apiserver-etcd-client",
            evidence="the API servers use an etcd outside the cluster",
            fix="have the operator of that etcd renew it",
            objects=(f"node/{name}" for name in outside),
        )
    for node in nodes:
        gone = [name for name in RENEWABLE if (one := node.on_disk(name)) and one.content == ABSENT]
        if gone:
            yield MISSING_CERTIFICATE.warning(
                subject=", ".join(gone),
                evidence="the file is missing, and a process is told to use it",
                fix=RECREATE,
                objects=(f"node/{node.name}",),
            )
        for backup in node.survey.backups[-1:]:
            if backup.open:
                yield RENEWAL_RESUMED.note(
                    subject="an earlier renewal",
                    evidence=f"it was interrupted (backup {backup.name}): all certificates are checked again,"
                    " good ones are backed up, and a key that does not match its certificate is renewed, too",
                    objects=(f"node/{node.name}",),
                )
