import pytest

from kubectl_admin.versions.version import Version


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("v1.36.3", "1.36.3"),
        ("1.37", "1.37.0"),
        ("v1.31.4-eks-2d5f260", "1.31.4-eks-2d5f260"),
        ("v1.30.5-gke.1014001", "1.30.5-gke.1014001"),
        ("v1.36.1+k3s1", "1.36.1+k3s1"),
        ("v1.37.0-alpha.2", "1.37.0-alpha.2"),
        ("3.6.8-0", "3.6.8-0"),
    ],
)
def test_what_is_a_version(text, shown):
    assert str(Version.parse(text)) == shown


@pytest.mark.parametrize("text", ["", "latest", "1", "v1.x", "1.36.3.4", "-1.2.3", "1.٣٦"])
def test_what_is_none(text):
    with pytest.raises(ValueError, match="not a version"):
        Version.parse(text)


def test_versions_stand_in_numerical_order():
    assert Version.parse("1.9.10") < Version.parse("1.10.2") < Version.parse("1.10.10")


def test_what_a_vendor_adds_makes_no_other_version():
    assert Version.parse("1.36.3-eks-1") == Version.parse("1.36.3")


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("registry.k8s.io/kube-apiserver:v1.36.3", "1.36.3"),
        ("mirror.example:5000/k8s/kube-apiserver:v1.36.3@sha256:0123", "1.36.3"),
        ("mirror.example:5000/kube-apiserver@sha256:0123", None),
        ("registry.k8s.io/etcd:3.6.8-0", "3.6.8-0"),
        ("mirror.example/kube-proxy:v1.30.2_fips.1", "1.30.2+fips.1"),
        ("kube-proxy:latest", None),
        ("kube-proxy", None),
        ("", None),
    ],
)
def test_what_an_image_claims(image, version):
    found = Version.of_image(image)
    assert (str(found) if found else None) == version


def test_semver_orders_where_one_is_chosen():
    # semver.org, section 11, and Kubernetes' own names
    ordered = [
        *("1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11"),
        *(
            "1.0.0-rc.1",
            "1.0.0",
            "1.36.9",
            "1.37.0-alpha.0",
            "1.37.0-beta.0",
            "1.37.0-rc.0",
            "1.37.0",
            "1.37.1",
        ),
    ]
    found = sorted(map(Version.parse, ordered[::-1]), key=lambda each: each.precedence)
    assert [str(each) for each in found] == ordered
    assert Version.parse("1.0.0+a").precedence == Version.parse("1.0.0+b").precedence


@pytest.mark.parametrize(
    ("text", "prerelease", "build"),
    [
        ("1.37.2", "", ""),
        ("1.37.2+vmware.1", "", "+vmware.1"),
        ("1.37.2-eks-2d5f260", "", "-eks-2d5f260"),
        ("1.37.2-aliyun.1", "", "-aliyun.1"),
        ("1.37.2-1+1a2b3c4", "", "-1+1a2b3c4"),
        ("1.37.2-alphabet.1", "", "-alphabet.1"),
        ("3.6.8-0", "", "-0"),
        ("1.38.0-rc.1", "rc.1", ""),
        ("1.38.0-rc1", "rc1", ""),
        ("1.38.0-rc.1-eks-1", "rc.1", "-eks-1"),
        ("1.38.0-alpha.1.24+0123abc", "alpha.1.24", "+0123abc"),
    ],
)
def test_what_is_a_pre_release_and_what_a_vendors_build(text, prerelease, build):
    version = Version.parse(text)
    assert (version.prerelease, version.build) == (prerelease, build)
    assert str(version) == text


@pytest.mark.parametrize(
    ("wanted", "there", "met"),
    [
        ("1.37.2", "v1.37.2", True),
        ("1.37.2", "1.37.2+vmware.1", True),
        ("1.37.2", "1.37.2-1+1a2b3c4", True),
        ("1.37.2", "1.37.3", False),
        ("1.37.2", "1.37.2-rc.1", False),
        ("1.37.2-rc.1", "1.37.2-rc.1+vmware.1", True),
        ("1.37.2+vmware.1", "1.37.2+vmware.1", True),
        ("1.37.2+vmware.1", "1.37.2+vmware.2", False),
        ("1.37.2-aliyun.1", "1.37.2", False),
    ],
)
def test_a_build_counts_where_it_is_named(wanted, there, met):
    assert Version.parse(wanted).is_met_by(Version.parse(there)) is met
    assert not Version.parse(wanted).is_met_by(None)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1.37.0", "1.37.0", True),
        ("v1.37.0", "1.37.0", True),
        ("1.37.0-rc.1", "1.37.0", False),
        ("1.37.0-rc.1", "1.37.0-rc.1", True),
        ("1.36.3+vendor.1", "1.36.3", False),
        ("1.36.3", "1.36.4", False),
    ],
)
def test_whether_it_is_there_already(one, other, same):
    assert Version.parse(one).is_same(Version.parse(other)) is same
    assert Version.parse(other).is_same(Version.parse(one)) is same
    assert not Version.parse(one).is_same(None)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1.37.0", "1.37.0", True),
        ("1.37.0", "1.37.0+vendor.1", True),
        ("1.37.0-rc.1", "1.37.0", False),
        ("1.37.0-rc.1", "1.37.0-rc.1+vendor.1", True),
        ("1.37.0", "1.37.0-eks-2d5f260", True),
        ("1.37.0-aliyun.1", "1.37.0-1+1a2b3c4", True),
    ],
)
def test_whether_it_is_the_same_release(one, other, same):
    assert Version.parse(one).is_release(Version.parse(other)) is same
    assert not Version.parse(one).is_release(None)


def test_a_number_of_any_length_has_its_place():
    low, high = (f"1.37.0-rc.{digit * 120}" for digit in "18")
    assert Version.parse(low).precedence < Version.parse(high).precedence
    assert Version.parse("1.37.0-rc.9").precedence < Version.parse(low).precedence
    assert Version.parse("1.37.0-rc.0").precedence < Version.parse("1.37.0-rc.1").precedence
    assert Version.find("1.37.0-rc." + "9" * 5000) is None
