"""The manifest of a debug pod, built of small named steps. Pure."""

from collections.abc import Collection, Mapping
from typing import Any

from kubectl_admin.node.operation import Operation

CONTAINER = "host"
ROOT = "/host"  # where the node's file system is
LABELS = {"app.kubernetes.io/managed-by": "kubectl-admin"}
OPERATION = "kubectl-admin/operation"
OWNER = "kubectl-admin/owner"
ATTEMPT = "kubectl-admin/attempt"
# A kubelet without room kills a pod of lower priority for one of these, past every disruption budget.
# Source: kubernetes/kubernetes pkg/kubelet/preemption/preemption.go, HandleAdmissionFailure.
CRITICAL = "system-node-critical"
# Directories of the host that are mounted over the image's own.
PROGRAMS = ("/usr", "/bin", "/lib", "/lib64")
# Those that some hosts do not have. They get an empty one: the image's own is never seen.
OPTIONAL = ("/lib", "/lib64")
# Empty as well: what the loader and the C library read (ld.so.preload, ld.so.cache, ld-musl-*.path,
# nsswitch.conf). Not the host's: runtimes mount /etc/hostname and others, and could not make what it lacks.
CONFIGURATION = "/etc"
# Of an image's environment nothing reaches a command (CLEAN). These act on what comes before, «env» itself:
# all that glibc ignores in a setuid program, and others that load code or name a file to read.
# Source: glibc sysdeps/generic/unsecvars.h and elf/rtld.c, process_envvars; musl ldso/dynlink.c and
# src/locale/locale_map.c; bash shell.c and variables.c; OpenSSL crypto/conf/conf_mod.c.
# Variables that act by merely being there (LD_SHOW_AUXV, LD_TRACE_LOADED_OBJECTS,
# LD_PREFER_MAP_32BIT_EXEC) are not among them: they run nothing, and can't be unset here.
NEUTRAL = (
    *("LD_AUDIT", "LD_LIBRARY_PATH", "LD_ORIGIN_PATH", "LD_PRELOAD"),
    *("LD_BIND_NOT", "LD_BIND_NOW", "LD_DEBUG", "LD_DEBUG_OUTPUT", "LD_HWCAP_MASK"),
    *("LD_PROFILE", "LD_PROFILE_OUTPUT", "LD_VERBOSE", "LD_WARN"),
    *("GLIBC_TUNABLES", "GCONV_PATH", "GETCONF_DIR", "LOCPATH", "NLSPATH", "LANGUAGE", "MUSL_LOCPATH"),
    *("TMPDIR", "TZ", "TZDIR"),
    *("HOSTALIASES", "LOCALDOMAIN", "NIS_PATH", "RESOLV_HOST_CONF", "RES_OPTIONS"),
    *("MALLOC_ARENA_MAX", "MALLOC_ARENA_TEST", "MALLOC_CHECK_", "MALLOC_MMAP_MAX_"),
    *("MALLOC_MMAP_THRESHOLD_", "MALLOC_PERTURB_", "MALLOC_TOP_PAD_", "MALLOC_TRACE"),
    "MALLOC_TRIM_THRESHOLD_",
    *("BASH_ENV", "BASHOPTS", "ENV", "IFS", "PS4", "SHELLOPTS"),
    *("OPENSSL_CONF", "OPENSSL_ENGINES", "OPENSSL_MODULES"),
)
ENVIRONMENT = {
    **dict.fromkeys(NEUTRAL, ""),
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/",
    "LANG": "C",
    "LC_ALL": "C",
    "NVIDIA_VISIBLE_DEVICES": "void",  # or a runtime of that name puts drivers into the container
}
# Every command in the container begins with it: an image's other variables (a shell's exported functions
# have any name) go no further.
CLEAN = ("/usr/bin/env", "-i")
CHROOT = (*CLEAN, "/usr/sbin/chroot", ROOT)  # what every command on the host begins with
# Run in the container, ends its process and sees it ended: the «sleep» in this shell's own mount namespace,
# which must not be the host's, and in the container's root. A command on the host is in that one's:
# a script there would keep running behind its own «sleep». Most runtimes kill this shell as well then, before
# it can say so.
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


