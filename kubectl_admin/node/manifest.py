"""What a debug pod is, built of small named steps. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from kubectl_admin.node.operation import Operation

CONTAINER = "host"
ROOT = "/host"  # where the node's file system is
LABELS = {"app.kubernetes.io/managed-by": "kubectl-admin"}
OPERATION = "kubectl-admin/operation"
OWNER = "kubectl-admin/owner"
# Folders of the host that stand in for the image's own. Any but /usr may be missing somewhere.
PROGRAMS = ("/usr", "/bin", "/lib", "/lib64")
# Run in the container, ends its process and sees it ended: the «sleep» in the mount namespace of whoever runs
# this, which must not be the host's, and in the container's root. What is run on the host is in that one's: a
# script there would go on behind its own «sleep». Most runtimes kill this as well then, before it can say so.
ENDING = """\
own=/proc/self/ns/mnt
if [ ! -e /proc/1/ns/mnt ] || [ /proc/1/ns/mnt -ef "$own" ]; then exit 1; fi
for process in /proc/[0-9]*; do
  if [ "$process/ns/mnt" -ef "$own" ] && [ "$process/root" -ef / ] &&
    read -r name < "$process/comm" && [ "$name" = sleep ]; then
    kill "${process#/proc/}"
    tries=0
    while [ -e "$process" ]; do
      tries=$((tries + 1))
      [ "$tries" -lt 40 ] || exit 1
      /bin/sleep 0.05
    done
    exit
  fi
done 2> /dev/null
exit 1
"""


def debug_pod(  # noqa: PLR0913 - what it is made of
    name: str,
    node: str,
    *,
    operation: Operation,
    image: str,
    pull: str,
    deadline: int,
    programs: Sequence[str] = PROGRAMS,
) -> dict[str, Any]:
    """The pod as it is created.

    pull: its imagePullPolicy. deadline: seconds after which the kubelet ends it, whatever has become of us.
    programs: folders of the host that are mounted over the image's own.
    """
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": {**LABELS, OPERATION: operation.id},
            "annotations": {OWNER: str(operation.owner)},
        },
        "spec": {
            **on_this_node_whatever_its_state(node),
            **in_the_namespaces_of_the_host(),
            **without_rights_in_the_cluster(),
            "restartPolicy": "Never",
            "activeDeadlineSeconds": deadline,
            "terminationGracePeriodSeconds": 1,
            "containers": [
                {
                    "name": CONTAINER,
                    "image": image,
                    "imagePullPolicy": pull,
                    "command": ["/bin/sleep", str(deadline)],
                    "workingDir": "/",
                    "securityContext": {
                        "privileged": True,
                        "runAsUser": 0,
                        "runAsGroup": 0,
                        "runAsNonRoot": False,
                    },
                    "volumeMounts": [{"name": "root", "mountPath": ROOT}, *map(program_mount, programs)],
                }
            ],
            "volumes": [{"name": "root", "hostPath": {"path": "/"}}, *map(program_volume, programs)],
        },
    }


def on_this_node_whatever_its_state(node: str) -> dict[str, Any]:
    """Bound without the scheduler, so that no cordon matters; neither taints nor pressure drive it out."""
    return {
        "nodeName": node,
        "tolerations": [{"operator": "Exists"}],
        "priorityClassName": "system-node-critical",
    }


def in_the_namespaces_of_the_host() -> dict[str, Any]:
    """The host's processes (systemctl works with them only) and network (what listens on its loopback)."""
    return {"hostPID": True, "hostNetwork": True, "dnsPolicy": "Default"}


def without_rights_in_the_cluster() -> dict[str, Any]:
    """No token for the API, and no environment variable for every Service."""
    return {"automountServiceAccountToken": False, "enableServiceLinks": False}


def program_mount(folder: str) -> dict[str, Any]:
    """A folder of the host in the place of the image's own."""
    return {"name": volume_name(folder), "mountPath": folder, "readOnly": True}


def program_volume(folder: str) -> dict[str, Any]:
    """The volume of such a folder. With a type, a missing one is an error: without, it would be made."""
    return {"name": volume_name(folder), "hostPath": {"path": folder, "type": "Directory"}}


def volume_name(folder: str) -> str:
    """«usr» for /usr."""
    return folder.strip("/")


def missing_program_folder(message: str, programs: Sequence[str]) -> str | None:
    """The folder that a kubelet's FailedMount says is not there; None if it says something else."""
    for folder in programs:
        if f"hostPath type check failed: {folder} is not a directory" in message:
            return folder
    return None


def operation_of(pod: Mapping[str, Any]) -> str:
    """The operation that a pod's label names; "" for none."""
    return str(pod["metadata"].get("labels", {}).get(OPERATION, ""))
