"""Rights that are missing are named all at once, by the API server's own word."""

import pytest

from kubectl_admin.cluster.access import (
    REVIEWS,
    SELF,
    Right,
    attributed,
    explained,
    is_granted,
    missing,
    require,
    together,
    user,
)
from kubectl_admin.cluster.errors import ApiError, Forbidden
from kubectl_admin.errors import AdminError
from tests.fakes.api_server import Asked, HangUp, Says, StandIn, status

PODS = "/api/v1/namespaces/kube-system/pods"
LIST_PODS = Right("list", "pods", "kube-system")
EXEC = Right("create", "pods/exec", "kube-system")
GET_NODES = Right("get", "nodes")
GET_PODS = Right("get", "pods")
CLAIMS = Right("list", "persistentvolumeclaims.example", "a", "storage.example")
MESSAGE = (
    'pods is forbidden: User "ann" cannot list resource "pods" in API group "" in the namespace "kube-system"'
)


@pytest.fixture
def server():
    with StandIn().serving() as server:
        yield server


def granting(*granted: Right):
    """Answers reviews: these rights are granted, all others are not."""

    def answer(asked: Asked) -> Says:
        attributes = asked.body["spec"]["resourceAttributes"]
        resource = "/".join(filter(None, [attributes["resource"], attributes["subresource"]]))
        right = Right(attributes["verb"], resource, attributes["namespace"], attributes["group"])
        # What is not granted may have no «allowed» at all: its zero value is left out.
        return Says(
            201, {"kind": "SelfSubjectAccessReview", "status": {"allowed": True} if right in granted else {}}
        )

    return answer


def forbid(server: StandIn) -> None:
    server.on("GET", PODS, status(403, "Forbidden", MESSAGE))


def test_the_server_is_asked_as_kubectl_auth_can_i_asks(server):
    server.on("POST", REVIEWS, granting(EXEC))
    assert is_granted(server.connect(), EXEC)
    (asked,) = server.asked
    assert asked.body == {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {
            "resourceAttributes": {
                "verb": "create",
                "group": "",
                "resource": "pods",
                "subresource": "exec",
                "namespace": "kube-system",
            }
        },
    }


def test_a_right_is_written_as_people_say_it():
    assert [str(right) for right in (LIST_PODS, EXEC, GET_NODES, CLAIMS)] == [
        "list pods in namespace kube-system",
        "create pods/exec in namespace kube-system",
        "get nodes",
        "list persistentvolumeclaims.example.storage.example in namespace a",
    ]


def test_all_that_is_missing_is_named_in_one_line(server):
    forbid(server)
    server.on("POST", REVIEWS, granting(GET_NODES))
    cluster = server.connect()
    with pytest.raises(AdminError) as refused, explained(cluster, [LIST_PODS, GET_NODES, EXEC]):
        list(cluster.list(PODS))
    assert refused.value.what == (
        'user "ann" may not list pods in namespace kube-system; create pods/exec in namespace kube-system'
    )
    assert refused.value.hint == "docs/permissions.md has the roles that each verb needs"


def test_a_refusal_with_nothing_missing_keeps_the_servers_words(server):
    """A webhook's, a quota's, or for a right that is not one of these."""
    forbid(server)
    server.on("POST", REVIEWS, granting(LIST_PODS, EXEC))
    cluster = server.connect()
    with pytest.raises(Forbidden, match='User "ann" cannot list'), explained(cluster, [LIST_PODS, EXEC]):
        list(cluster.list(PODS))


@pytest.mark.parametrize(
    "answer",
    [
        status(403, "Forbidden", "no reviews either"),
        status(500, "InternalError", "etcd is away"),
        HangUp(),
        Says(201, {"kind": "SelfSubjectAccessReview"}),
        Says(201, {"kind": "SelfSubjectAccessReview", "status": None}),
    ],
)
def test_what_the_server_does_not_answer_is_not_said_to_be_missing(server, answer):
    server.on("POST", REVIEWS, answer)
    assert missing(server.connect(), [LIST_PODS, EXEC]) == []


