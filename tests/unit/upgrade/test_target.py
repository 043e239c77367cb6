"""Which version a node goes to."""

import pytest

from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.upgrade import target
from kubectl_admin.upgrade.facts import Role
from kubectl_admin.upgrade.packages import Offer
from kubectl_admin.versions.version import Version
from tests.unit.upgrade.cases import CONTROL_PLANES, NEW, OLD, facts, only_one

OFFERS = [
    Offer(name, f"{release}-{revision}", release)
    for release, revision in [
        ("1.36.3", "1.1"),
        ("1.36.5", "1.1"),
        ("1.37.0", "1.1"),
        ("1.37.2", "1.1"),
        ("1.37.2", "2.1"),
    ]
    for name in target.NAMES
]


@pytest.mark.parametrize(
    ("text", "minor", "version"),
    [
        ("1.37", 37, None),
        ("v1.37", 37, None),
        ("1.37.2", 37, NEW),
        (" v1.37.2 ", 37, NEW),
        ("1.37.0", 37, Version(1, 37, 0)),
        ("1.38.0-rc.1", 38, Version(1, 38, 0, "-rc.1")),
        ("v1.37.2+vendor.1", 37, Version(1, 37, 2, "+vendor.1")),
    ],
)
def test_a_version_or_a_minor(text, minor, version):
    found = target.wanted(text)
    assert found == (minor, version)
    assert str(found[1]) == str(version)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "37",
            "latest",
            "2.0",
            "1.37.x",
            "1",
            "--",
            "1.37.2;id",
            "1.37-rc.1",
            "1.37.2-",
            "1.37.2-rc.1;id",
        ),
        *("1.37.2-rc.1\nid", "1.37.2+", "1.37.2~rc.1"),
    ],
)
def test_what_is_no_version(text):
    with pytest.raises(UsageError, match="is not a Kubernetes version"):
        target.wanted(text)


@pytest.mark.parametrize(
    ("node", "moved", "written", "goal", "role"),
    [
        ("worker-1", (), OLD, NEW, Role.WORKER),
        ("cp-1", (), OLD, NEW, Role.FIRST),
        ("cp-1", (), None, NEW, Role.FIRST),
        # kubeadm was cut after the static pods, and before it wrote the version down
        ("cp-1", ("cp-1",), OLD, NEW, Role.FIRST),
        ("cp-2", ("cp-1",), NEW, NEW, Role.FURTHER),
        ("cp-1", ("cp-1",), NEW, NEW, Role.FURTHER),
        ("cp-1", CONTROL_PLANES, NEW, NEW, Role.FURTHER),
        # a release after its candidate, and another build of the same
        ("cp-1", (), Version(1, 37, 2, "-rc.1"), NEW, Role.FIRST),
        ("cp-1", (), Version(1, 37, 2, "+vendor.1"), Version(1, 37, 2, "+vendor.2"), Role.FIRST),
        ("cp-1", (), NEW, Version(1, 37, 2, "+vendor.1"), Role.FIRST),
        # which build it is was not said
        ("cp-2", ("cp-1",), Version(1, 37, 2, "+vendor.1"), NEW, Role.FURTHER),
        ("cp-2", ("cp-1",), Version(1, 37, 2, "-eks-2d5f260"), NEW, Role.FURTHER),
        ("cp-2", ("cp-1",), NEW, Version(1, 37, 2, "-rc.1"), Role.FURTHER),
        # a later patch than the one that the others have
        ("cp-2", ("cp-1",), NEW, Version(1, 37, 3), Role.FIRST),
    ],
)
def test_what_a_node_is(node, moved, written, goal, role):
    assert target.role(facts(node, moved=moved, written=written), goal) is role


def test_a_control_plane_never_gets_apply_where_the_cluster_is_written_as_upgraded():
    """kubeadm-config was edited by hand, or the first control plane is back at its old version."""
    for node in CONTROL_PLANES:
        assert target.role(facts(node, moved=(), written=NEW), NEW) is Role.FURTHER
    assert target.role(only_one(facts("cp-2", moved=(), written=NEW)), NEW) is Role.FURTHER


@pytest.mark.parametrize(
    ("node", "moved", "written", "minor"),
    [
        ("worker-1", (), OLD, 36),
        ("worker-1", ("cp-1",), NEW, 36),  # the oldest API server
        ("worker-1", CONTROL_PLANES, NEW, 37),
        ("cp-1", (), OLD, 36),  # a minor only when it is named
        ("cp-2", ("cp-1",), NEW, 37),
        ("cp-2", ("cp-1",), None, 36),
    ],
)
def test_the_minor_that_goes_without_saying(node, moved, written, minor):
    assert target.default_minor(facts(node, moved=moved, written=written)) == minor


