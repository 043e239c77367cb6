"""Two snapshots of small etcds, compared as files."""

import gzip
import os
import random
from pathlib import Path
from uuid import UUID

import pytest

from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.etcd.diff import collection
from kubectl_admin.etcd.diff import report as diff_report
from kubectl_admin.etcd.diff.compare import Options, compare, labels
from kubectl_admin.etcd.diff.facts import State, Wanted
from kubectl_admin.etcd.snapshot.key_value import key_value
from kubectl_admin.report import document, terminal
from tests.unit.etcd.diff.history import CLUSTER, SYSTEM, History, custom, definition, stored
from tests.unit.etcd.snapshot.bolt_file import BoltFile, contents, revision
from tests.unit.etcd.snapshot.test_verify import changed_somewhere

ONE, TWO = UUID(int=1), UUID(int=2)
CART = b"/registry/deployments/shop/cart"


@pytest.fixture
def differences(tmp_path):
    """The state and key of each object that differs between two histories."""

    def compared(a, b, **options):
        result = compare(a.save(tmp_path / "a.db"), b.save(tmp_path / "b.db"), Options(**options))
        assert result.compared
        return [(each.state, each.object.key) for each in result.differences]

    return compared


def test_each_way_to_differ(differences):
    before = History()
    for name in (b"gone", b"changed", b"again", b"same", b"made"):
        before.put(b"/registry/pods/shop/" + name, stored(ONE, name))
    after = before.copy()
    after.delete(b"/registry/pods/shop/gone").put(b"/registry/pods/shop/new", stored(TWO))
    after.put(b"/registry/pods/shop/changed", stored(ONE, b"other"))
    after.put(b"/registry/pods/shop/again", stored(ONE, b"again"))
    after.delete(b"/registry/pods/shop/made").put(b"/registry/pods/shop/made", stored(TWO, b"made"))
    expected = [
        (State.ONLY_IN_A, "/registry/pods/shop/gone"),
        (State.ONLY_IN_B, "/registry/pods/shop/new"),
        (State.RECREATED, "/registry/pods/shop/made"),
        (State.CHANGED, "/registry/pods/shop/changed"),
        (State.REWRITTEN, "/registry/pods/shop/again"),
    ]
    assert differences(before, after) == expected
    assert differences(before, after.copy().compact()) == expected
    assert differences(before.copy().compact(), after) == expected
    mirrored = {State.ONLY_IN_A: State.ONLY_IN_B, State.ONLY_IN_B: State.ONLY_IN_A}
    assert sorted(differences(after, before)) == sorted(
        (mirrored.get(state, state), key) for state, key in expected
    )


def test_one_etcd_does_not_differ_from_itself(differences):
    history = History().put(CART, stored(ONE)).put(CART, stored(ONE, b"2"))
    assert differences(history, history) == []
    assert differences(history, history.copy().compact()) == []


def test_what_was_made_and_deleted_in_between_is_no_difference(differences):
    before = History().put(CART, stored(ONE))
    after = before.copy().put(b"/registry/pods/shop/short", stored(TWO)).delete(b"/registry/pods/shop/short")
    assert differences(before, after) == []


KEYS = [
    *(b"/registry/pods/shop/web-%d" % number for number in range(12)),
    *(b"/registry/minions/w%d" % number for number in range(4)),
    *(b"/registry/events/shop/e%d" % number for number in range(3)),
    "/registry/pods/shop/caf\u00e9".encode(),
    b"/registry/pods/shop/",
    b"/odd",
    b"odd",
]


def wander(history, chance, steps):
    """Writes and deletes at random, as the API server does: an object has one UID for its life."""
    for _ in range(steps):
        key = chance.choice(KEYS)
        if key in history.living and chance.random() < 0.3:
            history.delete(key)
        else:
            uid = UUID(int=history.living.get(key, (history.revision + 1,))[0])
            history.put(key, stored(uid, chance.choice((b"1", b"2"))))
    return history


