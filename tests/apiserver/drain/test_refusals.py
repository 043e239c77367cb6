"""Evictions that an API server refuses for a while, and API servers that are away for a while."""

import contextlib
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kubectl_admin.cluster.errors import ApiError
from tests.apiserver.conftest import NAME
from tests.apiserver.drain.process import draining, ended, finished, until
from tests.apiserver.drain.world import NOW, REPLICASET, Object, World, budget, made_namespace, numbers, pod
from tests.fakes.served_api import secured
from tests.lab.api import api_only

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("code", [500, 403, 400])
def test_a_webhooks_refusal_is_a_not_yet(world, code):
    """As Strimzi's drain cleaner answers: 500, once it has told the operator to roll the pod."""
    refusals = [{"allowed": False, "status": {"code": code, "message": "will be rolled"}}] * 3

    def answers(_request: Object) -> Object:
        return refusals.pop() if refusals else {"allowed": True}

    with webhook(world, answers), world.kubelet():
        world.put(pod("one", world.node, owner=REPLICASET))
        refused_by_webhook(world, "one")
        answer = finished(world, "--timeout", "60s")
    assert answer.code == 0, answer.err
    assert 'pod moving/one waits: not yet: admission webhook "cleaner.example.com" denied' in answer.err


def test_a_pod_of_a_namespace_that_is_being_deleted_is_waited_for(kubeconfig, world):
    ending = made_namespace(kubeconfig, f"ending-{time.time_ns()}", world.node)
    ending.put(pod("one", world.node, owner=REPLICASET))
    world.cluster.delete(f"/api/v1/namespaces/{ending.namespace}")
    with draining(world) as process:
        until(process, f"pod {ending.namespace}/one waits: its namespace is being deleted")
        ending.cluster.delete(ending.path("pods", "one"), NOW)
        answer = ended(process)
    assert answer.code == 0, answer.err


def test_an_api_server_that_is_restarted_in_the_middle_is_waited_for(world):
    world.put(
        pod("one", world.node, owner=REPLICASET),
        pod("two", world.node, owner=REPLICASET),
        budget("guard", {"case": "one"}, numbers(0, 2, 2, 3)),
    )
    with world.kubelet(), draining(world) as process:
        until(process, "pod moving/two is gone")
        api_only.stop_apiserver(NAME, "cp-1")
        try:
            # The eviction of «one» is asked for again after some seconds, whatever the budget is like.
            until(process, "pod moving/one waits: the API server can't be reached")
        finally:
            api_only.start_apiserver(NAME, "cp-1")
        world.set_status("poddisruptionbudgets", "guard", numbers(1, 3, 2, 3))
        answer = ended(process)
    assert answer.code == 0, answer.err


def test_an_api_server_that_is_away_when_a_drain_is_interrupted_still_loses_the_cordon(world):
    world.put(pod("one", world.node, owner=REPLICASET), budget("guard", {}, numbers(0, 2, 2, 3), selector={}))
    with draining(world) as process:
        until(process, "pod moving/one waits")
        api_only.stop_apiserver(NAME, "cp-1")
        try:
            process.send_signal(signal.SIGINT)
            until(process, "still there: pod moving/one")
        finally:
            api_only.start_apiserver(NAME, "cp-1")
        answer = ended(process)
    assert answer.code == 130
    assert not world.is_cordoned


@contextlib.contextmanager
def webhook(world: World, answers: Callable[[Object], Object]) -> Iterator[None]:
    """While this lasts evictions in the namespace are reviewed. answers: makes a response of a request."""
    context, trust = secured()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            review["response"] = {"uid": review["request"]["uid"], **answers(review["request"])}
            body = json.dumps(review).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        configuration = {
            "metadata": {"name": "drain-cleaner"},
            "webhooks": [
                {
                    "name": "cleaner.example.com",
                    "clientConfig": {
                        "url": f"https://127.0.0.1:{server.server_port}/",
                        "caBundle": trust["certificate-authority-data"],
                    },
                    "rules": [
                        {
                            "apiGroups": [""],
                            "apiVersions": ["v1"],
                            "operations": ["CREATE"],
                            "resources": ["pods/eviction"],
                        }
                    ],
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": world.namespace}},
                    "sideEffects": "None",
                    # An API server asks for a moment after this has been taken away, too: the next test's.
                    "failurePolicy": "Ignore",
                    "admissionReviewVersions": ["v1"],
                }
            ],
        }
        path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
        world.cluster.post(path, configuration)
        try:
            yield
        finally:
            world.cluster.delete(f"{path}/drain-cleaner")
            server.shutdown()


def refused_by_webhook(world: World, name: str) -> None:
    """Returns once the API server asks the webhook, which it hears of a moment after it was made."""
    body = {"kind": "Eviction", "apiVersion": "policy/v1", "metadata": {"name": name}}
    body |= {"deleteOptions": {"dryRun": ["All"]}}
    while True:
        try:
            world.cluster.post(f"{world.path('pods', name)}/eviction", body)
        except ApiError as error:
            if "cleaner.example.com" in error.message:
                return
            raise
