"""`kubectl admin etcd-status` on a real cluster of three control planes and a worker."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import permissions
from tests.cluster.labs import admin, stage_of
from tests.lab.nodes.lab import Lab
from tests.program import Ended

pytestmark = pytest.mark.lab

PKI = "/etc/kubernetes/pki/etcd"
# The running etcd's own etcdctl, with its own certificates; "$@" is what it is asked.
ETCDCTL = f"""
    exec /proc/$(pidof etcd)/root/usr/local/bin/etcdctl --endpoints=https://127.0.0.1:2379 \
        --cacert={PKI}/ca.crt --cert={PKI}/server.crt --key={PKI}/server.key "$@"
"""
CONTROL_PLANES = ["cp-1", "cp-2", "cp-3"]


def etcdctl(lab: Lab, node: str, *arguments: str) -> str:
    """What etcdctl says on a control-plane node."""
    return lab.exec(node, ["sh", "-ec", ETCDCTL, "etcdctl", *arguments], timeout=180).stdout


def status(lab: Lab, code: int = 0) -> dict:
    """The document that etcd-status answers, which ends with this exit code."""
    answer = admin(lab, "etcd-status", "-o", "json")
    assert (answer.code, answer.err) == (code, "")
    return json.loads(answer.out)


def findings(document: dict) -> dict[str, list[str]]:
    """The objects of each finding, by its rule."""
    return {finding["rule"]: finding["objects"] for finding in document["findings"]}


def test_a_sound_cluster(lab):
    answer = admin(lab, "etcd-status")
    assert (answer.code, answer.err) == (0, "")
    table, summary = answer.out.split("\n\n")
    rows = [line.split() for line in table.splitlines()]
    assert rows[0] == ["NAME", "VERSION", "ROLE", "SIZE", "IN-USE", "RAFT-LAG", "HASH", "ALARMS"]
    assert [row[:2] for row in rows[1:]] == [[name, lab.release.etcd] for name in CONTROL_PLANES]
    assert sorted(row[2] for row in rows[1:]) == ["follower", "follower", "leader"]
    assert len({row[6] for row in rows[1:]}) == 1
    assert re.search(r"the members' data is the same at revision \d+\n$", summary)
    assert max(map(len, answer.out.splitlines())) <= 80


def endpoint(lab: Lab) -> dict:
    """What etcdctl says of the member of cp-1."""
    told = json.loads(etcdctl(lab, "cp-1", "endpoint", "status", "--write-out=json"))
    return dict(told[0]["Status"])


def test_what_it_says_is_what_etcdctl_says(lab):
    document, told = status(lab), endpoint(lab)
    while document["items"][0]["status"]["leader"] != f"{told['leader']:x}":  # another was elected between
        document, told = status(lab), endpoint(lab)
    members = json.loads(etcdctl(lab, "cp-1", "member", "list", "--write-out=json"))["members"]
    assert {item["id"]: item["name"] for item in document["items"]} == {
        f"{member['ID']:x}": member["name"] for member in members
    }
    mine = document["items"][0]
    assert mine["status"]["clusterID"] == f"{told['header']['cluster_id']:x}"
    assert mine["quotaBytes"] == told["dbSizeQuota"]
    revision = document["hashRevision"]
    hashed = json.loads(etcdctl(lab, "cp-1", "endpoint", "hashkv", f"--rev={revision}", "--write-out=json"))
    if hashed[0]["HashKV"]["compact_revision"] == mine["hash"]["compactRevision"]:
        assert mine["hash"]["hash"] == hashed[0]["HashKV"]["hash"]


def test_hashes_agree_while_the_cluster_writes_and_compacts(lab):
    writing = """
        for turn in $(seq 5); do
            for key in $(seq 10); do etcdctl put "kubectl-admin-test-$key" "$turn" >/dev/null; done
            revision=$(etcdctl endpoint status --write-out=json | sed 's/.*"revision":\\([0-9]*\\).*/\\1/')
            etcdctl compact $((revision - 100)) >/dev/null 2>&1 || true
        done
        etcdctl del --prefix kubectl-admin-test- >/dev/null
    """
    function = f"etcdctl() ({ETCDCTL})\n"
    with background(lab, "cp-1", function + writing) as running:
        seen = [findings(status(lab))]
        while running():
            seen.append(findings(status(lab)))
    assert all(set(each) <= {"not-seen"} for each in seen)


@contextmanager
def background(lab: Lab, node: str, script: str) -> Iterator:
    """A script that runs on a node meanwhile; gives a function that says whether it still does."""
    unit = "kubectl-admin-test-writes"
    lab.exec(node, ["systemd-run", "--quiet", "--collect", f"--unit={unit}", "sh", "-ec", script])

    def running() -> bool:
        return lab.exec(node, ["systemctl", "is-active", "--quiet", unit], check=False).returncode == 0

    try:
        yield running
    finally:
        lab.exec(node, ["systemctl", "stop", unit], check=False)


@pytest.fixture(scope="module")
def tried(shared_lab: Lab) -> permissions.Tried:
    """etcd-status by the administrator, by who has all rights of the page, by who lacks one."""

    def act(kubeconfig: Path) -> Ended:
        ended = admin(shared_lab, "etcd-status", "--no-hash", KUBECONFIG=str(kubeconfig))
        # Sizes and indexes go on growing.
        return Ended(ended.code, re.sub(r"[\d. ]+", " ", ended.out), ended.err)

    return permissions.try_out(stage_of(shared_lab), "etcd-status", act, administrator=True)


def test_the_rights_of_the_page_are_enough_and_each_that_is_missing_is_named(tried):
    assert tried.with_all.code == tried.as_administrator.code == 0
    permissions.check(tried)


def test_a_member_that_is_stopped_is_named_and_the_others_are_shown(lab):
    with lab.faults.static_pod("cp-2", "etcd"):
        document = status(lab, 3)
        assert [item["up"] for item in document["items"]] == [True, False, True]
        assert (document["votersUp"], document["quorum"]) == (2, 2)
        assert findings(document)["member-down"] == ["node/cp-2"]
        assert "no-spare-member" in findings(document)
        assert "connection refused" in document["items"][1]["unreachable"]


def test_a_member_behind_a_dead_kubelet_is_asked_from_another_node(lab):
    with lab.faults.kubelet("cp-3"):
        document = status(lab)
        assert findings(document)["pod-no-answer"] == ["node/cp-3"]
        member = document["items"][2]
        assert (member["up"], member["status"]["version"]) == (True, lab.release.etcd)
        assert member["askedFrom"] in ("cp-1", "cp-2")


def test_an_alarm(lab):
    member = status(lab)["items"][1]["id"]
    raise_it = f"""
        curl --silent --fail --cacert {PKI}/ca.crt --cert {PKI}/server.crt --key {PKI}/server.key \
            --data '{{"action":"ACTIVATE","memberID":"{int(member, 16)}","alarm":"NOSPACE"}}' \
            https://127.0.0.1:2379/v3/maintenance/alarm
    """
    try:
        lab.exec("cp-1", ["sh", "-ec", raise_it])
        document = status(lab, 3)
        assert findings(document)["alarm-nospace"] == ["node/cp-2"]
        assert [item["alarms"] for item in document["items"]] == [[], ["NOSPACE"], []]
    finally:
        etcdctl(lab, "cp-1", "alarm", "disarm")


def test_a_learner_that_never_started(lab):
    # etcd takes no new member until all others have been connected for a while.
    add = f"""
        etcdctl() ({ETCDCTL})
        until etcdctl member add kubectl-admin-test --learner --peer-urls=https://192.0.2.1:2380; do
            sleep 0.5
        done
    """
    added = lab.exec("cp-1", ["sh", "-c", add], timeout=240).stdout
    member = re.search(r"Member +([0-9a-f]+) added", added)[1]
    try:
        document = status(lab)
        item = next(item for item in document["items"] if item["id"] == member)
        assert (item["role"], item["up"], item["node"]) == ("unstarted", False, None)
        assert {"learner-not-promoted", "member-without-node"} <= findings(document).keys()
        assert document["voters"] == 3
    finally:
        etcdctl(lab, "cp-1", "member", "remove", member)


def test_data_that_was_changed_behind_etcds_back(lab):
    """Bytes of a value are others in one member's file, and it is told not to compare when it starts."""
    right, wrong = "kubectl-admin-test-right", "kubectl-admin-test-wrong"
    change = """
        sed -i "s/$1/$2/g" /var/lib/etcd/member/snap/db
        manifest=/etc/kubernetes/manifests-taken-away/etcd.yaml
        if [ "$3" = unchecked ]; then
            cp "$manifest" /root/etcd.yaml
            sed -i /InitialCorruptCheck/d "$manifest"
        else
            cp /root/etcd.yaml "$manifest"
        fi
    """
    etcdctl(lab, "cp-1", "put", "kubectl-admin-test", right)
    with lab.faults.static_pod("cp-3", "etcd"):
        lab.exec("cp-3", ["sh", "-ec", change, "change", right, wrong, "unchecked"])
    try:
        wait_until_up(lab, "cp-3")
        assert findings(status(lab, 3))["hashes-differ"] == ["node/cp-3"]
    finally:
        with lab.faults.static_pod("cp-3", "etcd"):
            lab.exec("cp-3", ["sh", "-ec", change, "change", wrong, right, "checked"])
        etcdctl(lab, "cp-1", "del", "kubectl-admin-test")
    wait_until_up(lab, "cp-3")
    assert findings(status(lab)) == {}


def wait_until_up(lab: Lab, node: str) -> None:
    """Waits until the member of a node answers."""
    probe = "until curl --silent --fail http://127.0.0.1:2381/readyz >/dev/null; do sleep 0.5; done"
    lab.exec(node, ["sh", "-c", probe], timeout=240)
