"""What was left, whose it is, and what may be removed."""

from contextlib import nullcontext
from typing import Any

import pytest

from kubectl_admin.cluster.errors import Forbidden, NotFound
from kubectl_admin.etcd.restore.on_nodes import status
from kubectl_admin.node import cleanup, leftovers, operation
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.node.leftovers import LeftDirectory, LeftPod
from kubectl_admin.node.operation import Operation, Owner
from kubectl_admin.upgrade.host_jobs import DIRECTORY
from tests.fakes.clock import Clock
from tests.fakes.host import OPERATION, OWNER, host_of
from tests.fakes.hosts import Opened

MINE = Operation.begin().owner
ENDED = Owner(MINE.person, MINE.place, MINE.pid, "1")
ELSEWHERE = OWNER


def pod(name: str = "kubectl-admin-0123456789-abcd", **changes: Any) -> dict[str, Any]:
    metadata = {
        "namespace": "kube-system",
        "name": name,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": {"app.kubernetes.io/managed-by": "kubectl-admin", "kubectl-admin/operation": "0123456789"},
        "annotations": {"kubectl-admin/owner": str(OWNER)},
    }
    return {
        "metadata": metadata | changes,
        "spec": {"nodeName": "cp-1"},
        "status": {"phase": "Running"},
    }


class Pods:
    """The stand-in of a Cluster that has pods. deleted: the paths of those that were."""

    def __init__(self, *pods: dict[str, Any]) -> None:
        self.pods = list(pods)
        self.clock = Clock()
        self.asked: list[tuple[str, Any]] = []
        self.deleted: list[str] = []
        self.refused: set[str] = set()

    def list(self, path: str, query: Any) -> list[dict[str, Any]]:
        self.asked.append((path, query))
        return self.pods

    def get(self, _path: str, _query: Any = ()) -> dict[str, Any]:
        return {"items": []}

    def delete(self, path: str) -> None:
        if path in self.refused:
            raise Forbidden(403, "Forbidden", "no")
        self.deleted.append(path)
        raise NotFound(404, "NotFound", "somebody was quicker")


def test_a_pod_says_whose_it_is():
    left = leftovers.left_pod(pod())
    created = "2026-01-01T00:00:00Z"
    assert left == LeftPod("kube-system", "kubectl-admin-0123456789-abcd", "cp-1", created, False, OWNER)


@pytest.mark.parametrize(
    ("owner", "finished", "abandoned"),
    [
        (MINE, False, False),
        (ENDED, False, True),
        (ELSEWHERE, False, False),
        (None, False, False),
        (MINE, True, True),
        (ELSEWHERE, True, True),
        (None, True, True),
    ],
)
def test_a_pod_is_abandoned_when_it_has_ended_or_its_process_has(owner, finished, abandoned):
    assert LeftPod("kube-system", "n", "cp-1", "", finished, owner).is_abandoned is abandoned


@pytest.mark.parametrize(
    ("name", "owner", "abandoned"),
    [
        ("0123456789", ENDED, True),
        ("0123456789", MINE, False),
        ("0123456789", ELSEWHERE, False),
        ("0123456789", None, False),
        ("upgrade", ENDED, False),  # kept under its name for whoever asks for it later
        ("01234567890", ENDED, False),
    ],
)
def test_a_folder_is_abandoned_when_it_was_for_one_run_and_that_has_ended(name, owner, abandoned):
    assert LeftDirectory("cp-1", name, False, owner).is_abandoned is abandoned


@pytest.mark.parametrize("owner", [MINE, ELSEWHERE, None])
def test_a_folder_that_is_of_no_use_without_its_job_is_abandoned_whosever_it_was(owner):
    assert LeftDirectory("cp-1", "0123456789", False, owner, over=True).is_abandoned
    assert not LeftDirectory("cp-1", "upgrade", False, owner, over=True).is_abandoned


