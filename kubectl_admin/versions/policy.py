"""The version skew policy of Kubernetes, as pure functions.

The numbers of the policy are the constants below, and nowhere else. To change how many minors older a kubelet
or kube-proxy may be, change KUBELET_OLDER, the rows of tests/unit/versions/test_policy.py that quote that
sentence, and the samples in README.md and docs/skew.md (a test names each), then write docs/rules.md again.
Rules, breaches, reports, upgrade paths and the preflight of an upgrade follow from here.

Source of all numbers: https://kubernetes.io/releases/version-skew-policy/, «Supported version skew».
Minors are whole numbers, 36 for 1.36: the major version of Kubernetes is 1.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# How many minors older than the newest API server a part may be.
APISERVER_OLDER = 1
CONTROLLER_OLDER = 1  # kube-controller-manager, kube-scheduler, cloud-controller-manager
KUBELET_OLDER = 3  # and kube-proxy, which may also be so much older or newer than the kubelet of its node
KUBELET_OLDER_FORMERLY = 2  # of a kubelet or kube-proxy before FIRST_WITH_KUBELET_OLDER
FIRST_WITH_KUBELET_OLDER = 25  # 1.25
KUBECTL_APART = 1  # older than the newest, or newer than the oldest


@dataclass(frozen=True, slots=True)
class MinorRange:
    """Minors from the oldest to the newest, both included; empty where the oldest is beyond the newest."""

    oldest: int
    newest: int

    def __contains__(self, minor: int) -> bool:
        return self.oldest <= minor <= self.newest

    def __str__(self) -> str:
        if self.oldest > self.newest:
            return "none"
        return f"1.{self.newest}" if self.oldest == self.newest else f"1.{self.oldest} to 1.{self.newest}"


def apiserver_minors(apiservers: Sequence[int]) -> MinorRange:
    """Minors that an API server may have beside the newest of these: that one and the one before.

    Source: «kube-apiserver»: the newest and oldest instances must be within one minor version.
    """
    return MinorRange(max(apiservers) - APISERVER_OLDER, max(apiservers))


def kubelet_minors(apiservers: Sequence[int]) -> MinorRange:
    """Minors that a kubelet may have beside these API servers.

    Never newer than the oldest of them, at most KUBELET_OLDER older than the newest. Source: «kubelet».
    """
    return MinorRange(oldest_kubelet(max(apiservers)), min(apiservers))


def kube_proxy_minors(apiservers: Sequence[int]) -> MinorRange:
    """Minors that a kube-proxy may have beside these API servers: the same as a kubelet.

    Source: «kube-proxy».
    """
    return kubelet_minors(apiservers)


def kube_proxy_minors_beside(kubelet: int) -> MinorRange:
    """Minors that a kube-proxy may have beside the kubelet of its node: up to KUBELET_OLDER older or newer.

    Source: «kube-proxy».
    """
    newest = kubelet + KUBELET_OLDER
    if newest < FIRST_WITH_KUBELET_OLDER:
        newest = kubelet + KUBELET_OLDER_FORMERLY
    return MinorRange(oldest_kubelet(kubelet), newest)


def controller_minors(apiservers: Sequence[int]) -> MinorRange:
    """Minors that a controller-manager or scheduler may have with the API servers that it can reach.

    Never newer than the oldest, at most CONTROLLER_OLDER older than the newest.
    Source: «kube-controller-manager, kube-scheduler, and cloud-controller-manager».
    """
    return MinorRange(max(apiservers) - CONTROLLER_OLDER, min(apiservers))


def kubectl_minors(apiservers: Sequence[int]) -> MinorRange:
    """Minors that a kubectl may have with these API servers: near enough to each. Source: «kubectl»."""
    return MinorRange(max(apiservers) - KUBECTL_APART, min(apiservers) + KUBECTL_APART)


def oldest_kubelet(minor: int) -> int:
    """The oldest minor of a kubelet or kube-proxy beside this one: an old part may be less far behind."""
    oldest = minor - KUBELET_OLDER
    return oldest if oldest >= FIRST_WITH_KUBELET_OLDER else minor - KUBELET_OLDER_FORMERLY


def minors_text(minors: Iterable[int]) -> str:
    """«1.36 and 1.37»."""
    return " and ".join(f"1.{minor}" for minor in minors)