def debug_pod(  # noqa: PLR0913 - each is a field of the pod, by keyword
    name: str,
    node: str,
    *,
    operation: Operation,
    attempt: str,
    image: str,
    pull: str,
    deadline: int,
    critical: bool = False,
    missing: Collection[str] = (),
) -> dict[str, Any]:
    """The pod as it is created.

    attempt: the mark of this one creation. pull: its imagePullPolicy. deadline: seconds after which the
    kubelet ends it, whatever has become of us. critical: whether its node makes room for it, by killing
    another pod if need be. missing: which of the OPTIONAL directories the host does not have.
    """
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": {**LABELS, OPERATION: operation.id},
            "annotations": {OWNER: str(operation.owner), ATTEMPT: attempt},
        },
        "spec": {
            **on_this_node_whatever_its_taints(node),
            **({"priorityClassName": CRITICAL} if critical else {}),
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
                    "command": [*CLEAN, "/bin/sleep", str(deadline)],
                    "workingDir": "/",
                    "env": [{"name": name, "value": value} for name, value in ENVIRONMENT.items()],
                    "securityContext": {
                        "privileged": True,
                        "runAsUser": 0,
                        "runAsGroup": 0,
                        "runAsNonRoot": False,
                    },
                    "volumeMounts": [
                        {"name": "root", "mountPath": ROOT},
                        {"name": volume_name(CONFIGURATION), "mountPath": CONFIGURATION},
                        *map(program_mount, PROGRAMS),
                    ],
                }
            ],
            "volumes": [
                {"name": "root", "hostPath": {"path": "/"}},
                empty_volume(CONFIGURATION),
                *(empty_volume(each) if each in missing else program_volume(each) for each in PROGRAMS),
            ],
        },
    }


def on_this_node_whatever_its_taints(node: str) -> dict[str, Any]:
    """Bound without the scheduler, so that no cordon matters; no taint drives it out."""
    return {"nodeName": node, "tolerations": [{"operator": "Exists"}]}


def in_the_namespaces_of_the_host() -> dict[str, Any]:
    """The host's processes (systemctl works with them only) and network (what listens on its loopback)."""
    return {"hostPID": True, "hostNetwork": True, "dnsPolicy": "Default"}


def without_rights_in_the_cluster() -> dict[str, Any]:
    """No token for the API, and no environment variable for every Service."""
    return {"automountServiceAccountToken": False, "enableServiceLinks": False}


def program_mount(directory: str) -> dict[str, Any]:
    """A directory of the host in the place of the image's own."""
    return {"name": volume_name(directory), "mountPath": directory, "readOnly": True}


def program_volume(directory: str) -> dict[str, Any]:
    """The volume of such a directory. With a type, a missing one is an error: without, it would be made."""
    return {"name": volume_name(directory), "hostPath": {"path": directory, "type": "Directory"}}


def empty_volume(directory: str) -> dict[str, Any]:
    """An empty directory in the place of the image's own."""
    return {"name": volume_name(directory), "emptyDir": {}}


def volume_name(directory: str) -> str:
    """«usr» for /usr."""
    return directory.strip("/")


def missing_directory(message: str, known: Collection[str]) -> str | None:
    """The directory that a FailedMount says is not on the host; None if it says something else.

    known: those that are known to be missing. Others than a kubelet may write such an event: all that it can
    do is to put an empty directory into the place of one that a host may do without.
    """
    for directory in OPTIONAL:
        if (
            directory not in known
            and f"hostPath type check failed: {directory} is not a directory" in message
        ):
            return directory
    return None


def operation_of(pod: Mapping[str, Any]) -> str:
    """The operation that a pod's label names, or ""."""
    return str((pod["metadata"].get("labels") or {}).get(OPERATION, ""))


def is_attempt(pod: Mapping[str, Any], made: Mapping[str, Any]) -> bool:
    """Whether a pod of the server's is the one that was to be made: its node, operation, and attempt."""
    mark = (pod["metadata"].get("annotations") or {}).get(ATTEMPT)
    return (
        pod["spec"].get("nodeName") == made["spec"]["nodeName"]
        and operation_of(pod) == operation_of(made)
        and mark == made["metadata"]["annotations"][ATTEMPT]
    )
