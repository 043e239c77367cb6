"""Settings on which all nodes agree without talking: members, bump and id."""

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.local.settings import (
    OWN,
    STEP,
    Peer,
    Settings,
    bump_of_data,
    bump_of_time,
    chosen,
    id_of,
    minor,
)
from kubectl_admin.etcd.snapshot.contents import Member

NOW = 1_796_000_000.5  # November 2026


def stored(name: str, *, urls: tuple[str, ...] | None = None, learner: bool = False) -> Member:
    return Member(
        f"{len(name)}a",
        name,
        urls if urls is not None else (f"https://{name}:2380",),
        (f"https://{name}:2379",),
        learner,
    )


THREE = [stored("cp-2"), stored("cp-1"), stored("cp-3")]
PEERS = chosen(THREE, ())[0]


@pytest.mark.parametrize(
    ("own", "snapshot", "bump"),
    [
        (100, 100, 2 * STEP),
        (100, 5, 2 * STEP),
        (5, 100, 2 * STEP),  # this node lags behind
        (STEP + 10, 10, 3 * STEP),
        (STEP + 9, 10, 2 * STEP),
        (1_796_000_000_000_000, 50, 1_796_001 * STEP),  # after a restore by a script
    ],
)
def test_a_bump_is_above_all_that_was_seen_and_round(own, snapshot, bump):
    assert bump_of_data(own, snapshot) == bump
    assert snapshot + bump > own + STEP - 1


@pytest.mark.parametrize("snapshot", [0, 5_000_000, 1_700_000_000_000_000, 1_795_999_999_000_000])
def test_a_printed_bump_begins_at_the_time(snapshot):
    assert snapshot + bump_of_time(NOW, snapshot) == pytest.approx(1_796_000_000_000_000, abs=STEP) or (
        bump_of_time(NOW, snapshot) == 1_796_000_000_000_000
    )
    assert bump_of_time(NOW, snapshot) >= STEP
    assert snapshot + bump_of_time(NOW, snapshot) < 1 << 53


def test_a_later_script_begins_above_an_earlier_restore_of_an_older_snapshot():
    earlier = 50 + bump_of_time(NOW, 50)
    written = earlier + 86_400 * 10_000  # revisions of a busy day
    assert 50 + bump_of_time(NOW + 86_400, 50) > written
    assert 50 + bump_of_data(written, 50) > written


def test_a_snapshot_beyond_the_time_is_raised_by_the_whole():
    beyond = 1_800_000_000_000_000
    assert bump_of_time(NOW, beyond) == 1_796_000_000_000_000


def test_all_nodes_have_one_id_and_others_have_another():
    id_ = id_of("ab", PEERS, 5)
    assert (len(id_), id_of("ab", tuple(reversed(PEERS)), 5)) == (10, id_)
    assert set(id_) <= set("0123456789abcdef")
    others = {id_of("ac", PEERS, 5), id_of("ab", PEERS[:2], 5), id_of("ab", PEERS, 6)}
    moved = (Peer("cp-1", "https://elsewhere:2380"), *PEERS[1:])
    assert len(others | {id_, id_of("ab", moved, 5)}) == 5


def test_members_are_chosen_by_name():
    members, lost = chosen(THREE, ["cp-3", "cp-1"])
    assert [peer.name for peer in members] == ["cp-1", "cp-3"]
    assert [(peer.name, peer.peer, peer.clients) for peer in lost] == [
        ("cp-2", "https://cp-2:2380", ("https://cp-2:2379",))
    ]
    assert [peer.name for peer in PEERS] == ["cp-1", "cp-2", "cp-3"]


@pytest.mark.parametrize(
    ("found", "wanted", "said"),
    [
        (THREE, ["cp-4"], "cp-4 is not a member: the members are cp-1, cp-2, cp-3"),
        ([], ["cp-1"], "the members are not known"),
        ([], [], "no members are known"),
        ([*THREE, stored("cp-4", learner=True)], [], "member cp-4 can't be restored"),
        ([*THREE, stored("", urls=("https://x:2380",))], [], "member 0a can't be restored"),
        ([*THREE, stored("cp-4", urls=())], [], "has not one peer URL"),
        ([stored("cp-1", urls=("https://a", "https://b"))], [], "has not one peer URL"),
        ([stored("a=b,c")], [], "can't be restored"),
        ([stored("cp-1"), stored("cp-1")], [], "have the same name"),
    ],
)
def test_members_that_can_not_be_restored(found, wanted, said):
    with pytest.raises(AdminError) as error:
        chosen(found, wanted)
    assert said in error.value.what


def test_a_learner_may_be_left_out():
    members, lost = chosen([*THREE, stored("cp-4", learner=True)], ["cp-1"])
    assert [peer.name for peer in members] == ["cp-1"]
    assert len(lost) == 3


def test_settings_as_lines():
    settings = Settings(
        "0123456789",
        OWN,
        7,
        5,
        PEERS[:1],
        (*PEERS[1:2], Peer("", "https://x:2380")),
        etcd="3.6",
        authorities=(frozenset({"cd", "ab"}), frozenset({"ef"})),
    )
    assert list(settings.lines()) == [
        "id 0123456789",
        "sha256 own",
        "revision 7",
        "bump 5",
        "decide 3600",
        "all no",
        "defrag no",
        "named no",
        "etcd 3.6",
        "authority ab,cd",
        "authority ef",
        "member cp-1 https://cp-1:2380 https://cp-1:2379",
        "lost cp-2 https://cp-2:2380 https://cp-2:2379",
        "lost unnamed https://x:2380 -",
    ]


@pytest.mark.parametrize("url", ["https://x:2380 y", "https://x\nEND OF settings\n", "$(id)", "`id`"])
def test_an_address_that_is_no_word_is_refused(url):
    with pytest.raises(AdminError, match="can't be handed to a node"):
        list(Settings("0123456789", OWN, 0, 5, (Peer("cp-1", url),)).lines())


@pytest.mark.parametrize(
    ("version", "short"), [("v1.36.3", "1.36"), ("3.6.0", "3.6"), ("latest", ""), ("", "")]
)
def test_a_minor(version, short):
    assert minor(version) == short
