"""One case of the matrix, tried on a lab: broken, looked at until it is named, mended."""

import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.cluster import labs
from tests.cluster.health.cases import LEADER, Case
from tests.lab.nodes.lab import Lab

TIMEOUT = 10  # seconds of one look
LATE = TIMEOUT + 1  # seconds: what is over in time is still to be judged, on a machine that may be busy
CALM_TIMEOUT = 120  # seconds in which nothing is found any more of what was mended
SERIOUS = ("violation", "warning")


@dataclass(frozen=True)
class Looked:
    """What one run of `health` has said.

    after: seconds from the break to its beginning. took: its own account of the seconds that it took.
    states: by node and component, with its evidence. words: of an error, with what to do next.
    """

    after: float
    code: int
    took: float
    states: dict[str, dict[str, tuple[str, str]]]
    findings: list[dict[str, Any]]
    words: str = ""

    @property
    def serious(self) -> list[dict[str, Any]]:
        """The findings of warning and worse."""
        return [one for one in self.findings if one["severity"] in SERIOUS]


@dataclass(frozen=True)
class Tried:
    """What came of a case.

    node: where it was. seen: the looks. named: the finding that names the break. broken: when that was, as
    seconds since the epoch; the labs' clocks are this machine's.
    """

    case: Case
    node: str
    seen: tuple[Looked, ...]
    named: dict[str, Any] | None
    broken: float

    @property
    def last(self) -> Looked:
        """The look that has named the break, or the last one."""
        return self.seen[-1]

    @property
    def state(self) -> str:
        """The state of the component in question, in the last look; "" where it is not there."""
        return self.last.states.get(self.node, {}).get(self.case.component, ("", ""))[0]

    @property
    def foreign(self) -> list[str]:
        """The findings of all looks, of warning and worse, that neither name the break nor follow from it."""
        found = {
            f"{one['severity']} {one['rule']} ({one['subject']}: {one['evidence']})"
            for look in self.seen
            for one in look.serious
            if not names(self.case, self.node, one)
            and one["rule"] not in self.case.then
            and not is_trace(one, self.broken)
        }
        return sorted(found)

    @property
    def followed(self) -> list[str]:
        """The rules of what followed from the break, in the look that has named it."""
        rules = {one["rule"] for one in self.last.serious if one["rule"] in self.case.then}
        return sorted(rules - {self.named and self.named["rule"]})

    @property
    def strange(self) -> Iterator[str]:
        """Cells that are not as the case has those of their nodes."""
        if self.case.cells is None:
            return
        for node, components in self.last.states.items():
            wanted = self.case.cells.get(node, "well")
            for component, (state, evidence) in components.items():
                if state != wanted:
                    yield f"{component} on {node} is «{state}» and not «{wanted}»: {evidence}"

    @property
    def faults(self) -> Iterator[str]:
        """What is not as it should be; nothing where the case is passed."""
        if self.case.rule and not self.named:
            yield f"no {self.case.rule} after {self.last.after:.0f} s"
        if self.case.state and self.state not in self.case.state.split("|"):
            _, seen = self.last.states.get(self.node, {}).get(self.case.component, ("", "not there"))
            yield f"the cell is «{self.state}» and not «{self.case.state}»: {seen}"
        yield from self.strange
        if self.foreign:
            yield f"also found: {'; '.join(self.foreign)}"
        if late := [look.took for look in self.seen if look.took > LATE]:
            yield f"took {max(late):.1f} s"
        words = [look.words for look in self.seen if look.words and look.after >= self.case.blind]
        if self.case.ends and self.case.ends not in self.last.words:
            yield f"did not say «{self.case.ends}»: {words}"
        if words and not self.case.ends:
            yield f"said: {words[-1]}"


def try_out(lab: Lab, case: Case) -> Tried:
    """Breaks a lab that is whole as the case says, looks until it is named, and mends it."""
    node = leader(lab) if case.node == LEADER else case.node
    seen: list[Looked] = []
    named = None
    with case.broken(lab, node) as kubeconfig:
        broken, wall = time.monotonic(), time.time()
        changes = {"KUBECONFIG": str(kubeconfig)} if kubeconfig else {}
        while named is None and (not seen or time.monotonic() - broken < case.patience):
            after = time.monotonic() - broken
            seen.append(looked_at(lab, after, *case.look, **changes))
            named = next((one for one in seen[-1].findings if names(case, node, one)), None)
            shown = seen[-1].states.get(node, {}).get(case.component, ("", ""))[0]
            if not case.rule and (not case.state or shown in case.state.split("|")):
                break
    return Tried(case, node, tuple(seen), named, wall)


def wait_until_calm(lab: Lab) -> None:
    """Return when nothing is found any more that follows from a case, as Leases that are to be renewed."""
    end = time.monotonic() + CALM_TIMEOUT
    while left := [one for one in looked_at(lab, 0).serious if not is_trace(one)]:
        if time.monotonic() > end:
            print(f"  still found: {left}", file=sys.stderr)
            return


def looked_at(lab: Lab, after: float, *arguments: str, **changes: str) -> Looked:
    """One run of `health`."""
    addresses = {each.name: each.address for each in lab.nodes}
    given = [re.sub(r"\{(.*?)\}", lambda found: addresses[found[1]], one) for one in arguments]
    ended = labs.admin(lab, "health", "-o", "json", f"--timeout={TIMEOUT}s", *given, **changes)
    error = " ".join(ended.err.split()) if ended.code not in (0, 3) else ""
    if not ended.out:
        return Looked(after, ended.code, 0.0, {}, [], error or "nothing")
    document = json.loads(ended.out)
    states = {
        item["name"]: {name: (one["state"], one["evidence"]) for name, one in item["components"].items()}
        for item in document["items"]
    }
    return Looked(after, ended.code, document["tookSeconds"], states, document["findings"], error)


def names(case: Case, node: str, finding: dict[str, Any]) -> bool:
    """Whether a finding names the break of a case."""
    if finding["rule"] not in case.rule.split("|") or finding["severity"] != case.severity:
        return False
    if finding["rule"].startswith(("component-", "port-")) and not finding["subject"].startswith(
        case.component
    ):
        return False  # of another component of the same node
    if case.says not in f"{finding['evidence']} {finding['fix']}":
        return False
    objects = case.objects if case.objects is not None else (f"node/{node}",)
    return not objects or tuple(finding["objects"]) == objects


def is_trace(finding: dict[str, Any], broken: float = 0) -> bool:
    """Whether a finding tells of an earlier case.

    That is: of a process that has begun again, which is told for minutes; or that ended before this break. A
    controller ends by itself a while after it has lost its Lease, and by then its case may be over.
    """
    if finding["rule"] != "component-crashing":
        return False
    since = finding.get("since")
    ended = datetime.fromisoformat(since.replace("Z", "+00:00")).timestamp() if since else broken
    return finding["severity"] == "warning" or int(ended) < int(broken)


def leader(lab: Lab) -> str:
    """The node of the controller-manager that leads."""
    path = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager"
    holder = str(labs.ask(lab, path)["spec"]["holderIdentity"])
    return holder.partition("_")[0]
