"""Webhooks as the API's objects have them: what a rule covers, which Service is called, what answers there.

Pure. Source: apiserver pkg/admission/plugin/webhook/predicates/rules/rules.go; kubernetes/api discovery/v1
types.go, EndpointConditions; kubernetes/kubernetes pkg/proxy/topology.go, CategorizeEndpoints.
"""

from kubectl_admin.cluster.decode import mapping
from kubectl_admin.cluster.objects import Object, ObjectName

# The resources without which a cluster stops when their writing fails, and the API groups that they are of.
VITAL = {"pods": "", "nodes": "", "leases": "coordination.k8s.io"}


def covers(rule: Object, resource: str) -> bool:
    """Whether a rule of a webhook covers the making or changing of a vital resource, not only what belongs
    to it.
    """
    groups, operations = rule.get("apiGroups") or (), set(rule.get("operations") or ())
    return (
        bool({"*", VITAL[resource]} & set(groups))
        and bool({"*", "*/*", resource} & set(rule.get("resources") or ()))
        and bool({"*", "CREATE", "UPDATE"} & operations)
    )


def service_of(config: object) -> ObjectName | None:
    """The Service in the clientConfig of a webhook, or in an APIService; None for none."""
    service = mapping(mapping(config).get("service"))
    name = service.get("name")
    return (str(service.get("namespace") or ""), str(name)) if name else None


def is_sent_requests(endpoint: Object) -> bool:
    """Whether an endpoint of an EndpointSlice is sent requests.

    One whose readiness is not known is taken for ready, and one that is being ended and still serves is sent
    requests where no other is there.
    """
    conditions = mapping(endpoint.get("conditions"))
    serves = conditions.get("serving") is True and conditions.get("terminating") is True
    return conditions.get("ready") is not False or serves
