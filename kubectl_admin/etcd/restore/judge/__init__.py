"""Whether a snapshot may be restored into a running cluster. Pure.

A violation forbids it. Some are overridden by an option, which their fix names: then they are warnings.

Reading order:
- layout: whether the cluster is built and at work as a restore needs it
- contents: the file itself, its cluster, its size; versions; trust: authorities and encryption
- forcing: how bad a finding is that an option overrides
"""

from kubectl_admin.etcd.restore import rules
from kubectl_admin.etcd.restore.judge import layout
from kubectl_admin.etcd.restore.judge.contents import of_file, of_identity, of_members, of_quota
from kubectl_admin.etcd.restore.judge.forcing import SUBJECT
from kubectl_admin.etcd.restore.judge.trust import of_authority, of_encryption
from kubectl_admin.etcd.restore.judge.versions import of_etcd, of_kubernetes
from kubectl_admin.etcd.restore.look.facts import Forced, LiveFacts, SnapshotFacts
from kubectl_admin.finding import Finding, Severity


def judge(
    file: SnapshotFacts, live: LiveFacts, forced: Forced, *, defrag: bool | None = None
) -> list[Finding]:
    """Everything that speaks against a restore, or is to be known before it; the file's own faults first.

    defrag: whether the restored file will be defragmented before it is used; None where that is no choice.
    """
    found = of_snapshot(file, live, forced, defrag=defrag)
    faults = list(of_file(file))
    return [*faults, *layout.of_cluster(live), *found[len(faults) :]]


def of_snapshot(
    file: SnapshotFacts, live: LiveFacts, forced: Forced, *, defrag: bool | None = None
) -> list[Finding]:
    """The same but for how the cluster is built, which its nodes themselves look at where no API is there."""
    found = [*of_file(file)]
    # Nothing of the file can be compared, or nothing with it: no host could be asked.
    if file.objects is None or live.is_full:
        return found
    return [
        *found,
        *of_identity(file, live, forced),
        *of_etcd(file, live, forced),
        *of_kubernetes(file, live, forced),
        *of_quota(file, live, forced, defrag=defrag),
        *of_authority(file, live, forced),
        *of_encryption(file, live, forced),
        *of_members(file),
        rules.SIGNING_KEYS.note(
            subject=SUBJECT,
            evidence="the key that signs tokens of service accounts is a file, and never in a snapshot",
            fix="if /etc/kubernetes/pki/sa.key was replaced since, restart the pods that use tokens of then",
        ),
    ]


def is_allowed(findings: list[Finding]) -> bool:
    """Whether nothing forbids the restore."""
    return not any(finding.severity is Severity.VIOLATION for finding in findings)
