from ipaddress import ip_address

import pytest

from kubectl_admin.certificates.requests.nodes import addresses_of, endpoint, service_addresses


def test_addresses_of_a_node_are_those_that_a_kubelet_asks_for():
    kinds = [
        ("Hostname", "W1"),
        ("InternalIP", "10.0.0.11"),
        ("ExternalIP", "192.0.2.7"),
        ("InternalDNS", "w1.internal"),
        ("ExternalDNS", "w1.example.com"),
        ("InternalIP", "not an address"),
        ("Whatever", "evil.example.com"),
        ("Hostname", ""),
    ]
    node = {"status": {"addresses": [{"type": kind, "address": text} for kind, text in kinds]}}
    found = addresses_of(node)
    assert found.names == {"w1", "w1.internal", "w1.example.com"}
    assert found.addresses == {ip_address("10.0.0.11"), ip_address("192.0.2.7")}
    assert addresses_of({}) == addresses_of({"status": {}})


def test_a_hostname_that_is_an_address_is_one():
    found = addresses_of({"status": {"addresses": [{"type": "Hostname", "address": "10.0.0.11"}]}})
    assert (found.names, found.addresses) == (frozenset(), {ip_address("10.0.0.11")})


def test_a_control_plane_is_one_by_its_label():
    labels = {"node-role.kubernetes.io/control-plane": ""}
    assert addresses_of({"metadata": {"labels": labels}}).control_plane
    assert not addresses_of({"metadata": {"labels": {"kubernetes.io/hostname": "w1"}}}).control_plane


@pytest.mark.parametrize(
    ("spec", "addresses"),
    [
        ({"clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1", "fd00:96::1"]}, ["10.96.0.1", "fd00:96::1"]),
        ({"clusterIP": "10.96.0.1"}, ["10.96.0.1"]),
        ({"clusterIP": "None", "clusterIPs": ["None"]}, []),
        ({}, []),
    ],
    ids=["two families", "one", "headless", "none"],
)
def test_a_service_has_an_address_of_each_family(spec, addresses):
    assert service_addresses({"spec": spec}) == set(map(ip_address, addresses))


def config(text):
    return {"data": {"ClusterConfiguration": text}}


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("api.Example.com:6443", "api.example.com"),
        ("api.example.com", "api.example.com"),
        ("10.0.0.5:6443", ip_address("10.0.0.5")),
        ("10.0.0.5", ip_address("10.0.0.5")),
        ('"[fd00::5]:6443"', ip_address("fd00::5")),
        ("fd00::5", ip_address("fd00::5")),
        ("'::ffff:10.0.0.5'", ip_address("10.0.0.5")),
        ('""', ""),
    ],
)
def test_an_endpoint_is_a_name_or_an_address_with_or_without_its_port(written, found):
    text = f"kind: ClusterConfiguration\ncontrolPlaneEndpoint: {written}\n"
    assert endpoint(config(text)) == found


@pytest.mark.parametrize("about", [{}, {"data": None}, config(""), config("kind: ClusterConfiguration")])
def test_a_control_plane_may_have_been_set_up_without_an_endpoint(about):
    assert endpoint(about) == ""


@pytest.mark.parametrize("text", ["a: [", "- a", "words"])
def test_what_is_no_configuration_is_said(text):
    with pytest.raises(ValueError, match="ClusterConfiguration is no"):
        endpoint(config(text))
