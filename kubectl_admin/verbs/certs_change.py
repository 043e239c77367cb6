"""The common part of `certs renew` and `certs rollback`: look, show, ask, do, report."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kubectl_admin.frame.change import ChangeOptions, Proposal, change
from kubectl_admin.frame.environment import Environment
from kubectl_admin.report import Report

if TYPE_CHECKING:
    from kubectl_admin.certificates.renewal.changes import CertificateChange
    from kubectl_admin.certificates.renewal.work import Done
    from kubectl_admin.node.debug_pod import Options
    from kubectl_admin.node.host import Host


def change_certificates(
    env: Environment,
    wanted: "CertificateChange",
    nodes: tuple[str, ...],
    pods: "Options",
    *,
    skipped: tuple[str, ...],
    how: ChangeOptions,
) -> Report:
    """Looks at the nodes, shows the plan, asks, and changes one node after the other."""
    from kubectl_admin.certificates.inventory import expired
    from kubectl_admin.certificates.renewal import report
    from kubectl_admin.certificates.renewal.kubeconfig import AdminKubeconfig
    from kubectl_admin.certificates.renewal.work import Runner
    from kubectl_admin.cluster import kubeconfig_files
    from kubectl_admin.cluster.access import explained
    from kubectl_admin.cluster.errors import Unauthorized, Unreachable
    from kubectl_admin.control_plane.one_at_a_time import SKIPPING, check_skipped
    from kubectl_admin.node.hosts import Hosts
    from kubectl_admin.node.operation import Operation

    cluster = env.cluster_for_work()
    hosts = Hosts(cluster, Operation.begin(), pods, env.note)
    try:
        with explained(cluster, SKIPPING):
            check_skipped(cluster, skipped)
        with env.progress("looking at nodes") as progress:
            planned = wanted.plan(wanted.gather(hosts, nodes, progress.step))
    except (Unauthorized, Unreachable) as error:
        raise expired.explained(cluster, error, datetime.now(UTC)) from error
    files = kubeconfig_files.paths(env.flags.get("kubeconfig"), env.environ)
    own = AdminKubeconfig(cluster.target, files, env.note)

    finished: list[Done] = []

    def finish(there: "Host", done: "Done") -> None:
        finished.append(done)
        env.note(report.summary(done))
        if wanted.renews:
            own.keep_up(there, done)

    def so_far() -> Report:
        return report.result(planned.context, finished)

    def act() -> Report:
        Runner(hosts, wanted.work, wanted.about, finish, skipped).run(planned)
        return so_far()

    where = ", ".join(step.node for step in planned.steps)
    question = f"{wanted.what} on {where} of context {cluster.target.context}"
    proposal = Proposal(report.plan(planned), question, planned.is_possible)
    return change(env, how, proposal, act, so_far=so_far)