@pytest.mark.parametrize("seed", range(40))
def test_any_history_differs_as_its_last_states_do(differences, seed):
    chance = random.Random(seed)
    before = wander(History(), chance, chance.randrange(60))
    after = wander(before.copy(), chance, chance.randrange(60))
    if chance.random() < 0.5:
        after.compact()
    states = {
        key: expected(last(before).get(key), last(after).get(key)) for key in {*last(before), *last(after)}
    }
    assert dict(map(reversed, differences(before, after))) == {
        key.decode(): state for key, state in states.items() if state
    }


@pytest.mark.parametrize("limit", [1, 2, 5])
@pytest.mark.parametrize("noise", [False, True])
def test_the_first_are_those_of_all(tmp_path, monkeypatch, limit, noise):
    """However few are listed: they are the first, and all are counted."""
    monkeypatch.setattr(collection, "ENOUGH", 7)
    for seed in range(5):
        chance = random.Random(seed)
        before = wander(History(), chance, 80)
        after = wander(before.copy(), chance, 80)
        files = before.save(tmp_path / "a.db"), after.save(tmp_path / "b.db")
        every = compare(*files, Options(noise=noise))
        few = compare(*files, Options(noise=noise, limit=limit))
        listed = [(each.state, each.object) for each in every.differences]
        expected = [one for state in State for one in [each for each in listed if each[0] is state][:limit]]
        assert [(each.state, each.object) for each in few.differences] == expected
        assert few.rows == every.rows


def last(history):
    """The message of each key that exists."""
    return {key: history.entries[revision(modified)] for key, (_, _, modified) in history.living.items()}


def expected(a, b):
    """How two messages differ, by the plain rules."""
    if a is None or b is None:
        return State.ONLY_IN_A if b is None else State.ONLY_IN_B
    if a == b:
        return None
    a, b = key_value(a), key_value(b)
    if a.created != b.created:
        return State.RECREATED
    return State.REWRITTEN if a.value == b.value else State.CHANGED


def test_one_name_and_two_lineages(differences):
    """After a restore, one revision is not the same write in both."""
    before = History().put(CART, stored(ONE))
    left, right = before.copy(), before.copy()
    left.put(b"/registry/pods/shop/a", stored(ONE)).put(CART, stored(ONE, b"left"))
    right.put(b"/registry/pods/shop/a", stored(TWO)).put(CART, stored(ONE, b"right"))
    assert differences(left, right) == [
        (State.RECREATED, "/registry/pods/shop/a"),
        (State.CHANGED, CART.decode()),
    ]


def test_custom_resources_are_told_by_their_definitions(tmp_path):
    """By that of the other snapshot, where theirs is gone."""
    key, value = definition("Certificate", "cert-manager.io", "certificates")
    one = b"/registry/cert-manager.io/certificates/shop/tls"
    two = b"/registry/cert-manager.io/certificates/shop/web"
    before = History().put(key, value).put(one, custom(ONE))
    after = before.copy().delete(key).put(one, custom(ONE, "x")).put(two, custom(TWO))
    result = compare(before.save(tmp_path / "a.db"), after.save(tmp_path / "b.db"), Options())
    assert [(str(each.state), each.object.kind.title, each.object.name) for each in result.differences] == [
        ("onlyInA", "CustomResourceDefinition", "certificates.cert-manager.io"),
        ("onlyInB", "Certificate.cert-manager.io", "web"),
        ("changed", "Certificate.cert-manager.io", "tls"),
    ]


@pytest.mark.parametrize(
    "value", [b"k8s:enc:aescbc:v1:k:xx", b"{}", definition("Other", "foo.io", "others")[1]]
)
def test_a_definition_that_does_not_tell_leaves_the_key(tmp_path, value):
    key, _ = definition("Bar", "foo.io", "bars")
    before = History().put(key, value)
    after = before.copy().put(b"/registry/foo.io/bars/shop/b", custom(ONE))
    result = compare(before.save(tmp_path / "a.db"), after.save(tmp_path / "b.db"), Options())
    assert [(each.object.kind, each.object.key) for each in result.differences] == [
        (None, "/registry/foo.io/bars/shop/b")
    ]


