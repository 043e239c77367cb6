"""Where components serve and what they are asked there, by their own pods."""

from dataclasses import replace

import pytest

from kubectl_admin.control_plane.component import Component
from kubectl_admin.errors import AdminError
from kubectl_admin.health.asking.questions import (
    KubeProxyConfig,
    cluster_domain,
    kube_proxy,
    kube_proxy_config,
    kubelet,
    static_pod,
    ways,
)
from kubectl_admin.health.facts import Endpoint
from tests.unit.health import made

APISERVER, ETCD = Component.APISERVER, Component.ETCD
MANAGER, SCHEDULER = Component.CONTROLLER_MANAGER, Component.SCHEDULER


def item(component, *flags, **probes):
    """A static pod's object. probes: path, or (path, host, port, scheme), by their kind."""
    container = {
        "name": str(component),
        "command": [str(component), *flags],
        "ports": [{"name": "probe-port", "containerPort": 7777}],
    }
    for kind, said in probes.items():
        path, host, port, scheme = said if isinstance(said, tuple) else (said, "127.0.0.1", 10000, "HTTPS")
        container[kind] = {"httpGet": {"path": path, "host": host, "port": port, "scheme": scheme}}
    return {
        "metadata": {"name": f"{component}-cp-1", "namespace": "kube-system"},
        "spec": {"nodeName": "cp-1", "containers": [container]},
    }


def planned(component, *flags, certificate=True, **probes):
    return static_pod(item(component, *flags, **probes), component, certificate=certificate)


def paths(plan):
    return [" ".join(question.paths) for question in plan.questions]


@pytest.mark.parametrize(
    ("component", "flags", "probes", "endpoint"),
    [
        (APISERVER, ["--secure-port=6444"], {}, Endpoint("", 6444, "https")),
        (APISERVER, ["--bind-address=10.0.0.11"], {}, Endpoint("10.0.0.11", 6443, "https")),
        (MANAGER, ["--bind-address=127.0.0.1"], {}, Endpoint("127.0.0.1", 10257, "https")),
        (MANAGER, ["--bind_address=::1"], {}, Endpoint("::1", 10257, "https")),
        (MANAGER, ["--secure-port=0"], {}, None),
        # A flag wins over a probe, and a probe over what is usual.
        (SCHEDULER, [], {"livenessProbe": "/livez"}, Endpoint("", 10000, "https")),
        (SCHEDULER, ["--secure-port=11"], {"livenessProbe": "/livez"}, Endpoint("", 11, "https")),
        (
            SCHEDULER,
            [],
            {"readinessProbe": ("/readyz", "", "probe-port", "HTTP")},
            Endpoint("", 7777, "http"),
        ),
        (
            SCHEDULER,
            [],
            {"readinessProbe": ("/readyz", "", "no-such", "HTTPS")},
            Endpoint("", 10259, "https"),
        ),
        (ETCD, ["--listen-metrics-urls=http://127.0.0.1:2381"], {}, Endpoint("127.0.0.1", 2381, "http")),
        # Of several addresses the loopback is asked.
        (
            ETCD,
            ["--listen-metrics-urls=http://10.0.0.11:2381,http://127.0.0.1:2382"],
            {},
            Endpoint("127.0.0.1", 2382, "http"),
        ),
        (ETCD, ["--listen-metrics-urls=http://10.0.0.11:2381"], {}, Endpoint("10.0.0.11", 2381, "http")),
        (ETCD, ["--listen-metrics-urls=https://[::1]:2381"], {}, Endpoint("::1", 2381, "https")),
        (
            ETCD,
            [],
            {"livenessProbe": ("/health", "127.0.0.1", 2381, "HTTP")},
            Endpoint("127.0.0.1", 2381, "http"),
        ),
        (ETCD, [], {}, None),
    ],
)
def test_where_a_part_of_the_control_plane_serves(component, flags, probes, endpoint):
    plan = planned(component, *flags, **probes)
    assert plan.process.endpoint == endpoint
    assert {question.endpoint for question in plan.questions} == ({endpoint} if endpoint else set())
    assert (plan.process.component, plan.process.node, plan.process.expected) == (component, "cp-1", True)
    assert plan.process.pod.name == f"{component}-cp-1"


