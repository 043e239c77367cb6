"""What is looked at before a restore: nothing is touched, and nothing more than is needed is done."""

from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kubectl_admin.cluster.access import Right
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.diff.compare import Options as DiffOptions
from kubectl_admin.etcd.diff.compare import compare
from kubectl_admin.etcd.diff.facts import Comparison, File, Wanted
from kubectl_admin.etcd.restore.afterwards import webhooks
from kubectl_admin.etcd.restore.consequences.facts import Hook, Node, Side
from kubectl_admin.etcd.restore.look.facts import Forced
from kubectl_admin.etcd.restore.look.look import (
    Looked,
    Looks,
    Options,
    look,
    refuse_uncompared,
    rights,
    saved_now,
)
from kubectl_admin.etcd.snapshot.facts import Verdict
from kubectl_admin.node.debug_pod import Options as PodOptions
from kubectl_admin.node.operation import Operation
from tests.fakes.host import OWNER
from tests.fakes.hosts import Opened
from tests.unit.etcd.restore import samples
from tests.unit.etcd.restore.afterwards.api import Api
from tests.unit.etcd.restore.runs import ID, looked, watch


def no_host(*_: Any) -> Any:
    raise AssertionError


@dataclass
class Look:
    """A look in which everything is sound. done: its parts, in order."""

    folder: Path

    def __post_init__(self) -> None:
        self.done: list[str] = []
        self.api = Api()
        self.file, self.live = samples.file(), samples.cluster()
        self.then: Side | None = Side(nodes={"cp-1": Node("cp-1", "u1"), "gone": Node("gone", "u2")})
        self.snapshot = self.folder / "snapshot.db"
        self.snapshot.write_bytes(b"a snapshot")
        self.problem: BaseException | None = None
        self.options = Options()

    @property
    def hosts(self) -> Any:
        return Opened(self.api, Operation(ID, OWNER), PodOptions(), lambda _: None, no_host)  # type: ignore[arg-type]

    @property
    def looks(self) -> Looks:
        def part(name: str, answer: Any) -> Any:
            def asked(*_: Any, **__: Any) -> Any:
                self.done.append(name)
                return answer

            return asked

        verdict = Verdict(Path("a.db"), samples.snapshot(), ())
        sides = File("now.db", verdict), File("snapshot.db", verdict)
        compared = Comparison(
            *sides,
            Wanted(),
            compared=True,
            same_file=False,
            has_namespace=True,
            rows=[],
            differences=[],
        )
        return Looks(
            of_cluster=part("cluster", self.live),
            read=part("file", (self.file, self.then)),
            side=part("side", Side(nodes={"cp-1": Node("cp-1", "u1")})),
            plan=part("plan", looked().plans),
            save=self.save,
            compare=part("compare", compared),
        )

    def save(self, hosts: Any, _options: Any, draft: Any, *, watch: Any) -> Any:
        del watch
        assert hosts.operation.id != ID
        self.done.append("save")
        assert names(self.folder) == ["snapshot.db"]
        draft.write(b"of now")
        if self.problem:
            raise self.problem
        draft.settle()
        return SimpleNamespace()

    def look(self) -> Looked:
        return look(self.hosts, self.snapshot, self.options, watch=watch, looks=self.looks)


@pytest.fixture
def sound(tmp_path):
    return Look(tmp_path)


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_everything_in_its_order(sound):
    found = sound.look()
    assert sound.done == ["cluster", "file", "side", "plan", "save", "compare"]
    assert found.is_possible
    assert found.left == ("gone",)
    assert found.compared
    assert (found.compared.a.label, found.compared.b.label) == ("snapshot", "cluster")
    assert set(found.containers) == {"cp-1", "cp-2", "cp-3"}
    assert found.bump == 1555 - 1000 + 1_000_000_000
    assert names(sound.folder) == ["snapshot.db"]
    assert sound.api.changes == []


def test_what_is_forbidden_is_not_looked_at_further(sound):
    sound.live = samples.cluster(cluster=replace(sound.live.cluster, text="another"))
    found = sound.look()
    assert sound.done == ["cluster", "file"]
    assert not found.is_possible
    assert (found.compared, found.plans) == (None, {})
    assert {finding.rule for finding in found.findings} >= {"restore-other-cluster"}


