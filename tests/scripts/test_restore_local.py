"""scripts/restore-local.sh on a made-up control plane: the whole way, and refusals that touch nothing."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kubectl_admin.etcd.restore.local.settings import OWN, Peer
from tests.fakes.host import Shell
from tests.scripts.local_host import BUMP, DATABASE, ETCD, ID, LISTENS, MEMBERS, SNAPSHOT, LocalHost

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="it is for root")
LISTED = "".join(f"{each}a, started, cp-{each}, https://10.0.0.{each}:2380, x, false\n" for each in (1, 2, 3))
# One more word of the journal each time that it is asked.
WORKER = """#!/bin/sh
echo "word $(tail -n 1 FOLDER/var/restore/journal | cut -d ' ' -f 2)"
echo "waits etcd"
"""
ACKNOWLEDGED = f"\0\n/kubectl-admin/restore/{ID}/ack/cp-2\0".encode()  # as a restored etcd has it in its file
ALONE = {"members": MEMBERS[:1], "lost": MEMBERS[1:]}


@pytest.fixture
def host(shell: Shell, tmp_path: Path) -> Iterator[LocalHost]:
    host = LocalHost(shell, tmp_path)
    yield host
    host.end()


def test_a_node_restores_and_is_followed_to_its_end(host):
    done = host.run(host.folder / "snapshot.db", "--yes")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    state = host.folder / "var/restore"
    assert (state / "snapshot.db").read_bytes() == SNAPSHOT
    assert (state / "go").exists()
    folder = host.folder
    assert (state / "plan").read_text().splitlines() == [
        f"id {ID}",
        "node cp-1",
        "nodes cp-1 cp-2 cp-3",
        f"data {folder}/data",
        "endpoint https://127.0.0.1:2379",
        f"cacert {folder}/kubernetes/pki/etcd/ca.crt",
        f"cert {folder}/kubernetes/pki/etcd/server.crt",
        f"key {folder}/kubernetes/pki/etcd/server.key",
        "peers cp-2=https://10.0.0.2:2379 cp-3=https://10.0.0.3:2379",
        "members cp-1=https://10.0.0.1:2380 cp-2=https://10.0.0.2:2380 cp-3=https://10.0.0.3:2380",
        f"manifests {folder}/kubernetes/manifests",
        f"parked {folder}/kubernetes/kubectl-admin-restore",
        "decide 3600",
        "grace 20",
        "armed 600",
        "all no",
        "by-hand yes",
        "pod etcd etcd.yaml",
        "pod kube-apiserver kube-apiserver.yaml",
        "pod kube-controller-manager kube-controller-manager.yaml",
        "pod kube-scheduler kube-scheduler.yaml",
        "health kube-apiserver https://10.0.0.1:6443/readyz",
    ]
    asked = (folder / "asked").read_text()
    assert f"--bump-revision={BUMP} --mark-compacted" in asked
    assert "--name=cp-1 --initial-cluster=cp-1=https://10.0.0.1:2380,cp-2=" in asked
    assert (
        f"--initial-cluster-token=kubectl-admin-{ID} --initial-advertise-peer-urls=https://10.0.0.1:2380"
        in asked
    )
    assert "--skip-hash-check" not in asked
    unit = (folder / "etc/kubectl-admin-restore.service").read_text()
    assert (
        f"RequiresMountsFor={state} {folder}/data {folder}/kubernetes/manifests {folder}/kubernetes/kubectl-"
        in unit
    )
    assert "waits until a majority of cp-1 cp-2 cp-3 is there: run the same on the others" in done.stderr
    assert "this node runs with the restored data" in done.stderr
    assert sorted(path.name for path in (folder / "var").iterdir()) == ["restore"]


def test_a_node_that_is_back_at_the_former_data_says_so(host):
    host.write("words", "going\nreturning\nclosed\nas-before\n")
    done = host.run(host.folder / "snapshot.db", "--yes")
    assert done.returncode == 1
    assert "error: node cp-1: this node runs with the former data" in done.stderr


@pytest.mark.parametrize("mode", ["--dry-run", "--check"])
def test_a_look_leaves_nothing(host, mode):
    before = host.seen()
    done = host.run(host.folder / "snapshot.db", mode, "--yes")
    assert done.returncode == 0, done.stderr
    after = host.seen()
    if mode == "--dry-run":
        assert (host.folder / "asked").exists()
        before["asked"] = after["asked"] = ""
    assert {path for path in after if "/var" not in path} == {path for path in before if "/var" not in path}
    assert not [path for path in after if "/var/" in path]


def another(name: str = "cp-1") -> tuple[Peer, ...]:
    return tuple(replace(peer, name=name) if peer.name == "cp-1" else peer for peer in MEMBERS)


# How the host is changed, and the refusal.
REFUSALS = {
    "external etcd": (
        lambda host: (host.folder / "kubernetes/manifests/etcd.yaml").unlink(),
        "has no manifest of etcd",
    ),
    "two of one": (
        lambda host: host.write("kubernetes/manifests/zz", ETCD),
        "two manifests of etcd (etcd.yaml and zz)",
    ),
    "--wal-dir": (
        lambda host: host.manifest("etcd", "--name=cp-1", "--name=cp-1\n    - --wal-dir=/wal"),
        "--wal-dir",
    ),
    "--wal-dir twice": (
        lambda host: host.manifest(
            "etcd", "--name=cp-1", "--name=cp-1\n    - --wal-dir=/a\n    - --wal-dir=/b"
        ),
        "--wal-dir is there twice",
    ),
    "--config-file": (
        lambda host: host.manifest("etcd", "--name=cp-1", "--name=cp-1\n    - --config-file=/c"),
        "--config-file",
    ),
    "a flag in two words": (
        lambda host: host.manifest("etcd", "--name=cp-1", "--name\n    - cp-1"),
        "«cp-1», which kubeadm does not write",
    ),
    "variables": (
        lambda host: host.manifest(
            "etcd",
            "    name: etcd\n",
            "    env:\n    - name: ETCD_WAL_DIR\n      value: /w\n    name: etcd\n",
        ),
        "etcd has settings in variables",
    ),
    "another data directory on the host": (
        lambda host: host.manifest("etcd", f"path: {host.folder}/data", "path: /elsewhere"),
        "data is /elsewhere on this host",
    ),
    "a subPath": (
        lambda host: host.manifest(
            "etcd", "      name: etcd-data", "      subPath: x\n      name: etcd-data"
        ),
        "a mount with a subPath",
    ),
    "a shell": (
        lambda host: host.manifest("etcd", "    - etcd\n", "    - sh\n    - -c\n    - exec etcd\n"),
        "does not start etcd itself",
    ),
    "a second container": (
        lambda host: host.manifest("etcd", "  hostNetwork", "  - image: x\n    name: y\n  hostNetwork"),
        "has several containers",
    ),
    "another etcd": (
        lambda host: host.manifest("kube-apiserver", "https://127.0.0.1:2379", "https://10.0.0.2:2379"),
        "kube-apiserver uses https://10.0.0.2:2379",
    ),
    "all members": (
        lambda host: host.manifest(
            "kube-apiserver", "https://127.0.0.1:2379", "https://127.0.0.1:2379,https://10.0.0.2:2379"
        ),
        "kube-apiserver uses https://127.0.0.1:2379,https://10.0.0.2:2379",
    ),
    "overrides": (
        lambda host: host.manifest(
            "kube-apiserver", "- --secure", "- --etcd_servers_overrides=/events#https://x\n    - --secure"
        ),
        "is «/events#https://x»",
    ),
    "hostile: a name with a command": (
        lambda host: host.manifest("etcd", "--name=cp-1", "--name=cp-1;touch${IFS}/x"),
        "it must be plain text",
    ),
    "hostile: a file name": (
        lambda host: (host.folder / "kubernetes/manifests/etcd.yaml").rename(
            host.folder / "kubernetes/manifests/$(id) x"
        ),
        "it must be plain text",
    ),
    "hostile: an anchor": (
        lambda host: host.manifest("etcd", "    - etcd\n", "    - &a etcd\n"),
        "is not written as kubeadm does",
    ),
    "hostile: a block": (
        lambda host: host.manifest("etcd", "    - --name=cp-1", "    - |\n      --name=cp-1"),
        "is not written as kubeadm does",
    ),
    "hostile: a second document": (
        lambda host: host.manifest("etcd", "status: {}", "---\nkind: Pod"),
        "is not written as kubeadm does",
    ),
    "hostile: one key twice": (
        lambda host: host.manifest(
            "etcd", "  hostNetwork: true", "  hostNetwork: true\n  hostNetwork: false"
        ),
        "the same twice",
    ),
    "hostile: JSON": (
        lambda host: host.write(
            "kubernetes/manifests/zz", '{"spec": {"containers": [{"command": ["etcd"]}]}}'
        ),
        "zz is not written as kubeadm does",
    ),
    "another snapshot": (
        lambda host: host.write("snapshot.db", "x"),
        "is not the snapshot that this was printed for",
    ),
    "no snapshot": (lambda host: (host.folder / "snapshot.db").unlink(), "is no file"),
    "no data": (
        lambda host: (host.folder / "data/member").rename(host.folder / "data/gone"),
        "has no directory member: etcd's data are gone",
    ),
    "another restore": (
        lambda host: (
            host.write("var/restore/plan", "id aaaaaaaaaa\nnode cp-1\ndata FOLDER/data\n"),
            host.write("var/restore/journal", "1764500000 going\n"),
        ),
        "another restore, aaaaaaaaaa, is under way",
    ),
    "the same restore, done": (
        lambda host: (
            host.write("var/restore/plan", f"id {ID}\nnode cp-1\ndata FOLDER/data\n"),
            host.write("var/restore/journal", "1764500000 restored\n"),
        ),
        f"has done restore {ID} already",
    ),
    "live revisions beyond": (
        lambda host: (
            host.write("proc/net/tcp", LISTENS),
            host.write("live", f"{BUMP + 74}\n"),
        ),
        "etcd is at revision 2000000074, and the restored data would be at 2000000074",
    ),
    "revisions beyond in the file of an etcd that opens no port": (
        lambda host: host.write("live", f"{BUMP + 74}\n"),
        "etcd is at revision 2000000074, and the restored data would be at 2000000074",
    ),
    "the same restore, whose record was removed": (
        lambda host: (host.folder / "data/member/snap/db").write_bytes(DATABASE + ACKNOWLEDGED),
        f"this node's data come from restore {ID} already",
    ),
    "no systemd": (
        lambda host: (host.folder / "systemd").rename(host.folder / "sys"),
        "does not run systemd",
    ),
    "etcdutl of another minor": (
        lambda host: host.manifest("etcd", "etcd:3.6.8-0", "etcd:3.5.24-0"),
        "etcdctl is 3.6.8, and etcd's image is 3.5.24-0",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_refused_is_refused_before_anything_is_touched(host, name):
    change, said = REFUSALS[name]
    change(host)
    before = host.seen() if name != "no systemd" else {}
    done = host.run(host.folder / "snapshot.db", "--yes")
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert said in done.stderr
    assert done.stderr.count("error: ") == 1
    assert name == "no systemd" or host.seen() == before


SETTINGS = {
    "a node that is no member": (
        {"members": another("cp-9")},
        "this node is member cp-1 of etcd, which is not among",
    ),
    "another address": (
        {"members": (Peer("cp-1", "https://10.0.0.9:2380"), *MEMBERS[1:])},
        "member cp-1 is https://10.0.0.9:2380 by the snapshot",
    ),
    "another minor of Kubernetes": ({"kubernetes": "1.35"}, "was of Kubernetes 1.35 then"),
    "another minor of etcd": ({"etcd": "3.7"}, "was made by etcd 3.7"),
    "another authority": ({"authorities": (frozenset({"00" * 32}),)}, "names another authority"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_that_are_not_of_this_host_are_refused(host, name):
    others, said = SETTINGS[name]
    before = host.seen()
    done = host.run(host.folder / "snapshot.db", "--yes", settings=host.settings(**others))
    assert (done.returncode, said in done.stderr) == (1, True), done.stderr
    assert host.seen() == before


def test_versions_and_authorities_that_fit(host):
    body = "QUJD"
    host.write("kubernetes/pki/ca.crt", f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
    known = "b5d4045c3f466fa91fe2cc6abe79232a1a57cdf104f7a26e716e0a1e2789df78"  # of «ABC»
    ours = frozenset({known, "00" * 32})
    settings = host.settings(etcd="3.5", kubernetes="1.36", authorities=(ours, frozenset({known})))
    done = host.run(host.folder / "snapshot.db", "--check", settings=settings)
    assert done.returncode == 0, done.stderr
    # Joining nodes are given another one than pods.
    settings = host.settings(authorities=(ours, frozenset({"00" * 32})))
    done = host.run(host.folder / "snapshot.db", "--check", settings=settings)
    assert (done.returncode, "names another authority" in done.stderr) == (1, True)


@pytest.mark.parametrize("said", ["", "authentication handshake failed: EOF", "OK"])
@pytest.mark.parametrize("port", [2379, 2380])
def test_members_that_are_left_out_must_be_down(host, port, said):
    host.write(f"up-10.0.0.3:{port}", f"{said}\n")
    before = host.seen()
    done = host.run(host.folder / "snapshot.db", "--yes", settings=host.settings(**ALONE))
    assert done.returncode == 1
    assert (
        f"a member that is left out answers, or can't be looked at: cp-3 at https://10.0.0.3:{port}"
        in done.stderr
    )
    assert host.seen() == before


def test_members_are_not_left_out_while_a_majority_answers(host):
    host.write("proc/net/tcp", LISTENS)
    host.write("quorum", LISTED)
    done = host.run(host.folder / "snapshot.db", "--yes", settings=host.settings(**ALONE))
    assert (done.returncode, "etcd has a majority, and would lose cp-2 cp-3" in done.stderr) == (1, True)
    done = host.run(host.folder / "snapshot.db", "--check")
    assert done.returncode == 0, done.stderr


def test_a_member_that_has_joined_since_the_snapshot_is_not_forgotten(host):
    """Two of these three may be a majority: a restored cluster of one would be a second one."""
    then = host.settings(members=MEMBERS[:1])
    host.write("up-10.0.0.2:2380", "authentication handshake failed: EOF\n")
    before = host.seen()
    done = host.run(host.folder / "snapshot.db", "--yes", settings=then)
    assert (done.returncode, "looked at: cp-2 at https://10.0.0.2:2380" in done.stderr) == (1, True), (
        done.stderr
    )
    host.write("proc/net/tcp", LISTENS)
    host.write("quorum", LISTED)
    done = host.run(host.folder / "snapshot.db", "--yes", settings=then)
    assert (done.returncode, "would lose cp-2 cp-3" in done.stderr) == (1, True), done.stderr
    assert host.seen() == before


def test_members_that_nobody_knows_are_named_by_a_person(host):
    (host.folder / "data/member/snap/db").write_bytes(b"torn")
    done = host.run(host.folder / "snapshot.db", "--check")
    assert (done.returncode, "--members cp-1,cp-2,cp-3" in done.stderr) == (1, True)
    done = host.run(host.folder / "snapshot.db", "--check", settings=host.settings(is_named=True))
    assert done.returncode == 0, done.stderr


def test_run_again_it_follows_the_restore_that_is_under_way(host):
    host.write("var/restore/plan", f"id {ID}\nnode cp-1\nnodes cp-1 cp-2\ndata FOLDER/data\n")
    host.write("var/restore/journal", "1764500000 going\n")
    host.program("var/restore/worker", WORKER)
    for manifest in (host.folder / "kubernetes/manifests").iterdir():
        manifest.unlink()  # they are parked
    done = host.run(host.folder / "snapshot.db", "--yes")
    assert done.returncode == 0, done.stderr
    assert "node cp-1: this node runs with the restored data" in done.stderr


def test_without_members_the_others_restore(host):
    done = host.run(host.folder / "snapshot.db", "--yes", settings=host.settings(**ALONE))
    assert done.returncode == 0, done.stderr
    assert "left out: cp-2 cp-3 - they must never run" in done.stderr
    assert "\nnodes cp-1\n" in (host.folder / "var/restore/plan").read_text()


def test_nobody_is_there_to_be_asked(host):
    before = host.seen()
    done = host.run(host.folder / "snapshot.db")
    assert (done.returncode, "nobody can be asked" in done.stderr) == (1, True)
    assert host.seen() == before


def own(host: LocalHost) -> "object":
    return host.settings(digest=OWN, revision=0, members=(Peer("cp-1", ""),))


def test_own_data_by_the_client_port(host):
    host.write("proc/net/tcp", LISTENS)
    done = host.run("--yes", settings=own(host))
    assert done.returncode == 0, done.stderr
    assert (host.folder / "var/restore/snapshot.db").read_text() == "saved\n"
    assert "--skip-hash-check" not in (host.folder / "asked").read_text()
    assert "left out: cp-2 cp-3 -" in done.stderr
    assert "members cp-1=https://10.0.0.1:2380\n" in (host.folder / "var/restore/plan").read_text()
    assert host.processes[0].poll() is None


def test_own_data_of_an_etcd_that_opens_no_port(host):
    host.write("systemd/units/kubelet.service", "active\n")
    done = host.run("--yes", settings=own(host))
    assert done.returncode == 0, done.stderr
    assert (host.folder / "var/restore/snapshot.db").read_bytes() == DATABASE
    assert "--skip-hash-check" in (host.folder / "asked").read_text()
    assert host.processes[0].wait(10) != 0
    log = (host.folder / "systemd/log").read_text().splitlines()
    assert log.index("stop kubelet.service") < log.index("start kubelet.service")


def test_a_dry_run_does_not_end_etcd_for_its_data(host):
    before = host.seen()
    done = host.run("--dry-run", "--yes", settings=own(host))
    assert (done.returncode, "can be done on node cp-1" in done.stderr) == (0, True)
    assert host.seen() == before


def test_what_nodes_of_another_restore_have_said_is_no_reason_to_refuse(host):
    other, waits = (
        ACKNOWLEDGED.replace(b"0123456789", b"aaaaaaaaaa"),
        ACKNOWLEDGED.replace(b"/ack/", b"/back/"),
    )
    (host.folder / "data/member/snap/db").write_bytes(DATABASE + other + waits)
    done = host.run(host.folder / "snapshot.db", "--check")
    assert done.returncode == 0, done.stderr


def test_a_revision_that_nobody_can_tell_is_said(host):
    (host.folder / "live").unlink()
    done = host.run(host.folder / "snapshot.db", "--check")
    assert done.returncode == 0, done.stderr
    assert "the revision of this node's data is not known" in done.stderr
    assert f"revisions raised by {BUMP}" in done.stderr
    host.write("live", "50\n")
    done = host.run(host.folder / "snapshot.db", "--check")
    assert (done.returncode, "is not known" in done.stderr) == (0, False), done.stderr


def test_a_node_whose_file_is_gone_restores_and_says_what_is_not_known(host):
    (host.folder / "data/member/snap/db").unlink()
    done = host.run(host.folder / "snapshot.db", "--check", settings=host.settings(is_named=True))
    assert done.returncode == 0, done.stderr
    assert f"it is not known whether they come from restore {ID} already" in done.stderr
    assert "the revision of this node's data is not known" in done.stderr


def test_own_data_that_a_restore_has_brought_are_not_restored_by_it_once_more(host):
    (host.folder / "data/member/snap/db").write_bytes(DATABASE + ACKNOWLEDGED)
    before = host.seen()
    done = host.run("--yes", settings=own(host))
    assert (done.returncode, f"come from restore {ID} already" in done.stderr) == (1, True), done.stderr
    assert host.seen() == before


def test_own_data_that_are_damaged(host):
    host.write("damaged", "")
    host.write("systemd/units/kubelet.service", "active\n")
    done = host.run("--yes", settings=own(host))
    assert (done.returncode, "etcd's file is damaged" in done.stderr) == (1, True)
    assert not (host.folder / "var").exists() or list((host.folder / "var").iterdir()) == []
    assert (host.folder / "systemd/units/kubelet.service").read_text() == "active\n"


def test_own_data_are_refused_while_another_member_answers(host):
    host.write("up-10.0.0.3:2380", "OK\n")
    before = host.seen()
    done = host.run("--yes", settings=own(host))
    assert (done.returncode, "looked at: cp-3" in done.stderr) == (1, True)
    assert host.seen() == before


def test_own_data_of_several_nodes_are_refused(host):
    several = replace(host.settings(digest=OWN), members=MEMBERS)
    done = host.run("--yes", settings=several)
    assert (done.returncode, "they differ" in done.stderr) == (1, True)


def test_an_etcdutl_that_fails_leaves_nothing(host):
    host.write("broken", "")
    done = host.run(host.folder / "snapshot.db", "--yes")
    assert (done.returncode, "Error: snapshot is broken" in done.stderr) == (1, True)
    assert list((host.folder / "var").rglob("*")) == []
    assert [path.name for path in (host.folder / "data").iterdir()] == ["member"]


def test_programs_of_images_are_not_run_unasked(host):
    host.end()
    host.program(
        "containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/7/fs/usr/local/bin/etcdctl",
        "#!/bin/sh\n: > FOLDER/run\n",
    )
    done = host.run(host.folder / "snapshot.db", "--yes")
    assert done.returncode == 1
    assert "etcdctl is not to be had" in done.stderr
    assert "snapshots/7/fs/usr/local/bin/etcdctl of etcd's image?" in done.stderr
    assert not (host.folder / "run").exists()


def test_a_tag_that_is_no_version_is_said(host):
    host.manifest("etcd", "etcd:3.6.8-0", "etcd:ours")
    done = host.run(host.folder / "snapshot.db", "--check")
    assert done.returncode == 0, done.stderr
    assert "the tag of etcd's image tells no version to be compared with: ours" in done.stderr


def test_another_static_pod_may_be_written_in_any_way(host):
    host.write(
        "kubernetes/manifests/kube-vip.yaml", "kind: Pod\nspec: {containers: [{name: vip, args: [a]}]}\n"
    )
    done = host.run(host.folder / "snapshot.db", "--check")
    assert done.returncode == 0, done.stderr


def test_a_copy_that_was_cut_off_does_nothing(host):
    text = host.text(host.settings())
    before = host.seen()
    for length in range(0, len(text) - len('main "$@"\nexit\n'), len(text) // 40):
        (host.folder / "restore.sh").write_text(text[:length])
        subprocess.run(
            [*host.shell.argv, host.folder / "restore.sh", host.folder / "snapshot.db", "--yes"],
            check=False,
            capture_output=True,
            env=host.shell.env(str(host.folder / "bin")),
            timeout=60,
        )
        assert host.seen() == before


def test_facts_for_those_who_decide_elsewhere(host):
    host.write("proc/net/tcp", LISTENS)
    done = host.run("--look", bare=True)
    assert done.returncode == 0, done.stderr
    facts = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    assert facts == {
        "node": "cp-1",
        "peer": "https://10.0.0.1:2380",
        "clients": "https://10.0.0.1:2379",
        "data": f"{host.folder}/data",
        "manifests": f"{host.folder}/kubernetes/manifests",
        "etcd": "3.6.8",
        "kubernetes": "v1.36.3",
        "quota": "-",
        "encryption": "-",
        "quorum": "no",
        "live": "50",
        "#": "end",
    }


@pytest.mark.parametrize("signal", ["INT", "TERM"])
def test_a_copy_of_own_data_that_is_interrupted_gives_the_kubelet_back(host, signal):
    host.write("systemd/units/kubelet.service", "active\n")
    host.program(
        "bin/cp",
        f"""#!/bin/sh
