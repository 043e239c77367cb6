from ipaddress import ip_address

import pytest

from kubectl_admin.certificates.requests.nodes import (
    Configured,
    Server,
    addresses_of,
    configured,
    service_addresses,
)


def config(text):
    return {"data": {"ClusterConfiguration": text}}


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


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("api.Example.com:6443", "api.example.com"),
        ("api.example.com.", "api.example.com"),
        ("10.0.0.5:6443", ip_address("10.0.0.5")),
        ("10.0.0.5", ip_address("10.0.0.5")),
        ('"[fd00::5]:6443"', ip_address("fd00::5")),
        ("fd00::5", ip_address("fd00::5")),
        ("'::ffff:10.0.0.5'", ip_address("10.0.0.5")),
    ],
)
def test_an_endpoint_is_a_name_or_an_address_with_or_without_its_port(written, found):
    text = f"kind: ClusterConfiguration\ncontrolPlaneEndpoint: {written}\n"
    assert configured(config(text)).names == {found}


def test_further_names_and_the_clusters_domain_are_what_kubeadm_was_told():
    text = """
controlPlaneEndpoint: 10.0.0.5:6443
apiServer: {certSANs: [K8S.example.com, 192.0.2.10]}
networking: {dnsDomain: corp.example}
"""
    assert configured(config(text)) == Configured(
        frozenset({ip_address("10.0.0.5"), "k8s.example.com", ip_address("192.0.2.10")}), "corp.example"
    )


@pytest.mark.parametrize(
    "about",
    [
        {},
        {"data": None},
        config(""),
        config("kind: ClusterConfiguration"),
        config('controlPlaneEndpoint: ""'),
    ],
)
def test_a_control_plane_may_have_been_set_up_without_an_endpoint(about):
    assert configured(about) == Configured()


@pytest.mark.parametrize(
    "text", ["a: [", "- a", "words", "apiServer: [a]", "networking: a", "apiServer: {certSANs: a}"]
)
def test_what_is_no_configuration_is_said(text):
    with pytest.raises(ValueError, match=r"ClusterConfiguration (is no|are not)"):
        configured(config(text))


def test_what_the_api_server_is_known_by_may_be_a_control_planes_own_but_for_its_service():
    service, address = ip_address("10.96.0.1"), ip_address("10.0.0.1")
    server = Server(frozenset({service}), frozenset({address, "cp1", "*.k8s.example.com"}))
    asked = [service, address, "cp1", "api.k8s.example.com", "a.b.k8s.example.com", "w1"]
    assert [server.is_known_by(one, control_plane=False) for one in asked] == [True] * 4 + [False] * 2
    assert [server.is_known_by(one, control_plane=True) for one in asked] == [True] + [False] * 5


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("webhook.default.svc", True),
        ("svc", True),
        ("db.default.svc.cluster.local", True),
        ("db.default.svc.corp.example", True),
        ("10-0-0-1.default.pod.corp.example", True),
        ("w1.corp.example", False),
        ("w1.svc.example.com", False),
    ],
)
def test_names_of_services_and_pods_are_told_from_those_of_machines(name, service):
    assert Server(domain="corp.example").is_a_services(name) is service
