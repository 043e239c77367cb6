"""The work once the restored API answers: step by step, each seen done or named as not done.

    begin(cluster, before, say=env.note)  # at once
    outcomes = finish(hosts, before, restored, say=env.note)
    findings = [finding for outcome in outcomes for finding in outcome.all_findings()]

A violation among these findings is a step that is not done: exit code 3.

A step that fails does not keep the others from being taken. Each of them asks first whether it is so already,
so a later run takes up whatever is left: `finish(hosts, load(directory), …)`.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from kubectl_admin.cluster.access import Right, require
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.objects import is_ready
from kubectl_admin.cluster.wait import NotYetError, wait_until
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.afterwards import (
    kubelets,
    leaders,
    members,
    nodes,
    past,
    present,
    volumes,
    webhooks,
)
from kubectl_admin.etcd.restore.afterwards.facts import Done, Outcome
from kubectl_admin.etcd.restore.before import Before
from kubectl_admin.finding import Finding
from kubectl_admin.node.host import Say
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.plan import Step
from kubectl_admin.pool import ODD, OddError, odd_words
from kubectl_admin.report.text import some_of

AGAIN = "run the same command again: it takes up what is left"
REGISTERED_TIMEOUT = (
    60.0  # seconds in which the kubelets of nodes with a new object report; they do every ten
)
REGISTERED_INTERVAL = 2.0  # seconds between two looks

LEADERS = Step("leaders", "let controller-manager and scheduler work at once", "")
PODS = Step("debug-pods", "remove the debug pods of the past", "")
NODES = Step("nodes", "recreate the Node objects of nodes that joined since", "")
KUBELET = Step("kubelet", "see the kubelet at work with the restored API", "")
CORDON = Step("cordon", "cordon the nodes that have left", "")
MEMBERS = Step("members", "see all members of etcd with equal data and no alarm", "")
VOLUMES = Step("volumes", "name storage and objects that do not belong together", "")
ADDRESSES = Step("addresses", "see which API servers the Service kubernetes leads to", "")
IGNORED = Step("webhooks", "let webhooks with nobody behind them refuse nothing for now", "")
PUT_BACK = Step("webhooks-back", "have these webhooks refuse again", "")
KEYS = Step("keys", "delete the keys of the restore from etcd", "")


def rights(namespace: str, *, of_webhooks: bool = False) -> tuple[Right, ...]:
    """The rights that it needs. namespace: of debug pods. of_webhooks: whether some are ignored meanwhile."""
    all_parts = (present, leaders, past, nodes, members, volumes, *([webhooks] if of_webhooks else []))
    found = [right for part in all_parts for right in part.RIGHTS]
    return tuple(dict.fromkeys((*found, *kubelets.rights(namespace))))


@dataclass(frozen=True, slots=True)
class Work:
    """The work after one restore. outcomes: of the steps so far, in their order."""

    hosts: Hosts
    before: Before
    restored: Collection[str]
    say: Say
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def cluster(self) -> Cluster:
        """The one that was restored."""
        return self.hosts.cluster

    def take(self, step: Step, act: Callable[[], Done]) -> None:
        """Takes a step, and notes what became of it."""
        try:
            self.note(step, act())
        except AdminError as error:
            self.note(step, error)
        except ODD as error:
            # No object of a snapshot must be able to end the work on all others.
            self.note(step, OddError(f"unexpected answer ({odd_words(error)})"))

    def note(self, step: Step, result: Done | AdminError) -> None:
        """Notes what became of a step."""
        if isinstance(result, AdminError):
            outcome = Outcome(step, result.what, result.hint or AGAIN)
            self.say(f"not done: {step.title}: {result.what}")
        else:
            outcome = Outcome(step, said=result.said, findings=result.findings)
            self.say(result.said)
        self.outcomes.append(outcome)


def begin(cluster: Cluster, before: Before, *, say: Say) -> None:
    """Lets controller-manager and scheduler work, in the very moment in which the restored API is seen.

    These are the first steps of `finish`, which takes them again and says what became of them: whatever goes
    wrong here is only said.
    """
    step = LEADERS
    try:
        present.refuse_other(cluster, before.record)
        before.note_api_back()
        if has_webhooks(before):
            step = IGNORED
            say(webhooks.ignore(cluster, before.record).said)
            step = LEADERS
        say(leaders.release(cluster, before.record).said)
    except AdminError as error:
        say(f"not done yet: {step.title}: {error.what}")


def let_pods_in(cluster: Cluster, before: Before | None, *, say: Say) -> bool:
    """Has the planned webhooks refuse nothing where the end of a restore can't be read; whether that is done.

    The end is read in etcd's own pods. Where a manifest has changed since the snapshot, kubelets make these
    anew, and a webhook with nobody behind it refuses them. Once an API server serves the restored data, they
    are served for good.
    """
    if before is None or not has_webhooks(before):
        return True
    try:
        present.refuse_other(cluster, before.record)
        say(webhooks.ignore(cluster, before.record).said)
    except AdminError:
        return False
    return True


def has_webhooks(before: Before) -> bool:
    """Whether webhooks may be ignored for the time of this restore."""
    return webhooks.PLANNED in before.record.planned


def finish(
    hosts: Hosts,
    before: Before,
    restored: Collection[str],
    *,
    say: Say,
    outcomes: list[Outcome] | None = None,
    answered: Callable[[int], None] | None = None,
) -> list[Outcome]:
    """Does all that is left to do after a restore whose API answers.

    hosts: of a connection that tries again by itself. restored: nodes of the control plane whose workers have
    said their last word, «restored»; one that has only acknowledged still reads the keys. outcomes: is given
    each as it comes, and returned. answered: as in Hosts.ask, for kubelets.

    Raises AdminError, before anything is changed, where this is another cluster, where it serves other data
    than the restored ones, or where rights are missing.
    """
    cluster, record = hosts.cluster, before.record
    require(cluster, rights(hosts.options.namespace, of_webhooks=has_webhooks(before)))
    present.refuse_other(cluster, record)
    since = before.note_api_back()
    work = Work(hosts, before, restored, say, [] if outcomes is None else outcomes)
    # They may refuse the Leases of leaders, and every pod.
    if has_webhooks(before):
        work.take(IGNORED, lambda: webhooks.ignore(cluster, record))
    # Without leaders nothing in the cluster heals by itself.
    work.take(LEADERS, lambda: leaders.release(cluster, record))
    # They are privileged; a kubelet that has not read them yet never starts them.
    work.take(PODS, lambda: past.delete_debug_pods(cluster, record, [hosts.operation.id]))
    work.take(NODES, lambda: recreate_nodes(cluster, before))
    work.take(CORDON, lambda: nodes.cordon_left(cluster, record))
    work.take(MEMBERS, lambda: members.verify(cluster, record, restored))
    restart_kubelets(work, since, answered)
    work.take(VOLUMES, lambda: volumes.name_strays(cluster, before))
    work.take(ADDRESSES, lambda: members.entries_of_nobody(cluster, record.prefix))
    if has_webhooks(before):
        work.take(PUT_BACK, lambda: webhooks.put_back(cluster, record))
    work.take(KEYS, lambda: members.delete_keys(cluster, record, restored))
    return work.outcomes


def recreate_nodes(cluster: Cluster, before: Before) -> Done:
    """Makes the Node objects again that are missing, and sees their kubelets report.

    Raises AdminError, with all that could not be made, once all were tried.
    """
    there = nodes.present_nodes(cluster)
    others = {name: one.node for name, one in there.items()}
    made: list[str] = []
    findings: list[Finding] = []
    problems: list[str] = []
    for item in nodes.missing(before, there):
        try:
            done = nodes.make_again(cluster, before.record, item, others)
        except AdminError as error:
            problems.append(f"node {item['metadata']['name']}: {error.what}")
        else:
            made.append(item["metadata"]["name"])
            findings += done.findings
    if made:
        try:
            wait_until_registered(cluster, made)
        except AdminError as error:
            problems.append(error.what)
    if problems:
        raise AdminError(
            some_of([*problems, *(finding.evidence for finding in findings)], separator="; "),
            "see whether a webhook refuses Node objects, and journalctl -u kubelet on these nodes; then run"
            " this again",
        )
    said = f"Node objects made again: {', '.join(made)}" if made else "no Node object was missing"
    return Done(said, tuple(findings))


def wait_until_registered(cluster: Cluster, names: Sequence[str]) -> None:
    """Waits until the kubelets of these nodes have reported Ready. Raises AdminError where one has not."""

    def are_ready() -> bool:
        rows = cluster.table(nodes.NODES).named("Name", "Status")
        ready = {name for name, state in rows if "Ready" in state.split(",")}
        if waiting := [name for name in names if name not in ready]:
            raise NotYetError(some_of(waiting))
        return True

    wait_until(
        are_ready,
        "nodes whose objects were made again are not Ready",
        timeout=REGISTERED_TIMEOUT,
        interval=REGISTERED_INTERVAL,
        clock=cluster.clock,
    )


def restart_kubelets(work: Work, since: float, answered: Callable[[int], None] | None) -> None:
    """Takes the steps of kubelets, a step a node, many at once.

    Those of the control plane have started without an API, and have read everything from the restored one.
    A node that was not Ready before either is no work of the restore: its kubelet reads everything anew
    whenever it is back.
    """
    record = work.before.record
    away = {*record.left, *(set(record.nodes) - set(work.restored))}
    try:
        was_down = {item["metadata"]["name"] for item in work.before.nodes() if not is_ready(item)}
        rows = list(work.cluster.table(nodes.NODES).named("Name", "Status"))
    except AdminError as error:
        work.note(replace(KUBELET, title="restart the kubelets of all workers"), error)
        return
    down = {name for name, state in rows if name in was_down - away and "Ready" not in state.split(",")}
    for name in sorted(down):
        said = f"node {name}: it was not Ready before the restore either, so its kubelet was left alone"
        work.note(replace(KUBELET, node=name), Done(said))
    names = [name for name, _ in rows if name not in away | down]
    found = kubelets.settle(work.hosts, names, since, started=record.nodes, answered=answered)
    for name, answer in found.items():
        work.note(replace(KUBELET, node=name), answer)
