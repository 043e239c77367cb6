"""Whoever lacks rights for a drain or an uncordon hears of all of them at once, as from every other verb."""

import io

import pytest

from kubectl_admin.cluster.access import REVIEWS
from kubectl_admin.errors import AdminError
from kubectl_admin.frame.environment import Environment
from kubectl_admin.verbs import drain, uncordon
from tests.fakes import drain_api as api
from tests.fakes.api_server import Says, StandIn, status

HINT = "docs/permissions.md has the roles that each verb needs"


@pytest.fixture
def server():
    with StandIn().serving() as stand_in:
        stand_in.on("GET", api.NODE, status(403, "Forbidden", forbidden("get", "nodes")))
        stand_in.on("GET", "/api/v1/nodes", status(403, "Forbidden", forbidden("list", "nodes")))
        stand_in.on("POST", REVIEWS, Says(201, {"status": {"allowed": False}}))
        yield stand_in


def forbidden(verb, resource):
    return f'{resource} is forbidden: User "jane" cannot {verb} resource "{resource}" in API group ""'


def refused(server, verb, *words):
    """The error of a verb, run with these words."""
    env = Environment(io.StringIO(), io.StringIO(), io.StringIO(), {})
    env.cluster_for_work = server.connect
    with pytest.raises(AdminError) as caught:
        verb.command.main(["w1", *words], obj=env, standalone_mode=False)
    assert caught.value.hint == HINT
    return caught.value.what.removeprefix('user "jane" may not ')


def test_a_drain_names_all_that_it_needs(server):
    said = refused(server, drain, "--yes")
    assert said == "get and patch nodes; list and watch pods; create pods/eviction"


def test_a_drain_that_deletes_needs_that_right_instead(server):
    said = refused(server, drain, "--yes", "--disable-eviction")
    assert said == "get and patch nodes; list, watch and delete pods"


def test_a_dry_run_of_a_drain_needs_no_right_to_change(server):
    assert refused(server, drain, "--dry-run") == "get nodes; list pods"


def test_a_cordon_that_is_refused_names_the_right(server):
    api.serving(server, api.pod("one"))
    server.on("PATCH", api.NODE, status(403, "Forbidden", forbidden("patch", "nodes")))
    granted = {("get", "nodes"), ("list", "pods"), ("watch", "pods")}

    def review(asked):
        attributes = asked.body["spec"]["resourceAttributes"]
        return Says(201, {"status": {"allowed": (attributes["verb"], attributes["resource"]) in granted}})

    server.on("POST", REVIEWS, review)
    assert refused(server, drain, "--yes") == "patch nodes; create pods/eviction"


def test_an_uncordon_names_all_that_it_needs(server):
    said = refused(server, uncordon)
    assert said == ("list, watch and patch nodes; list replicasets.apps; list statefulsets.apps")


def test_an_uncordon_takes_the_answer_to_a_question_that_it_does_not_ask(server):
    assert refused(server, uncordon, "--yes") == refused(server, uncordon)


def test_an_uncordon_that_does_not_wait_lists_no_workloads(server):
    assert refused(server, uncordon, "--no-wait") == "list, watch and patch nodes"


def test_a_dry_run_of_an_uncordon_needs_no_right_to_change(server):
    assert refused(server, uncordon, "--dry-run") == "list nodes"
