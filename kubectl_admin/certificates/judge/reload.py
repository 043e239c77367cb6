"""Certificates that were renewed on disk, which the running process has not loaded. Pure."""

from collections.abc import Iterator
from datetime import timedelta

from kubectl_admin.certificates.facts import Facts, Process, Seen, Source, Use
from kubectl_admin.certificates.judge.advice import SERVERS, restart
from kubectl_admin.certificates.judge.alike import grouped, objects_of
from kubectl_admin.certificates.judge.text import short
from kubectl_admin.certificates.rules import NOT_LOADED
from kubectl_admin.finding import Finding

# Both times are of the node's own clock, the process' in whole seconds.
SLACK = timedelta(seconds=2)


def not_loaded(facts: Facts) -> Iterator[Finding]:
    """Certificates that were renewed on disk, which the running process has not loaded."""
    for (name,), pairs in grouped(stale(facts).values(), lambda pair: (pair[0].name,)):
        component = SERVERS.get(name, name)
        served, on_disk = pairs[0]
        yield NOT_LOADED.violation(
            subject=name,
            evidence=f"{component} serves {short(served.certificate)} on port {served.port};"
            f" on disk is {short(on_disk.certificate)}",
            fix=restart(component, name),
            objects=objects_of(served for served, _ in pairs),
        )
    for (component, config), unread in grouped(
        stale_readers(facts), lambda pair: (pair[0].component, pair[1].name)
    ):
        process, one = unread[0]
        yield NOT_LOADED.violation(
            subject=config,
            evidence=f"{component} has run since {process.started:%Y-%m-%d %H:%M:%S} UTC;"
            f" {one.where} was written at {one.changed:%Y-%m-%d %H:%M:%S}",
            fix=restart(component, config),
            objects=tuple(dict.fromkeys(f"node/{process.node}" for process, _ in unread)),
        )


def stale(facts: Facts) -> dict[tuple[str, str], tuple[Seen, Seen]]:
    """By name and node: the served certificate where the disk holds another one for that, and that one.

    Not where the disk holds none, nor where the process has generated its own.
    """
    on_disk: dict[tuple[str, str], list[Seen]] = {}
    for one in facts.seen:
        if one.source is Source.FILE and one.use is Use.SERVER and one.certificate:
            on_disk.setdefault((one.name, one.node), []).append(one)
    found = {}
    for one in facts.seen:
        there = on_disk.get((one.name, one.node), ())
        certain = one.source is Source.SERVED and one.certificate and not one.generated
        if certain and there and all(other.certificate != one.certificate for other in there):
            found[one.name, one.node] = (one, there[0])
    return found


def stale_readers(facts: Facts) -> Iterator[tuple[Process, Seen]]:
    """The processes that have read a kubeconfig before it got the client certificate that is in it now."""
    processes = {(process.config, process.node): process for process in facts.processes}
    for one in facts.seen:
        process = processes.get((one.name, one.node))
        embedded = one.source is Source.KUBECONFIG and one.use is Use.CLIENT
        if process and embedded and one.changed and one.changed > process.started + SLACK:
            yield process, one
