"""The answer of `kubectl admin skew`: one cluster looked at whole, or several side by side."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.pool import ask_all
from kubectl_admin.report import Report
from kubectl_admin.versions import fleet
from kubectl_admin.versions.breaches import breaches
from kubectl_admin.versions.facts import Facts
from kubectl_admin.versions.gather import gather
from kubectl_admin.versions.judge import judge
from kubectl_admin.versions.kubectl import Asked
from kubectl_admin.versions.report import report
from kubectl_admin.versions.upgrade_path import upgrade_path
from kubectl_admin.versions.upstream import Upstream

FLEET_TIMEOUT = 120.0  # seconds for all clusters together


def of_one(  # noqa: PLR0913 - a cluster, what is known beforehand, and how to look at it
    cluster: Cluster,
    mine: Asked,
    upstream: Upstream,
    today: date,
    *,
    target: int | None = None,
    probe: bool = False,
    answered: Callable[[int], None] | None = None,
    complete: Callable[[Cluster, Facts], Facts] | None = None,
) -> Report:
    """The report on one cluster, with the upgrade path to the minor `target` (37 for 1.37) if one is given.

    mine: the kubectl of this machine. complete: adds to the facts what takes more than asking. Raises
    AdminError where the API server can't be reached, UsageError for a target behind the cluster.
    """
    facts = gather(cluster, mine, probe=probe, answered=answered)
    if complete:
        facts = complete(cluster, facts)
    stages = None
    if target is not None:
        refuse_downgrade(facts, target)
        stages = upgrade_path(facts, upstream, target)
    found = breaches(facts)
    return report(facts, found, judge(facts, found, upstream, today), upstream, today, stages)


def of_several(
    clusters: Mapping[str, Callable[[], Cluster]],
    mine: Asked,
    upstream: Upstream,
    today: date,
    *,
    probe: bool = False,
    answered: Callable[[int], None] | None = None,
) -> Report:
    """The report on several clusters, a row each; one that can't be reached is a row that says so.

    clusters: by context, its connector. mine: the kubectl of this machine.
    """
    kubectl = mine()

    def look(connect: Callable[[], Cluster]) -> Facts:
        return gather(connect(), lambda: kubectl, probe=probe)

    answers = ask_all(
        {name: partial(look, connect) for name, connect in clusters.items()},
        deadline=FLEET_TIMEOUT,
        answered=answered,
    )
    judged = {
        name: answer
        if isinstance(answer, AdminError)
        else (answer, judge(answer, breaches(answer), upstream, today))
        for name, answer in answers.items()
    }
    return fleet.report(judged, upstream, today)


def refuse_downgrade(facts: Facts, target: int) -> None:
    """Raises UsageError for a target below an API server: etcd is never taken back a minor."""
    newest = max(facts.apiserver_minors, default=target)
    if target < newest:
        raise UsageError(
            f"--target 1.{target} is older than the API servers (1.{newest}); Kubernetes is not downgraded"
        )
