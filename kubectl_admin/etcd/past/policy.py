"""What a client of an opened snapshot may do, and where its API server may go: look, and nowhere. Pure.

Source: kubernetes/kubernetes pkg/auth/authorizer/abac (readonly: get, list and watch), apiserver
pkg/apis/apiserver/v1beta1 (EgressSelectorConfiguration).
"""

import json
from typing import Any

# Reviews are created, and nothing stores them: each is about the one who asks.
REVIEWS = (
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
    ("authentication.k8s.io", "selfsubjectreviews"),
)
# Whatever an API server sends to nodes, pods, webhooks and aggregated APIs goes through this socket, which is
# never there. Its name is read in errors.
NOWHERE = "/a-snapshot-that-is-opened-reaches-nobody"


def allowed(user: str) -> str:
    """The policy for the authorization mode ABAC: this user may look at everything."""
    rules: list[dict[str, Any]] = [
        {"apiGroup": "*", "resource": "*", "namespace": "*", "readonly": True},
        {"nonResourcePath": "*", "readonly": True},
        *({"apiGroup": group, "resource": resource, "namespace": "*"} for group, resource in REVIEWS),
    ]
    head = {"apiVersion": "abac.authorization.kubernetes.io/v1beta1", "kind": "Policy"}
    return "".join(f"{json.dumps({**head, 'spec': {'user': user, **rule}})}\n" for rule in rules)


def tokens(user: str, token: str) -> str:
    """The file of tokens: of this user alone, who is in no group."""
    return f"{token},{user},{user}\n"


def egress() -> str:
    """The configuration by which the API server reaches etcd alone."""
    connection = {"proxyProtocol": "HTTPConnect", "transport": {"uds": {"udsName": NOWHERE}}}
    return json.dumps(
        {
            "apiVersion": "apiserver.k8s.io/v1beta1",
            "kind": "EgressSelectorConfiguration",
            "egressSelections": [
                {"name": name, "connection": connection} for name in ("cluster", "controlplane")
            ],
        }
    )
