"""scripts/restore-worker.sh on a made-up node: each step, whatever cuts it off, and its end."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.api_server import StandIn, status
from tests.fakes.host import Shell
from tests.fakes.served_api import secured
from tests.scripts.restore_world import COMPONENTS, ID, World

OLD, NEW = f".kubectl-admin-{ID}-old", f".kubectl-admin-{ID}-new"
ALL = sorted([*COMPONENTS, "kube-vip"])
RESTORED, AS_BEFORE = ("new", ALL, "active"), ("old", ALL, "active")


@pytest.fixture
def make(shell: Shell, tmp_path: Path) -> Callable[[int], World]:
    return lambda count: World(shell, tmp_path / "node", count)


def ready(world: World) -> World:
    """GO is there, and the other nodes do what they have to."""
    world.keys("old", "go", *(f"going/{node}" for node in world.nodes[1:]))
    world.keys("new", *(f"{key}/{node}" for node in world.nodes[1:] for key in ("here", "ack")))
    return world


def alone(world: World) -> World:
    """GO is there, and nobody else comes to the new side."""
    world.keys("old", "go", *(f"going/{node}" for node in world.nodes[1:]), "back/cp-2")
    world.write("silent-new", "")
    world.write("dir/plan", world.plan(decide=3, again=1))
    return world


@pytest.mark.parametrize("count", [1, 3])
def test_a_restore_of_nodes_that_all_live(make, count):
    world = ready(make(count))
    assert world.ended() == "restored"
    assert world.layout() == RESTORED
    assert world.words() == ["armed", "told", "going", "committed", "serving", "restored"]
    assert "going/cp-1" in world.seen("old")
    assert world.seen("new") >= {"here/cp-1", "decision", "ack/cp-1"}
    assert world.read(f"data/{OLD}/side") == "old\n"
    assert list((world.folder / "parked").iterdir()) == []


def test_a_node_whose_restored_etcd_finds_no_majority_goes_back(make):
    world = alone(make(3))
    assert world.ended() == "as-before"
    assert world.layout() == AS_BEFORE
    assert world.words() == ["armed", "told", "going", "returning", "closed", "as-before"]
    assert "back/cp-1" in world.seen("old")
    assert world.read(f"data/{NEW}/side") == "new\n"


def test_a_node_that_hears_nothing_is_disarmed_without_the_others(make):
    world = make(3)
    assert world.ended() == "disarmed"
    assert world.words() == ["armed", "closed", "disarmed"]
    assert (world.seen("old"), world.layout()) == ({"back/cp-1"}, AS_BEFORE)
    assert not any("kubelet" in line for line in world.read("log").splitlines())


def test_a_node_that_hears_nothing_while_others_know_of_go_says_that_it_goes_too(make):
    world = ready(make(3))
    world.keys("old", "going/cp-2")  # the lease of the key go is over
    assert world.ended() == "restored"


def test_a_node_that_comes_late_follows_a_majority(make):
    world = make(3)
    world.write("silent-old", "")
    world.peer("cp-2", "decision", "here/cp-2", "here/cp-3", "ack/cp-2", "ack/cp-3")
    world.keys("new", "decision", "ack/cp-2", "ack/cp-3")
    assert world.ended() == "restored"
    assert world.layout() == RESTORED
    assert world.words() == ["armed", "following", "serving", "restored"]
    assert "ack/cp-1" in world.seen("new")


def test_a_committed_node_goes_back_when_a_majority_is_back_for_good(make):
    world = ready(make(3))
    world.keys("new", "here/cp-2", "decision")
    world.keys("old", "go", "going/cp-2", "going/cp-3")
    back = f"/kubectl-admin/restore/{ID}/back/"
    world.write(
        "at-103",
        f"touch {world.folder}/silent-new\nprintf '%s\\n' {back}cp-2 {back}cp-3 >> {world.folder}/keys-old\n",
    )
    world.peer("cp-2", "go", "back/cp-2", "back/cp-3")
    assert world.ended() == "as-before"
    assert world.layout() == AS_BEFORE
    assert world.words() == ["armed", "told", "going", "committed", "closed", "returning", "as-before"]


def test_a_node_that_knows_of_go_goes_when_its_old_etcd_is_gone(make):
    world = ready(make(3))
    world.keys("old", "go")
    world.write("at-101", f"touch {world.folder}/silent-old\n")
    assert world.ended() == "restored"


def test_a_node_that_comes_when_a_majority_is_back_stays_where_it_is(make):
    world = ready(make(3))
    world.keys("old", "go", *(f"{key}/{node}" for node in world.nodes[1:] for key in ("going", "back")))
    assert world.ended() == "as-before"
    assert world.words() == ["armed", "closed", "as-before"]
    assert "back/cp-1" in world.seen("old")


def test_neither_side_has_a_majority_until_another_node_is_there(make):
    world = ready(make(3))
    world.write("silent-new", "")
    world.write("at-102", f"touch {world.folder}/silent-old\n")
    world.write("at-165", f"rm {world.folder}/silent-new\n")
    assert world.ended() == "restored"
    assert world.words()[:5] == ["armed", "told", "going", "returning", "going"]


def test_go_by_hand_where_the_old_etcd_takes_no_key(make):
    world = ready(make(3))
    world.keys("old")
    world.write("keys-old-full", "")
    world.write("dir/go", "")
    assert world.ended() == "restored"
    assert world.words()[:3] == ["armed", "told", "going"]


@pytest.mark.parametrize("go", [False, True])
def test_the_only_node_ends_where_the_old_etcd_takes_no_key(make, go):
    world = make(1)
    world.write("keys-old-full", "")
    world.write("silent-new", "")
    world.write("dir/plan", world.plan(decide=3, again=1))
    if go:
        world.write("dir/go", "")
    assert world.ended() == "as-before"
    assert (world.seen("old"), world.layout()) == (set(), AS_BEFORE)
    assert "database space exceeded" in world.read("dir/log")


def test_several_nodes_wait_until_the_old_etcd_takes_keys_again_and_say_so(make):
    world = make(3)
    world.write("keys-old-full", "")
    world.write(
        "at-200", f"cp {world.folder}/dir/waits {world.folder}/waited; rm {world.folder}/keys-old-full\n"
    )
    assert world.ended() == "disarmed"
    assert world.read("waited") == "space\n"
    assert world.seen("old") == {"back/cp-1"}


def test_one_that_waits_for_go_by_hand_does_not_end_alone(make):
    world = make(3)
    world.write("dir/plan", world.plan(by_hand="yes"))
    world.write("at-160", f"echo /kubectl-admin/restore/{ID}/back/cp-2 >> {world.folder}/keys-old\n")
    assert world.ended() == "as-before"


@pytest.mark.parametrize(("all_of_them", "last"), [("no", "restored"), ("yes", "as-before")])
def test_a_majority_goes_on_without_a_node_unless_all_are_wanted(make, all_of_them, last):
    world = ready(make(3))
    world.keys("old", "go", "going/cp-2", "going/cp-3", "back/cp-2")
    world.keys("new", "here/cp-2", "ack/cp-2")
    world.write("dir/plan", world.plan(all=all_of_them))
    assert world.ended() == last


def test_a_restored_etcd_with_other_members_than_planned_is_left(make):
    world = alone(make(3))
    (world.folder / "silent-new").unlink()
    world.keys("new", "here/cp-2")
    world.write("members-new", "1, started, cp-1, http://localhost:2380, -, false\n")
    assert world.ended() == "as-before"
    assert not world.seen("new") & {"here/cp-1", "decision"}
    assert "other members than planned: cp-1=http://localhost:2380" in world.read("dir/log")


def test_a_node_does_not_go_where_a_member_has_joined_the_old_etcd(make):
    world = make(1)
    world.keys("old", "go")
    world.write(
        "members-old", world.read("members-old") + "2, started, cp-2, https://10.0.0.2:2380, -, false\n"
    )
    world.write("at-400", f"echo > {world.folder}/keys-old\n")  # the lease of the key go is over
    assert world.ended() == "as-before"
    assert "going" not in world.words()
    assert "etcd has other members than planned" in world.read("dir/log")


def test_alarms_of_the_snapshot_are_disarmed(make):
    world = ready(make(3))
    world.write("keys-new-full", "")
    assert world.ended() == "restored"


def test_a_node_without_restored_data_stays_where_it_is(make):
    world = ready(make(3))
    (world.folder / f"data/{NEW}/snap/db").unlink()
    world.write("at-110", f"cp {world.folder}/data/member/snap/db {world.folder}/data/{NEW}/snap/db\n")
    assert world.ended() == "restored"
    assert world.read("dir/log").count("no restored data are in") == 1


def test_a_kubelet_that_does_not_stop_takes_the_node_back(make):
    world = alone(make(3))
    world.write("stuck", "")
    assert world.ended() == "as-before"
    assert world.layout() == AS_BEFORE


@pytest.mark.parametrize("prepare", [ready, alone], ids=["restored", "as before"])
def test_wherever_it_is_killed_it_comes_to_the_same_end(shell, tmp_path, prepare):
    whole = prepare(World(shell, tmp_path / "whole", 3))
    last = whole.ended()
    calls = int(whole.read("calls"))
    assert calls > 20
    # One shell is killed at every other call, the second at those between.
    for kill_at in range(1 if shell.name == "dash" else 2, calls + 1, 2):
        world = prepare(World(shell, tmp_path / str(kill_at), 3))
        killed = world.run(kill_at=kill_at)
        assert killed.returncode == -9
        assert (world.ended(), world.layout()) == (last, whole.layout())
        assert set(world.words()) == set(whole.words())


@pytest.mark.parametrize("prepare", [ready, alone], ids=["restored", "as before"])
def test_without_power_again_and_again_it_comes_to_the_same_end(shell, tmp_path, prepare):
    whole = prepare(World(shell, tmp_path / "whole", 3))
    last = whole.ended()
    world = prepare(World(shell, tmp_path / "cut", 3))
    for boot in range(1, 100):
        world.write("kubelet", "inactive\n")  # systemd starts it after the unit
        world.write("proc/sys/kernel/random/boot_id", f"{boot}\n")
        settled = world.run("settle")
        assert settled.returncode == 0
        assert "stop kubelet" not in world.read("log")
        world.write("kubelet", "active\n")
        if world.run(kill_at=boot).returncode == 0:
            break
        world.write("log", "")
    assert (world.words()[-1], world.layout()) == (last, whole.layout())


CUTS = {
    "nothing was done": ({"member": "old", NEW: "new"}, COMPONENTS),
    "some manifests are parked": ({"member": "old", NEW: "new"}, COMPONENTS[:2]),
    "all manifests are parked": ({"member": "old", NEW: "new"}, ()),
    "no data": ({OLD: "old", NEW: "new"}, ()),
    "the restored data are there": ({"member": "new", OLD: "old"}, ()),
    "etcd's manifest is back": ({"member": "new", OLD: "old"}, ("etcd",)),
}


@pytest.mark.parametrize("kubelet", ["active", "inactive"])
@pytest.mark.parametrize(("word", "side"), [("going", "new"), ("returning", "old")])
@pytest.mark.parametrize("cut", CUTS)
def test_each_state_after_a_cut_is_settled_to_where_the_journal_wants_it(make, cut, word, side, kubelet):
    world = make(3)
    if cut == "no data":
        kubelet = "inactive"  # it is stopped before, and started afterwards
    world.arrange(*CUTS[cut], kubelet)
    world.write("dir/journal", f"1764500000 armed\n1764500001 going\n1764500002 {word}")
    world.write("log", "")
    assert world.run("settle").returncode == 0
    assert world.layout() == (side, sorted(["etcd", "kube-vip"]) if side == "new" else ALL, "active")
    if kubelet == "inactive":
        assert "stop kubelet" not in world.read("log")


def test_a_journal_whose_last_line_was_cut_off(make):
    world = ready(make(3))
    world.write("dir/journal", "1764500000 armed\n1764500001 told\n17645000")  # and its key is not in
    assert world.ended() == "restored"
    assert world.words() == ["armed", "told", "17645000", "told", "going", "committed", "serving", "restored"]


def test_settle_says_what_is_missing_and_touches_nothing(make):
    world = make(3)
    world.arrange({"member": "old"}, COMPONENTS, "active")
    world.write("dir/journal", "1764500000 going\n")
    done = world.run("settle")
    assert done.returncode == 1
    assert b"not two of these three are there" in done.stdout
    assert world.layout() == AS_BEFORE


def test_a_worker_that_has_ended_only_says_so_again(make):
    world = make(3)
    world.arrange({"member": "old"}, COMPONENTS, "active")  # pruned since
    world.write("dir/journal", "1764500000 going\n1764500001 returning\n1764500002 as-before\n")
    assert world.ended() == "as-before"


def test_state_is_for_those_who_ask(make):
    world = alone(make(3))
    world.ended()
    world.write("dir/journal", "1764500000 armed\n9764500000 closed\n")
    done = world.run("state")
    about = f"id {ID}\nnode cp-1\nside old\ncommitted no\nclosed yes\nword closed\nage 0\nwaits nothing\n"
    assert (done.stdout.decode(), done.stderr) == (f"{about}\n# end\n", b"")


def test_data_are_not_taken_from_an_etcd_that_was_not_found(make):
    world = alone(make(3))
    tcp = "  sl  local_address rem_address   st\n   0: 0100007F:094B 00000000:0000 0A\n"
    world.write("proc/net/tcp", tcp)
    assert world.ended() == "as-before"
    assert not any(f"{NEW}" in line for line in world.read("log").splitlines() if line.startswith("mv "))
    assert "no etcd was found among the static pods' processes" in world.read("dir/log")


def test_before_go_the_manifests_are_no_business_of_the_worker(make):
    world = make(3)
    (world.folder / "manifests/kube-scheduler.yaml").unlink()  # by an administrator
    assert world.ended() == "disarmed"
    assert world.layout() == ("old", sorted(set(ALL) - {"kube-scheduler"}), "active")


def test_a_journal_that_can_not_be_written_keeps_the_node_where_it_is(make):
    world = ready(make(3))
    (world.folder / "dir/journal").symlink_to(world.folder / "none/journal")
    assert world.run().returncode == 1
    assert (world.layout(), world.seen("new") - {"here/cp-2", "here/cp-3", "ack/cp-2", "ack/cp-3"}) == (
        AS_BEFORE,
        set(),
    )
    assert "the journal can't be written" in world.read("dir/log")
    assert not (world.folder / "dir/reserve").exists()  # a disk that is full has its space now
    (world.folder / "dir/journal").unlink()
    assert world.ended() == "restored"


@pytest.mark.parametrize(
    ("tool", "path"), [("curl", "readyz"), ("python3", "readyz"), ("openssl", "readyz"), ("curl", "refused")]
)
def test_the_api_server_is_asked_with_what_the_host_has(busybox, tmp_path, tool, path):
    world = ready(World(busybox, tmp_path / "node", 1))
    (world.folder / "bin/curl").unlink()
    program = os.path.realpath(sys.executable) if tool == "python3" else shutil.which(tool)
    assert program, f"{tool} is missing"
    (world.folder / "bin" / tool).symlink_to(program)
    server = StandIn(secured()[0])
    server.on("GET", "/refused", status(401, "Unauthorized", "Unauthorized"))
    with server.serving():
        world.write("dir/plan", f"{world.plan()}health kube-apiserver {server.url}/{path}\n")
        assert world.ended() == "restored"
    # It goes on without an answer, after a while.
    assert ("has not said that it is ready for 60 s" in world.read("dir/log")) == (path == "refused")


def test_the_processes_of_static_pods_are_ended_and_no_others(make):
    world = ready(make(1))
    static, tenant = "pod" + "0f" * 16, "pod0f0f0f0f_0f0f_0f0f_0f0f_0f0f0f0f0f0f"
    wanted = ["etcd", "kube-apiserver", "kube-controller", "kube-scheduler"]
    nested = f"{tenant}.slice/kubelet/kubepods/{static}"  # a cluster within a pod
    programs = [
        *((name, static) for name in wanted),
        *(("pause", static), ("etcd", tenant), ("etcd", nested), ("etcd", "system")),
    ]
    processes = []
    for name, pod in programs:
        process = subprocess.Popen(["/bin/sleep", "1000"])
        threading.Thread(target=process.wait, daemon=True).start()
        processes.append(process)
        world.write(f"proc/{process.pid}/comm", f"{name}\n")
        world.write(f"proc/{process.pid}/cgroup", f"0::/kubepods.slice/kubepods-{pod}.slice/cri-1.scope\n")
    try:
        assert world.ended() == "restored"
        for process, (name, pod) in zip(processes, programs, strict=True):
            if pod == static and name in wanted:
                process.wait(10)
            else:
                assert process.poll() is None, (name, pod)
    finally:
        for process in processes:
            process.kill()
            process.wait()
