"""Where a part of the control plane says how it is."""

import pytest

from kubectl_admin.control_plane.probes import health_url
from tests.unit.etcd.members.samples import static_pod


def pod(component: str, *words: str, **container):
    return static_pod(component, "cp-1", [component, *words], **container)


def get(path: str, port: object = 1, host: str = "", scheme: str = "HTTPS"):
    return {"httpGet": {"path": path, "port": port, "host": host, "scheme": scheme}}


@pytest.mark.parametrize(
    ("made", "url"),
    [
        (pod("x", readinessProbe=get("/readyz"), livenessProbe=get("/livez")), "https://127.0.0.1:1/readyz"),
        (pod("x", startupProbe=get("/a"), livenessProbe=get("/livez")), "https://127.0.0.1:1/a"),
        (pod("x", livenessProbe=get("/livez", host="::1", scheme="HTTP")), "http://[::1]:1/livez"),
        (
            pod("x", readinessProbe=get("/r", "p"), ports=[{"name": "p", "containerPort": 7}]),
            "https://127.0.0.1:7/r",
        ),
        (pod("kube-apiserver", "--secure-port=7443"), "https://127.0.0.1:7443/readyz"),
        (pod("kube-scheduler"), "https://127.0.0.1:10259/healthz"),
        (pod("etcd"), "http://127.0.0.1:2381/health"),
    ],
)
def test_the_url_is_that_of_the_readiest_probe_or_the_usual_one(made, url):
    component = made["metadata"]["labels"]["component"]
    assert health_url(made, component) == url