@pytest.mark.parametrize(
    ("component", "probes", "asked"),
    [
        (APISERVER, {}, ["/livez?verbose /metrics", "/readyz?verbose"]),
        (MANAGER, {"livenessProbe": "/healthz"}, ["/healthz /metrics"]),
        # A scheduler's /healthz is a ping where it has /readyz.
        (SCHEDULER, {"livenessProbe": "/livez", "readinessProbe": "/readyz"}, ["/readyz /metrics"]),
        (SCHEDULER, {"livenessProbe": "/healthz"}, ["/healthz /metrics"]),
    ],
)
def test_what_a_part_of_the_control_plane_is_asked(component, probes, asked):
    assert paths(planned(component, **probes)) == asked


@pytest.mark.parametrize(
    ("probe", "asked"),
    [
        ("/readyz", ["/health", "/metrics", "/readyz?verbose"]),
        # Before 3.5.11 etcd has no other path than this.
        ("/health?exclude=NOSPACE&serializable=true", ["/health", "/metrics"]),
        (None, ["/health", "/metrics", "/readyz?verbose"]),
    ],
)
def test_what_etcd_is_asked(probe, asked):
    probes = {"livenessProbe": (probe, "127.0.0.1", 2381, "HTTP")} if probe else {}
    assert paths(planned(ETCD, "--listen-metrics-urls=http://127.0.0.1:2381", **probes)) == asked


def test_metrics_that_want_a_client_certificate_are_not_asked_for_without_one():
    assert paths(planned(SCHEDULER, certificate=False)) == ["/healthz"]
    assert paths(planned(APISERVER, certificate=False))[0].endswith("/metrics")  # a token goes there
    assert "/metrics" in paths(planned(ETCD, "--listen-metrics-urls=http://127.0.0.1:1", certificate=False))


def test_a_kubelet_is_asked_at_the_port_that_its_node_names():
    node = {"metadata": {"name": "w1"}, "status": {"daemonEndpoints": {"kubeletEndpoint": {"Port": 10350}}}}
    plan = kubelet(node, certificate=True)
    assert plan.process.endpoint == Endpoint("", 10350, "https")
    assert paths(plan) == ["/healthz?verbose /metrics"]
    assert plan.questions[0].otherwise.endpoint.port == 10248


@pytest.mark.parametrize("port", [0, -1, 65536, "x", None, [1]])
def test_a_port_that_is_none_is_the_usual_one(port):
    node = {"metadata": {"name": "w1"}, "status": {"daemonEndpoints": {"kubeletEndpoint": {"Port": port}}}}
    assert kubelet(node, certificate=True).process.endpoint.port == 10250


def test_a_kubelet_is_only_pinged_without_a_client_certificate():
    plan = kubelet({"metadata": {"name": "w1"}}, certificate=False)
    assert plan.process.endpoint == Endpoint("127.0.0.1", 10248, "http")
    assert paths(plan) == ["/healthz"]


@pytest.mark.parametrize(
    ("said", "health", "metrics"),
    [
        ({}, Endpoint("", 10256, "http"), Endpoint("127.0.0.1", 10249, "http")),
        (
            {"healthzBindAddress": "", "metricsBindAddress": "0.0.0.0:9"},
            Endpoint("", 10256, "http"),
            Endpoint("0.0.0.0", 9, "http"),
        ),
        (
            {"healthzBindAddress": "10.0.0.11", "metricsBindAddress": "[::1]:10250"},
            Endpoint("10.0.0.11", 10256, "http"),
            Endpoint("::1", 10250, "http"),
        ),
        (
            {"healthzBindAddress": "::", "metricsBindAddress": ":5"},
            Endpoint("::", 10256, "http"),
            Endpoint("", 5, "http"),
        ),
        ({"healthzBindAddress": "0.0.0.0:0"}, None, Endpoint("127.0.0.1", 10249, "http")),
    ],
)
def test_where_kube_proxies_serve(said, health, metrics):
    assert KubeProxyConfig.of(said) == KubeProxyConfig(health, metrics)


