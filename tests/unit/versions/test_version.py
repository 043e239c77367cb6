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
