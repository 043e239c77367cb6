"""Authorities that expire too early, and those whose keys are elsewhere. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice, takewhile

from kubectl_admin.certificates.facts import Facts, Seen, Source, Use
from kubectl_admin.certificates.judge.alike import distinct, grouped, objects_of
from kubectl_admin.certificates.rules import AUTHORITY_EXPIRES_FIRST, EXTERNAL_AUTHORITY
from kubectl_admin.finding import Finding

MOST = 500  # certificates that one authority's finding is about
Lasting = tuple[datetime, int]  # when a certificate expires, and its place among all that were seen


def expiring_first(facts: Facts) -> Iterator[Finding]:
    """Authorities that expire before a certificate that they have signed: it is worth nothing then."""
    found = list(distinct(facts))
    signed = of_signers(found)
    for authority in found:
        mine = authority.certificate
        if mine is None or authority.use is not Use.AUTHORITY:
            continue
        # Signed by this key, or by one that is not said; where this one's is not said, by any of the name.
        keys = ("", mine.subject_key) if mine.subject_key else (None,)
        lasting = (signed.get((mine.subject, key), ()) for key in keys)
        places = sorted(place for each in lasting for place in outlasting(each, mine.not_after))
        longer = [found[place] for place in places]
        if longer:
            yield AUTHORITY_EXPIRES_FIRST.warning(
                subject=authority.name,
                evidence=f"expires at {mine.not_after:%Y-%m-%d %H:%M} UTC, before"
                f" {', '.join(dict.fromkeys(one.name for one in longer))}",
                fix="replace the authority in time: docs/certificates.md",
                objects=objects_of(longer),
            )


def of_signers(seen: Iterable[Seen]) -> dict[tuple[str, str | None], list[Lasting]]:
    """Each signer's certificates, by its name and key, and by its name alone (None); the longest first.

    So nobody compares every authority with every certificate, of which one node may show very many.
    """
    signed: dict[tuple[str, str | None], list[Lasting]] = {}
    for place, one in enumerate(seen):
        if mine := one.certificate:
            for key in (mine.authority_key, None):
                signed.setdefault((mine.issuer, key), []).append((mine.not_after, place))
    for lasting in signed.values():
        lasting.sort(key=lambda each: each[0], reverse=True)
    return signed


def outlasting(lasting: Iterable[Lasting], end: datetime) -> Iterator[int]:
    """The places of those that last beyond the end, the first of very many."""
    return islice((place for _, place in takewhile(lambda each: each[0] > end, lasting)), MOST)


def external(facts: Facts) -> Iterator[Finding]:
    """Authorities whose keys are not in the cluster, so that kubeadm can't renew what they signed."""
    control_planes = {one.node for one in facts.seen if one.name == "apiserver" and one.source is Source.FILE}
    without = [one for one in facts.seen if one.key is False and one.node in control_planes and one.required]
    for (name,), found in grouped(without, lambda one: (one.name,)):
        yield EXTERNAL_AUTHORITY.note(
            subject=name,
            evidence=f"{found[0].where} has no key beside it",
            fix="renew with signing requests to the holder of the key: docs/certificates.md has every step",
            objects=objects_of(found),
        )