@pytest.mark.parametrize("said", ["10.0.0.11:x", "10.0.0.11:65536", ":-1"])
def test_an_address_that_is_none(said):
    with pytest.raises(AdminError, match="names no address"):
        KubeProxyConfig.of({"metricsBindAddress": said})


def test_the_configuration_of_kube_proxies_by_their_config_map():
    text = "kind: KubeProxyConfiguration\nmetricsBindAddress: 0.0.0.0:10249\n"
    assert kube_proxy_config({"data": {"config.conf": text}}).metrics.host == "0.0.0.0"
    assert kube_proxy_config({}) == KubeProxyConfig.of({})
    assert kube_proxy_config({"data": {"config.conf": "[1]"}}) == KubeProxyConfig.of({})
    with pytest.raises(AdminError, match="is not YAML"):
        kube_proxy_config({"data": {"config.conf": "{"}})


@pytest.mark.parametrize(
    ("text", "mode"),
    [("mode: nftables", "nftables"), ('mode: ""', ""), ("kind: KubeProxyConfiguration", ""), ("", None)],
)
def test_the_mode_that_the_config_map_names(text, mode):
    assert kube_proxy_config({"data": {"config.conf": text}}).mode == mode


@pytest.mark.parametrize(
    ("data", "domain"),
    [
        ({"kubelet": "clusterDomain: example.org"}, "example.org"),
        ({"kubelet": "clusterDomain: [1]"}, ""),
        ({"kubelet": ""}, ""),
        ({}, ""),
    ],
)
def test_the_domain_of_the_clusters_names(data, domain):
    assert cluster_domain({"data": data}) == domain


@pytest.mark.parametrize(
    ("flags", "port"),
    [
        ({"config": "/x", "healthz-bind-address": "0.0.0.0:1"}, 7),
        ({"healthz-bind-address": "0.0.0.0:1"}, 1),
        ({}, 10256),
    ],
)
def test_a_kube_proxy_takes_nothing_from_flags_beside_its_configuration(flags, port):
    config = KubeProxyConfig(Endpoint("", 7, "http"), None)
    plan = kube_proxy(made.pod(Component.KUBE_PROXY, "w1"), flags, config)
    assert plan.process.endpoint.port == port


@pytest.mark.parametrize("flag", ["healthz-bind-address", "metrics-bind-address"])
def test_a_kube_proxy_whose_flags_name_no_address_costs_nobody_else_anything(flag):
    plan = kube_proxy(made.pod(Component.KUBE_PROXY, "w1"), {flag: "foo:99999999"}, KubeProxyConfig.of({}))
    assert (plan.questions, plan.process.endpoint) == ((), None)


def test_what_a_kube_proxy_is_asked():
    plan = kube_proxy(made.pod(Component.KUBE_PROXY, "w1"), {"config": "x"}, KubeProxyConfig.of({}))
    assert [(one.endpoint.port, one.paths) for one in plan.questions] == [
        (10256, ("/healthz", "/livez")),
        (10249, ("/metrics", "/proxyMode")),
    ]


def test_the_way_to_a_node_leads_through_its_kube_proxy_first():
    proxy = made.pod(Component.KUBE_PROXY, "cp-1", name="z", labels={"k8s-app": "kube-proxy"})
    pods = [made.pod(APISERVER, "cp-1"), proxy, made.pod(APISERVER, "cp-2")]
    assert ways(pods) == {"cp-1": ["z", "kube-apiserver-cp-1"], "cp-2": ["kube-apiserver-cp-2"]}


@pytest.mark.parametrize(
    "fields", [{"phase": "Pending"}, {"host_network": False}, {"deleted": made.AT}, {"node": ""}]
)
def test_pods_that_lead_nowhere(fields):
    assert ways([replace(made.pod(APISERVER, "cp-1"), **fields)]) == {}
