"""scripts/restore-*.sh that prepare a restore of etcd, with stand-ins for systemd, kubelet and etcdutl."""

import json
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes import control_plane_host
from tests.fakes.control_plane_host import CONTAINER
from tests.fakes.host import Shell

ID, OTHER = "0123456789", "aaaaaaaaaa"
UNIT = "kubectl-admin-restore.service"
ETCDUTL = """#!/bin/sh
case "$*" in
  version) echo "etcdutl version: 3.6.8"; echo "API version: 3.6"; exit ;;
  *--help) echo "FLAGS"; exit ;;
  "snapshot restore "*) ;;
  "defrag --data-dir="*)
    [ ! -e FOLDER/defrag-fails ] || { echo "Error: no space" >&2; exit 1; }
    echo "$*" >> FOLDER/asked; echo small > "${2#*=}/member/snap/db"; exit ;;
  "snapshot status "*)
    [ "$4" = --write-out=json ] || exit 9
    echo '{"hash":7,"revision":1000000074,"totalKey":3,"totalSize":4096}'; exit ;;
  *) exit 9 ;;
esac
echo "$*" >> FOLDER/asked
[ ! -e FOLDER/broken ] || { echo "Error: snapshot is broken" >&2; exit 1; }
for word; do case $word in --data-dir=*) directory=${word#*=} ;; esac; done
mkdir -p "$directory/member/snap" "$directory/member/wal"
cp "$3" "$directory/member/snap/db"
"""
ETCDCTL = '#!/bin/sh\necho "etcdctl version: 3.6.8"\n'


@dataclass
class Node:
    """A control plane's host in a folder."""

    shell: Shell
    folder: Path
    reserve: int = 0
    defrag: str = "no"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def state(self) -> Path:
        return self.folder / "var/restore"

    @property
    def units(self) -> Path:
        return self.folder / "etc"

    @property
    def root(self) -> Path:
        """Of etcd's container."""
        return control_plane_host.root(self.folder)

    @property
    def plan(self) -> str:
        return f"id {ID}\nnode cp-1\ndata {self.data}\n"

    def ended(self, script: str, *arguments: str | Path) -> "subprocess.CompletedProcess[bytes]":
        command = self.shell.command(script, *arguments)
        command[2] = (
            str(command[2])
            .replace("/proc/", f"{self.folder}/proc/")
            .replace("/run/systemd/system", str(self.folder / "systemd"))
        )
        return subprocess.run(
            command,
            check=False,
            capture_output=True,
            env=self.shell.env(str(self.folder / "bin")),
            cwd="/",
            timeout=120,
        )

    def run(self, script: str, *arguments: str | Path) -> str:
        done = self.ended(script, *arguments)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.endswith(b"\n# end\n")
        return done.stdout.removesuffix(b"\n# end\n").decode()

    def begin(self, id_: str = ID) -> "subprocess.CompletedProcess[bytes]":
        plan = self.plan.replace(ID, id_)
        return self.ended("restore-begin", self.state, "ann@x b 1 2", id_, plan, CONTAINER, self.units)

    def aside(self, id_: str = ID) -> "subprocess.CompletedProcess[bytes]":
        words = [id_, self.data, "cp-1", f"kubectl-admin-{id_}", "https://a:2380", "cp-1=https://a:2380", "5"]
        return self.ended("restore-aside", self.state, *words, str(self.reserve), self.defrag)

    def prepare(self) -> None:
        """As far as it can be armed."""
        assert self.begin().returncode == 0
        for name in ("steps", "worker", "snapshot.db"):
            (self.state / name).write_text("x\n")
        assert self.aside().returncode == 0

    def arm(self, id_: str = ID) -> "subprocess.CompletedProcess[bytes]":
        return self.ended("restore-arm", self.state, id_, self.units, "[Unit]\n")

    def remove(self, id_: str = ID) -> "subprocess.CompletedProcess[bytes]":
        return self.ended("restore-remove", self.state, id_, self.units)

    def prune(self) -> "subprocess.CompletedProcess[bytes]":
        return self.ended("restore-prune", self.state, self.data, self.units, self.folder / "parked")

    def journal(self, *words: str) -> None:
        self.state.mkdir(parents=True, exist_ok=True)
        (self.state / "journal").write_text("".join(f"1764500000 {word}\n" for word in words))

    def unit_is(self, state: str, name: str = UNIT) -> None:
        (self.folder / "systemd/units" / name).write_text(f"{state}\n")

    @property
    def calls(self) -> list[str]:
        log = self.folder / "systemd/log"
        return log.read_text().splitlines() if log.exists() else []

    @property
    def aside_names(self) -> list[str]:
        return sorted(path.name for path in self.data.iterdir())


