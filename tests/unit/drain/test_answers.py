"""What answers to an eviction mean; the texts are API servers' own (1.36), as tests/apiserver meets them."""

import pytest

from kubectl_admin.cluster.errors import Unreachable, of_status
from kubectl_admin.drain.answers import Answer, Kind, meaning, pause
from kubectl_admin.errors import AdminError

VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."
NUMBERS = "The disruption budget guard needs 2 healthy pods and has 2 currently"
SEVERAL = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
DENIED = 'admission webhook "cleaner.example.com" denied the request: will be rolled'
UNCALLED = 'failed calling webhook "cleaner.example.com": failed to call webhook: connection refused'
POLICY = (
    "pods \"one\" is forbidden: ValidatingAdmissionPolicy 'calm' with binding 'calm' denied request: not now"
)
ENDS = "unable to create new content in namespace shop because it is being terminated"
RBAC = 'pods "one" is forbidden: User "me" cannot create resource "pods/eviction" in API group ""'
UID = 'Operation cannot be fulfilled on Pod "one": the UID in the precondition (a) does not match'
CHANGED = 'Operation cannot be fulfilled on pods "one": the object has been modified'
NEGATIVE = 'poddisruptionbudgets.policy "guard" is forbidden: pdb disruptions allowed is negative'


def refusal(code, message, reason="", cause="", cause_says=""):
    causes = [{"reason": cause, "message": cause_says}] if cause else []
    return of_status({"code": code, "message": message, "reason": reason, "details": {"causes": causes}})


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (None, Kind.ACCEPTED, ""),
        (refusal(404, 'pods "one" not found'), Kind.GONE, ""),
        (refusal(409, UID), Kind.GONE, ""),
        (refusal(409, CHANGED), Kind.FAILED, CHANGED),
        (refusal(429, VIOLATES, cause="DisruptionBudget", cause_says=NUMBERS), Kind.BUDGET, NUMBERS),
        (refusal(429, VIOLATES, cause="DisruptionBudget"), Kind.BUDGET, VIOLATES),
        (refusal(429, "too many requests, please try again later"), Kind.BUSY,
         "too many requests, please try again later"),
        (refusal(500, SEVERAL), Kind.SEVERAL_BUDGETS, SEVERAL),
        (refusal(500, "etcdserver: leader changed"), Kind.FAILED, "etcdserver: leader changed"),
        (refusal(504, "due to conflicts"), Kind.FAILED, "due to conflicts"),
        (refusal(500, DENIED), Kind.WEBHOOK, DENIED),
        (refusal(403, DENIED), Kind.WEBHOOK, DENIED),
        (refusal(400, DENIED), Kind.WEBHOOK, DENIED),
        (refusal(429, DENIED), Kind.WEBHOOK, DENIED),
        (refusal(500, UNCALLED), Kind.WEBHOOK, UNCALLED),
        (refusal(422, POLICY), Kind.WEBHOOK, POLICY),
        (refusal(403, ENDS, "Forbidden", "NamespaceTerminating"), Kind.NAMESPACE, ENDS),
        (refusal(403, NEGATIVE, "Forbidden"), Kind.FAILED, NEGATIVE),
        (refusal(403, RBAC, "Forbidden"), Kind.FORBIDDEN, f"Error from server (Forbidden): {RBAC}"),
        (refusal(401, "Unauthorized"), Kind.FORBIDDEN, "You must be logged in to the server (Unauthorized)"),
        (refusal(422, "grace period invalid", "Invalid"), Kind.FORBIDDEN,
         "Error from server (Invalid): grace period invalid"),
        (Unreachable("Unable to connect"), Kind.UNREACHABLE, "Unable to connect"),
        (AdminError("the answer is no JSON"), Kind.FORBIDDEN, "the answer is no JSON"),
    ],
)  # fmt: skip
def test_what_an_answer_means(error, kind, says):
    answer = meaning(error)
    assert (answer.kind, answer.says) == (kind, says)


def test_what_is_final_is_not_asked_again():
    assert [kind for kind in Kind if Answer(kind).final] == [Kind.ACCEPTED, Kind.GONE, Kind.FORBIDDEN]


@pytest.mark.parametrize("kind", [kind for kind in Kind if not Answer(kind).final])
def test_pauses_grow_to_a_limit(kind):
    pauses = [pause(Answer(kind), tries) for tries in range(1, 30)]
    assert pauses == sorted(pauses)
    assert 0 < pauses[0] < pauses[-1] == pauses[-2] <= 15


def test_the_servers_wish_to_be_left_alone_is_heeded_unless_a_budget_is_the_reason():
    assert pause(Answer(Kind.BUSY, after=30.0), 1) == 30.0
    assert pause(Answer(Kind.BUDGET, after=10.0), 1) == 5.0
