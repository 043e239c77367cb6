"""When an opened snapshot answers, and what of it can't be read."""

from dataclasses import replace

import pytest

from kubectl_admin.cluster.errors import ApiError, NotFound, Unreachable
from kubectl_admin.etcd.past.facts import Sample
from kubectl_admin.etcd.past.ready import DEFINITIONS, conversion, unread
from tests.unit.etcd.past.samples import PAST

SECRET = Sample("aescbc:v1:one", "", "secrets", "shop", "a b", "/registry/secrets/shop/a b")
OTHER = Sample("kms:v2:two", "example.com", "widgets", "", "c", "/registry/example.com/widgets/c")
UNKNOWN = Sample("kms:v2:two", "", "", "", "", "/registry/x/y/z")


class Api:
    """The stand-in of an opened API: errors by paths; all else can be read."""

    def __init__(self, **errors):
        self.errors = errors
        self.asked = []

    def get(self, path, **_):
        self.asked.append(path)
        if path in self.errors:
            raise self.errors[path]
        return {"preferredVersion": {"version": "v2"}}

    def list(self, path, **_):
        self.get(path)
        return [definition()]


def found(api, *samples):
    return unread(api, replace(PAST, encrypted=samples))


def definition(strategy="Webhook", versions=(("v1", True, False), ("v2", True, True))):
    return {
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "conversion": {"strategy": strategy},
            "versions": [
                {"name": name, "served": served, "storage": stored} for name, served, stored in versions
            ],
        },
    }


def test_versions_that_only_a_webhook_makes_are_named():
    found = conversion(definition())
    assert (found.rule, found.severity.value) == ("open-conversion", "note")
    assert found.evidence == "v1 can't be read"
    assert found.fix == "read widgets.v2.example.com"


@pytest.mark.parametrize(
    "other",
    [
        definition("None"),
        definition(versions=[("v1", True, True)]),
        definition(versions=[("v1", False, False), ("v2", True, True)]),
        {"metadata": {}, "spec": {}},
    ],
)
def test_all_else_can_be_read(other):
    assert conversion(other) is None


def test_one_object_is_read_for_each_key():
    api = Api()
    assert [one.rule for one in found(api, SECRET, OTHER)] == ["open-conversion"]
    assert api.asked == [
        "/api/v1/namespaces/shop/secrets/a%20b",
        "/apis/example.com",
        "/apis/example.com/v2/widgets/c",
        DEFINITIONS,
    ]


def test_a_key_that_the_api_server_does_not_have_is_said_by_name():
    error = ApiError(500, "InternalError", "no matching prefix found")
    warned, _ = found(Api(**{"/api/v1/namespaces/shop/secrets/a%20b": error}), SECRET)
    assert (warned.rule, warned.severity.value, warned.subject) == ("open-unreadable", "warning", "secrets")
    assert warned.evidence == (
        "those that are encrypted by aescbc:v1:one, as shop/a b, can't be read: no matching prefix found"
    )


@pytest.mark.parametrize(
    "error", [NotFound(404, "NotFound", "it is not served"), Unreachable("it is not served")]
)
def test_a_look_that_fails_is_said_and_stops_nothing(error):
    api = Api(**{"/apis/example.com": error, DEFINITIONS: error})
    encrypted, unknown, definitions = found(api, OTHER, UNKNOWN)
    assert {one.rule for one in (encrypted, unknown, definitions)} == {"open-unseen"}
    assert encrypted.subject == "widgets.example.com"
    assert encrypted.evidence == (
        "those that are encrypted by kms:v2:two, as c, could not be looked at: it is not served"
    )
    assert unknown.subject == "/registry/x/y/z"
    assert definitions.evidence.startswith("they could not be looked at: ")