def test_what_is_encrypted_is_not_guessed(differences):
    secret, old = b"/registry/secrets/shop/s", b"/registry/secrets/shop/old"
    before = History().put(secret, b"k8s:enc:aescbc:v1:k1:abc").put(old, stored(ONE))
    after = before.copy().put(secret, b"k8s:enc:aescbc:v1:k1:def").put(old, b"k8s:enc:aescbc:v1:k1:ghi")
    assert differences(before, after) == [
        (State.ENCRYPTED, old.decode()),
        (State.ENCRYPTED, secret.decode()),
    ]


def test_only_what_is_wanted_is_compared(differences):
    before = History()
    after = before.copy()
    for place in (b"pods/shop/a", b"pods/bar/a", b"deployments/shop/a", b"events/shop/a", b"minions/a"):
        after.put(b"/registry/" + place, stored(ONE))
    shop = ["deployments/shop/a", "events/shop/a", "pods/shop/a"]
    for wanted, noise, places in (
        (Wanted("shop"), True, shop),
        (Wanted("shop"), False, [shop[0], shop[2]]),
        (Wanted("shop", frozenset({"pod"})), True, ["pods/shop/a"]),
        (Wanted("", frozenset({"deployments.apps", "node"})), True, ["deployments/shop/a", "minions/a"]),
        (Wanted("other"), True, []),
    ):
        found = differences(before, after, wanted=wanted, noise=noise)
        assert [key for _, key in found] == [f"/registry/{place}" for place in places]


def test_the_files_are_told_apart(tmp_path):
    a, b = History().save(tmp_path / "a.db"), History(TWO).put(CART, stored(ONE)).save(tmp_path / "b.db")
    result = compare(a, b, Options())
    assert [(file.label, file.objects, file.cluster) for file in (result.a, result.b)] == [
        ("a.db", 1, str(CLUSTER)),
        ("b.db", 2, str(TWO)),
    ]
    assert not result.same_file
    assert compare(a, a, Options()).same_file


@pytest.mark.parametrize(
    ("namespace", "said"),
    [
        (None, "it has no key /registry/namespaces/kube-system (see --etcd-prefix)"),
        (b"k8s:enc:aescbc:v1:k:xx", "namespace kube-system is encrypted at rest"),
        (b"odd", "the value of /registry/namespaces/kube-system tells no UID"),
    ],
)
def test_a_cluster_that_can_not_be_told(tmp_path, namespace, said):
    history = History(None)
    if namespace:
        history.put(SYSTEM, namespace)
    file = history.save(tmp_path / "a.db")
    result = compare(file, file, Options())
    assert (result.a.cluster, result.a.why) == (None, said)


def test_labels():
    long = "etcd-snapshot-2026-11-29T06-00-00Z.db"
    assert labels(Path("x/a.db"), Path("y/b.db")) == ("a.db", "b.db")
    assert labels(Path("x/a.db"), Path("y/a.db")) == labels(Path("a.db"), Path(long)) == ("A", "B")
    assert labels(Path("a\x1b.db"), Path("b.db")) == ("a\\x1b.db", "b.db")


def broken(kind):
    """A snapshot with something wrong, and the rule for that."""
    history = History().put(CART, stored(ONE)).put(b"/registry/minions/w1", stored(TWO))
    file = BoltFile({**contents(), b"key": history.entries}, inline=False, a_page=2)
    match kind:
        case "truncated":
            return file.snapshot()[:-4096]
        case "sha256":
            return file.snapshot()[:-1] + b"\0"
        case "circle":
            top = file.offset("key")
            file.patch(top + 16 + 8, "<Q", top // file.page_size)
        case "order":
            file.patch(file.offset("key", 0) + file.data[file.offset("key", 0) :].index(b"_") - 1, "<B", 9)
        case "entry":
            message = file.data.index(CART) - 2
            file.patch(message, "<B", 0xFF)
    return file.snapshot()


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("truncated", "truncated"),
        ("sha256", "sha256"),
        ("circle", "damaged"),
        ("order", "damaged"),
        ("entry", "damaged"),
    ],
)
@pytest.mark.parametrize("first", [False, True])
def test_a_broken_file_is_not_compared(tmp_path, kind, rule, first):
    (tmp_path / "broken.db").write_bytes(broken(kind))
    files = [tmp_path / "broken.db", History().save(tmp_path / "whole.db")]
    result = compare(*(files if first else reversed(files)), Options())
    assert not result.compared
    assert list(result.differences) == []
    bad, good = (result.a, result.b) if first else (result.b, result.a)
    assert [finding.rule for finding in bad.verdict.findings] == [rule]
    assert good.verdict.findings == ()