@pytest.mark.parametrize(
    ("left", "state"),
    [
        (LeftPod("n", "p", "cp-1", "", False, MINE), "in use"),
        (LeftPod("n", "p", "cp-1", "", False, ENDED), "abandoned"),
        (LeftPod("n", "p", "cp-1", "", False, ELSEWHERE), "unknown"),
        (LeftPod("n", "p", "cp-1", "", False, None), "unknown"),
        (LeftDirectory("cp-1", "0123456789", True, MINE), "in use"),
        (LeftDirectory("cp-1", "0123456789", False, MINE), "in use"),
        (LeftDirectory("cp-1", "0123456789", False, ENDED), "abandoned"),
        (LeftDirectory("cp-1", "0123456789", False, ELSEWHERE), "unknown"),
        (LeftDirectory("cp-1", "upgrade", True, ELSEWHERE), "in use"),
        (LeftDirectory("cp-1", "upgrade", False, MINE), "in use"),
        # Whosever it was, and whether that is known or not: it is the only record.
        *(
            (LeftDirectory("cp-1", "upgrade", False, owner), "half-way upgrade")
            for owner in (ENDED, ELSEWHERE, None)
        ),
        (LeftDirectory("cp-1", "upgrade2", False, ENDED), "unknown"),
        *(
            (LeftDirectory("cp-1", "restore", active, owner), "restore")
            for owner in (MINE, ENDED, ELSEWHERE, None)
            for active in (True, False)
        ),
        # A job that was for one run, and nobody will ask for any more, goes on for nobody.
        (LeftDirectory("cp-1", "0123456789", True, ENDED), "abandoned"),
    ],
)
def test_the_state_of_what_is_left(left, state):
    assert cleanup.state_of(left) == state


@pytest.mark.parametrize(
    "other",
    [
        pod("web-0123456789-abcd"),
        pod("kubectl-admin-web"),
        pod("kubectl-admin-9876543210-abcd"),
        pod(ownerReferences=[{"kind": "ReplicaSet", "name": "web"}]),
        pod(labels={"kubectl-admin/operation": "web"}),
        pod(labels={}),
        pod(labels={"kubectl-admin/operation": ""}),
    ],
)
def test_a_look_alike_is_not_ours(other):
    assert list(leftovers.pods(Pods(other))) == []
    assert [left.name for left in leftovers.pods(Pods(other, pod()))] == ["kubectl-admin-0123456789-abcd"]


@pytest.mark.parametrize("owner", [f"x y {'9' * 5000} z", "x y ² z", "", "\x00", "x" * 200_000])
def test_a_note_that_a_tenant_has_made_up_stops_nobody(owner):
    nasty = pod("kubectl-admin-0123456789-ffff", annotations={"kubectl-admin/owner": owner})
    assert [left.owner for left in leftovers.pods(Pods(nasty, pod()))] == [None, OWNER]


def test_only_labelled_pods_are_asked_for():
    cluster = Pods()
    assert list(leftovers.pods(cluster)) == []
    assert list(leftovers.pods(cluster, "debug")) == []
    selector = "app.kubernetes.io/managed-by=kubectl-admin,kubectl-admin/operation"
    assert cluster.asked == [
        ("/api/v1/pods", [("labelSelector", selector)]),
        ("/api/v1/namespaces/debug/pods", [("labelSelector", selector)]),
    ]


def named(number: int, owner: Owner) -> dict[str, Any]:
    return pod(f"kubectl-admin-0123456789-{number:04x}", annotations={"kubectl-admin/owner": str(owner)})


def test_the_next_run_removes_what_was_abandoned_and_nothing_else():
    cluster = Pods(named(1, MINE), named(2, ENDED), named(3, ELSEWHERE), named(4, ENDED))
    leftovers.sweep(cluster, "kube-system")
    assert [path.rpartition("-")[2] for path in cluster.deleted] == ["0002", "0004"]


