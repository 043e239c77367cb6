import pytest

from tests.lab.errors import LabError
from tests.lab.nodes import lab
from tests.lab.nodes.lab import Lab, Shape
from tests.lab.nodes.network import Network
from tests.lab.versions import RELEASES, release


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.mark.parametrize("name", ["", "Upper", "-x", "x-", "a/b", "..", "x" * 25, "x y", "x\n"])
def test_what_cant_be_a_name_is_refused(name):
    with pytest.raises(LabError, match="is no name for a lab"):
        lab.folder_of(name)


def test_nodes_have_names_numbers_and_addresses_control_planes_first():
    made = Lab("x", Shape("1.36.3", 3, 2), Network(1))
    assert [(node.name, node.address, node.control_plane) for node in made.nodes] == [
        ("cp-1", "10.201.0.11", True),
        ("cp-2", "10.201.0.12", True),
        ("cp-3", "10.201.0.13", True),
        ("worker-1", "10.201.0.14", False),
        ("worker-2", "10.201.0.15", False),
    ]
    with pytest.raises(LabError, match=r"has no node cp-4; it has cp-1, cp-2, cp-3, worker-1, worker-2$"):
        made.node("cp-4")


def test_a_lab_is_found_as_it_was_saved():
    made = Lab("x", Shape("1.36.3", 1, 0), Network(1), complete=True)
    assert lab.find("x") is None
    with pytest.raises(LabError, match="there is no lab x"):
        lab.get("x")
    made.save()
    assert lab.find("x") == lab.get("x") == made
    assert lab.names() == ["x"]


@pytest.mark.parametrize("asked", ["1.36", "1.36.3", "v1.36", "v1.36.3"])
def test_a_release_is_found_by_minor_or_version(asked):
    assert release(asked) == RELEASES[0]


def test_a_release_that_is_not_made_is_named_with_those_that_are():
    with pytest.raises(
        LabError, match=r"Kubernetes 1\.12 is not among the lab's versions: 1\.36 \(1\.36\.3\), "
    ):
        release("1.12")