@pytest.fixture
def node(shell: Shell, tmp_path: Path) -> Node:
    node = Node(shell, tmp_path)
    control_plane_host.make(tmp_path)
    for path, text in {
        node.root / "usr/local/bin/etcdutl": ETCDUTL.replace("FLAGS", "--initial-memory-map-size uint"),
        node.root / "usr/local/bin/etcdctl": ETCDCTL,
    }.items():
        path.write_text(text.replace("FOLDER", str(tmp_path)))
        path.chmod(0o755)
    return node


def facts(answer: str) -> dict[str, str]:
    return dict(line.split(" ", 1) for line in answer.splitlines() if " " in line)


# ---- Looking ----


def survey(node: Node) -> dict[str, str]:
    return facts(node.run("restore-survey", CONTAINER, node.data, node.state))


def kubelet(node: Node, *flags: str, config: str = "") -> None:
    """A kubelet runs with these flags."""
    (node.folder / "systemd/main").write_text("21\n")
    (node.folder / "proc/21").mkdir()
    (node.folder / "config.yaml").write_text(config)
    words = ["/usr/bin/kubelet", f"--config={node.folder}/config.yaml", *flags]
    (node.folder / "proc/21/cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in words))


def test_a_host_that_can_carry_it_out(node):
    (node.folder / "kubernetes/manifests").mkdir(parents=True)
    kubelet(node, config=f"staticPodPath: {node.folder}/kubernetes/manifests\n")
    found = survey(node)
    assert found["manifests"] == f"{node.folder}/kubernetes/manifests"
    assert (found["beside"], found["same"], found["systemd"]) == ("yes", "yes", "yes")
    assert found["etcdutl"] == f"{node.root}/usr/local/bin/etcdutl"
    assert found["database"] == "4"
    about = (node.data / "member").stat()
    assert found["member"] == f"{about.st_uid}:{about.st_gid} 750"
    assert "mount" not in found
    assert found["free-data"].split()[1] == found["free-state"].split()[1]
    assert (found["restore"], found["unit"]) == ("none - -", "inactive")


def test_a_flag_of_the_kubelet_wins_over_its_configuration(node):
    (node.folder / "flagged").mkdir()
    kubelet(node, f"--pod-manifest-path={node.folder}/flagged/", config="staticPodPath: /nowhere\n")
    assert survey(node)["manifests"] == f"{node.folder}/flagged"


def test_an_etcd_with_other_data_is_not_the_same(node):
    (node.root / str(node.data)[1:]).unlink()
    assert "same" not in survey(node)
    (node.root / str(node.data)[1:] / "member").mkdir(parents=True)
    assert "same" not in survey(node)


def test_no_line_for_what_is_not_there(node):
    (node.data / "member/snap/db").unlink()
    (node.folder / "proc/11/comm").write_text("other\n")
    found = survey(node)
    assert found.keys().isdisjoint({"manifests", "etcdctl", "etcdutl", "same", "database"})


JOURNALS = {
    "unbegun": [[], ["prepared"], ["prepared", "armed"]],
    "over": [["armed", "disarmed"], ["armed", "going", "restored"], ["going", "closed", "as-before"]],
    "underway": [["armed", "going"], ["going", "committed"], ["told"], ["closed"], ["restored", "x"], [""]],
}


@pytest.mark.parametrize(
    ("words", "stage"), [(words, stage) for stage, several in JOURNALS.items() for words in several]
)
def test_the_journal_says_how_far_it_is(node, words, stage):
    assert node.begin().returncode == 0
    if words:
        node.journal(*words)
    assert survey(node)["restore"].split()[:2] == [stage, ID]


@pytest.mark.parametrize("torn", ["1764500000 goi", "1764500000 restored\n17645", "1764500000 armed\n\n"])
def test_a_journal_that_a_power_cut_has_torn_is_underway(node, torn):
    assert node.begin().returncode == 0
    (node.state / "journal").write_text(torn)
    assert survey(node)["restore"].startswith("underway")


@pytest.mark.parametrize("plan", ["", "id ../../x\ndata /d\n", f"id {ID}\n", f"id {ID}\ndata x\n", "id 01\n"])
def test_a_plan_that_makes_no_sense_is_underway(node, plan):
    assert node.begin().returncode == 0
    (node.state / "plan").write_text(plan)
    assert survey(node)["restore"].startswith("underway")


def test_a_file_that_says_go_is_underway(node):
    assert node.begin().returncode == 0
    (node.state / "go").touch()
    assert survey(node)["restore"].startswith("underway")


# ---- Beginning ----


def test_the_directory_has_plan_owner_and_programs_for_root_alone(node):
    done = node.begin()
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"etcdctl 3.6.8\netcdutl 3.6.8\n\n# end\n"
    assert stat.S_IMODE(node.state.stat().st_mode) == 0o700
    assert (node.state / "plan").read_text() == node.plan
    assert (node.state / "owner").read_text() == "ann@x b 1 2\n"
    assert stat.S_IMODE((node.state / "etcdutl").stat().st_mode) == 0o700
    assert sorted(path.name for path in node.state.iterdir()) == ["etcdctl", "etcdutl", "owner", "plan"]


def test_it_may_be_asked_for_again_without_a_loss(node):
    node.begin()
    (node.state / "snapshot.db").write_text("x")
    assert node.begin().returncode == 0
    assert (node.state / "snapshot.db").exists()


def test_an_image_without_etcdutl_has_no_line_of_it(node):
    (node.root / "usr/local/bin/etcdutl").unlink()
    assert node.begin().stdout == b"etcdctl 3.6.8\n\n# end\n"


def test_a_program_that_does_not_run_is_an_error(node):
    (node.root / "usr/local/bin/etcdutl").write_text("#!/bin/sh\necho no >&2; exit 1\n")
    done = node.begin()
    assert done.returncode == 1
    assert b"etcdutl: no" in done.stderr


def test_a_container_that_is_gone_is_said(node):
    (node.folder / "proc/11/cgroup").write_text("0::/\n")
    assert b"does not run here any more" in node.begin().stderr


@pytest.mark.parametrize("words", JOURNALS["underway"])
def test_one_that_is_underway_is_never_overwritten(node, words):
    node.prepare()
    node.journal(*words)
    before = sorted(path.name for path in node.state.iterdir())
    done = node.begin(OTHER)
    assert done.returncode == 1
    assert f"restore {ID} is underway here".encode() in done.stderr
    assert sorted(path.name for path in node.state.iterdir()) == before
    assert f".kubectl-admin-{ID}-new" in node.aside_names


def test_one_whose_worker_waits_is_never_overwritten(node):
    node.prepare()
    assert node.arm().returncode == 0
    assert node.begin(OTHER).returncode == 1
    assert (node.state / "journal").exists()


@pytest.mark.parametrize("words", [*JOURNALS["unbegun"], *JOURNALS["over"]])
def test_one_that_was_never_begun_or_is_over_makes_room(node, words):
    node.prepare()
    (node.data / f".kubectl-admin-{ID}-old").mkdir()
    (node.data / f".kubectl-admin-{ID}-new.part").mkdir()
    if words:
        node.journal(*words)
    node.unit_is("active", f"kubectl-admin-{ID}.service")
    assert node.begin(OTHER).returncode == 0
    assert f"stop kubectl-admin-{ID}.service" in node.calls
    assert not (node.state / "journal").exists()
    assert not (node.state / "snapshot.db").exists()
    # The data of before go with «prune» alone.
    assert node.aside_names == [f".kubectl-admin-{ID}-old", "member"]


def test_one_that_was_killed_before_its_plan_makes_room(node):
    node.state.mkdir()
    (node.state / "owner").write_text("x\n")
    assert node.begin().returncode == 0


# ---- Restoring aside ----


def test_the_snapshot_is_restored_beside_the_data_with_their_owner_and_mode(node):
    node.begin()
    (node.state / "snapshot.db").write_bytes(b"snapshot")
    done = node.aside()
    assert (done.returncode, done.stderr) == (0, b"")
    *_, restored, took = done.stdout.decode().splitlines()
    assert json.loads(restored.removeprefix("restored "))["revision"] == 1000000074
    assert float(took.removeprefix("took ")) == 0
    fresh = node.data / f".kubectl-admin-{ID}-new"
    assert (fresh / "snap/db").read_bytes() == b"snapshot"
    assert stat.S_IMODE(fresh.stat().st_mode) == 0o750
    assert node.aside_names == [fresh.name, "member"]
    (asked,) = (node.folder / "asked").read_text().splitlines()
    assert asked == (
        f"snapshot restore {node.state}/snapshot.db --data-dir={fresh}.part --name=cp-1 "
        "--initial-cluster=cp-1=https://a:2380 --initial-cluster-token=kubectl-admin-0123456789 "
        "--initial-advertise-peer-urls=https://a:2380 --bump-revision=5 --mark-compacted "
        f"--initial-memory-map-size={8 + (64 << 20)}"
    )


def test_the_restored_database_is_made_smaller_where_that_is_wanted(node):
    node.begin()
    (node.state / "snapshot.db").write_bytes(b"snapshot")
    node.defrag = "yes"
    assert node.aside().returncode == 0
    fresh = node.data / f".kubectl-admin-{ID}-new"
    assert (fresh / "snap/db").read_bytes() == b"small\n"
    assert stat.S_IMODE(fresh.stat().st_mode) == 0o750
    assert node.aside_names == [fresh.name, "member"]
    _, asked = (node.folder / "asked").read_text().splitlines()
    assert asked == f"defrag --data-dir={fresh}.part"


def test_a_database_that_can_not_be_made_smaller_is_not_taken(node):
    node.begin()
    (node.state / "snapshot.db").write_bytes(b"snapshot")
    node.defrag = "yes"
    (node.folder / "defrag-fails").touch()
    done = node.aside()
    assert (done.returncode, done.stderr) == (1, b"Error: no space\n")
    assert f".kubectl-admin-{ID}-new" not in node.aside_names


def test_an_older_etcdutl_is_not_given_a_flag_that_it_lacks(node):
    text = ETCDUTL.replace("FOLDER", str(node.folder))
    (node.root / "usr/local/bin/etcdutl").write_text(text)
    node.begin()
    (node.state / "snapshot.db").write_bytes(b"x")
    assert node.aside().returncode == 0
    assert (node.folder / "asked").read_text().rstrip().endswith("--mark-compacted")


def test_what_an_earlier_attempt_has_left_is_replaced(node):
    node.prepare()
    (node.data / f".kubectl-admin-{ID}-new/snap/db").write_text("old")
    (node.data / f".kubectl-admin-{ID}-new.part/member").mkdir(parents=True)
    assert node.aside().returncode == 0
    assert (node.data / f".kubectl-admin-{ID}-new/snap/db").read_text() == "x\n"


def test_a_disk_that_would_be_too_full_for_etcd_is_left_alone(node):
    node.begin()
    (node.state / "snapshot.db").write_bytes(b"x")
    node.reserve = 1 << 60
    done = node.aside()
    assert done.returncode == 1
    assert b" MiB are free in " in done.stdout
    assert node.aside_names == ["member"]


def test_a_snapshot_that_can_not_be_restored_leaves_no_data_of_that_name(node):
    node.begin()
    (node.state / "snapshot.db").write_bytes(b"x")
    (node.folder / "broken").touch()
    done = node.aside()
    assert done.returncode == 1
    assert b"snapshot is broken" in done.stderr
    assert f".kubectl-admin-{ID}-new" not in node.aside_names


# ---- Arming ----


def test_it_is_armed_when_its_worker_says_so(node):
    node.prepare()
    done = node.arm()
    assert (done.returncode, done.stderr, done.stdout) == (0, b"", b"armed\n\n# end\n")
    assert [line.split()[1] for line in (node.state / "journal").read_text().splitlines()] == [
        "prepared",
        "armed",
    ]
    assert (node.units / UNIT).read_text() == "[Unit]\n"
    assert stat.S_IMODE((node.units / UNIT).stat().st_mode) == 0o644
    assert (node.folder / "systemd/enabled" / UNIT).exists()
    order = ["daemon-reload", f"enable {UNIT}", f"start {UNIT}"]
    assert [call for call in node.calls if call in order] == order


def test_it_may_be_armed_again(node):
    node.prepare()
    assert node.arm().returncode == 0
    assert node.arm().returncode == 0


@pytest.mark.parametrize("name", ["worker", "steps", "snapshot.db", "etcdctl", "plan"])
def test_what_is_not_whole_is_not_armed(node, name):
    node.prepare()
    (node.state / name).unlink()
    assert node.arm().returncode == 1
    assert not (node.units / UNIT).exists()


def test_one_without_restored_data_is_not_armed(node):
    node.prepare()
    (node.data / f".kubectl-admin-{ID}-new").rename(node.data / "x")
    assert b"is missing" in node.arm().stderr


@pytest.mark.parametrize("words", [*JOURNALS["underway"], *JOURNALS["over"]])
def test_one_that_has_begun_is_not_armed(node, words):
    node.prepare()
    node.journal(*words)
    assert node.arm().returncode == 1
    assert f"start {UNIT}" not in node.calls


def test_another_one_is_not_armed(node):
    node.prepare()
    assert f"{OTHER} can't be armed".encode() in node.arm(OTHER).stderr


def test_a_worker_that_does_not_wait_is_an_error_with_its_words(node):
    node.prepare()
    (node.folder / "systemd/first").write_text("")
    (node.state / "log").write_text("the plan is not whole\n")
    (node.folder / "bin/sleep").write_text("#!/bin/sh\n")
    (node.folder / "bin/sleep").chmod(0o755)
    done = node.arm()
    assert done.returncode == 1
    assert b"its last word is prepared\nthe plan is not whole\n" in done.stderr


# ---- Removing ----


def test_one_that_has_not_begun_is_removed_with_all_that_was_prepared(node):
    node.prepare()
    node.arm()
    assert node.remove().stdout == b"removed\n\n# end\n"
    assert not node.state.exists()
    assert node.aside_names == ["member"]
    assert not list(node.units.iterdir())
    assert not (node.folder / "systemd/enabled" / UNIT).exists()
    assert node.remove().stdout == b"none\n\n# end\n"


@pytest.mark.parametrize("words", [*JOURNALS["underway"], ["going", "restored"]])
def test_one_that_has_begun_stays(node, words):
    node.prepare()
    node.journal(*words)
    node.unit_is("active")
    done = node.remove()
    assert done.returncode == 1
    assert b"so it was not removed" in done.stderr
    assert (node.state / "worker").exists()
    assert f"stop {UNIT}" not in node.calls


@pytest.mark.parametrize("word", ["disarmed", "as-before"])
def test_one_that_has_left_all_as_it_was_is_removed(node, word):
    node.prepare()
    node.journal("armed", "closed", word)
    assert node.remove().returncode == 0
    assert node.aside_names == ["member"]


@pytest.mark.parametrize("word", ["disarmed", "as-before"])
def test_data_of_before_do_not_go_without_prune(node, word):
    node.prepare()
    node.journal("armed", "closed", word)
    (node.data / f".kubectl-admin-{ID}-old").mkdir()
    assert node.remove().returncode == 1
    assert (node.state / "journal").exists()


def test_a_worker_that_begins_in_this_moment_goes_on(node):
    node.prepare()
    node.arm()
    (node.folder / "systemd/last").write_text("1764500002 going\n")
    (node.folder / "systemd/first").write_text("")
    done = node.remove()
    assert done.returncode == 1
    assert b"its last word: going" in done.stderr
    assert (node.state / "worker").exists()
    assert (node.folder / "systemd/units" / UNIT).read_text() == "active\n"


def test_another_one_is_not_removed(node):
    node.prepare()
    assert node.remove(OTHER).stdout == b"none\n\n# end\n"
    assert node.state.exists()
    assert f"stop {UNIT}" not in node.calls


def test_nothing_is_removed_where_etcd_has_no_data(node):
    node.prepare()
    (node.data / "member").rename(node.data / "elsewhere")
    assert node.remove().returncode == 1
    assert f".kubectl-admin-{ID}-new" in node.aside_names


# ---- Pruning ----


def test_data_of_before_go_with_prune_when_all_is_over(node):
    node.prepare()
    node.journal("going", "restored")
    (node.data / f".kubectl-admin-{ID}-new").rename(node.data / f".kubectl-admin-{ID}-old")
    (node.data / f".kubectl-admin-{OTHER}-old").mkdir()
    (node.data / ".kubectl-admin-mine").mkdir()
    (node.data / ".kubectl-admin-../-old").mkdir(parents=True)
    (node.folder / "parked").mkdir()
    (node.units / UNIT).write_text("x")
    done = node.prune()
    assert (done.returncode, done.stderr) == (0, b"")
    assert int(facts(done.stdout.decode())["removed"]) > 0
    assert node.aside_names == [".kubectl-admin-..", ".kubectl-admin-mine", "member"]
    assert (node.data / "member/snap/db").read_bytes() == b"live"
    assert not node.state.exists()
    assert not (node.folder / "parked").exists()
    assert not (node.units / UNIT).exists()


def test_nothing_goes_while_manifests_are_parked_and_no_restore_is_known(node):
    (node.data / f".kubectl-admin-{ID}-old").mkdir()
    (node.folder / "parked").mkdir()
    (node.folder / "parked/etcd.yaml").write_text("x")
    done = node.prune()
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"parked/etcd.yaml is there, of a restore that was cut off" in done.stderr
    assert (node.folder / "parked/etcd.yaml").exists()
    assert node.aside_names == [f".kubectl-admin-{ID}-old", "member"]


def test_data_of_restores_without_a_record_go_with_prune(node):
    for name in (f"{ID}-old", f"{OTHER}-old", f"{OTHER}-new", f"{OTHER}-new.part"):
        (node.data / f".kubectl-admin-{name}").mkdir()
    assert node.prune().returncode == 0
    assert node.aside_names == ["member"]
    assert (node.data / "member/snap/db").read_bytes() == b"live"


def test_data_that_are_being_put_aside_stay(node):
    (node.data / f".kubectl-admin-{OTHER}-new.part").mkdir()
    node.unit_is("active", f"kubectl-admin-{OTHER}.service")
    assert b"kept " in node.prune().stdout
    assert node.aside_names == [f".kubectl-admin-{OTHER}-new.part", "member"]


def test_a_preparation_that_fails_takes_no_former_data_out_of_sight(node):
    node.prepare()
    node.journal("going", "restored")
    (node.data / f".kubectl-admin-{ID}-new").rename(node.data / f".kubectl-admin-{ID}-old")
    before = int(facts(node.run("restore-state", node.state, node.data))["old"])
    assert node.begin(OTHER).returncode == 0
    assert node.remove(OTHER).returncode == 0
    answer = node.run("restore-state", node.state, node.data)
    assert answer.splitlines()[0] == "restore none - -"
    assert (int(facts(answer)["old"]), facts(answer)["data"]) == (before, str(node.data))
    assert int(facts(node.prune().stdout.decode())["removed"]) == before
    assert node.aside_names == ["member"]


def test_names_that_are_no_operations_stay(node):
    (node.data / ".kubectl-admin-mine-old").mkdir()
    assert b"kept " in node.prune().stdout
    assert (node.data / ".kubectl-admin-mine-old").exists()


@pytest.mark.parametrize("words", [[], ["prepared"]])
def test_one_that_was_never_armed_is_pruned(node, words):
    node.prepare()
    if words:
        node.journal(*words)
    node.unit_is("active", f"kubectl-admin-{ID}.service")
    assert node.prune().returncode == 0
    assert f"stop kubectl-admin-{ID}.service" in node.calls
    assert node.aside_names == ["member"]
    assert not node.state.exists()


@pytest.mark.parametrize("words", [*JOURNALS["underway"], ["prepared", "armed"]])
def test_nothing_is_pruned_before_it_is_over(node, words):
    node.prepare()
    if words:
        node.journal(*words)
    (node.data / f".kubectl-admin-{OTHER}-old").mkdir()
    done = node.prune()
    assert done.returncode == 1
    assert b"nothing was removed" in done.stderr
    assert f".kubectl-admin-{OTHER}-old" in node.aside_names


def test_nothing_is_pruned_where_etcd_has_no_data(node):
    (node.data / "member").rename(node.data / f".kubectl-admin-{ID}-old")
    assert node.prune().returncode == 1
    assert node.aside_names == [f".kubectl-admin-{ID}-old"]


def test_nothing_is_pruned_while_its_worker_runs(node):
    node.prepare()
    node.journal("going", "restored")
    node.unit_is("deactivating")
    assert node.prune().returncode == 1


# ---- The state ----


def test_the_state_of_one_that_waits(node):
    node.prepare()
    (node.state / "worker").write_text('echo "side old"; echo "what it says: $1"; exit 1\n')
    node.arm()
    answer = node.run("restore-state", node.state)
    assert answer.splitlines()[:6] == [
        f"restore unbegun {ID} armed",
        "unit active",
        f"data {node.data}",
        f"new {facts(answer)['new']}",
        "owner ann@x b 1 2",
        "node cp-1",
    ]
    assert answer.splitlines()[6] == "enabled enabled"
    assert answer.splitlines()[8] == "journal 1764500001 armed"
    assert facts(answer)["new"].isdecimal()
    assert answer.splitlines()[-2:] == ["worker side old", "worker what it says: state"]


def test_the_former_data_of_earlier_restores_are_counted_as_well(node):
    node.prepare()
    assert "old" not in facts(node.run("restore-state", node.state))
    sizes = []
    for id_ in (ID, OTHER):
        former = node.data / f".kubectl-admin-{id_}-old"
        former.mkdir()
        (former / "db").write_bytes(b"x" * 100_000)
        sizes.append(int(facts(node.run("restore-state", node.state))["old"]))
    assert sizes[0] >= 100_000
    assert sizes[1] == 2 * sizes[0]


def test_the_state_where_there_is_none(node):
    none = "restore none - -\nunit inactive\n"
    assert node.run("restore-state", node.state) == none
    assert node.run("restore-state", node.state, "") == none
    assert node.run("restore-state", node.state, node.data) == f"{none}data {node.data}\n"


@pytest.mark.parametrize("data", ["default.etcd", "/", "/nowhere"])
def test_data_that_are_not_there_are_not_looked_at(node, data):
    assert "data" not in facts(node.run("restore-state", node.state, data))


def test_a_restore_without_a_plan_hides_no_former_data(node):
    node.state.mkdir()
    (node.data / f".kubectl-admin-{ID}-old").mkdir()
    answer = node.run("restore-state", node.state, node.data)
    assert answer.splitlines()[0] == "restore unbegun - -"
    assert "old" in facts(answer)


@pytest.mark.parametrize("name", [f"{OTHER}-new", f"{OTHER}-new.part"])
def test_restored_data_that_were_left_are_told(node, name):
    (node.data / f".kubectl-admin-{name}").mkdir()
    answer = facts(node.run("restore-state", node.state, node.data))
    assert "new" in answer
    assert "old" not in answer


def test_what_prune_would_keep_is_no_former_data(node):
    (node.data / ".kubectl-admin-mine-old").mkdir()
    (node.data / f".kubectl-admin-{ID}-old").symlink_to(node.data / "member")
    assert "old" not in facts(node.run("restore-state", node.state, node.data))
