"""docs/permissions.md, tried rule by rule: users get the page's own YAML, all of it and all but one right.

Users have client certificates and are not impersonated: what listens on a node's loopback is shown the
certificate and asks who that is, whoever the administrator claims to be towards the API server.
"""

import contextlib
import copy
import itertools
import json
import re
import secrets
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.lab import cache
from tests.program import ROOT, Ended

PAGE = ROOT / "docs/permissions.md"
NAME = "kubectl-admin-test"
GROUP = "rbac.authorization.k8s.io"
PATIENCE = 120  # seconds until every API server must have heard of new roles; they take well below one

Object = dict[str, Any]


@dataclass(frozen=True)
class Right:
    """One verb on one resource (or URL), of the whole cluster or of a namespace."""

    verb: str
    resource: str
    group: str = ""
    name: str = ""
    namespace: str = ""

    def __str__(self) -> str:
        full = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {full}" + (f" in namespace {self.namespace}" if self.namespace else "")

    def is_named_by(self, text: str) -> bool:
        """Whether a line of the text names this permission, in the program's words or in the API server's."""
        group = (
            rf'(?:\.{re.escape(self.group)}|" in API group "{re.escape(self.group)}")' if self.group else ""
        )
        named = rf"\b{self.verb}\b.*(?<![\w/.-]){re.escape(self.resource)}{group}(?![\w/.-])"
        return any(re.search(named, line) for line in text.splitlines())

    def review(self, user: str) -> Object:
        """The question whether a user has this right."""
        if self.resource.startswith("/"):
            asked: Object = {"nonResourceAttributes": {"path": self.resource, "verb": self.verb}}
        else:
            resource, _, subresource = self.resource.partition("/")
            attributes = {
                "verb": self.verb,
                "group": self.group,
                "resource": resource,
                "subresource": subresource,
                "name": self.name,
                "namespace": self.namespace,
            }
            asked = {"resourceAttributes": attributes}
        return {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": user, "groups": ["system:authenticated"], **asked},
        }


@dataclass(frozen=True)
class Stage:
    """A cluster on which verbs are tried.

    kubeconfig: its administrator's. servers: the URL of each of its API servers, since each learns of new
    roles by itself. certified: makes the kubeconfig of a user with a client certificate.
    """

    kubeconfig: Path
    servers: Sequence[str]
    version: str
    certified: Callable[[str], Path]

    def kubectl(self, *arguments: str, given: Any = None) -> str:
        """What kubectl says to the administrator; `given` goes to its stdin as JSON."""
        program = cache.root() / f"bin/kubernetes-{self.version}/kubectl"
        command = [program, f"--kubeconfig={self.kubeconfig}", *arguments]
        text = json.dumps(given)
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout


@dataclass(frozen=True)
class Tried:
    """How a verb ended: for who has all rights, for who lacks one, and, if asked, for the administrator."""

    with_all: Ended
    without: Mapping[Right, Ended]
    as_administrator: Ended | None = None


def every(_right: Right) -> bool:
    """Chooses all rights."""
    return True


def try_out(
    stage: Stage,
    section: str,
    act: Callable[[Path], Ended],
    taken: Callable[[Right], bool] = every,
    *,
    unasked: Collection[str] = (),
    administrator: bool = False,
) -> Tried:
    """Runs a verb with exactly the page's rights, and without each of them in turn.

    section: of the page, as the verb is called. act: runs the verb with a kubeconfig. taken: which rights are
    taken away, one at a time. unasked: rights, as text, that nobody has here, so «all» means all but these:
    what is asked for only where something has gone wrong. administrator: whether it runs as that as well. The
    users' names are «user-…» in what the verb said.
    """
    objects = least(section, unasked)
    each = list(filter(taken, rights(objects)))
    # Of this trial alone: a server that has not heard yet that older roles are gone would go by those.
    everybody, *users = (f"user-{secrets.token_hex(4)}" for _ in range(len(each) + 1))
    granted = {user: without(objects, right) for user, right in zip(users, each, strict=True)}
    granted[everybody] = objects
    with bound(stage, granted):
        ended = {user: act(stage.certified(user)) for user in granted}
    lacking = {right: ended[user] for user, right in zip(users, each, strict=True)}
    return Tried(ended[everybody], lacking, act(stage.kubeconfig) if administrator else None)


@contextlib.contextmanager
def holder(stage: Stage, section: str, unasked: Collection[str] = ()) -> Iterator[Path]:
    """While this lasts, the kubeconfig of one who has the rights of the page, but for some, and no more."""
    user = f"user-{secrets.token_hex(4)}"
    with bound(stage, {user: least(section, unasked)}):
        yield stage.certified(user)


def least(section: str, unasked: Collection[str]) -> list[Object]:
    """The roles of a section of the page without these rights."""
    objects = of_page(section)
    dropped = [right for right in rights(objects) if str(right) in unasked]
    assert {str(right) for right in dropped} == set(unasked)
    for right in dropped:
        objects = without(objects, right)
    return objects


def check(tried: Tried, unasked: Collection[str] = ()) -> None:
    """Whether the page is right: with all of its rights a verb misses none, without one it names that.

    unasked: rights, as text, that this cluster does not take; without them all is as with them.
    """
    complete = words(tried.with_all)
    assert [str(right) for right in tried.without if right.is_named_by(complete)] == []
    told = {str(right): ended for right, ended in tried.without.items() if right.is_named_by(words(ended))}
    assert [str(right) for right in tried.without if str(right) not in {*told, *unasked}] == []
    assert sorted(unasked) == sorted(str(right) for right in tried.without if str(right) not in told)
    for right, ended in tried.without.items():
        if str(right) in unasked:
            assert (ended.code, without_user(ended)) == (tried.with_all.code, without_user(tried.with_all))


