"""The versions of etcd and of Kubernetes, then and now. Pure."""

import re
from collections.abc import Iterator

from kubectl_admin.etcd.restore import rules
from kubectl_admin.etcd.restore.judge.forcing import SUBJECT, unless
from kubectl_admin.etcd.restore.look.facts import Forced, LiveFacts, SnapshotFacts
from kubectl_admin.finding import Finding
from kubectl_admin.report.text import printable

VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,6}))?(?:[-+].*)?", re.ASCII)
Version = tuple[int, int, int]


def of_etcd(file: SnapshotFacts, live: LiveFacts, forced: Forced) -> Iterator[Finding]:
    """The versions of etcd."""
    running = sorted(live.etcd)
    if len(running) > 1:
        yield rules.ETCD_MIXED.violation(
            subject="etcd",
            evidence=f"its members are {', '.join(running)}",
            fix="finish the upgrade of etcd first",
        )
    then, now = _version(file.etcd), [version for each in running if (version := _version(each))]
    if then is None or not now:
        yield rules.ETCD_VERSION.warning(
            subject=SUBJECT,
            evidence="the version of etcd that made it is not known"
            if now
            else "the version of etcd that runs is not known",
            fix="see with --dry-run whether the node's own etcd restores it",
        )
        return
    mine, theirs = min(now)[:2], then[:2]
    told = f"it was made by etcd {_minor(theirs)}, and {_minor(mine)} runs"
    if theirs > mine:
        yield rules.ETCD_VERSION.violation(
            subject=SUBJECT,
            evidence=told,
            fix=f"upgrade etcd to {_minor(theirs)} first",
        )
    elif theirs == (mine[0], mine[1] - 1):
        yield rules.ETCD_VERSION.note(
            subject=SUBJECT, evidence=f"{told}, which reads the format of the minor before it"
        )
    elif theirs < mine:
        yield rules.ETCD_VERSION.finding(
            unless(forced.version),
            subject=SUBJECT,
            evidence=told,
            fix="take a newer snapshot; if the dry run of this one shows that etcd reads it: --force-version",
        )


def of_kubernetes(file: SnapshotFacts, live: LiveFacts, forced: Forced) -> Iterator[Finding]:
    """The versions of Kubernetes: objects of another minor come back, and so do kube-proxy and CoreDNS."""
    said = live.kubernetes if _version(live.kubernetes.text) else live.server
    then, now = _version(file.kubernetes.text), _version(said.text)
    if then is None or now is None:
        why = (file.kubernetes if then is None else said).why or "the version makes no sense"
        whose = "that was then" if then is None else "that runs"
        yield rules.KUBERNETES_VERSION.warning(
            subject=SUBJECT,
            evidence=f"the version of Kubernetes {whose} is not known: {printable(why)}",
            fix="see that it was the same minor as now",
        )
        return
    told = f"the cluster was {printable(file.kubernetes.text)} then, and is {printable(said.text)}"
    server = _version(live.server.text)
    if then[:2] != now[:2] or (server and server[:2] != then[:2]):
        if server and server[:2] != now[:2]:
            told = f"{told} (its API server {printable(live.server.text)})"
        yield rules.KUBERNETES_VERSION.finding(
            unless(forced.version),
            subject=SUBJECT,
            evidence=told,
            fix=(
                "take a snapshot of this minor; if its objects and add-ons of then are to run here: "
                "--force-version"
            ),
        )
    elif then != now:
        yield rules.KUBERNETES_VERSION.note(
            subject=SUBJECT,
            evidence=f"{told}: kubeadm-config, kube-proxy and CoreDNS go back to that patch",
            fix=f"afterwards, on the first control plane: kubeadm upgrade apply {printable(said.text)}",
        )


def _minor(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _version(text: str) -> Version | None:
    found = VERSION.fullmatch(text)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None
