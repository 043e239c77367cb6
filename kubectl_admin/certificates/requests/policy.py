"""Whether a request for a kubelet's certificate is right: the rules of an approver that trusts nobody. Pure.

The holder of a serving certificate can pose as that node towards API servers; the holder of a client
certificate is that node. So everything must be as a kubelet itself asks for it, and nothing more.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from kubectl_admin.certificates.requests import rules
from kubectl_admin.certificates.requests.facts import CLIENT, SERVING, Address, Content, Request
from kubectl_admin.certificates.requests.nodes import CONTROL_PLANE, Nodes, Server, folded
from kubectl_admin.finding import Rule
from kubectl_admin.report.text import DAY, exactly

# A node's user, and the common name of its certificates; nodes are named as DNS subdomains are.
NODE_USER = re.compile(r"system:node:(?P<node>[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)")
NODES = "system:nodes"
BOOTSTRAP = re.compile(r"system:bootstrap:[a-z0-9]{6}")
BOOTSTRAPPERS = "system:bootstrappers"
# Names that every cluster's API server answers to, and those of every machine itself: never a node's own.
EVERYBODYS = re.compile(r"localhost(\..*)?|kubernetes(\.default(\.svc(\..*)?)?)?")
# A name of one machine: no wildcard, no address in letters, and nothing that one reader cuts off.
HOSTNAME = re.compile(
    r"([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*(?!(0x[0-9a-f]*|[0-9]+)$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
)
LONGEST_NAME = 253  # letters of a DNS name
SIGNATURE, ENCIPHERMENT = "digital signature", "key encipherment"
# Seconds for which a certificate may be asked for, unless --max-duration says otherwise. A signer's own limit
# is a year unless --cluster-signing-duration says otherwise.
MAX_DURATION = 366 * DAY
# Pending requests of one node that are judged: its kubelet waits for the newest alone, for 15 minutes.
# Source: client-go util/certificate/certificate_manager.go, certificateWaitTimeout.
FEW = 50
EVIDENCE = 400  # characters that are said against a request of what it holds


class Verdict(StrEnum):
    """The verdict on a request."""

    VALID = "valid"
    DOUBTFUL = "doubtful"  # right, but for a person to decide, by its name
    REFUSED = "refused"
    NOT_JUDGED = "not judged"  # of another signer, whose rules are not known here, or one too many of a node


# Rules that a request may break which a person approves by its name.
DOUBTS = frozenset({rules.NODE_EXISTS, rules.SHARED_ADDRESS})


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that a request breaks, and the evidence."""

    rule: Rule
    evidence: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A request with what is to be done with it, and why; node: for which it is, "" for none."""

    request: Request
    verdict: Verdict
    breaches: tuple[Breach, ...] = ()
    node: str = ""


def judge(request: Request, nodes: Nodes, longest: int = MAX_DURATION) -> Judged:
    """The verdict on a request. nodes: all of the cluster. longest: seconds that it may last."""
    judge_kind = {SERVING: serving, CLIENT: client}.get(request.signer)
    if judge_kind is None:
        return Judged(request, Verdict.NOT_JUDGED)
    if request.content is None:
        return Judged(request, Verdict.REFUSED, (Breach(rules.BROKEN, request.broken),))
    content = request.content
    found = (*common(request, content, longest), *judge_kind(request, content, nodes))
    breaches = tuple(map(shortened, found))
    grave = [breach for breach in breaches if breach.rule not in DOUBTS]
    if not grave and not content.exact:
        # Nothing that was read is wrong, so the fault is in the rest: the signer might read it.
        grave = [Breach(rules.INEXACT, "its bytes hold something else, or are encoded in another way")]
        breaches = (*grave, *breaches)
    verdict = Verdict.REFUSED if grave else Verdict.DOUBTFUL if breaches else Verdict.VALID
    return Judged(request, verdict, breaches, node_of(content))


def shortened(breach: Breach) -> Breach:
    """The breach with as much of its evidence as can be read; a doubt whole, since a person decides by it."""
    if breach.rule in DOUBTS or len(breach.evidence) <= EVIDENCE:
        return breach
    return replace(breach, evidence=f"{breach.evidence[:EVIDENCE]}…")


def is_nodes_own(request: Request) -> bool:
    """Whether a node asks by itself; thousands of machines that join may have one bootstrap token."""
    return NODE_USER.fullmatch(request.username) is not None


def passed_over(waiting: Sequence[Request]) -> set[str]:
    """The UIDs of those that are not judged, since their node has newer ones. waiting: the oldest first."""
    count, found = Counter[str](), set[str]()
    for request in reversed(waiting):
        count[request.username] += 1
        if count[request.username] > FEW and is_nodes_own(request):
            found.add(request.uid)
    return found


def common(request: Request, content: Content, longest: int) -> Iterator[Breach]:
    """Breaches for either signer.

    Source: kubernetes/kubernetes pkg/apis/certificates/helpers.go, ValidateKubeletServingCSR and
    ValidateKubeletClientCSR, which look at organization, the kinds of alternative names, and usages.
    """
    if not content.signed:
        yield Breach(rules.BAD_SIGNATURE, "its signature was not made with the key in it")
    if not content.strong:
        yield Breach(rules.WEAK_KEY, f"the key is {content.key}")
    if not node_of(content):
        yield Breach(rules.COMMON_NAME, f"the common name is {quoted(content.common_names)}")
    if content.organizations != (NODES,):
        yield Breach(rules.ORGANIZATION, f"the organization is {quoted(content.organizations)}")
    if content.others:
        yield Breach(rules.SUBJECT, f"it also holds {', '.join(content.others)}")
    if content.extensions:
        yield Breach(rules.EXTENSIONS, f"it asks for {', '.join(content.extensions)}")
    if content.attributes:
        yield Breach(rules.ATTRIBUTES, f"it also has {', '.join(content.attributes)}")
    if request.expiration is not None and request.expiration > longest:
        yield Breach(
            rules.EXPIRATION,
            f"it asks for {exactly(request.expiration)}, and at most {exactly(longest)} is allowed",
        )


def serving(request: Request, content: Content, nodes: Nodes) -> Iterator[Breach]:
    """Breaches of a kubelet's own request for a serving certificate.

    Source: Kubernetes' signer kubernetes.io/kubelet-serving; pkg/kubelet/certificate/kubelet.go, for what
    a kubelet asks for; that its names must be its own is left to the approver.
    """
    if request.username != (content.common_names or ("",))[0] or NODES not in request.groups:
        yield Breach(rules.REQUESTER, asked_by(request))
    yield from usages(request, content, "server auth")
    if content.other_names:
        yield Breach(rules.NAMES, f"it names {', '.join(content.other_names)}")
    if not content.dns_names and not content.addresses:
        yield Breach(rules.NO_NAMES, "it does not name any")
    node = node_of(content)
    if node and node not in nodes:
        yield Breach(rules.NO_NODE, f"there is no node {node}")
    elif node:
        yield from addresses(content, node, nodes)


def addresses(content: Content, node: str, nodes: Nodes) -> Iterator[Breach]:
    """Whether all that is named belongs to this node, and to no other.

    A kubelet writes the addresses of its own Node object where no cloud's controller does. One that
    was taken over must not make itself another node, or the API server. So names that are everybody's or the
    API server's are refused, and a person decides about those that another node has, too.
    """
    own, server = nodes[node], nodes.server
    names = {*map(folded, content.dns_names), *content.addresses}
    foreign = names - own.names - own.addresses
    if foreign:
        yield Breach(rules.FOREIGN_ADDRESS, f"{listed(foreign)} not among the addresses of node {node}")
    nobodys = {each for each in names - foreign if is_nobodys(each, server)}
    if nobodys:
        yield Breach(rules.FOREIGN_ADDRESS, f"{listed(nobodys)} not specific to one machine")
    servers = {
        each
        for each in names - foreign - nobodys
        if server.is_known_by(each, control_plane=own.control_plane)
    }
    if servers:
        why = "" if own.control_plane else f", and node {node} does not have the label {CONTROL_PLANE}"
        yield Breach(rules.FOREIGN_ADDRESS, f"{listed(servers)} used for the API server{why}")
    named = names - foreign
    for other, about in nodes.items():
        # Nothing is built for those that share nothing: there are thousands of nodes, and of requests.
        if other == node or (named.isdisjoint(about.names) and named.isdisjoint(about.addresses)):
            continue
        shared = sorted(map(str, named & (about.names | about.addresses)))
        yield Breach(rules.SHARED_ADDRESS, f"node {other} also has {', '.join(shared)}")


def client(request: Request, content: Content, nodes: Nodes) -> Iterator[Breach]:
    """Breaches of a request for a kubelet's client certificate, a new node's or a renewal.

    The controller-manager approves both by itself where kubeadm's bindings are in place; a pending one had
    no such binding.

    Source: Kubernetes' signer kubernetes.io/kube-apiserver-client-kubelet; pkg/controller/certificates/
    approver/sarapprove.go; «TLS bootstrapping», for user and groups of a bootstrap token.
    """
    itself = request.username == (content.common_names or ("",))[0] and NODES in request.groups
    token = BOOTSTRAP.fullmatch(request.username) and any(map(is_bootstrappers, request.groups))
    if not itself and not token:
        yield Breach(rules.REQUESTER, asked_by(request))
    yield from usages(request, content, "client auth")
    names = (*content.dns_names, *map(str, content.addresses), *content.other_names)
    if names:
        yield Breach(rules.NAMES, f"it names {', '.join(names)}")
    node = node_of(content)
    if node and not itself and node in nodes:
        yield Breach(
            rules.NODE_EXISTS,
            f"node {node} exists already: the holder of the token would become that node; "
            "approve the request by its name if you are setting that node up again",
        )


def usages(request: Request, content: Content, purpose: str) -> Iterator[Breach]:
    """Digital signature and the purpose; key encipherment besides for RSA only.

    Source: pkg/apis/certificates/helpers.go; client-go util/certificate, DefaultKubeletServingGetUsages.
    """
    asked, needed = set(request.usages), {SIGNATURE, purpose}
    if asked - {ENCIPHERMENT} != needed or len(asked) != len(request.usages):
        yield Breach(rules.USAGES, f"the usages are {quoted(request.usages)}, not {quoted(sorted(needed))}")
    elif ENCIPHERMENT in asked and not content.rsa:
        yield Breach(rules.USAGES, f"it asks for key encipherment with an {content.key} key")


def node_of(content: Content) -> str:
    """The name of the node that a certificate is for; "" where its common name is none that can be."""
    found = NODE_USER.fullmatch(content.common_names[0]) if len(content.common_names) == 1 else None
    return found["node"] if found else ""


def is_bootstrappers(group: str) -> bool:
    """Whether this is the group of all bootstrap tokens, or one of theirs."""
    return group == BOOTSTRAPPERS or group.startswith(f"{BOOTSTRAPPERS}:")


def is_nobodys(name: str | Address, server: Server) -> bool:
    """Whether a name or an address is not one machine's own: everybody's, a Service's, or not a name."""
    if not isinstance(name, str):
        return name.is_loopback or name.is_unspecified
    # Before the pattern, which a name of a kubelet's own making could keep busy.
    own = len(name) <= LONGEST_NAME and HOSTNAME.fullmatch(name) and not EVERYBODYS.fullmatch(name)
    return not own or server.is_a_services(name)


def listed(names: Iterable[str | Address]) -> str:
    """«a is», «a, b are»."""
    texts = sorted(map(str, names))
    return f"{', '.join(texts)} {'is' if len(texts) == 1 else 'are'}"


def asked_by(request: Request) -> str:
    """Who has asked, and in which groups."""
    return f"the requester is {request.username or 'nobody'} ({', '.join(request.groups) or 'no group'})"


def quoted(values: Iterable[str]) -> str:
    """The values as a list, or «none»."""
    return ", ".join(f"«{value}»" for value in values) or "none"
