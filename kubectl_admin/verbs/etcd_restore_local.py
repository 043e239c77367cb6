"""The parts of `etcd-restore` that ask no API: this host restores by itself, or a script is printed that
does.
"""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.frame.change import ChangeOptions, Proposal, change
from kubectl_admin.frame.environment import Environment
from kubectl_admin.report import Report

if TYPE_CHECKING:
    from kubectl_admin.etcd.restore.local.look import ByHand, Looked
    from kubectl_admin.etcd.restore.local.run import Here
    from kubectl_admin.etcd.restore.look.look import Options


def by_hand(
    env: Environment, file: Path | None, options: "Options", choice: "ByHand", how: ChangeOptions
) -> Report:
    """Restores this host, or prints the script."""
    if choice.is_script:
        return print_script(env, file, options, choice, how)
    return restore(env, file, options, choice, how)


def print_script(
    env: Environment, file: Path | None, options: "Options", choice: "ByHand", how: ChangeOptions
) -> Report:
    """Prints one script for all nodes."""
    from kubectl_admin import __version__
    from kubectl_admin.etcd.restore.local import look, script

    if how.dry_run:
        raise UsageError("--script changes nothing: give --dry-run to the script that it prints")
    with env.progress("reading the snapshot"):
        _, settings = look.for_script(file, options, choice, time.time())
    names = ", ".join(peer.name for peer in settings.members)
    env.note(f"operation {settings.id}: carry this script{' and the snapshot' if file else ''} to {names}")
    for peer in settings.lost:
        env.note(f"member {peer.name} is left out: it must never run with its data of now again")
    env.write(script.printed(settings, __version__))
    return Report(kind="EtcdRestoreScript", items=list, names=list)


def show_status(env: Environment) -> Report:
    """How far this host is."""
    from kubectl_admin.etcd.restore.local import report, run

    require_root()
    shown = report.status(run.Here().status(), run.last_words())
    env.show(shown)
    return shown


def restore(
    env: Environment, file: Path | None, options: "Options", choice: "ByHand", how: ChangeOptions
) -> Report:
    """Looks, shows the plan, asks, and restores this host."""
    from kubectl_admin.etcd.restore.local import look, report, run

    require_root()
    here = run.Here()
    with env.progress("looking at this host"):
        host = here.facts(options.etcdutl)
        own = look.own_data(Path(host["data"]) / "member/snap/db", options.prefix)
        looked = look.look(host, own, file, options, choice)
    if looked.settings and looked.is_possible:
        here.check(looked.settings, file, looked.words)
        if how.dry_run and file:
            here.rehearse(looked.settings, file, looked.words)

    def outcome() -> Report:
        return report.outcome(here.status())

    def act() -> Report:
        carry_out(here, looked, file, options)
        return outcome()

    question = f"restore etcd on this node, {host['node']}, from {file or 'its own data'}"
    planned = report.plan(looked, rehearsed=bool(how.dry_run and file and looked.is_possible))
    return change(env, how, Proposal(planned, question, looked.is_possible), act, so_far=outcome)


def carry_out(here: "Here", looked: "Looked", file: Path | None, options: "Options") -> None:
    """Restores. A node's own data are copied, and verified, before anything is done with them."""
    from dataclasses import replace

    from kubectl_admin.etcd.restore.local import look, run
    from kubectl_admin.etcd.snapshot.verify import verify

    settings = looked.settings
    if settings is None:
        return
    if file:
        here.restore(settings, file, looked.words)
        return
    with run.room() as directory:
        copy = directory / "own.db"
        kind = here.save(copy, options.etcdutl)
        verdict = verify(copy)
        look.of_copy(verdict)
        if verdict.snapshot is None:
            raise AdminError("this node's own data can't be read", "restore a snapshot instead")
        revision = verdict.snapshot.contents.revision or 0
        settings = replace(settings, digest=verdict.snapshot.sha256, revision=revision)
        here.restore(settings, copy, (*looked.words, *(["--own-file"] if kind == "file" else [])))


def require_root() -> None:
    """Raises AdminError for anybody else."""
    if os.geteuid():
        raise AdminError(
            "--local needs root on a control-plane node", "sudo kubectl-admin etcd-restore --local"
        )
