from typing import Any

import pytest

from kubectl_admin.cluster.errors import ApiError, Unreachable
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.undelete.facts import Item, Owner, State
from kubectl_admin.etcd.undelete.send import body, is_verdict, is_written_by, taken
from kubectl_admin.pool import LateError
from tests.unit.etcd.undelete.things import BY_KIND, key, owned, thing

SERVICE = {
    "clusterIP": "10.96.0.7",
    "clusterIPs": ["10.96.0.7"],
    "ports": [{"port": 80, "nodePort": 30080}, {"port": 443, "nodePort": 30443}],
    "healthCheckNodePort": 31000,
}


def item(then: dict[str, Any], *owners: Owner) -> Item:
    return Item(BY_KIND[then["kind"]], key(then), then, None, State.MISSING, owners=owners)


def refused(*fields: str, status: int = 422) -> ApiError:
    """A refusal for what is in these fields."""
    causes = [{"reason": "FieldValueInvalid", "field": field} for field in fields]
    return ApiError(status, "Invalid", "it is taken", {"causes": causes})


@pytest.mark.parametrize(
    ("fields", "left", "gone"),
    [
        (["spec.clusterIPs"], ["clusterIP 10.96.0.7"], {"clusterIP", "clusterIPs"}),
        (["spec.clusterIP"], ["clusterIP 10.96.0.7"], {"clusterIP", "clusterIPs"}),
        (["spec.clusterIPs[0]"], ["clusterIP 10.96.0.7"], {"clusterIP", "clusterIPs"}),
        (["spec.healthCheckNodePort"], ["healthCheckNodePort 31000"], {"healthCheckNodePort"}),
    ],
)
def test_a_service_is_sent_again_without_what_others_have(
    fields: list[str], left: list[str], gone: set[str]
) -> None:
    service = thing("Service", "web", spec=SERVICE)
    found = taken(item(service), service, refused(*fields))
    assert found is not None
    content, said = found
    assert (said, SERVICE.keys() - content["spec"].keys()) == (left, gone)
    assert service["spec"] == SERVICE


def test_a_service_gives_up_only_the_node_port_that_is_taken() -> None:
    service = thing("Service", "web", spec=SERVICE)
    found = taken(item(service), service, refused("spec.ports[1].nodePort"))
    assert found is not None
    assert found[0]["spec"]["ports"] == [{"port": 80, "nodePort": 30080}, {"port": 443}]
    assert found[1] == ["nodePort 30443"]


@pytest.mark.parametrize(
    ("then", "error"),
    [
        (thing("Service", "web", spec=SERVICE), refused("spec.selector")),
        (thing("Service", "web", spec=SERVICE), refused("spec.ports[7].nodePort")),
        (thing("Service", "web", spec={"clusterIP": "None"}), refused("spec.clusterIPs")),
        (thing("Service", "web", spec=SERVICE), ApiError(403, "Forbidden", "no", {"causes": None})),
        (thing("ConfigMap", "web", spec=SERVICE), refused("spec.clusterIP")),
    ],
)
def test_all_else_is_a_refusal(then: dict[str, Any], error: ApiError) -> None:
    assert taken(item(then), then, error) is None


def test_owners_have_their_uids_of_now() -> None:
    there, coming, lost = (thing("Widget", name) for name in ("there", "coming", "lost"))
    owners = (
        Owner(owned(there), key(there), uid="new-1"),
        Owner(owned(coming), key(coming), comes_back=True),
        Owner(owned(lost), key(lost), comes_back=True),
    )
    one = item(thing("ConfigMap", "a"), *owners)
    made = body(one, {key(coming): "new-2"}, is_try=False)["metadata"]["ownerReferences"]
    assert [each["uid"] for each in made] == ["new-1", "new-2"]
    tried = body(one, {}, is_try=True)["metadata"]["ownerReferences"]
    assert [each["uid"] for each in tried] == ["new-1", "uid-Widget-coming", "uid-Widget-lost"]


def test_the_run_that_wrote_an_object_is_known() -> None:
    fields = [{"manager": "kubectl-admin-0123456789", "operation": "Update"}]
    there = thing("ConfigMap", "a", metadata={"managedFields": fields})
    assert is_written_by(there, "kubectl-admin-0123456789")
    assert not is_written_by(there, "kubectl-admin-9876543210")
    assert not is_written_by(thing("ConfigMap", "a"), "kubectl-admin-0123456789")


@pytest.mark.parametrize(
    ("error", "is_one"),
    [
        (ApiError(403, "Forbidden", "exceeded quota"), True),
        (ApiError(422, "Invalid", "spec: Required value"), True),
        (ApiError(409, "AlreadyExists", "it is there"), True),
        (ApiError(500, "InternalError", 'failed calling webhook "w": connection refused'), True),
        (ApiError(500, "", "etcdserver: leader changed"), False),
        (ApiError(503, "ServiceUnavailable", "not ready"), False),
        (ApiError(429, "TooManyRequests", "later"), False),
        (Unreachable("connection refused"), False),
        (LateError("no answer within 900s"), False),
    ],
)
def test_a_server_in_trouble_has_refused_nothing(error: AdminError, is_one: bool) -> None:
    assert is_verdict(error) == is_one
