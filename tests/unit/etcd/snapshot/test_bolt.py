"""Each thing that can be wrong with the pages of a database, and where it is said to be."""

import struct

import pytest

from kubectl_admin.etcd.snapshot import reading
from kubectl_admin.etcd.snapshot.bolt import leaf
from kubectl_admin.etcd.snapshot.bolt.damage import ENOUGH, KEPT
from kubectl_admin.etcd.snapshot.bolt.meta import MAGIC, NO_FREELIST, fnv1a
from kubectl_admin.etcd.snapshot.verify import verify
from tests.unit.etcd.snapshot.bolt_file import BRANCH, FREELIST, LEAF, BoltFile, contents, key_value, revision

PAGE = 4096
HEADER, ELEMENT = 16, 16
NUMBER, KIND, COUNT, OVERFLOW = (0, "<Q"), (8, "<H"), (10, "<H"), (12, "<I")


@pytest.fixture
def damages(tmp_path):
    """What is damaged in this database, with everything looked at: page, offset, words of each place."""

    def damages_of(file, *, full=True):
        path = tmp_path / "snapshot.db"
        path.write_bytes(file.snapshot())
        verdict = verify(path, full=full)
        assert verdict.damaged >= len(verdict.damages)
        return [(damage.page, damage.offset, damage.what) for damage in verdict.damages]

    return damages_of


def database(**options):
    """One whose bucket «key» has two levels of branch pages, four leaves and two entries in each."""
    return BoltFile(**{"inline": False, "a_page": 2, **options})


def only(found):
    """The one damage that there is."""
    assert len(found) == 1, found
    return found[0]


def test_the_checksum_of_a_meta_page_is_fnv_1a():
    """Source of the values: draft-eastlake-fnv, test vectors for FNV-1a of 64 bits."""
    assert fnv1a(b"") == 0xCBF29CE484222325
    assert fnv1a(b"foobar") == 0x85944171F73967E8


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        (0, "the first meta page: its checksum is wrong"),
        (1, "the second meta page: its checksum is wrong"),
    ],
)
@pytest.mark.parametrize("page_size", [1024, PAGE, 65536])
def test_one_meta_page_damaged(damages, meta, said, page_size):
    file = database(page_size=page_size)
    file.patch(meta * page_size + 40, "<Q", 77)
    assert only(damages(file)) == (meta, meta * page_size, said)


def test_both_meta_pages_damaged(damages):
    file = database().patch(40, "<Q", 77).patch(PAGE + 40, "<Q", 77)
    assert only(damages(file)) == (
        0,
        0,
        "neither of the two meta pages can be used, so nothing else can be found",
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": 1}, "neither of the two"),
        ({"size": 4097}, "neither of the two"),
        ({"size": 0}, "neither of the two"),
        ({"size": 2048}, "neither of the two"),  # the second is not where the first says that it is
        ({"pages": 2}, "neither of the two"),
        ({"root": 0}, "the meta page points to page 0; there are pages 2 to "),
        ({"root": 1 << 63}, f"the meta page points to page {1 << 63}; there are pages 2 to "),
        ({"freelist": 1 << 63}, f"the meta page's list of free pages points to page {1 << 63}; there"),
    ],
)
def test_a_meta_page_that_says_nonsense(damages, changes, said):
    file = database()
    file.meta(**{"root": file.pages["root"][-1], **changes})
    found = damages(file)
    if "size" in changes and changes["size"] == 2048:
        assert any("the second meta page" in what or said in what for _, _, what in found)
    else:
        assert said in found[-1][2]