@pytest.mark.parametrize(
    ("node", "moved", "written", "asked", "minor", "version"),
    [
        ("cp-1", (), OLD, None, 36, "1.36.5"),  # the newest patch of its minor
        ("cp-1", (), OLD, None, 37, "1.37.2"),
        ("cp-1", (), OLD, Version(1, 37, 0), 37, "1.37.0"),
        ("cp-2", ("cp-1",), Version(1, 37, 0), None, 37, "1.37.0"),  # what the first one has
        ("worker-1", (), OLD, None, 36, "1.36.3"),  # what the API servers have
        ("worker-1", CONTROL_PLANES, NEW, None, 37, "1.37.2"),
    ],
)
def test_the_version(node, moved, written, asked, minor, version):
    chosen = target.choose(facts(node, moved=moved, written=written), asked, minor, OFFERS)
    assert str(chosen.version) == version


def test_the_newest_package_of_a_version():
    assert target.choose(facts("cp-1"), NEW, 37, OFFERS).package == "1.37.2-2.1"


def test_what_is_not_offered_is_said_with_what_is():
    with pytest.raises(AdminError, match=r"does not offer 1\.37\.9") as error:
        target.choose(facts("cp-1"), Version(1, 37, 9), 37, OFFERS)
    assert error.value.hint == "the newest there is 1.37.2; name a version with --to"
    with pytest.raises(AdminError, match=r"offers no 1\.38"):
        target.choose(facts("cp-1"), None, 38, OFFERS)


def test_a_version_that_lacks_a_package_is_not_offered():
    some = [offer for offer in OFFERS if (offer.name, offer.release) != ("kubectl", "1.37.2")]
    assert str(target.choose(facts("cp-1"), None, 37, some).version) == "1.37.0"


def offers(*releases):
    return [
        Offer(name, f"{release.replace('-', '~', 1)}-1.1", release)
        for release in releases
        for name in target.NAMES
    ]


EARLY = ("1.38.0-alpha.1", "1.38.0-beta.0", "1.38.0-rc.1", "1.38.0-rc.0")


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("releases", "asked", "package"),
    [
        ((*EARLY, "1.38.0"), None, "1.38.0-1.1"),
        (("1.38.1-rc.0", "1.38.0"), None, "1.38.0-1.1"),  # a pre-release only when it is named
        (EARLY, "1.38.0-rc.0", "1.38.0~rc.0-1.1"),
        ((*EARLY, "1.38.0"), "1.38.0", "1.38.0-1.1"),
        ((*EARLY, "1.38.0"), "1.38.0-beta.0", "1.38.0~beta.0-1.1"),
        (("1.38.0+a", "1.38.0+b"), "1.38.0+a", "1.38.0+a-1.1"),
        (("1.38.0+a", "1.38.0+b"), "1.38.0", "1.38.0+b-1.1"),
        (("1.38.0", "1.38.0+b"), "1.38.0", "1.38.0-1.1"),
        (("1.38.0", "1.38.0+b"), "1.38.0+b", "1.38.0+b-1.1"),
    ],
)
def test_of_several_the_choice_is_never_chance(order, releases, asked, package):
    version = Version.parse(asked) if asked else None
    chosen = target.choose(facts("cp-1"), version, 38, offers(*releases)[::order])
    assert chosen.package == package
    assert chosen.package.startswith(str(chosen.version).replace("-", "~"))


def test_pre_releases_alone_are_said():
    with pytest.raises(AdminError, match=r"offers of 1\.38 only pre-releases") as error:
        target.choose(facts("cp-1"), None, 38, offers(*EARLY))
    assert error.value.hint == "name one with --to 1.38.0-rc.1"
    with pytest.raises(AdminError, match=r"does not offer 1\.38\.0 of") as error:
        target.choose(facts("cp-1"), Version(1, 38, 0), 38, offers(*EARLY))
    assert error.value.hint == "the newest there is 1.38.0-rc.1; name a version with --to"


def test_a_packages_revision_is_its_numbers():
    assert target.revision("1.37.2-150500.1.1") == (150500, 1, 1)
    assert target.revision("1.37.2-1." + "9" * 5000) == (1,)
