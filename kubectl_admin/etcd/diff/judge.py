"""How two snapshots differ in an object, and notes on the two files. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from kubectl_admin.etcd.diff import rules
from kubectl_admin.etcd.diff.facts import Comparison, File, Side, State
from kubectl_admin.etcd.snapshot.rules import NO_HASH
from kubectl_admin.etcd.stored.facts import Kind, words_for
from kubectl_admin.etcd.stored.kinds import built_in
from kubectl_admin.finding import Finding, Severity


def state(a: Side | None, b: Side | None) -> State:
    """How an object differs of which the two sides are not the same; None for a side without it, never both.

    An object is another one if its UID is; where that is not known of both, if its key came to be at another
    revision. Of what is encrypted, the same content is another text each time that it is written.
    """
    if a is None or b is None:
        return State.ONLY_IN_A if b is None else State.ONLY_IN_B
    if a.uid != b.uid if is_told_by_uid(a, b) else a.created != b.created:
        return State.RECREATED
    if a.content == b.content:
        return State.REWRITTEN
    return State.ENCRYPTED if a.encrypted or b.encrypted else State.CHANGED


def is_told_by_uid(a: Side, b: Side) -> bool:
    """Whether the UIDs of both are known, so that they tell whether it is one object."""
    return a.uid is not None and b.uid is not None


def is_noise(state: State, kind: Kind | None) -> bool:
    """Whether a difference tells nothing: a kind that changes all the time, or the same content once more."""
    return state is State.REWRITTEN or (kind is not None and kind.noisy)


def is_same_cluster(a: File, b: File) -> bool | None:
    """Whether both are of one cluster; None where that is not known.

    A cluster keeps the UID of kube-system for life, through every restore; etcd's cluster id it does not.
    """
    return a.cluster == b.cluster if a.cluster and b.cluster else None


def findings(compared: Comparison, differing: int) -> Iterator[Finding]:
    """All of them, that on the cluster first.

    differing: how many differences are a violation; 0 where none is.
    """
    a, b = compared.a, compared.b
    if compared.compared:
        yield from _of_clusters(a, b)
    if compared.same_file:
        yield rules.SAME_FILE.warning(
            subject=a.label, evidence="both names lead to this one file", fix="name two files"
        )
    for file in (a, b):
        for finding in file.verdict.findings:
            if finding.severity is Severity.VIOLATION or finding.rule == NO_HASH.id:
                yield replace(finding, subject=f"{finding.subject} {file.label}")
    if compared.compared:
        yield from _of_wanted(compared)
    if differing:
        yield rules.SNAPSHOTS_DIFFER.violation(
            subject="the snapshots", evidence=f"{differing:,} objects differ"
        )


def _of_clusters(a: File, b: File) -> Iterator[Finding]:
    match is_same_cluster(a, b):
        case False:
            yield rules.SNAPSHOT_CLUSTER.warning(
                subject="the snapshots",
                evidence=f"they are of two clusters: kube-system is {a.cluster} in {a.label}, and "
                f"{b.cluster} in {b.label}",
                fix="compare snapshots of one cluster",
            )
        case None:
            said = "; ".join(f"{file.label}: {file.why}" for file in (a, b) if not file.cluster)
            yield rules.SNAPSHOT_CLUSTER_UNKNOWN.note(
                subject="the snapshots", evidence=f"whether they are of one cluster is not known ({said})"
            )


def _of_wanted(compared: Comparison) -> Iterator[Finding]:
    """A namespace or kind that may be misspelt: nothing of it is there to differ."""
    wanted, found = compared.wanted, [row.kind for row in compared.rows if row.kind]
    if wanted.namespace and not compared.has_namespace and not compared.rows:
        yield rules.NAMESPACE_UNKNOWN.warning(
            subject=f"namespace {wanted.namespace}",
            evidence="its key is in neither snapshot, and nothing in it differs",
            fix="check its spelling, and --etcd-prefix",
        )
    known = {word for kind in (*built_in(), *found) for word in words_for(kind)}
    for word in sorted(wanted.kinds - known):
        yield rules.KIND_UNKNOWN.warning(
            subject=f"kind {word}",
            evidence="it is not one of Kubernetes' own, and no object of it differs",
            fix="check its spelling",
        )