def words(ended: Ended) -> str:
    """All that a run said."""
    return ended.out + ended.err


def without_user(ended: Ended) -> str:
    """What a run said, whoever it ran for."""
    return re.sub(r"user-\w+|kubernetes-admin", "USER", words(ended))


def told_missing(ended: Ended) -> list[str]:
    """The rights that an error tells a user to lack, as text: «user "jane" may not get and list nodes; …»."""
    line = next(line for line in ended.err.splitlines() if line.startswith("error: "))
    told = re.fullmatch(r'error: user "[^"]+" may not (.+)', line)
    assert told, line
    groups = [re.fullmatch(r"(\w+(?:, \w+)*(?: and \w+)?) (.+)", group) for group in told[1].split("; ")]
    return [f"{verb} {group[2]}" for group in groups if group for verb in re.split(", | and ", group[1])]


def of_page(section: str) -> list[Object]:
    """The roles in the YAML blocks of a verb's section of the page."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"{PAGE.name} has no section «{section}»"
    blocks = re.findall(r"^```yaml\n(.*?)^```$", found[1], re.MULTILINE | re.DOTALL)
    objects = [each for block in blocks for each in yaml.safe_load_all(block) if each]
    assert {each["kind"] for each in objects} <= {"Role", "ClusterRole"}
    return objects


def rights(objects: Sequence[Object]) -> list[Right]:
    """Every single right that these roles give."""
    return [
        right
        for each in objects
        for rule in each["rules"]
        for right in _of_rule(rule, each["metadata"].get("namespace", ""))
    ]


def without(objects: Sequence[Object], right: Right) -> list[Object]:
    """The same roles with everything but this right."""
    less = copy.deepcopy(list(objects))
    for each in less:
        namespace = each["metadata"].get("namespace", "")
        each["rules"] = [
            as_rule(other) for rule in each["rules"] for other in _of_rule(rule, namespace) if other != right
        ]
    return less


def as_rule(right: Right) -> Object:
    """A rule that gives one right."""
    if right.resource.startswith("/"):
        return {"nonResourceURLs": [right.resource], "verbs": [right.verb]}
    names = {"resourceNames": [right.name]} if right.name else {}
    return {"apiGroups": [right.group], "resources": [right.resource], "verbs": [right.verb], **names}


@contextlib.contextmanager
def bound(stage: Stage, granted: Mapping[str, Sequence[Object]]) -> Iterator[None]:
    """While this lasts users have these roles, and every API server knows of it.

    The last user's roles give at least one right of each kind (of the cluster, of a namespace) that others
    have: servers hear of roles in the order in which they were made, so all are known when the last are.
    """
    numbers = itertools.count()
    made = [
        part
        for user, objects in granted.items()
        for role in objects
        for part in _role_and_binding(user, role, next(numbers))
    ]
    user, objects = list(granted.items())[-1]
    questions = [right.review(user) for right in rights(objects)]
    # What a run that was cut off has left would be in the way.
    kinds = "clusterroles,clusterrolebindings,roles,rolebindings"
    clean = ["delete", kinds, "--all-namespaces", f"--selector={NAME}", "--ignore-not-found"]
    stage.kubectl(*clean)
    stage.kubectl("create", "--filename=-", given={"apiVersion": "v1", "kind": "List", "items": made})
    try:
        for server in stage.servers:
            _wait_until_allowed(stage, server, questions)
        yield
    finally:
        stage.kubectl(*clean)


def _wait_until_allowed(stage: Stage, server: str, questions: Sequence[Object]) -> None:
    asked = {"apiVersion": "v1", "kind": "List", "items": questions}
    ask = [f"--server={server}", "create", "--filename=-", "--output=jsonpath={.status.allowed} "]
    end = time.monotonic() + PATIENCE
    while (told := stage.kubectl(*ask, given=asked).split()) != ["true"] * len(questions):
        assert time.monotonic() < end, f"{server} does not grant what was bound: {told}"
        time.sleep(0.05)


def _of_rule(rule: Object, namespace: str) -> list[Right]:
    if "nonResourceURLs" in rule:
        return [Right(verb, url) for url in rule["nonResourceURLs"] for verb in rule["verbs"]]
    parts = (rule["apiGroups"], rule["resources"], rule["verbs"], rule.get("resourceNames", [""]))
    return [
        Right(verb, resource, group, name, namespace)
        for group, resource, verb, name in itertools.product(*parts)
    ]


def _role_and_binding(user: str, role: Object, number: int) -> tuple[Object, Object]:
    kind = role["kind"]
    metadata = {"name": f"{NAME}-{number}", "labels": {NAME: ""}}
    if kind == "Role":
        metadata["namespace"] = role["metadata"]["namespace"]
    version = {"apiVersion": f"{GROUP}/v1"}
    given = {**version, "kind": kind, "metadata": metadata, "rules": role["rules"]}
    binding = {
        **version,
        "kind": f"{kind}Binding",
        "metadata": metadata,
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": metadata["name"]},
        "subjects": [{"apiGroup": GROUP, "kind": "User", "name": user}],
    }
    return given, binding
