"""What an API server says of a user's rights."""

from collections.abc import Container
from typing import Any

from kubectl_admin.cluster.access import Right


def reviewed(body: dict[str, Any], lacking: Container[Right]) -> dict[str, Any]:
    """The answer to a SelfSubjectAccessReview of a user who has all rights but these."""
    asked = body["spec"]["resourceAttributes"]
    resource = "/".join(filter(None, (asked["resource"], asked["subresource"])))
    right = Right(asked["verb"], resource, asked["namespace"], asked["group"])
    return {"status": {"allowed": right not in lacking}}
