"""One restore, broken as a case says: begun by the program, followed to its end, and cleaned up after."""

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from tests.cluster import labs
from tests.cluster.node_room import folders, pods
from tests.cluster.restore import objects
from tests.cluster.restore.breaks import Run
from tests.cluster.restore.cases import ARMED, DECIDE, Case
from tests.cluster.restore.clients import Clients
from tests.cluster.restore.watch import RESTORED, Journals, Poller, Words, are_over, end_of
from tests.lab.nodes.lab import Lab
from tests.program import Child, Ended, start

MOMENT_TIMEOUT = 600  # seconds in which a case's moment comes
END_TIMEOUT = 900  # seconds in which nodes come to an end: some are disarmed after 600
RUN_TIMEOUT = 1200  # seconds for one run of the program, which follows nodes for 900
ANSWER_TIMEOUT = 60  # seconds in which the API answers once the restore is over
INTERVAL = 0.2  # seconds between two looks whether it does
DEBUG_PODS = "pod/kubectl-admin-"  # as labs.not_as_it_was names them
LOGS = "tail -n 40 /var/lib/kubectl-admin/restore/log /var/lib/kubectl-admin/restore/journal"


@dataclass(frozen=True)
class Tried:
    """What came of a case.

    last: the word that the node's journal had come to when all was broken. end: see `watch.end_of`.
    seconds: from the break to the end on all nodes. after: those since it was mended. without_api: seconds.
    faults: what is not as it should be; nothing where the case is passed. said: of a case that is not, by the
    program and by the nodes' workers.
    """

    case: Case
    last: str
    end: str
    seconds: float
    after: float
    without_api: float
    faults: tuple[str, ...]
    said: str = ""


def try_out(lab: Lab, case: Case, snapshot: Path, seed: int = 0) -> Tried:
    """Restores on a lab that is whole, broken as the case says.

    snapshot: is taken where it is not there yet; it may be that of an earlier case. The objects stay.
    """
    with case.around(lab), tempfile.TemporaryDirectory() as folder:
        labs.wait_until_whole(lab)
        if not snapshot.exists():
            objects.take(lab, snapshot)
        objects.change(lab)
        # What the program keeps beside the file is of this case alone.
        return on_changed(lab, case, shutil.copy(snapshot, folder), seed)


def on_changed(lab: Lab, case: Case, snapshot: Path, seed: int) -> Tried:
    """The same, on a lab that has changed since the snapshot."""
    options = (str(snapshot), "--yes", "-o", "json", f"--decide-within={DECIDE}s", *case.options)
    with Clients(lab) as clients:
        with start("etcd-restore", *options, env=labs.environ_of(lab)) as client:
            run = Run(lab, client, Journals(lab), Random(f"{seed} {case.title}"))
            tried = broken(run, case)
            ended = end_of_client(client)
        wrong = [*tried.faults, *wrong_of_client(ended, tried.end)]
        wait_until_whole_but_for_pods_of_then(lab)
        if ended.code and tried.end == RESTORED:
            # It was killed, or has seen less than the end: what is left is done by the same command.
            wrong += wrong_of_last(labs.admin(lab, "etcd-restore", *options, timeout=RUN_TIMEOUT))
        elif ended.code < 0:
            # Pods of a program that was killed go by the next one; where nothing is restored, there is none.
            wrong += wrong_of_cleanup(lab)
        wrong += clients.wrong(objects.EXPECTED.get(tried.end))
    labs.wait_until_whole(lab)
    wrong += [*wrong_of_status(lab, run.journals.look()), *wrong_of_data(lab, tried.end)]
    said = f"{ended.err}\n{words_of_workers(lab)}" if wrong else ""
    return replace(tried, faults=(*wrong, *wrong_of_prune(lab)), said=said)


def wait_until_whole_but_for_pods_of_then(lab: Lab) -> None:
    """Waits until nodes and API servers are well; debug pods of the snapshot are left to the program."""
    end = time.monotonic() + labs.PATIENCE
    while left := [one for one in labs.not_as_it_was(lab) if not one.startswith(DEBUG_PODS)]:
        assert time.monotonic() < end, f"the lab is not whole: {', '.join(left)}"
        time.sleep(INTERVAL)


def words_of_workers(lab: Lab) -> str:
    """What the workers of all nodes have said, for whoever looks for a fault."""
    return "\n".join(
        f"{each.name}: {lab.exec(each.name, ['sh', '-c', LOGS], check=False).stdout}"
        for each in lab.control_planes
    )


