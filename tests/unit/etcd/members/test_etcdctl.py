import json

import pytest

from kubectl_admin.cluster.exec import ExecResult
from kubectl_admin.etcd.members.etcdctl import (
    Alarm,
    Etcdctl,
    EtcdctlError,
    Hash,
    Listed,
    Status,
    arguments,
    reason,
)
from kubectl_admin.etcd.members.flags import Access

PLAIN = Access("http://127.0.0.1:2379")
SECURE = Access("https://127.0.0.1:2379", True, "ca.crt", "server.crt", "server.key")

# As etcdctl 3.6.8 wrote them for a cluster of three members and a learner that has not started.
MEMBERS = (
    '{"header":{"cluster_id":8570459336700167655,"member_id":8645782499530242234,"raft_term":2},"members":['
    '{"ID":11539305337000706507,"name":"b","peerURLs":["http://127.0.0.1:23802"],'
    '"clientURLs":["http://127.0.0.1:23792"]},'
    '{"ID":7597967043409460083,"peerURLs":["http://127.0.0.1:23804"],"isLearner":true}]}'
)
STATUS_36 = (
    '[{"Endpoint":"http://127.0.0.1:23791","Status":{"header":{"cluster_id":8570459336700167655,"member_id":'
    '8645782499530242234,"revision":17,"raft_term":2},"version":"3.6.8","dbSize":19841024,"raftIndex":28,'
    '"raftTerm":2,"raftAppliedIndex":27,"errors":["etcdserver: no leader","memberID:8645782499530242234 '
    'alarm:NOSPACE "],"dbSizeInUse":13533184,"storageVersion":"3.6.0","dbSizeQuota":20000000,'
    '"downgradeInfo":{}}}]'
)
STATUS_35 = (
    '[{"Endpoint":"http://127.0.0.1:2379","Status":{"header":{"cluster_id":14841639068965178418,"member_id":'
    '10276657743932975437,"revision":5,"raft_term":3},"version":"3.5.24","dbSize":20480,'
    '"leader":10276657743932975437,"raftIndex":11,"raftTerm":3,"raftAppliedIndex":11,"dbSizeInUse":16384,'
    '"isLearner":true}}]'
)
ALARMS = (
    '{"header":{"cluster_id":8570459336700167655,"member_id":8645782499530242234,"revision":17,"raft_term":2},'
    '"alarms":[{"memberID":8645782499530242234,"alarm":1},{"memberID":2,"alarm":2},{"memberID":3,"alarm":9}]}'
)
HASH_36 = (
    '[{"Endpoint":"http://127.0.0.1:23791","HashKV":{"header":{"cluster_id":8570459336700167655,"member_id":'
    '8645782499530242234,"revision":19,"raft_term":2},"hash":2698061002,"compact_revision":-1,'
    '"hash_revision":17}}]'
)


def etcdctl(stdout="", stderr="", code=0, access=PLAIN):
    """etcdctl that answers this, and the command lines that it was called with."""
    called = []

    def run(words):
        called.append(list(words))
        return ExecResult(code, stdout.encode(), stderr.encode())

    return Etcdctl(run, access), called


@pytest.mark.parametrize(
    ("why", "access", "expected"),
    [
        ("no TLS", PLAIN, []),
        ("TLS", SECURE, ["--cacert=ca.crt", "--cert=server.crt", "--key=server.key"]),
        ("no client certificate asked for", Access("https://a:1", True, "ca.crt"), ["--cacert=ca.crt"]),
        (
            "a certificate that a member made itself",
            Access("https://a:1", True),
            ["--insecure-skip-tls-verify"],
        ),
    ],
)
def test_the_command_line(why, access, expected):
    assert arguments(access, ["member", "list"], 2.5) == [
        f"--endpoints={access.endpoint}",
        *expected,
        "--command-timeout=2.5s",
        "--write-out=json",
        "member",
        "list",
    ], why


def test_members():
    ctl, called = etcdctl(MEMBERS)
    assert ctl.members() == (
        Listed(7597967043409460083, "", ("http://127.0.0.1:23804",), (), True),
        Listed(11539305337000706507, "b", ("http://127.0.0.1:23802",), ("http://127.0.0.1:23792",), False),
    )
    assert called[0][0] == "etcdctl"
    assert called[0][-2:] == ["member", "list"]


def test_keys_below_a_prefix():
    ctl, called = etcdctl('{"header":{},"kvs":[{"key":"L2Ev/w=="},{"key":"L2EvYg=="}],"count":2}')
    assert ctl.keys("/a/") == ("/a/\\xff", "/a/b")
    assert called[0][-5:] == ["get", "--prefix", "--keys-only", "--", "/a/"]


@pytest.mark.parametrize("answer", ['{"kvs":[{"key":"?"}]}', "[]", '{"kvs":[{"key":7}]}'])
def test_keys_that_are_none_are_an_error(answer):
    with pytest.raises(EtcdctlError):
        etcdctl(answer)[0].keys("/a/")


def test_keys_are_deleted():
    ctl, called = etcdctl('{"header":{},"deleted":2}')
    ctl.delete("/a/")
    assert called[0][-4:] == ["del", "--prefix", "--", "/a/"]