@pytest.mark.parametrize(
    ("name", "index", "field", "value", "said"),
    [
        ("key", -1, NUMBER, 3, "bucket key points here, and its header is not that of page {page}"),
        ("key", -1, KIND, FREELIST, "bucket key points here, and it is a list of free pages"),
        ("key", -1, KIND, 3, "bucket key points here, and it is of the unknown kind 0x0003"),
        ("key", -1, COUNT, 0, "a branch page that leads nowhere"),
        ("key", -1, COUNT, 300, "it has room for fewer than 300 elements"),
        ("key", -1, OVERFLOW, 0xFFFFFFFF, "it spans 4294967296 pages, past the end of the database"),
        ("key", 0, NUMBER, 77, "page {parent} points here, and its header is not that of page {page}"),
        ("key", 0, COUNT, 0xFFFF, "it has room for fewer than 65535 elements"),
        ("key", 0, OVERFLOW, 1, "it spans 2 pages, and page {next} is in use already"),
        ("root", -1, KIND, BRANCH, "root"),
        ("cluster", -1, KIND, BRANCH, "cluster"),
    ],
)
def test_a_damaged_header(damages, name, index, field, value, said):
    file = database()
    page = file.pages[name][index]
    at, layout = field
    file.patch(page * PAGE + at, layout, value)
    found = damages(file)
    if said in ("root", "cluster"):  # a leaf taken for a branch points anywhere
        assert found
        return
    words = said.format(page=page, parent=file.pages["key"][4], next=page + 1)
    assert (page, page * PAGE, words) in found or (page + 1, (page + 1) * PAGE) == found[0][:2]
    assert damages(file, full=False) == found


def test_a_page_that_is_used_twice(damages):
    file = database()
    leaves, branch = file.pages["key"][:4], file.pages["key"][4]
    file.patch(branch * PAGE + HEADER + 8, "<Q", leaves[1])
    page, offset, said = damages(file)[0]
    assert (page, offset) == (leaves[1], leaves[1] * PAGE)
    assert said == f"page {branch} points here, and it is in use already"


def test_a_tree_that_bites_its_tail(damages):
    file = database()
    top = file.pages["key"][-1]
    file.patch(file.pages["key"][4] * PAGE + HEADER + 8, "<Q", top)
    assert (top, top * PAGE, f"page {file.pages['key'][4]} points here, and it is in use already") in damages(
        file
    )


def test_a_page_that_there_is_not(damages):
    file = database()
    branch = file.pages["key"][4]
    file.patch(branch * PAGE + HEADER + 8, "<Q", 4711)
    last = len(file.data) // PAGE - 1
    assert only(damages(file)) == (
        None,
        None,
        f"page {branch} points to page 4711; there are pages 2 to {last}",
    )


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ((4, "<I"), 0, "element 1 is at bytes 32 to"),
        ((4, "<I"), 0xFFFFFFFF, "element 1 is at bytes 4294967327 to"),
        ((8, "<I"), 4000, "element 1 is at bytes"),
        ((12, "<I"), 0xFFFFFFF0, "element 1 is at bytes"),
        ((0, "<I"), 1, "a bucket inside of a bucket"),
    ],
)
def test_a_damaged_element_of_a_leaf(damages, field, value, said):
    file = database()
    page = file.pages["key"][0]
    file.patch(page * PAGE + HEADER + ELEMENT + field[0], field[1], value)
    assert damages(file, full=False) == []  # nothing inside of leaves is looked at
    where, offset, what = only(damages(file))
    assert where == page
    assert page * PAGE <= offset < (page + 1) * PAGE
    assert what.startswith(said)


def test_elements_that_lie_on_each_other():
    """Each within its page, together longer: a file of a GB could make a reader read it 65,535 times."""
    count = 200
    elements = b"".join(struct.pack("<IIII", 0, (count - n) * 16, 17, 700) for n in range(count))
    data = struct.pack("<QHHI", 5, LEAF, count, 0) + elements
    with pytest.raises(leaf.Damaged, match="its elements overlap"):
        leaf.parsed(data.ljust(PAGE, b"\0"), 5, 5 * PAGE)


@pytest.mark.parametrize(
    ("field", "value"), [((0, "<I"), 3), ((0, "<I"), 0xFFFFFFFF), ((4, "<I"), 5000), ((4, "<I"), 0xFFFFFFFF)]
)
def test_a_damaged_key_of_a_branch(damages, field, value):
    file = database()
    page = file.pages["key"][-1]
    file.patch(page * PAGE + HEADER + field[0], field[1], value)
    where, offset, what = only(damages(file))
    assert (where, offset) == (page, page * PAGE + HEADER)
    assert what.startswith("its key 0 is at bytes")


