"""What a debug pod is."""

import subprocess

import pytest

from kubectl_admin.node import manifest
from tests.unit.node.standin import OPERATION, OWNER


@pytest.fixture
def pod() -> dict:
    return manifest.debug_pod(
        "kubectl-admin-0123456789-abcd",
        "cp-1",
        operation=OPERATION,
        image="pause:3",
        pull="Never",
        deadline=900,
    )


@pytest.fixture
def spec(pod) -> dict:
    return pod["spec"]


@pytest.fixture
def container(spec) -> dict:
    (only,) = spec["containers"]
    return only


def test_it_bears_the_tools_label_and_its_operation(pod):
    assert pod["metadata"]["labels"] == {
        "app.kubernetes.io/managed-by": "kubectl-admin",
        "kubectl-admin/operation": "0123456789",
    }
    assert pod["metadata"]["annotations"] == {"kubectl-admin/owner": str(OWNER)}
    assert manifest.operation_of(pod) == "0123456789"


def test_it_is_bound_to_its_node_whatever_that_is_tainted_with(spec):
    assert spec["nodeName"] == "cp-1"
    assert spec["tolerations"] == [{"operator": "Exists"}]
    assert spec["priorityClassName"] == "system-node-critical"


def test_it_is_in_the_hosts_namespaces(spec):
    assert spec["hostPID"] is True
    assert spec["hostNetwork"] is True
    assert spec["dnsPolicy"] == "Default"


def test_it_has_no_rights_in_the_cluster(spec):
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False


def test_it_ends_by_itself_and_is_never_started_again(spec, container):
    assert spec["activeDeadlineSeconds"] == 900
    assert spec["restartPolicy"] == "Never"
    assert spec["terminationGracePeriodSeconds"] == 1
    assert container["command"] == ["/bin/sleep", "900"]


# The first process of another machine, as it seems, and a mount namespace there that is not that one's.
MACHINE = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "/bin/sh", "-c")
IN_A_CONTAINER = (*MACHINE, 'unshare --mount -- "$@"; exit "$?"', "sh", "/bin/sh", "-c")


# The container's process, one in the root of the host, and how both ended after what is to end the first.
ENDED = """
host=$1
shift
mount -t tmpfs tmpfs "$host"
for folder in /usr /bin /lib /lib64; do
  if [ -e "$folder" ]; then mkdir "$host$folder" && mount --rbind "$folder" "$host$folder"; fi
done
chroot "$host" "$@" & there=$!
"$@" & process=$!
while [ "/proc/$there/root" -ef / ]; do :; done
/bin/sh -c "$0"
echo "$?"
wait "$process"
echo "$?"
kill -0 "$there"
echo "$?"
"""


def test_its_process_and_no_other_is_ended_from_inside(container, tmp_path):
    beside = subprocess.Popen(container["command"])
    done = subprocess.run(
        [*IN_A_CONTAINER, ENDED, manifest.ENDING, tmp_path, *container["command"]],
        stdout=subprocess.PIPE,
        check=True,
    )
    assert done.stdout.split() == [b"0", b"143", b"0"]
    assert beside.poll() is None
    beside.kill()
    beside.wait()


@pytest.mark.parametrize("where", [IN_A_CONTAINER, MACHINE])
def test_where_no_such_process_is_or_that_is_no_container_nothing_is_ended(where):
    assert subprocess.run([*where, manifest.ENDING], check=False).returncode == 1


def test_it_is_privileged_and_root_whatever_the_image_says(container):
    assert container["securityContext"] == {
        "privileged": True,
        "runAsUser": 0,
        "runAsGroup": 0,
        "runAsNonRoot": False,
    }


def test_its_image_is_not_pulled(container):
    assert (container["image"], container["imagePullPolicy"]) == ("pause:3", "Never")


def test_the_hosts_root_is_mounted_and_its_programs_are_read_only(spec, container):
    paths = {volume["name"]: volume["hostPath"] for volume in spec["volumes"]}
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    assert paths[mounts["/host"]["name"]] == {"path": "/"}
    assert "readOnly" not in mounts["/host"]
    for folder in ("/usr", "/bin", "/lib", "/lib64"):
        assert paths[mounts[folder]["name"]] == {"path": folder, "type": "Directory"}
        assert mounts[folder]["readOnly"] is True
    assert len(paths) == len(mounts) == 5


def test_a_folder_can_be_left_out():
    pod = manifest.debug_pod(
        "n",
        "cp-1",
        operation=OPERATION,
        image="i",
        pull="Never",
        deadline=1,
        programs=["/usr", "/bin", "/lib"],
    )
    assert [volume["name"] for volume in pod["spec"]["volumes"]] == ["root", "usr", "bin", "lib"]


@pytest.mark.parametrize(
    ("message", "folder"),
    [
        (
            'FailedMount: MountVolume.SetUp failed for volume "lib64" : '
            "hostPath type check failed: /lib64 is not a directory",
            "/lib64",
        ),
        (
            'FailedMount: MountVolume.SetUp failed for volume "lib" : '
            "hostPath type check failed: /lib is not a directory",
            "/lib",
        ),
        ("FailedMount: hostPath type check failed: /data is not a directory", None),
        ("FailedMount: hostPath type check failed: /lib64/x is not a directory", None),
        ("Failed: Error: ErrImagePull", None),
        ("", None),
    ],
)
def test_a_folder_that_the_host_does_not_have_is_known_from_the_kubelets_words(message, folder):
    assert manifest.missing_program_folder(message, manifest.PROGRAMS) == folder


@pytest.mark.parametrize("metadata", [{}, {"labels": {}}, {"labels": {"kubectl-admin/other": "x"}}])
def test_a_pod_without_the_label_is_of_no_operation(metadata):
    assert manifest.operation_of({"metadata": metadata}) == ""
