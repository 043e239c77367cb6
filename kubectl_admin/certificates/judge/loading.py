"""Certificates that were renewed on disk, of which the running process does not know. Pure."""

from collections.abc import Iterator
from datetime import timedelta

from kubectl_admin.certificates.facts import Facts, Process, Seen, Source, Use
from kubectl_admin.certificates.judge.advice import SERVERS, restart
from kubectl_admin.certificates.judge.alike import grouped, objects_of
from kubectl_admin.certificates.judge.telling import short
from kubectl_admin.finding import Finding, Severity

RENEWAL_DOCS = "https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-certs/"
# Both times are of the node's own clock, the process' in whole seconds.
SLACK = timedelta(seconds=2)


def not_loaded(facts: Facts) -> Iterator[Finding]:
    """Certificates that were renewed on disk, of which the running process does not know."""
    stale = [one for one in facts.seen if one.source is Source.SERVED and is_stale(facts, one)]
    for (name,), found in grouped(stale, lambda one: (one.name,)):
        component = SERVERS.get(name, name)
        served = found[0].certificate
        lying = next(facts.on_disk(name, found[0].node)).certificate
        yield Finding(
            Severity.VIOLATION,
            "not-loaded",
            name,
            "a process must serve the certificate that lies on its disk",
            f"{component} serves {short(served)} on port {found[0].port}; on disk is {short(lying)}",
            restart(component),
            RENEWAL_DOCS,
            objects_of(found),
        )
    old = [(process, one) for process in facts.processes for one in unread(facts, process)]
    for (component, config), pairs in grouped(old, lambda pair: (pair[0].component, pair[0].config)):
        process, one = pairs[0]
        yield Finding(
            Severity.VIOLATION,
            "not-loaded",
            config,
            "a process reads a kubeconfig's embedded certificate once, when it starts",
            f"{component} runs since {process.started:%Y-%m-%d %H:%M:%S} UTC;"
            f" {one.where} was written at {one.changed:%Y-%m-%d %H:%M:%S}",
            restart(component),
            RENEWAL_DOCS,
            tuple(dict.fromkeys(f"node/{process.node}" for process, _ in pairs)),
        )


def is_stale(facts: Facts, one: Seen) -> bool:
    """Whether a port serves another certificate than the one that lies there for it.

    Not where nothing lies there, nor where the process has made its own.
    """
    lying = [other.certificate for other in facts.on_disk(one.name, one.node) if other.certificate]
    if one.certificate is None or one.self_made or not lying:
        return False
    return one.certificate not in lying


def unread(facts: Facts, process: Process) -> Iterator[Seen]:
    """The client certificate that a process has not read yet: its kubeconfig was written after it started."""
    for one in facts.on_disk(process.config, process.node):
        embedded = one.source is Source.KUBECONFIG and one.use is Use.CLIENT
        if embedded and one.changed and one.changed > process.started + SLACK:
            yield one
