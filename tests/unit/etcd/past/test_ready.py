"""When an opened snapshot answers, and what of it can't be read."""

import pytest

from kubectl_admin.etcd.past.ready import conversion


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
