"""The image of a debug pod: any that the node already holds, since its own programs are never used. Pure.

The host's /usr, /lib, /lib64 and /bin are mounted over the image's own; nothing is ever pulled.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def held(node: Mapping[str, Any], pods: Iterable[Mapping[str, Any]]) -> str | None:
    """The name of an image that is on the node; None where none is known.

    node: the Node object. pods: those that run on it, as far as they can be seen.

    The pause image comes first, being the smallest and kept by every kubelet. Nodes list their 50 largest
    images only, which may leave it out; what a running container was made from is there all the same.
    Source: kubernetes/kubernetes pkg/kubelet/nodestatus/setters.go, Images; nodeStatusMaxImages.
    """
    listed = [
        name for image in node.get("status", {}).get("images") or () for name in image.get("names") or ()
    ]
    named = (name for name in listed if "@" not in name and is_pause(name))
    return next(named, None) or next(running(pods), None)


def is_pause(name: str) -> bool:
    """Whether a name is that of a pause image, whatever registry it comes from."""
    return name.rpartition("/")[2].partition(":")[0] == "pause"


def running(pods: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The images of containers that run in these pods, by the names that the pods were made with."""
    for pod in pods:
        statuses = {status["name"]: status for status in pod.get("status", {}).get("containerStatuses") or ()}
        for container in pod["spec"]["containers"]:
            if "running" in (statuses.get(container["name"], {}).get("state") or {}):
                yield container["image"]
