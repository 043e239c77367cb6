"""Versions as Kubernetes and its parts write them."""

import re
import sys
from dataclasses import dataclass, field

# Kubernetes' own pre-releases; anything else behind a version is a vendor's build of it.
# Source: kubernetes/sig-release release-engineering/versioning.md.
PRERELEASE = re.compile(r"-((?:alpha|beta|rc)[0-9]*(?:\.[0-9A-Za-z]+)*)(?![0-9A-Za-z])")
WRITTEN = re.compile(r"v?([0-9]{1,6})\.([0-9]{1,6})(?:\.([0-9]{1,6}))?([-+].{0,127})?", re.DOTALL)

# Of one version's pre-releases: 1 for the release itself, else 0 and their identifiers, numbers before words;
# of a number how many digits it has and which, since it may have more than Python reads.
Precedence = tuple[int, int, int, int, tuple[tuple[int, int, str], ...]]


def not_a_kubernetes_version(text: str) -> str:
    """The refusal of an option with this value."""
    return f"{text!r} is not a Kubernetes version (examples: 1.37, 1.37.2)"


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """MAJOR.MINOR.PATCH and a vendor's addition behind it, which does not count for the order.

    Nor does a pre-release: the skew policy counts minors. Where one of several is chosen, or where a version
    may be there already, that is not enough: there `precedence` orders, and `is_met_by` compares. Vendors
    write their builds like pre-releases, too («1.31.4-eks-2d5f260»); these come by their names alone.
    """

    major: int
    minor: int
    patch: int
    suffix: str = field(default="", compare=False)

    @classmethod
    def parse(cls, text: str) -> "Version":
        """Reads «v1.36.3», «1.31.4-eks-2d5f260», «3.6.8-0»; a missing patch is 0. Raises ValueError.

        A vendor's addition has at most 128 characters, as an image's tag has.
        """
        match = WRITTEN.fullmatch(text.strip())
        if not match:
            raise ValueError(f"{text!r} is not a version")
        return cls(int(match[1]), int(match[2]), int(match[3] or 0), match[4] or "")

    @classmethod
    def find(cls, text: str) -> "Version | None":
        """Reads a version; None for other text."""
        try:
            return cls.parse(text)
        except ValueError:
            return None

    @classmethod
    def of_image(cls, image: str) -> "Version | None":
        """The version that an image's tag claims; None for another tag, or a digest alone.

        A tag can't have a «+», for which «_» is written.
        Source: kubernetes/kubernetes cmd/kubeadm/app/util/version.go, KubernetesVersionToImageTag.
        """
        name = image.rpartition("/")[2].partition("@")[0]
        return cls.find(name.partition(":")[2].replace("_", "+"))

    @property
    def prerelease(self) -> str:
        """«rc.1» of «1.37.0-rc.1+build»; "" for a release."""
        match = PRERELEASE.match(self.suffix)
        return match[1] if match else ""

    @property
    def build(self) -> str:
        """A vendor's part: «+vmware.1», «-eks-2d5f260»; "" for nothing."""
        return self.suffix.removeprefix(f"-{self.prerelease}") if self.prerelease else self.suffix

    @property
    def precedence(self) -> Precedence:
        """Orders versions as semver.org does, section 11: a pre-release before its release."""
        identifiers = tuple(
            (0, len(digits := part.lstrip("0")), digits)
            if part.isascii() and part.isdecimal()
            else (1, 0, part)
            for part in self.prerelease.split(".")
            if self.prerelease
        )
        return self.major, self.minor, self.patch, int(not self.prerelease), identifiers

    def is_release(self, other: "Version | None") -> bool:
        """Whether the other is of the same release or pre-release, whatever a vendor adds."""
        return other is not None and self.precedence == other.precedence

    def is_met_by(self, other: "Version | None") -> bool:
        """Whether the other is wanted here: a vendor's addition counts where this version names it."""
        return other is not None and self.is_release(other) and self.build in {"", other.build}

    def is_same(self, other: "Version | None") -> bool:
        """Whether the other is this very version, a vendor's addition and a pre-release counted."""
        return self == other and self.suffix == (other.suffix if other else None)

    @property
    def minor_text(self) -> str:
        """«1.36»."""
        return f"{self.major}.{self.minor}"

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}{self.suffix}"


class AnyPatch(Version):
    """A minor whose patch is not known yet, the last one there can be; it is written without a patch."""

    __slots__ = ()

    def __init__(self, minor: int) -> None:
        super().__init__(1, minor, sys.maxsize)

    def __str__(self) -> str:
        return self.minor_text