def test_who_may_not_remove_is_not_kept_from_working():
    cluster = Pods(named(2, ENDED), named(3, ENDED))
    cluster.refused.add("/api/v1/namespaces/kube-system/pods/kubectl-admin-0123456789-0002")
    leftovers.sweep(cluster, "kube-system")
    assert [path.rpartition("-")[2] for path in cluster.deleted] == ["0003"], "the others go all the same"


class Answering:
    """The stand-in of a host whose script answers this."""

    operation = OPERATION

    def __init__(self, answer: str, node: str = "cp-1") -> None:
        self.answer, self.node = answer, node
        self.asked: tuple[object, ...] = ()

    def script(self, *arguments: object) -> bytes:
        self.asked = arguments
        return self.answer.encode()


def test_folders_are_read_and_this_runs_own_is_left_out():
    answer = f"aaaaaaaaaa no {ENDED}\n{OPERATION.id} no {OWNER}\nupgrade yes {OWNER}\nbbbbbbbbbb no \n"
    answer += f"cccccccccc over {OWNER}\n"
    assert leftovers.directories(Answering(answer)) == [
        LeftDirectory("cp-1", "aaaaaaaaaa", False, ENDED),
        LeftDirectory("cp-1", "upgrade", True, OWNER),
        LeftDirectory("cp-1", "bbbbbbbbbb", False, None),
        LeftDirectory("cp-1", "cccccccccc", False, OWNER, over=True),
    ]


def test_data_that_a_restore_has_put_aside_are_shown_and_stay():
    answer = "aside .kubectl-admin-0123456789-old\naside .kubectl-admin-0123456789-new.part\n"
    answer += "aside ../x\naside member\naside .kubectl-admin-0123456789-older\naside no \n"
    host = Answering(answer)
    found = leftovers.directories(host, "/var/lib/etcd")
    assert host.asked[1:] == ("/var/lib/kubectl-admin", "/var/lib/etcd")
    assert [one.path for one in found] == [
        "/var/lib/etcd/.kubectl-admin-0123456789-old",
        "/var/lib/etcd/.kubectl-admin-0123456789-new.part",
        "/var/lib/kubectl-admin/aside",
    ]
    shown = [cleanup.Leftover(one, cleanup.state_of(one)) for one in found]
    assert [one.state for one in shown] == ["restore", "restore", "unknown"]
    assert cleanup.removable(shown, force=True) == shown[2:]
    report = cleanup.report(shown[:1], [])
    assert [one.rule for one in report.findings] == ["restore-there"]
    assert list(report.names()) == ["node/cp-1/var/lib/etcd/.kubectl-admin-0123456789-old"]
    assert leftovers.directories(Answering(answer)) == [LeftDirectory("cp-1", "aside", False, None)]


def test_each_host_is_asked_where_its_etcd_has_its_data():
    asked = {}

    def opened(node, _operation):
        asked[node] = Answering("", node)
        return nullcontext(asked[node])

    hosts = Opened(Pods(), OPERATION, Options(), print, opened)
    cleanup.find(hosts, ["cp-1", "w-1"], lambda _: None, lambda _: {"cp-1": "/var/lib/etcd"})
    assert {node: host.asked[2] for node, host in asked.items()} == {"cp-1": "/var/lib/etcd", "w-1": ""}


@pytest.mark.parametrize(
    "line",
    ["", "x", "x yes", "x maybe a b 1 2", " no x", ".. no x", "a/b no x", "\x1b[2J no x", f"{'x' * 65} no x"],
)
def test_what_makes_no_sense_is_no_folder(line):
    found = leftovers.directories(Answering(f"{line}\n"))
    assert found == []


def test_of_folders_without_end_the_first_are_read():
    answer = "".join(f"f{number} no \n" for number in range(leftovers.MOST + 5))
    assert len(leftovers.directories(Answering(answer))) == leftovers.MOST


