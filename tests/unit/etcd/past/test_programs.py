"""The programs' versions, and how they end."""

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.past import programs

RIGHT = {"etcdutl": "3.6.8", "etcd": "3.6.8", "kube-apiserver": "1.36.3"}


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("etcd Version: 3.6.8\nGit SHA: Not provided\n", "3.6.8"),
        ("etcdutl version: 3.5.35\nAPI version: 3.5\n", "3.5.35"),
        ("Kubernetes v1.36.3\n", "1.36.3"),
        ("no version\n", ""),
    ],
)
def test_versions(said, version):
    assert programs.version(said) == version


def test_programs_that_fit():
    programs.refuse_unable(RIGHT, "here", "hint")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"etcdutl": ""}, "here: etcdutl is not there"),
        ({"etcdutl": "", "etcd": ""}, "here: etcdutl, etcd are not there"),
        ({"etcdutl": "3.5.35"}, "here: etcdutl is 3.5.35, and etcd is 3.6.8"),
    ],
)
def test_programs_that_do_not_fit(changed, said):
    with pytest.raises(AdminError, match=r"^here: ") as raised:
        programs.refuse_unable({**RIGHT, **changed}, "here", "hint")
    assert (raised.value.what, raised.value.hint) == (said, "hint")


def test_etcdutl_may_end_well():
    programs.refuse_ended({"etcdutl": 0}, {})


@pytest.mark.parametrize(
    ("ended", "words", "said"),
    [
        ({"etcd": 0}, {}, "etcd has ended with exit code 0: it said nothing"),
        ({"etcdutl": 1}, {"etcdutl": "a\nb\n\n"}, "etcdutl has ended with exit code 1: b"),
        (
            {"kube-apiserver": 1},
            {"kube-apiserver": "Error: no\nUsage:\n\x1b[1m"},
            r"kube-apiserver has ended with exit code 1: \x1b[1m",
        ),
        (
            {"kube-apiserver": 137},
            {},
            "kube-apiserver was killed, as it is where it takes more memory than is there for it",
        ),
    ],
)
def test_a_program_that_should_run_and_does_not(ended, words, said):
    with pytest.raises(AdminError) as raised:
        programs.refuse_ended(ended, words)
    assert raised.value.what == said
