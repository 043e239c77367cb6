import json
from dataclasses import replace

import pytest

from kubectl_admin.etcd.members.etcdctl import Alarm, Hash, Listed
from kubectl_admin.etcd.members.facts import State
from kubectl_admin.etcd.members.judge import judge
from kubectl_admin.etcd.members.report import report
from kubectl_admin.report import document, terminal
from tests.unit.etcd.members.samples import (
    LEADER,
    apiserver_command,
    of_pods,
    sound_member,
    static_pod,
    status,
    three,
)

DOWN = {"status": None, "problem": "no such container", "hash": None}


def made(shown: State):
    return report(shown, judge(shown))


def text(shown: State, wide=False):
    return terminal.render(made(shown), wide=wide, headers=True, colour=False, width=80)


def rows(shown: State, wide=False):
    return [line.split() for line in text(shown, wide).split("\n\n")[0].splitlines()]


def test_a_sound_cluster():
    assert text(three()) == (
        "NAME  VERSION  ROLE      SIZE    IN-USE  RAFT-LAG  HASH      ALARMS\n"
        "cp-1  3.6.8    leader    200MiB  150MiB  0/0       2c7d4e97  -\n"
        "cp-2  3.6.8    follower  200MiB  150MiB  0/0       2c7d4e97  -\n"
        "cp-3  3.6.8    follower  200MiB  150MiB  0/0       2c7d4e97  -\n"
        "\n"
        "context prod, leader cp-1\n"
        "3 of 3 voting members up, 2 needed\n"
        "the members' data is the same at revision 1555\n"
    )


def test_the_only_member_has_nobody_to_be_compared_with():
    alone = replace(three(), members=three().members[:1], hashed=0)
    assert "no hash: there is no other member to compare the data with" in text(alone)
    assert "no hash" not in text(three())
    unlisted = replace(alone, members=tuple(replace(each, listed=None) for each in alone.members))
    assert "no other member" not in text(unlisted)


def test_what_is_wrong_is_marked():
    broken = three(
        status=status(LEADER + 1, index=900, applied=0),
        hash=Hash(0xBAD, 1555, 1000, 1557),
        alarms=("NOSPACE",),
    )
    assert rows(broken)[2] == [
        "cp-2",
        "3.6.8",
        "follower",
        "200MiB",
        "150MiB",
        "1154/900?",
        "00000bad!",
        "NOSPACE!",
    ]
    assert "the members' data is the same" not in text(broken)


@pytest.mark.parametrize(
    ("changes", "role"),
    [
        (DOWN, "down!"),
        ({"listed": replace(sound_member(2).listed, learner=True)}, "learner?"),
        ({"status": status(LEADER + 1, leader=0)}, "no leader!"),
        ({**DOWN, "listed": Listed(7, "", (), (), True), "pod": None}, "unstarted?"),
    ],
)
def test_roles(changes, role):
    assert role in text(three(**changes)).splitlines()[2]


def test_not_all_hashes_is_not_the_same_data():
    assert "the members' data is the same" not in text(three(hash=None))


def test_the_node_is_a_column_where_members_have_other_names():
    assert rows(three(name="etcd-b"))[0][:2] == ["NAME", "NODE"]
    assert rows(three())[0][:2] == ["NAME", "VERSION"]
    assert rows(three(name="", node="", pod=None, **DOWN))[0][:2] == ["NAME", "VERSION"]


def test_wide_has_ids_and_indexes():
    table = rows(three(), wide=True)
    assert table[0][-7:] == ["MEMBER-ID", "QUOTA", "TERM", "INDEX", "REVISION", "STORAGE", "CLIENT-URLS"]
    assert table[1][-7:] == [
        "9d806c50726f9643",
        "2.0GiB",
        "2",
        "2054",
        "1555",
        "3.6.0",
        "https://192.0.2.1:2379",
    ]


def test_it_fits_80_columns_with_everything_wrong():
    broken = three(status=status(LEADER + 1, size=1500 << 20, in_use=1 << 20), alarms=("NOSPACE", "CORRUPT"))
    broken = replace(broken, alarms=(Alarm(LEADER + 1, "NOSPACE"), Alarm(LEADER + 1, "CORRUPT")))
    lines = text(broken).splitlines()
    assert [line for line in lines if len(line) > 80 and "https://" not in line] == []


def test_names_are_pods():
    made_of = made(three(pod=None))
    assert list(made_of.names()) == ["pod/etcd-cp-1", "member/cp-2", "pod/etcd-cp-3"]


def test_ids_are_text_in_documents():
    shown = json.loads(document.to_json(made(three())))
    assert (shown["kind"], shown["leader"], shown["voters"], shown["quorum"]) == ("EtcdStatus", "cp-1", 3, 2)
    assert shown["items"][0]["id"] == "9d806c50726f9643"
    assert shown["items"][0]["status"]["leader"] == "9d806c50726f9643"
    assert shown["items"][1]["role"] == "follower"
    assert shown["items"][1]["hash"] == {"hash": 0x2C7D4E97, "revision": 1555, "compactRevision": 1000}


def test_a_member_that_is_down_in_documents():
    shown = json.loads(document.to_json(made(three(**DOWN))))
    item = shown["items"][1]
    assert (item["up"], item["role"], item["status"], item["problem"]) == (
        False,
        "down",
        None,
        "no such container",
    )
    assert (shown["votersUp"], shown["findings"][0]["rule"]) == (2, "member-down")


def test_yaml_says_the_same():
    import yaml

    assert yaml.safe_load(document.to_yaml(made(three()))) == json.loads(document.to_json(made(three())))


def test_external_etcd_is_what_the_api_servers_say():
    servers = "https://192.0.2.50:2379,https://192.0.2.51:2379"
    found = of_pods([static_pod("kube-apiserver", "cp-1", apiserver_command(servers))])
    shown = text(State("prod", "x", found))
    assert shown.startswith("context prod, found no etcd pod in kube-system\n")
    assert "the API servers of cp-1 use https://192.0.2.50:2379, https://192.0.2.51:2379" in " ".join(
        shown.split()
    )
    assert "apiserver-etcd-client.key" in shown
    assert "note: external etcd" in shown
    assert not made(State("prod", "x", found)).violated


def test_nothing_to_be_seen():
    assert "a managed control plane?" in " ".join(text(State("", "x", of_pods([]))).split())


def test_words_from_the_cluster_can_not_move_the_cursor():
    shown = text(three(name="\x1b[2J", problem="\x1b[31m", status=None, hash=None))
    assert "\x1b" not in shown
