"""What etcd writes into its buckets, decoded."""

import pytest

from kubectl_admin.etcd.snapshot import contents
from kubectl_admin.etcd.snapshot.contents import Alarm, Member, Raft
from kubectl_admin.etcd.snapshot.protobuf import Undecodable
from tests.unit.etcd.snapshot.bolt_file import revision, varint


def test_a_revision():
    assert contents.revision(revision(7, 3)) == 7
    assert contents.revision(revision((1 << 63) - 1, 0, b"t")) == (1 << 63) - 1
    for wrong in (b"", revision(1)[:16], revision(1, 0, b"tt"), revision(1 << 63), revision(1, 1 << 63)):
        with pytest.raises(Undecodable):
            contents.revision(wrong)


def test_a_member():
    value = b'{"id":1,"peerURLs":["http://a:2380","http://b:2380"],"name":"m","isLearner":true}'
    assert contents.member(b"00000000000000ab", value) == Member(
        "ab", "m", ("http://a:2380", "http://b:2380"), (), learner=True
    )
    assert contents.member(b"ab", b'{"peerURLs":null}') == Member("ab", "", (), (), learner=False)


@pytest.mark.parametrize("key", [b"", b"0x1", b"g", b"1" * 17, b"\xff"])
def test_a_key_that_is_no_id(key):
    with pytest.raises(Undecodable):
        contents.member_id(key)


def test_who_takes_part_in_raft():
    value = b'{"voters":[1,18446744073709551615],"learners":[3],"voters_outgoing":[4],"auto_leave":false}'
    assert contents.raft(value) == Raft(frozenset({"1", "ffffffffffffffff", "4"}), frozenset({"3"}))
    assert contents.raft(b"{}") == Raft(frozenset(), frozenset())


def test_an_alarm():
    assert contents.alarm(b"\x08\x05\x10\x01") == Alarm("NOSPACE", "5")
    assert contents.alarm(b"\x10\x02\x08" + varint((1 << 64) - 1)) == Alarm("CORRUPT", "f" * 16)
    assert contents.alarm(b"\x08\x05\x10\x09") == Alarm("of kind 9", "5")
    assert contents.alarm(b"\x08\x05\x10\x01\x1a\x01x") == Alarm("NOSPACE", "5")  # a field of a later etcd
    assert contents.alarm(b"") == Alarm("of kind 0", "0")


def test_the_clusters_id_comes_from_its_only_member():
    """The ids that etcd itself gives to a member of these names, and the cluster that it makes of it."""
    one = Member("8e9e05c52164694d", "default", (), (), learner=False)
    assert contents.cluster_id([one], []) == "cdf818194e3a8c32"
    assert contents.cluster_id([one, one], []) is None
    assert contents.cluster_id([one], ["1"]) is None
    assert contents.cluster_id([], []) is None