def test_that_there_are_more_is_said():
    there = {"cp-1": leftovers.MOST, "cp-2": 3}

    def opened(node, _operation):
        return nullcontext(Answering("".join(f"f{number} no \n" for number in range(there[node]))))

    hosts = Opened(Pods(), OPERATION, Options(), print, opened)
    left, (finding,) = cleanup.find(hosts, list(there), lambda _: None)
    assert len(left) == leftovers.MOST + 3
    assert (finding.rule, finding.objects) == ("many-directories", ("node/cp-1",))


def test_the_names_of_what_is_left_say_where():
    left = [
        cleanup.Leftover(leftovers.left_pod(pod()), "unknown"),
        cleanup.Leftover(LeftDirectory("cp-1", "a", False, None), "unknown"),
    ]
    report = cleanup.report(left, [])
    assert list(report.names()) == [
        "pod/kube-system/kubectl-admin-0123456789-abcd",
        "node/cp-1/var/lib/kubectl-admin/a",
    ]
    assert report.tables[0].rows[1][2] == "<unknown>"
    assert [item["kind"] for item in report.items()] == ["Pod", "Directory"]
    assert list(report.items())[1]["owner"] is None


def test_the_question_says_what_may_be_in_use_elsewhere():
    sure = cleanup.Leftover(LeftDirectory("cp-1", "a", False, None), "abandoned")
    unsure = cleanup.Leftover(LeftDirectory("cp-1", "b", False, None), "unknown")
    assert cleanup.question([sure], "prod") == "remove 1 of these from context prod"
    assert "2 of these (1 may be in use on another machine)" in cleanup.question([sure, unsure], "prod")
    forced = [
        cleanup.Leftover(LeftDirectory("cp-1", "upgrade", False, None), state) for state in cleanup.KEPT
    ]
    assert "2 of these (1 in use; 1 the only record of a half-way upgrade)" in cleanup.question(
        forced, "prod"
    )


def test_a_half_way_upgrade_is_said_with_the_way_on():
    left = cleanup.Leftover(LeftDirectory("w1", "upgrade", False, ENDED), "half-way upgrade")
    (finding,) = cleanup.report([left], []).findings
    assert finding.rule == "half-way-upgrade"
    assert "kubectl admin drain-upgrade w1" in finding.fix


def test_the_folder_of_an_upgrade_is_the_one_that_upgrades_make():
    assert f"{leftovers.STATE}/{leftovers.UPGRADE}" == DIRECTORY


@pytest.mark.parametrize("force", [True, False])
def test_a_restore_of_etcd_is_never_removed_and_said_with_the_way_on(force):
    left = cleanup.Leftover(LeftDirectory("cp-1", "restore", False, ENDED), "restore")
    other = cleanup.Leftover(LeftDirectory("cp-1", "0123456789", False, ENDED), "abandoned")
    assert cleanup.removable([left, other], force=force) == [other]
    (finding,) = cleanup.report([left], []).findings
    assert (finding.rule, finding.objects) == ("restore-there", ("node/cp-1",))
    assert "etcd-restore --status" in finding.fix
    assert "--prune" in finding.fix


def test_the_folder_of_a_restore_is_the_one_that_restores_make():
    assert f"{leftovers.STATE}/{leftovers.RESTORE}" == status.DIRECTORY


def test_a_folder_of_a_run_that_was_killed_is_swept_with_its_job(machine, monkeypatch, tmp_path):
    monkeypatch.setattr(leftovers, "STATE", str(tmp_path))
    monkeypatch.setattr("kubectl_admin.node.workspace.STATE", str(tmp_path))
    for name, owner in {
        "aaaaaaaaaa": ENDED,
        "bbbbbbbbbb": ELSEWHERE,
        "cccccccccc": MINE,
        "upgrade": ENDED,
        "restore": ENDED,
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "owner").write_text(f"{owner}\n")
    leftovers.sweep_host(host_of(machine))
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["bbbbbbbbbb", "cccccccccc", "restore", "upgrade"]


def test_owners_of_this_process_are_known_here():
    assert operation.place() == MINE.place
