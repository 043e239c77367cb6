"""All that is looked at before a restore, and the findings about it. Nothing is touched.

A snapshot of now is taken for the comparison, into a file without a name: etcd-snapshot's own work,
through a debug pod and a directory on one node.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from kubectl_admin.cluster.access import Right, require
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.control_plane import one_at_a_time, static_pods
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.diff.compare import Options as DiffOptions
from kubectl_admin.etcd.diff.compare import compare
from kubectl_admin.etcd.diff.facts import Comparison
from kubectl_admin.etcd.restore import before, go
from kubectl_admin.etcd.restore.afterwards import after
from kubectl_admin.etcd.restore.consequences import gather as live_side
from kubectl_admin.etcd.restore.consequences import judge as consequences
from kubectl_admin.etcd.restore.consequences import stored, workloads
from kubectl_admin.etcd.restore.consequences.facts import Hook, Side
from kubectl_admin.etcd.restore.consequences.nodes import left
from kubectl_admin.etcd.restore.judge import is_allowed, judge
from kubectl_admin.etcd.restore.judge.contents import limit_of
from kubectl_admin.etcd.restore.look import gather
from kubectl_admin.etcd.restore.look.facts import Forced, LiveFacts, SnapshotFacts
from kubectl_admin.etcd.restore.look.snapshot import of_database
from kubectl_admin.etcd.restore.on_nodes.plan import NodePlan, Times, bump_of, node_plans
from kubectl_admin.etcd.restore.on_nodes.prepare import refuse_unable
from kubectl_admin.etcd.restore.on_nodes.survey import survey_all
from kubectl_admin.etcd.save.save import SavedSnapshot, SnapshotOptions, Watch, save_snapshot
from kubectl_admin.etcd.snapshot.latest import Latest
from kubectl_admin.etcd.snapshot.verify import indexed, opened_database
from kubectl_admin.etcd.stored.objects import Unseal
from kubectl_admin.finding import Finding
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.operation import Operation
from kubectl_admin.part_file import Spool

SHOWN = 25  # objects of each difference that are kept for a person


@dataclass(frozen=True, slots=True)
class Options:
    """A person's choices about a restore.

    forced: what they take upon themselves. force_nodes, force_volumes: as consequences.judge has them.
    all_or_nothing: whether a majority waits for all other nodes. etcdutl: a program here, for images without
    it. prefix: kube-apiserver's --etcd-prefix. times: of the workers. defrag: whether nodes make the restored
    database as small as it can be. ignore_webhooks: whether webhooks with nobody behind them refuse nothing
    until the restore is finished.
    """

    forced: Forced = field(default_factory=Forced)
    force_nodes: bool = False
    force_volumes: bool = False
    all_or_nothing: bool = False
    etcdutl: Path | None = None
    prefix: str = "/registry"
    times: Times = field(default_factory=Times)
    defrag: bool = False
    ignore_webhooks: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found before a restore.

    compared: the snapshot against now; None where something forbids the restore already. plans: of each
    control-plane node, none then. left: nodes that the snapshot has, and that are none any more.
    prefix: kube-apiserver's --etcd-prefix. defrag: as in Options. limits: bytes that the restored database
    may have at most, by node. webhooks: those to be ignored until it is finished; None where none may be.
    """

    file: SnapshotFacts
    live: LiveFacts
    findings: tuple[Finding, ...]
    plans: Mapping[str, NodePlan]
    compared: Comparison | None = None
    left: tuple[str, ...] = ()
    prefix: str = "/registry"
    defrag: bool = False
    limits: Mapping[str, int] = field(default_factory=dict)
    webhooks: tuple[Hook, ...] | None = None

    @property
    def is_possible(self) -> bool:
        """Whether nothing forbids it."""
        return bool(self.plans) and is_allowed(list(self.findings))

    @property
    def bump(self) -> int:
        """By how much revisions are raised."""
        return bump_of(self.live.revision, self.file.revision or 0)

    @property
    def containers(self) -> dict[str, str]:
        """The runtime's ids of etcd's containers, by node."""
        return {pod.node: pod.container_id for pod in self.live.state.etcd.members}


def read(
    path: Path, prefix: str, unseal: Unseal, progress: Callable[[int, int], None]
) -> tuple[SnapshotFacts, Side | None]:
    """The facts of a snapshot file, and its side of the consequences; None where it can't be read."""
    with opened_database(path, progress=lambda done, every: progress(done, 3 * every)) as database:
        if not database.verdict.sound:
            return SnapshotFacts(database.verdict), None
        latest = indexed(database, lambda done, every: progress(every + done, 3 * every))
        if not isinstance(latest, Latest):
            return SnapshotFacts(latest), None
        facts = of_database(database, latest, prefix=prefix, unseal=unseal)
        return facts, stored.side(latest, prefix)


