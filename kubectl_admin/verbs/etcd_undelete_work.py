"""The part of `etcd-undelete` that brings objects back."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_admin.frame.change import ChangeOptions, Proposal, change
from kubectl_admin.frame.environment import Environment
from kubectl_admin.report import Report

if TYPE_CHECKING:
    from kubectl_admin.cluster.connection import Cluster
    from kubectl_admin.etcd.past.facts import Past
    from kubectl_admin.etcd.undelete.facts import Asked
    from kubectl_admin.etcd.undelete.gather import Gathered
    from kubectl_admin.frame.past_options import Opening
    from kubectl_admin.frame.undelete_options import Wish


def undelete(
    env: Environment, snapshot: Path, wish: "Wish", opening: "Opening", how: ChangeOptions
) -> Report:
    """Looks, shows the plan, asks, and brings back."""
    from kubectl_admin.etcd.past.ready import cluster_uid
    from kubectl_admin.etcd.undelete import apply, gather, judge, outcome, report, select
    from kubectl_admin.etcd.undelete.entries import Head
    from kubectl_admin.etcd.undelete.journal import Journal, beside, refuse_existing
    from kubectl_admin.etcd.undelete.rehearse import Rehearsed, rehearse
    from kubectl_admin.node.operation import Operation

    asked = asked_of(env, wish)
    if wish.journal:
        refuse_existing(wish.journal)
    live = env.cluster_for_work()
    if asked.selector:
        gather.refuse_malformed(live, asked.selector)
    past = opening.read(env, snapshot)
    uid = cluster_uid(live)
    known = judge.refuse_other_cluster(past, uid, forced=wish.other_cluster)
    gathered = look(env, opening, past, live, asked)
    known += judge.unread(gathered.unread)
    known += judge.nothing(gathered.found, gathered.unread, asked, live.target.namespace)
    known += judge.absent(select.absent(asked, gathered.found), gathered.places, asked.namespace)
    plan = judge.plan(
        gathered.found,
        gathered.live,
        gathered.gaps,
        changed=wish.changed,
        empty_volumes=wish.empty_volumes,
        known=known,
    )
    rehearsed = Rehearsed()
    if wish.tries and plan.todo:
        with env.progress("trying every object") as progress:
            rehearsed = rehearse(live, plan.todo, progress.step)
    began, operation = datetime.now(UTC), Operation.begin().id
    head = Head(operation, str(snapshot), past.sha256, uid, began)

    def begin() -> Journal:
        return Journal.begin(wish.journal or beside(snapshot, began), head)

    run = apply.Run(live, plan, operation, begin, wish.keep_going, env.note)

    def so_far() -> Report:
        return outcome.outcome(run)

    def act() -> Report:
        with env.progress("bringing objects back") as progress:
            run.step = progress.step
            run.run(rehearsed)
        return so_far()

    findings = outcome.of_rehearsal(plan, rehearsed, keep_going=wish.keep_going)
    planned = report.plan(plan, findings)
    if wish.diff:
        env.write(report.diff(plan))
        env.show(replace(planned, tables=(), paragraphs=(), closing=""), env.stderr, output="table")
        return planned
    count = len(plan.todo) - len(rehearsed.refused)
    count += sum(not plan.takes(item) for item in plan.unfinished)
    question = (
        f"bring {count} {'object' if count == 1 else 'objects'} of {snapshot} back into context "
        f"{live.target.context}"
    )
    is_ready = count > 0 and (wish.keep_going or not rehearsed.refused)
    return change(env, how, Proposal(planned, question, is_ready), act, so_far=so_far)


def asked_of(env: Environment, wish: "Wish") -> "Asked":
    """The objects that are asked for. Raises UsageError where that contradicts itself."""
    from kubectl_admin.etcd.undelete import select
    from kubectl_admin.etcd.undelete.facts import Asked

    asked = Asked(env.flags.get("namespace"), wish.everywhere, select.things(wish.words), wish.selector)
    select.check(asked)
    return asked


def look(env: Environment, opening: "Opening", past: "Past", live: "Cluster", asked: "Asked") -> "Gathered":
    """All facts; the snapshot is open only meanwhile."""
    from kubectl_admin.etcd.past import use
    from kubectl_admin.etcd.undelete.gather import gather

    with opening.open(env, past, lambda: live) as there:
        if there.findings:
            env.show(use.report(there), env.stderr, output="table")
        with env.progress("comparing both clusters") as progress:
            return gather(there.cluster, live, asked, live.target.namespace, progress.step)
