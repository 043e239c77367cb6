"""A file is found by whatever path leads to it."""

import pytest

from kubectl_admin.backup.links import Linked, resolved

LINKS = {
    "/etc/kubernetes/pki": "/data/pki",
    "/data/pki/ca.crt": "../authorities/./ca.crt",
    "/up": "../../..",
    "/a": "b",
    "/b": "a",
}


@pytest.mark.parametrize(
    ("path", "leads"),
    [
        ("/etc/hosts", "/etc/hosts"),
        ("/etc/kubernetes/pki/sa.key", "/data/pki/sa.key"),
        ("/etc/kubernetes/pki/ca.crt", "/data/authorities/ca.crt"),
        ("/etc//kubernetes/./manifests/../pki/x", "/data/pki/x"),
        ("/up/etc", "/etc"),
        ("/a/x", "/a/x"),  # in a circle
        ("/etc/kubernetes/pki2", "/etc/kubernetes/pki2"),
    ],
)
def test_a_path_leads_where_it_does_on_the_node(path, leads):
    assert resolved(path, LINKS) == leads


def test_what_is_known_is_found_by_each_path_and_listed_once():
    known = Linked({"/data/pki/sa.key": 1}, LINKS)
    assert "/etc/kubernetes/pki/sa.key" in known
    assert known["/etc/kubernetes/pki/sa.key"] == known["/data/pki/sa.key"] == 1
    assert (list(known), len(known), "/sa.key" in known) == (["/data/pki/sa.key"], 1, False)
