"""Who may do what, and where the API server may go."""

import json

from kubectl_admin.etcd.past import policy


def test_everything_but_the_reviews_is_for_looking_alone():
    specs = [json.loads(line)["spec"] for line in policy.allowed("u").splitlines()]
    assert {spec["user"] for spec in specs} == {"u"}
    assert [spec["resource"] for spec in specs if not spec.get("readonly")] == [
        "selfsubjectaccessreviews",
        "selfsubjectrulesreviews",
        "selfsubjectreviews",
    ]


def test_the_user_is_in_no_group():
    assert policy.tokens("u", "t") == "t,u,u\n"


def test_nodes_webhooks_and_aggregated_apis_are_behind_a_socket_that_is_never_there():
    selections = json.loads(policy.egress())["egressSelections"]
    assert [each["name"] for each in selections] == ["cluster", "controlplane"]
    for each in selections:
        assert each["connection"]["transport"] == {"uds": {"udsName": policy.NOWHERE}}
