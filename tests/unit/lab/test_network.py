import ipaddress

import pytest

from tests.lab.errors import LabError
from tests.lab.nodes import network
from tests.lab.nodes.network import Network


@pytest.fixture
def used(monkeypatch):
    """The subnets that this machine's routes and addresses touch."""
    subnets = []
    monkeypatch.setattr(network, "_used", lambda: subnets)
    return subnets


@pytest.mark.usefixtures("used")
def test_the_first_network_that_nobody_has_is_free():
    assert network.free([]) == Network(0)
    assert network.free([0, 1, 3]) == Network(2)


def test_a_network_that_a_route_of_the_machine_touches_is_not_free(used):
    used += [ipaddress.IPv4Network("10.200.0.7/32"), ipaddress.IPv4Network("10.201.0.0/16")]
    assert network.free([]) == Network(2)


def test_when_all_are_taken_that_is_said(used):
    used.append(ipaddress.IPv4Network("10.0.0.0/8"))
    with pytest.raises(LabError, match=r"no free subnet among 10\.200\.0\.0/24 to 10\.239\.0\.0/24"):
        network.free([])


def test_labs_networks_clash_neither_with_each_other_nor_with_pods_and_services():
    subnets = [Network(index).subnet for index in range(network.COUNT)]
    subnets += [ipaddress.IPv4Network("10.96.0.0/12"), ipaddress.IPv4Network("10.244.0.0/16")]
    assert sum(one.overlaps(other) for one in subnets for other in subnets) == len(subnets)


def test_the_addresses_of_a_network():
    third = Network(2)
    assert (third.gateway, third.address(1), third.bridge, third.cable(1)) == (
        "10.202.0.1",
        "10.202.0.11",
        "kalab2",
        "kalab2n1",
    )


def test_names_of_links_fit_into_what_the_kernel_allows():
    assert len(Network(network.COUNT - 1).cable(23)) <= 15


@pytest.mark.parametrize("stays", [True, False])
def test_a_cable_that_goes_by_itself_while_it_is_removed_is_no_error(monkeypatch, stays):
    links = ["kalab2n1"]

    def refuse(*_arguments):
        if not stays:
            links.clear()
        raise LabError("Cannot find device")

    monkeypatch.setattr(network, "_links", lambda: list(links))
    monkeypatch.setattr(network, "_ip", refuse)
    if stays:
        with pytest.raises(LabError, match="Cannot find device"):
            network.remove(Network(2))
    else:
        network.remove(Network(2))