def test_keys_out_of_order_within_a_leaf(damages):
    entries = {revision(main): key_value(b"k") for main in (2, 3, 4, 5)}
    file = BoltFile({**contents(), b"key": entries}, inline=False)
    page = file.pages["key"][0]
    second = file.data.index(revision(3), page * PAGE)
    file.data[second : second + 17] = revision(9)
    where, _, what = only(damages(file))
    assert where == page
    assert what == f"its key {revision(4).hex()} follows {revision(9).hex()}, and is not greater"


@pytest.mark.parametrize(
    ("index", "change", "said"),
    [
        (1, revision(1), "its first key {key} is less than {low}, where it begins by the page above"),
        (0, revision(99), "its last key {key} is not less than {high}, where the next page begins"),
    ],
)
def test_keys_that_belong_to_another_page(damages, index, change, said):
    file = database()
    page = file.pages["key"][index]
    low, high = revision(2 + 2 * index), revision(4 + 2 * index)
    place = low if index else revision(3)
    at = file.data.index(place, page * PAGE)
    file.data[at : at + 17] = change
    where, _, what = only(damages(file))
    assert where == page
    assert what == said.format(key=change.hex(), low=low.hex(), high=high.hex())


def test_entries_that_are_not_etcds(damages):
    for entries, said in [
        ({b"short": b""}, "is not a revision"),
        ({revision(2)[:8] + b"-" + revision(2)[9:]: b""}, "is not a revision"),
        ({revision(1 << 63): b""}, "is not a revision"),
        ({revision(2): b"\xff"}, "in bucket key: a number that does not end"),
        (
            {revision(2): b"\x0a\x05ab"},
            "in bucket key: a field at byte 0 of a message of 4 does not end in it",
        ),
        ({revision(2): b"\x0a" + b"\xff" * 9 + b"\x01"}, "in bucket key: a field at byte 0 of a message"),
    ]:
        found = damages(BoltFile({**contents(), b"key": entries}, inline=False))
        assert found, said
        assert all(said in what for _, _, what in found)


def test_buckets_that_say_nonsense(damages):
    for bucket, entries in [
        (b"members", {b"xyz": b"{}"}),
        (b"members", {b"8e9e05c52164694d": b"["}),
        (b"members", {b"8e9e05c52164694d": b"[" * 100_000}),
        (b"members", {b"8e9e05c52164694d": b'{"peerURLs":7}'}),
        (b"members", {b"8e9e05c52164694d": b'{"peerURLs":[7]}'}),
        (b"members", {b"8e9e05c52164694d": b'{"name":[1]}'}),
        (b"members", {b"8e9e05c52164694d": b'{"name":"\\ud800"}'}),
        (b"alarm", {b"\x1a\x09a": b""}),
        (b"alarm", {b"\x08": b""}),
        (b"meta", {b"term": b"7"}),
        (b"meta", {b"confState": b'{"voters":{"a":1}}'}),
        (b"meta", {b"confState": b'{"voters":[-1]}'}),
        (b"meta", {b"confState": b'{"voters":["1"]}'}),
        (b"meta", {b"confState": b'{"voters":[' + b"9" * 5000 + b"]}"}),
        (b"meta", {b"storageVersion": b"\xff"}),
        (b"meta", {b"finishedCompactRev": b"\0" * 17}),
    ]:
        found = damages(BoltFile({**contents(), bucket: entries}, a_page=30))
        assert found, (bucket, entries)


def test_a_bucket_that_holds_more_than_etcd_puts_there(damages, monkeypatch):
    monkeypatch.setattr(reading, "MANY", 4)
    entries = {b"%016x" % number: b"{}" for number in range(5)}
    assert only(damages(BoltFile({**contents(), b"members": entries})))[2].startswith("more than etcd keeps")
    monkeypatch.setattr(reading, "LONG", 200)
    entries = {b"%016x" % 1: b"{}".ljust(200)}
    assert only(damages(BoltFile({**contents(), b"members": entries})))[2].startswith("more than etcd keeps")


def test_the_bucket_of_buckets(damages):
    file = database()
    root = file.pages["root"][-1]
    file.patch(root * PAGE + HEADER, "<I", 0)
    assert only(damages(file))[2] == "entry 0 of the bucket of buckets is not a bucket"
    file = database()
    file.patch(root * PAGE + HEADER + 12, "<I", 15)
    assert only(damages(file))[2] == "bucket alarm has no root"
    file = BoltFile({b"n" * 65: {}, **contents()})
    assert only(damages(file))[2] == "a bucket with a name of 65 bytes"
    file = BoltFile({**{b"z%04d" % number: {} for number in range(1200)}, **contents()})
    assert only(damages(file))[2] == "more than 1000 buckets"