def broken(run: Run, case: Case) -> Tried:
    """Waits for the case's moment, breaks, mends, and waits for the end."""

    def is_now(words: Words) -> bool:
        if run.client.poll() is not None:
            return True
        nodes = words if case.at == ARMED else (case.node,)
        return all(case.at in (words[node] or ()) for node in nodes)

    with Poller(run.lab) as poller:
        came = run.journals.wait(is_now, MOMENT_TIMEOUT) and run.client.poll() is None
        began = mended = time.monotonic()
        last = ""
        if came:
            with case.broken(run):
                last = (run.journals.look()[case.node] or ("",))[-1]
                run.journals.wait(are_over, case.lasts)
            mended = time.monotonic()
        is_over = run.journals.wait(are_over, END_TIMEOUT)
        over = time.monotonic()
        wait_for_answer(poller)
    faults = []
    if not came:
        faults.append(f"{case.at} never came")
    if not is_over:
        faults.append(f"not over after {END_TIMEOUT} s: {run.journals.words}")
    if (end := end_of(run.journals.words)) not in case.ends:
        faults.append(f"{end}, and not {' or '.join(case.ends)}")
    return Tried(case, last, end, over - began, over - mended, poller.without_api(), tuple(faults))


def wait_for_answer(poller: Poller) -> None:
    """Return when the API has answered since now, or has not for long: then the lab is not whole."""
    began = time.monotonic()
    while time.monotonic() - began < ANSWER_TIMEOUT:
        if poller.answers and poller.answers[-1] > began:
            return
        time.sleep(INTERVAL)


def end_of_client(client: Child[str]) -> Ended:
    """The program's own end, which it comes to by itself unless it was killed."""
    out, err = client.communicate(timeout=RUN_TIMEOUT)
    return Ended(client.returncode, out, err)


def wrong_of_client(ended: Ended, end: str) -> Iterator[str]:
    """What the program has said of the end, if anything, is what the nodes' journals say."""
    told = document(ended).get("end")
    if told and told != {"restored": "restored", "as before": "asBefore"}.get(end):
        yield f"the program said {told}"
    if ended.code == 0 and end != RESTORED:
        yield "the program ended with 0"


def wrong_of_last(ended: Ended) -> Iterator[str]:
    """The run that finishes has nothing left to do."""
    if ended.code != 0 or document(ended).get("end") != "restored":
        findings = [one["evidence"] for one in document(ended).get("findings", ())]
        yield f"run again, it ended with {ended.code}: {' '.join(ended.err.split())} {findings}"


def wrong_of_cleanup(lab: Lab) -> Iterator[str]:
    """What a killed run has left is removed."""
    ended = labs.admin(lab, "cleanup", "--yes", timeout=RUN_TIMEOUT)
    if ended.code:
        yield f"cleanup ended with {ended.code}: {' '.join(ended.err.split())}"


def wrong_of_status(lab: Lab, words: Words) -> Iterator[str]:
    """`--status` tells of each node what its journal does."""
    ended = labs.admin(lab, "etcd-restore", "--status", "-o", "json")
    told = {one["node"]: (one["stage"], one.get("word")) for one in document(ended).get("items", ())}
    for node, seen in words.items():
        wanted = ("over", seen[-1]) if seen else ("none", None)
        if told.get(node) != wanted:
            yield f"--status tells {told.get(node)} of {node}, and not {wanted}: {ended.err.strip()}"


def wrong_of_data(lab: Lab, end: str) -> Iterator[str]:
    """The objects are those of this end, and all members have the same data."""
    there = objects.present(lab)
    if (expected := objects.EXPECTED.get(end)) is not None and there != expected:
        yield f"objects differ: {', '.join(sorted(there ^ expected))}"
    found = objects.hashes(lab)
    if len(set(found.values())) != 1:
        yield f"hashes differ: {found}"


def wrong_of_prune(lab: Lab) -> Iterator[str]:
    """What is left on nodes goes."""
    ended = labs.admin(lab, "etcd-restore", "--prune", "--yes", timeout=RUN_TIMEOUT)
    if ended.code:
        yield f"--prune ended with {ended.code}: {' '.join(ended.err.split())}"
    left = {each.name: found for each in lab.control_planes if (found := folders(lab, each.name))}
    if left or pods(lab):
        yield f"left behind: {left} {pods(lab)}"


def clear(lab: Lab) -> None:
    """Returns when a lab is whole and nothing is left of an earlier case; else AssertionError."""
    journals = Journals(lab)
    assert journals.wait(are_over, END_TIMEOUT), f"a restore is not over: {journals.words}"
    wait_until_whole_but_for_pods_of_then(lab)
    if pods(lab):
        assert (ended := labs.admin(lab, "cleanup", "--yes", timeout=RUN_TIMEOUT)).code == 0, ended.err
    if any(journals.words.values()):
        assert not (left := list(wrong_of_prune(lab))), left
    labs.wait_until_whole(lab)


def document(ended: Ended) -> dict[str, Any]:
    """What a run has written, as data; nothing where it has not."""
    try:
        return dict(json.loads(ended.out))
    except ValueError:
        return {}