def plan(hosts: Hosts, live: LiveFacts, file: SnapshotFacts, options: Options) -> dict[str, NodePlan]:
    """The plan of each control-plane node, which its host can carry out; AdminError where one can't."""
    surveys = survey_all(hosts, live.state.etcd.members)
    plans = node_plans(
        hosts.operation.id,
        static_pods.find(hosts.cluster),
        {node: one.manifests for node, one in surveys.items()},
        times=options.times,
        all_or_nothing=options.all_or_nothing,
    )
    size = file.snapshot.size if file.snapshot else 0
    for node, one in surveys.items():
        refuse_unable(one, plans[node], size, defrag=options.defrag)
    return plans


@contextmanager
def saved_now(
    hosts: Hosts, beside: Path, size: int, *, watch: Watch, save: Callable[..., SavedSnapshot] = save_snapshot
) -> Iterator[Path]:
    """A verified snapshot of now, which has no name and is gone at the end, whatever that is: it has every
    Secret of the cluster.

    beside: the file in whose directory it is made; the state before a restore will be there as well. size:
    bytes of the database. save: as save.save_snapshot. Raises AdminError, before any node is asked for it,
    where there is no room for so many bytes.
    """
    with Spool(beside.parent) as draft:
        draft.room(size)
        # An operation of its own, whose pods and directory are gone before the restore prepares.
        own = replace(hosts, operation=Operation.begin())
        save(own, SnapshotOptions(), draft, watch=watch)
        yield draft.content


def refuse_uncompared(compared: Comparison) -> None:
    """Raises AdminError where the files were not compared after all: nobody knows then what would be lost."""
    if compared.compared:
        return
    faults = [found.evidence for file in (compared.a, compared.b) for found in file.verdict.findings]
    raise AdminError(
        f"the snapshot could not be compared with one of now: {next(iter(faults), 'a file was changed')}",
        "nothing was changed; run the command again",
    )


def rights(namespace: str, *, of_webhooks: bool = False) -> tuple[Right, ...]:
    """The rights that a restore needs, from the first look to the last step.

    namespace: of debug pods. of_webhooks: as after.rights.
    """
    work = after.rights(namespace, of_webhooks=of_webhooks)
    alone = one_at_a_time.RIGHTS
    return tuple(dict.fromkeys((*gather.RIGHTS, *before.RIGHTS, *alone, *go.RIGHTS, *work)))


@dataclass(frozen=True, slots=True)
class Looks:
    """The parts of a look, in their order; each as the function that stands for it here."""

    of_cluster: Callable[..., LiveFacts] = gather.of_cluster
    read: Callable[..., tuple[SnapshotFacts, Side | None]] = read
    side: Callable[[Cluster], Side] = live_side.gather
    plan: Callable[..., dict[str, NodePlan]] = plan
    save: Callable[..., SavedSnapshot] = save_snapshot
    compare: Callable[..., Comparison] = compare


def look(
    hosts: Hosts,
    snapshot: Path,
    options: Options,
    *,
    watch: Watch,
    answered: Callable[[int], None] | None = None,
    looks: Looks | None = None,
) -> Looked:
    """Looks at the snapshot and the cluster.

    hosts: of the operation that the restore will be. watch: opens the display of a phase. answered: called
    after each host's answer with the number of hosts. Raises AdminError for what can't be looked at, and
    where rights are missing for anything that a restore does.
    """
    looks = looks or Looks()
    require(hosts.cluster, rights(hosts.options.namespace, of_webhooks=options.ignore_webhooks))
    live = looks.of_cluster(hosts.cluster, hosts, answered=answered)
    with watch("reading the snapshot") as moved:
        file, then = looks.read(snapshot, options.prefix, gather.unseal(live), moved)
    findings = judge(file, live, options.forced, defrag=options.defrag)
    if then is None or not is_allowed(findings):
        return Looked(file, live, tuple(findings), {})
    new = looks.side(hosts.cluster)
    findings += consequences.judge(
        then,
        new,
        force_nodes=options.force_nodes,
        force_volumes=options.force_volumes,
        ignore_webhooks=options.ignore_webhooks,
    )
    blocking = chain.from_iterable(workloads.blocking(then, new).values())
    plans = looks.plan(hosts, live, file, options)
    saved = saved_now(hosts, snapshot, live.database, watch=watch, save=looks.save)
    with saved as now, watch("comparing with now") as moved:
        compared = looks.compare(
            snapshot, now, DiffOptions(options.prefix, limit=SHOWN, noise=False), progress=moved
        )
    refuse_uncompared(compared)
    compared = replace(
        compared, a=replace(compared.a, label="snapshot"), b=replace(compared.b, label="cluster")
    )
    return Looked(
        file,
        live,
        tuple(findings),
        plans,
        compared,
        tuple(left(then, new)),
        options.prefix,
        options.defrag,
        {} if options.forced.quota else {node: limit_of(quota) for node, quota in live.quotas.items()},
        tuple(blocking) if options.ignore_webhooks else None,
    )