def test_a_bucket_that_etcd_needs(damages):
    for name in (b"key", b"meta"):
        buckets = contents()
        del buckets[name]
        assert only(damages(BoltFile(buckets))) == (None, None, f"bucket {name.decode()} is missing")


def test_an_inline_bucket(damages):
    file = BoltFile()
    at = file.data.index(b"alarm", file.offset("root")) + 5 + 16  # its page's header
    assert only(damages(BoltFile().patch(at + 8, "<H", BRANCH)))[2] == "a leaf of kind 0x0001 with 0 elements"
    assert only(damages(BoltFile().patch(at + 10, "<H", 9)))[2] == "a leaf of kind 0x0002 with 9 elements"
    file = BoltFile()
    file.patch(file.offset("root") + HEADER + 12, "<I", 20)
    assert only(damages(file))[2] == "an inline bucket of 4 bytes has no header"


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ([2, 3, 3], ["page 3 twice"]),
        ([2, 3], ["page 4 lost"]),
        ([2, 3, 4, 1], ["lists page 1 as free, which does not exist"]),
        ([2, 3, 4, 1 << 63], ["lists page 9223372036854775808 as free, which does not exist"]),
        ([2, 3, 4, 5], ["page 5 used"]),
    ],
)
def test_the_list_of_free_pages(damages, ids, said):
    file = database(free=3, freelist=True)
    at = file.offset("freelist")
    file.patch(at + 10, "<H", len(ids)).patch(at + HEADER, f"<{len(ids)}Q", *ids)
    words = {
        "page 3 twice": [(3, at + HEADER + 16, "listed as free twice")],
        "page 4 lost": [(4, 4 * PAGE, "neither in use nor listed as free, as are 1 pages in all")],
        "page 5 used": [(5, at + HEADER + 24, "listed as free, and in use")],
    }
    found = damages(file)
    if said[0] in words:
        assert words[said[0]][0] in found
    else:
        assert said[0] in [what for _, _, what in found]


def test_a_long_list_of_free_pages_has_its_count_in_front(damages):
    file = database(free=3, freelist=True)
    at = file.offset("freelist")
    file.patch(at + 10, "<H", 0xFFFF).patch(at + HEADER, "<4Q", 3, 2, 3, 4)
    assert damages(file) == []
    file.patch(at + HEADER, "<Q", 1 << 62)
    assert only(damages(file))[2] == f"a list of {1 << 62} free pages has no room in 4072 bytes"


def test_only_the_first_damages_are_kept(tmp_path):
    file = BoltFile(contents(keys=1000), inline=False)
    for page in file.pages["key"][:200]:
        file.patch(page * PAGE, "<Q", 0)
    (tmp_path / "snapshot.db").write_bytes(file.snapshot())
    verdict = verify(tmp_path / "snapshot.db")
    assert verdict.damaged == 200
    assert len(verdict.damages) == KEPT
    assert verdict.findings[0].evidence.startswith("200 places, first page ")


def test_a_file_in_which_nearly_all_is_damaged_is_given_up(tmp_path):
    file = BoltFile(contents(keys=8000), inline=False)
    for page in file.pages["key"][:2000]:
        file.patch(page * PAGE, "<Q", 0)
    (tmp_path / "snapshot.db").write_bytes(file.snapshot())
    verdict = verify(tmp_path / "snapshot.db", full=True)
    assert verdict.damaged == ENOUGH
    assert verdict.findings[0].evidence.startswith("1,000 places or more, first page ")
    assert verdict.snapshot.hash_right


def test_a_page_longer_than_what_is_kept_in_memory(damages):
    """Its entries are read from the file piece by piece, and are the same."""
    entries = {revision(2): key_value(b"k", b"v" * (leaf.IN_MEMORY + 5)), revision(3): key_value(b"l", b"w")}
    assert damages(BoltFile({**contents(), b"key": entries})) == []


def test_constants():
    assert MAGIC == 0xED0CDAED
    assert NO_FREELIST == (1 << 64) - 1