case $* in *member/snap/db*) kill -{signal} $PPID ;; esac
exec /bin/cp "$@"
""",
    )
    done = host.run("--yes", settings=own(host))
    assert done.returncode == 130, done.stderr
    log = (host.folder / "systemd/log").read_text().splitlines()
    assert log.index("stop kubelet.service") < log.index("start kubelet.service")
    assert list((host.folder / "var").rglob("*")) == []


def test_members_of_a_majority_that_are_not_told_are_not_none(host):
    """The list may not come while the majority is there: this node would become a second cluster."""
    host.write("proc/net/tcp", LISTENS)
    host.write("quorum", "")
    before = host.seen()
    done = host.run("--yes", settings=own(host))
    assert (done.returncode, "members are not known here" in done.stderr) == (1, True), done.stderr
    assert host.seen() == before


def test_own_data_that_do_not_tell_the_members_are_refused(host):
    (host.folder / "data/member/snap/db").write_bytes(b"torn")
    before = host.seen()
    done = host.run("--yes", settings=own(host))
    assert (done.returncode, "members are not known here" in done.stderr) == (1, True), done.stderr
    assert host.seen() == before


def test_a_script_for_own_data_takes_no_snapshot(host):
    before = host.seen()
    done = host.run(host.folder / "snapshot.db", "--yes", settings=own(host))
    assert (done.returncode, "and not for" in done.stderr) == (1, True), done.stderr
    assert host.seen() == before


def test_members_with_addresses_of_ipv6(host):
    host.manifest("etcd", "urls=https://10.0.0.1:2380", "urls=https://[fd00::1]:2380")
    (host.folder / "data/member/snap/db").write_bytes(
        b"".join(
            b'\x00{"id":%d,"peerURLs":["https://[fd00::%d]:2380"],"name":"cp-%d"}' % (each, each, each)
            for each in (1, 2, 3)
        )
    )
    members = tuple(Peer(f"cp-{each}", f"https://[fd00::{each}]:2380") for each in (1, 2, 3))
    snapshot = host.folder / "snapshot.db"
    done = host.run(snapshot, "--check", settings=host.settings(members=members))
    assert done.returncode == 0, done.stderr
    host.write("up-[fd00::3]:2380", "OK\n")
    done = host.run(snapshot, "--check", settings=host.settings(members=members[:1]))
    assert (done.returncode, "looked at: cp-3 at https://[fd00::3]:2380" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    "said",
    [
        "lookup cp-3 on 10.96.0.10:53: no such host",
        "dial tcp 10.0.0.3:2380: connect: network is unreachable",
        "dial tcp 10.0.0.3:2380: connect: operation not permitted",
    ],
)
def test_a_host_that_can_not_look_has_not_seen_that_others_are_down(host, said):
    host.write("up-10.0.0.3:2380", f'desc = "transport: Error while dialing: dial tcp: {said}"\n')
    done = host.run(host.folder / "snapshot.db", "--check", settings=host.settings(**ALONE))
    assert (done.returncode, "can't be looked at: cp-3" in done.stderr) == (1, True), done.stderr


def test_two_at_once_do_not_remove_what_the_other_restored(host):
    if host.shell.name == "busybox":
        pytest.skip("its world has no flock")
    with subprocess.Popen(["/usr/bin/flock", host.folder / "var", "-c", "echo held; read x"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:  # fmt: skip
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        done = host.run(host.folder / "snapshot.db", "--yes")
        assert (done.returncode, "another run of this is at work" in done.stderr) == (1, True), done.stderr
        assert list((host.folder / "var").iterdir()) == []
        assert [path.name for path in (host.folder / "data").iterdir()] == ["member"]
        other.communicate(b"\n")


def test_members_that_come_back_while_a_person_thinks_are_seen(host):
    (host.folder / "restore.sh").write_text(host.text(host.settings(**ALONE)))
    mine, terminal = os.openpty()
    with subprocess.Popen(
        [*host.shell.argv, host.folder / "restore.sh", host.folder / "snapshot.db"],
        stdin=terminal,
        stderr=subprocess.PIPE,
        env=host.shell.env(str(host.folder / "bin")),
    ) as process:
        assert process.stderr
        said = b""
        while b"Type yes: " not in said:
            said += (got := process.stderr.read1())
            assert got, said
        host.write("up-10.0.0.3:2380", "OK\n")
        os.write(mine, b"yes\n")
        said = process.stderr.read()
    os.close(mine)
    os.close(terminal)
    assert (process.returncode, b"looked at: cp-3" in said) == (1, True), said
    assert list((host.folder / "var").rglob("*")) == []


@pytest.mark.parametrize("earlier", [ID, "aaaaaaaaaa"])
def test_one_that_waits_for_the_word_to_begin_is_named_with_the_way_out(host, earlier):
    """Whoever prepared it may have been killed before the word."""
    host.write("var/restore/plan", f"id {earlier}\nnode cp-1\ndata FOLDER/data\n")
    host.write("var/restore/journal", "1764500000 armed\n")
    host.write("systemd/units/kubectl-admin-restore.service", "active\n")
    before = host.seen()
    done = host.run(host.folder / "snapshot.db", "--yes")
    assert (done.returncode, f"{earlier} waits here for the word" in done.stderr) == (1, True), done.stderr
    assert "systemctl disable --now kubectl-admin-restore.service" in done.stderr
    assert host.seen() == before


def test_former_data_without_a_record_are_told_and_pruned(host):
    (host.folder / f"data/.kubectl-admin-{ID}-old").mkdir()
    told = host.run("--status")
    assert (told.returncode, told.stderr) == (0, "")
    lines = told.stdout.splitlines()
    assert (lines[0], lines[2]) == ("restore none - -", f"data {host.folder}/data")
    assert lines[3].startswith("old ")
    done = host.run("--prune")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("removed ")
    assert [path.name for path in (host.folder / "data").iterdir()] == ["member"]


def test_the_state_is_told_where_no_manifest_of_etcd_is_there(host):
    (host.folder / "kubernetes/manifests/etcd.yaml").unlink()
    told = host.run("--status")
    assert (told.returncode, told.stdout) == (0, "restore none - -\nunit inactive\n\n# end\n"), told.stderr
