"""No entry of an archive leaves the directory, whatever it is called and whatever came before it."""

import itertools
import os

import pytest

from kubectl_admin.backup import paths
from kubectl_admin.backup.paths import Placing, Unsafe, is_below, shown, why_unsafe
from kubectl_admin.backup.ustar import Entry, Type


def directory(name):
    return Entry(name, type=Type.DIRECTORY)


def link(name, target="/etc"):
    return Entry(name, type=Type.LINK, target=target)


def place(*entries, **options):
    placing = Placing("backup.tar", **options)
    return [found.parts if (found := placing.place(one)) else None for one in entries], placing


def refused(*entries, **options):
    with pytest.raises(Unsafe) as error:
        place(*entries, **options)
    assert error.value.what.startswith("backup.tar: ")
    assert error.value.what.isprintable()
    return error.value.what


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "etc/kubernetes/pki/ca.crt",
        "...",
        "..a/b..",
        "a b",
        "-rf",
        "~",
        "a\\b",
        "c:",
        "a\nb",
        "ü",
        "\udcfc",
    ],
)
def test_a_path_below_the_directory(name):
    assert why_unsafe(name) == ""
    (parts,), _ = place(Entry(name))
    assert "/".join(parts) == name
    assert ".." not in parts


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "/etc/passwd",
        "//etc/passwd",
        "..",
        "../a",
        "a/../../b",
        "a/..",
        "a/../b",
        ".",
        "./a",
        "a/./b",
        "a//b",
        "a/",
        "a\0b",
        "x" * 256,
        "ü" * 128,
        "/".join("a" * 41),
    ],
)
def test_a_path_that_is_refused(name):
    assert why_unsafe(name)
    refused(Entry(name))


def test_what_is_joined_to_a_directory_stays_below_it(tmp_path):
    for name in ("a", "..a", "a/b/..c", "\\..\\x"):
        (parts,), _ = place(Entry(name))
        joined = os.path.normpath(tmp_path.joinpath(*parts))
        assert joined.startswith(f"{tmp_path}/")


def test_no_path_of_any_parts_leaves_the_directory(tmp_path):
    words = ["..", ".", "", "a", "b", "/", "\0", "...", "\\", " "]
    for names in itertools.product(words, repeat=4):
        name = "/".join(names)
        if not why_unsafe(name):
            joined = os.path.normpath(tmp_path.joinpath(*name.split("/")))
            assert joined == f"{tmp_path}/{name}"


def test_directories_and_files_in_any_order():
    parts, _ = place(Entry("a/b/c"), directory("a"), directory("a/b"), directory("a/b"), Entry("a/d"))
    assert parts == [("a", "b", "c"), ("a",), ("a", "b"), ("a", "b"), ("a", "d")]


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([Entry("a"), Entry("a")], "twice"),
        ([Entry("a"), directory("a")], "twice"),
        ([directory("a"), Entry("a")], "twice"),
        ([Entry("a/b"), Entry("a")], "twice"),
        ([Entry("a/b"), link("a")], "twice"),
        ([link("a"), link("a")], "twice"),
        ([link("a"), Entry("a")], "twice"),
        ([Entry("a"), Entry("a/b")], "below an entry that is no directory"),
        ([link("a"), Entry("a/b")], "below an entry that is no directory"),
        ([link("a", "."), Entry("a/b/c")], "below an entry that is no directory"),
        ([link("a/b"), link("a/b/c")], "below an entry that is no directory"),
        ([link("a"), directory("a/b")], "below an entry that is no directory"),
    ],
)
def test_no_entry_is_written_over_another_or_through_a_link(entries, why):
    assert why in refused(*entries)


def test_links_are_noted_and_made_nowhere():
    parts, placing = place(link("pki/current.pem", "/var/lib/x.pem"), Entry("pki/x.pem"))
    assert parts == [None, ("pki", "x.pem")]
    assert [one.target for one in placing.links] == ["/var/lib/x.pem"]


def test_a_bomb_is_refused_before_it_is_written():
    assert "more than 1.0KiB" in refused(Entry("a", 1024), Entry("b", 1), limit=1024)
    assert place(Entry("a", 1023), Entry("b", 1), limit=1024)
    refused(Entry("a", 1 << 50))


def test_there_is_a_limit_to_the_number_of_entries(monkeypatch):
    monkeypatch.setattr(paths, "ENTRIES", 3)
    place(Entry("a"), Entry("b"), directory("c"))
    refused(Entry("a"), Entry("b"), directory("c"), directory("c"))


@pytest.mark.parametrize(
    ("wanted", "so"),
    [
        ("", True),
        ("/", True),
        ("etc", True),
        ("/etc/", True),
        ("./etc/kubernetes", True),
        ("etc/kubernetes/pki/ca.crt", True),
        ("etc/kubernetes/pki/ca.crt/x", False),
        ("etc/kube", False),
        ("kubernetes", False),
    ],
)
def test_what_a_person_asks_for(wanted, so):
    assert is_below(("etc", "kubernetes", "pki", "ca.crt"), wanted) is so


def test_a_name_in_an_error_is_one_line():
    assert shown("a\x1b[2J\n") == r"«a\x1b[2J\n»"
    assert shown("\udcfc").isprintable()
    assert len(shown("x" * 5000)) < 100