def test_two_broken_files(tmp_path):
    for name in ("a.db", "b.db"):
        (tmp_path / name).write_bytes(broken("entry"))
    (tmp_path / "b.db").write_bytes(broken("order"))
    result = compare(tmp_path / "a.db", tmp_path / "b.db", Options())
    assert not result.compared
    for file, said in ((result.a, "in bucket key"), (result.b, "is not greater")):
        assert [said in str(damage) for damage in file.verdict.damages] == [True]


@pytest.mark.parametrize("data", [b"", b"kind: Config", bytes(BoltFile({b"v1": {b"a": b"b"}}).data)])
def test_what_is_not_a_snapshot_is_not_compared(tmp_path, data):
    (tmp_path / "other").write_bytes(data)
    result = compare(tmp_path / "other", History().save(tmp_path / "whole.db"), Options())
    assert not result.compared
    assert [finding.rule for finding in result.a.verdict.findings] == ["not-a-snapshot"]


def test_what_is_no_file(tmp_path):
    whole = History().save(tmp_path / "whole.db")
    os.mkfifo(tmp_path / "pipe")
    for path, said in (
        (tmp_path / "nothing", "No such file"),
        (tmp_path, "is a directory"),
        (tmp_path / "pipe", "not a regular file"),
        (Path("a\0b"), "not a file name"),
    ):
        for pair in ((path, whole), (whole, path)):
            with pytest.raises(UsageError, match=said):
                compare(*pair, Options())


@pytest.mark.parametrize(
    "change", [lambda path: os.truncate(path, 100), lambda path: path.write_bytes(b"more")]
)
@pytest.mark.parametrize("number", [0, 1])
def test_a_file_that_changes_meanwhile(tmp_path, number, change):
    history = History()
    for index in range(50):
        history.put(b"/registry/pods/shop/web-%d" % index, stored(ONE, b"x" * 500))
    files = [history.save(tmp_path / "a.db"), History().save(tmp_path / "b.db")]
    both_open = files[0].stat().st_size + 1

    def meddle(done, _whole):
        if done >= both_open:
            change(files[number])

    with pytest.raises(AdminError, match="changed while it was read"):
        compare(*files, Options(), progress=meddle)


def test_progress_ends_at_the_end(tmp_path):
    calls = []
    files = History().save(tmp_path / "a.db"), History().put(CART, stored(ONE)).save(tmp_path / "b.db")
    compare(*files, Options(), progress=lambda *call: calls.append(call))
    whole = 2 * sum(file.stat().st_size for file in files)
    assert calls == sorted(calls)
    assert {total for _, total in calls} == {whole}
    assert calls[-1][0] <= whole


REAL = sorted((Path(__file__).parents[1] / "snapshot/data").glob("*.db.gz"))


@pytest.mark.parametrize("seed", range(60))
def test_whatever_is_changed_there_is_an_answer(tmp_path, seed):
    """Of real snapshots, with checksums made right again."""
    chance = random.Random(seed)
    whole = gzip.decompress(REAL[seed % len(REAL)].read_bytes())
    files = tmp_path / "a.db", tmp_path / "b.db"
    files[0].write_bytes(whole)
    files[1].write_bytes(changed_somewhere(whole, chance, right=True))
    result = compare(*files, Options())
    report = diff_report.report(result, noise=True, exit_code=True, listed=True)
    terminal.render(report, wide=True, headers=True, colour=False, width=80)
    document.to_json(report)
    assert result.compared or report.failed