def test_other_errors_are_left_alone(server):
    server.on("GET", PODS, status(404, "NotFound", "no such thing"))
    cluster = server.connect()
    with pytest.raises(ApiError, match="no such thing"), explained(cluster, [LIST_PODS]):
        list(cluster.list(PODS))
    assert [asked.path for asked in server.asked] == [PODS]


def test_nothing_is_asked_where_nothing_is_refused(server):
    with explained(server.connect(), [LIST_PODS]):
        pass
    assert server.asked == []


def test_what_is_missing_comes_in_the_order_in_which_it_was_asked_for(server):
    server.on("POST", REVIEWS, granting(GET_PODS))
    rights = [EXEC, LIST_PODS, GET_PODS, GET_NODES, CLAIMS]
    assert missing(server.connect(), rights) == [EXEC, LIST_PODS, GET_NODES, CLAIMS]


def test_what_must_not_stop_half_way_asks_beforehand(server):
    server.on("POST", REVIEWS, granting(LIST_PODS, EXEC))
    server.on("POST", SELF, Says(201, {"status": {"userInfo": {"username": "ann", "groups": []}}}))
    cluster = server.connect()
    require(cluster, [LIST_PODS, EXEC])
    assert SELF not in [asked.path for asked in server.asked]
    with pytest.raises(AdminError) as refused:
        require(cluster, [LIST_PODS, GET_NODES, EXEC, GET_PODS])
    assert refused.value.what == 'user "ann" may not get nodes; get pods'
    assert refused.value.hint == "docs/permissions.md has the roles that each verb needs"


def test_a_server_that_reviews_nothing_does_not_stop_it(server):
    server.on("POST", REVIEWS, status(404, "NotFound", "no such API"))
    require(server.connect(), [LIST_PODS])


@pytest.mark.parametrize(
    "answer", [status(404, "NotFound", "before 1.28"), Says(201, {}), Says(201, {"status": None})]
)
def test_a_user_whose_name_is_not_told(server, answer):
    server.on("POST", SELF, answer)
    assert user(server.connect()) == "?"


def test_what_one_node_refuses_says_nothing_of_the_others(server):
    refused = Forbidden(403, "Forbidden", "no")
    server.on("POST", REVIEWS, granting(EXEC))
    answers = attributed(server.connect(), {"w1": refused, "w2": 2}, [EXEC])
    assert (answers["w1"].what, answers["w2"]) == (refused.what, 2)
    assert not isinstance(answers["w1"], Forbidden)


def test_a_refusal_for_want_of_a_right_stays_one(server):
    refused = Forbidden(403, "Forbidden", "no")
    server.on("POST", REVIEWS, granting())
    assert attributed(server.connect(), {"w1": refused}, [EXEC]) == {"w1": refused}


def test_without_a_refusal_nothing_is_asked(server):
    assert attributed(server.connect(), {"w1": AdminError("late"), "w2": 2}, [EXEC])["w2"] == 2
    assert server.asked == []


def test_rights_on_the_same_resource_in_a_few_words():
    assert together([EXEC]) == "create pods/exec in namespace kube-system"
    both = [Right(verb, "nodes/proxy") for verb in ("create", "get")]
    assert together(both) == "create and get nodes/proxy"


def test_rights_are_grouped_by_resource_and_namespace():
    rights = [Right(verb, "pods", "a") for verb in ("create", "get", "list")]
    assert together([GET_NODES, *rights, EXEC, CLAIMS, Right("list", "nodes"), GET_NODES]) == (
        "get and list nodes; create, get and list pods in namespace a; create pods/exec in namespace "
        "kube-system; list persistentvolumeclaims.example.storage.example in namespace a"
    )


def test_a_right_in_a_namespace_is_not_named_beside_the_same_in_all():
    assert together([GET_PODS, Right("get", "pods", "a"), Right("list", "pods", "a")]) == (
        "get pods; list pods in namespace a"
    )
