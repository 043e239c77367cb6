"""The part of `etcd-undelete` that takes back what a run has changed."""

from pathlib import Path

from kubectl_admin.frame.change import ChangeOptions, Proposal, change
from kubectl_admin.frame.environment import Environment
from kubectl_admin.report import Report


def undo(env: Environment, path: Path, how: ChangeOptions, *, changed: bool) -> Report:
    """Takes back what a run has changed. changed: what has changed since as well."""
    from kubectl_admin.errors import UsageError
    from kubectl_admin.etcd.past.ready import cluster_uid
    from kubectl_admin.etcd.undelete import outcome
    from kubectl_admin.etcd.undelete import undo as undoing
    from kubectl_admin.etcd.undelete.journal import Journal

    live = env.cluster_for_work()
    with Journal.resume(path) as journal:
        if journal.head.cluster and journal.head.cluster != cluster_uid(live):
            raise UsageError(
                f"{path} is of another cluster than that of context {live.target.context}",
                "name the context of its cluster: --context",
            )
        entries, done = undoing.pending(journal), list[undoing.Undone]()

        def so_far() -> Report:
            return outcome.undone(done, journal.head)

        def act() -> Report:
            with env.progress("taking changes back") as progress:
                for one in undoing.take_back(live, journal, changed=changed):
                    done.append(one)
                    progress.step(len(entries))
            return so_far()

        staying = {} if changed else undoing.staying(live, journal)
        number = len(entries) - len(staying)
        count = f"{number} {'change' if number == 1 else 'changes'}"
        question = f"take {count} of {path} back in context {live.target.context}"
        proposal = Proposal(outcome.undo_plan(entries, journal.head, staying), question, number > 0)
        return change(env, how, proposal, act, so_far=so_far)
