"""Whether the volume of a claim that comes back is still there, and free. Pure.

Source: kubernetes/kubernetes pkg/controller/volume/persistentvolume/pv_controller.go, syncUnboundClaim and
syncVolume.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kubectl_admin.cluster.decode import mapping


def claims_of(item: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    """Those of the names of claims, in its namespace, that a StatefulSet would make if they were not there.

    item: any object; others than StatefulSets make none.
    Source: pkg/controller/statefulset/stateful_set_utils.go, getPersistentVolumeClaimName.
    """
    templates = mapping(item.get("spec")).get("volumeClaimTemplates")
    if item.get("kind") != "StatefulSet" or not isinstance(templates, list):
        return
    of_set = str(mapping(item.get("metadata")).get("name"))
    claims = [str(mapping(mapping(one).get("metadata")).get("name")) for one in templates]
    patterns = [re.compile(rf"{re.escape(claim)}-{re.escape(of_set)}-[0-9]+") for claim in claims]
    yield from (name for name in names if any(pattern.fullmatch(name) for pattern in patterns))