def test_a_database_that_only_a_defragmentation_makes_small_enough(sound):
    sound.file = samples.file(replace(samples.snapshot(), database_size=1900 << 20))
    assert not sound.look().is_possible
    sound.options = Options(defrag=True)
    found = sound.look()
    assert (found.is_possible, found.defrag) == (True, True)
    nine_tenths = int(0.9 * (2 << 30))
    assert found.limits == dict.fromkeys(("cp-1", "cp-2", "cp-3"), nine_tenths)
    sound.options = Options(forced=Forced(quota=True))
    assert (sound.look().is_possible, sound.look().limits) == (True, {})


def test_webhooks_with_nobody_behind_them_are_ignored_where_that_is_wanted(sound):
    hook = Hook("validatingwebhookconfiguration/policy", "a", ("ns", "policy"), ("pods",), "u")
    served = replace(hook, service=("ns", "served"))
    behind = {("ns", "served"): frozenset({"cp-1"}), ("ns", "policy"): frozenset({"gone"})}
    sound.then = replace(sound.then, hooks=(hook, served), endpoints=behind)
    assert sound.look().webhooks is None
    assert "--webhooks=ignore; or" in fix_of("webhook-restored-without-backend", sound.look())
    sound.options = Options(ignore_webhooks=True)
    found = sound.look()
    assert found.webhooks == (hook,)
    assert fix_of("webhook-restored-without-backend", found).endswith("(--webhooks=ignore)")
    wanted = rights("debug", of_webhooks=True)
    assert set(wanted) - set(rights("debug")) == set(webhooks.RIGHTS)


def fix_of(rule: str, found: Looked) -> str:
    (fix,) = [finding.fix for finding in found.findings if finding.rule == rule]
    return fix


def test_a_file_that_can_not_be_read_is_not_looked_at_further(sound):
    sound.then = None
    assert not sound.look().is_possible
    assert sound.done == ["cluster", "file"]


def test_missing_rights_are_named_before_anything_else(sound):
    sound.api.granted = False
    with pytest.raises(AdminError, match="nodes"):
        sound.look()
    assert sound.done == []


def test_the_rights_are_those_of_the_whole_restore():
    found = set(rights("debug"))
    assert {
        Right("delete", "pods"),
        Right("create", "nodes"),
        Right("create", "pods", "debug"),
        Right("create", "pods/exec", "kube-system"),
        Right("list", "persistentvolumes"),
        Right("create", "leases", "kube-system", "coordination.k8s.io"),
    } <= found


def test_without_room_no_node_is_asked_for_a_snapshot(sound):
    members = [
        replace(member, status=replace(member.status, size=1 << 60)) for member in sound.live.state.members
    ]
    sound.live = samples.cluster(replace(sound.live.state, members=tuple(members)))
    assert sound.live.database == 1 << 60
    with pytest.raises(AdminError, match=r"MiB are free, and the file will have"):
        sound.look()
    assert "save" not in sound.done
    assert names(sound.folder) == ["snapshot.db"]


@pytest.mark.parametrize("error", [AdminError("cut"), KeyboardInterrupt()])
def test_a_snapshot_of_now_that_fails_leaves_nothing(sound, error):
    sound.problem = error
    with pytest.raises(type(error)):
        sound.look()
    assert names(sound.folder) == ["snapshot.db"]


def test_no_end_of_the_program_leaves_the_secrets_of_now_on_the_disk(sound):
    with saved_now(sound.hosts, sound.snapshot, 0, watch=watch, save=sound.save) as now:
        assert names(sound.folder) == ["snapshot.db"]
        assert Path(now).read_bytes() == b"of now"
        assert Path(now).read_bytes() == b"of now"


def test_a_directory_that_can_not_be_written_to(sound):
    beside = sound.folder / "none" / "snapshot.db"
    with (
        pytest.raises(AdminError, match=r"can't be|No such"),
        saved_now(sound.hosts, beside, 0, watch=watch, save=sound.save),
    ):
        raise AssertionError


def test_files_that_were_not_compared_are_not_taken_for_equal(tmp_path):
    for name in ("a.db", "b.db"):
        (tmp_path / name).write_bytes(bytes(100_000))
    compared = compare(tmp_path / "a.db", tmp_path / "b.db", DiffOptions())
    with pytest.raises(AdminError, match="could not be compared"):
        refuse_uncompared(compared)