def test_a_status_of_3_6_without_a_leader():
    ctl, _ = etcdctl(STATUS_36)
    assert ctl.status() == Status(
        cluster_id=8570459336700167655,
        member_id=8645782499530242234,
        revision=17,
        term=2,
        version="3.6.8",
        leader=0,
        index=28,
        applied=27,
        size=19841024,
        in_use=13533184,
        quota=20000000,
        storage_version="3.6.0",
        errors=("etcdserver: no leader", "memberID:8645782499530242234 alarm:NOSPACE"),
    )


def test_a_status_of_3_5_lacks_what_came_later():
    ctl, _ = etcdctl(STATUS_35)
    told = ctl.status()
    assert (told.version, told.leader, told.learner) == ("3.5.24", 10276657743932975437, True)
    assert (told.quota, told.storage_version, told.downgrade_to) == (0, "", "")


def test_a_downgrade():
    answer = json.loads(STATUS_36)
    answer[0]["Status"]["downgradeInfo"] = {"enabled": True, "targetVersion": "3.5.0"}
    assert etcdctl(json.dumps(answer))[0].status().downgrade_to == "3.5.0"


def test_numbers_that_are_written_as_text():
    answer = json.loads(STATUS_36)
    answer[0]["Status"]["header"]["member_id"] = "8645782499530242234"
    assert etcdctl(json.dumps(answer))[0].status().member_id == 8645782499530242234


def test_alarms():
    ctl, _ = etcdctl(ALARMS)
    assert ctl.alarms() == (Alarm(8645782499530242234, "NOSPACE"), Alarm(2, "CORRUPT"), Alarm(3, "9"))
    assert etcdctl('{"header":{"revision":17}}')[0].alarms() == ()


def test_a_hash_at_a_revision():
    ctl, called = etcdctl(HASH_36)
    assert ctl.hash(17) == Hash(2698061002, 17, -1, 19)
    assert called[0][-3:] == ["endpoint", "hashkv", "--rev=17"]
    assert "--command-timeout=60s" in called[0]


def test_a_hash_of_3_5_does_not_repeat_the_revision():
    answer = json.loads(HASH_36)
    del answer[0]["HashKV"]["hash_revision"]
    assert etcdctl(json.dumps(answer))[0].hash(16).revision == 16


def test_another_endpoint_with_the_same_files():
    ctl, called = etcdctl(STATUS_36, access=SECURE)
    ctl.at("https://192.0.2.2:2379").status()
    assert called[0][1:3] == ["--endpoints=https://192.0.2.2:2379", "--cacert=ca.crt"]


REFUSED = (
    '{"level":"warn","ts":"2026-11-25T13:07:55.041413Z","logger":"etcd-client","caller":"v3@v3.6.8/'
    'retry_interceptor.go:65","msg":"retrying of unary invoker failed","error":"rpc error: code = '
    'DeadlineExceeded desc = latest balancer error: connection error: desc = \\"transport: Error while '
    'dialing: dial tcp 127.0.0.1:23793: connect: connection refused\\""}\n'
    "Failed to get the status of endpoint http://127.0.0.1:23793 (context deadline exceeded)\n"
)
COMPACTED = (
    '{"level":"warn","msg":"retrying of unary invoker failed","error":"rpc error: code = OutOfRange"}\n'
    "Failed to get the hash of endpoint x (etcdserver: mvcc: required revision has been compacted)\n"
    "Error: etcdserver: mvcc: required revision has been compacted\n"
)


@pytest.mark.parametrize(
    ("stderr", "expected"),
    [
        (REFUSED, "dial tcp 127.0.0.1:23793: connect: connection refused"),
        (COMPACTED, "etcdserver: mvcc: required revision has been compacted"),
        ("Error: context deadline exceeded\n", "context deadline exceeded"),
        ("\n", ""),
        ("\xff{", "\ufffd{"),
    ],
)
def test_why_it_failed(stderr, expected):
    assert reason(stderr.encode("latin-1")) == expected


@pytest.mark.parametrize(
    ("stdout", "stderr", "code", "said"),
    [
        ("null", COMPACTED, 1, "etcdserver: mvcc: required revision has been compacted"),
        ("", "", 127, "exit code 127"),
        ("", "", 0, "this is not JSON: ''"),
        ("[" * 20_000, "", 0, f"this is not JSON: '{'[' * 80}'"),
        ("9" * 5000, "", 0, f"this is not JSON: '{'9' * 80}'"),
        ("\x1b[2J", "", 0, r"this is not JSON: '\x1b[2J'"),
        ("null", "", 0, "expected an answer with one Status, got None"),
        ("[]", "", 0, "expected an answer with one Status, got []"),
        ('[{"Status":7}]', "", 0, "expected an answer with one Status, got [{'Status': 7}]"),
    ],
)
def test_what_is_no_answer(stdout, stderr, code, said):
    with pytest.raises(EtcdctlError) as caught:
        etcdctl(stdout, stderr, code)[0].status()
    assert caught.value.detail == said


@pytest.mark.parametrize("answer", ["7", "null", '"x"', "[]"])
def test_a_list_that_is_none(answer):
    with pytest.raises(EtcdctlError):
        etcdctl(answer)[0].members()


@pytest.mark.parametrize(
    "answer",
    ['{"members":[7,{"ID":"x","peerURLs":7}]}', '{"members":[{"ID":Infinity}]}', '{"members":{"a":1}}'],
)
def test_nonsense_in_an_answer_is_survived(answer):
    assert all(member.id == 0 and member.peer_urls == () for member in etcdctl(answer)[0].members())
