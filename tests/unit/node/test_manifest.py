"""What a debug pod is."""

import shutil
import subprocess

import pytest

from kubectl_admin.node import manifest
from tests.fakes.host import OPERATION, OWNER
from tests.program import Child


@pytest.fixture
def pod() -> dict:
    return manifest.debug_pod(
        "kubectl-admin-0123456789-abcd",
        "cp-1",
        operation=OPERATION,
        attempt="0011223344556677",
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
    assert pod["metadata"]["annotations"] == {
        "kubectl-admin/owner": str(OWNER),
        "kubectl-admin/attempt": "0011223344556677",
    }
    assert manifest.operation_of(pod) == "0123456789"


def test_it_is_bound_to_its_node_whatever_that_is_tainted_with(spec):
    assert spec["nodeName"] == "cp-1"
    assert spec["tolerations"] == [{"operator": "Exists"}]


def test_no_other_pod_is_killed_for_it_unless_that_is_asked_for(spec):
    assert "priorityClassName" not in spec
    assert another(critical=True)["spec"]["priorityClassName"] == "system-node-critical"


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
    assert container["command"] == ["/usr/bin/env", "-i", "/bin/sleep", "900"]


# The first process of another machine, as it seems, and a mount namespace there that is not that one's.
NAMESPACES = ("--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc")
MACHINE = ("unshare", *NAMESPACES, "/bin/sh", "-c")
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
while read -r name < "/proc/$process/comm" && [ "$name" != sleep ]; do :; done  # until then, it is not found
/bin/sh -c "$0" || kill -KILL "$process"
echo "$?"
wait "$process"
echo "$?"
kill -0 "$there"
echo "$?"
"""


def test_its_process_and_no_other_is_ended_from_inside(container, tmp_path):
    with Child(container["command"]) as beside:
        done = subprocess.run(
            [*IN_A_CONTAINER, ENDED, manifest.ENDING, tmp_path, *container["command"]],
            stdout=subprocess.PIPE,
            check=True,
            timeout=60,
        )
        assert done.stdout.split() == [b"0", b"143", b"0"]
        assert beside.poll() is None
        beside.kill()


@pytest.mark.parametrize("where", [IN_A_CONTAINER, MACHINE])
def test_where_no_such_process_is_or_that_is_no_container_nothing_is_ended(where):
    assert subprocess.run([*where, manifest.ENDING], check=False, timeout=60).returncode == 1


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
    paths = {volume["name"]: volume.get("hostPath") for volume in spec["volumes"]}
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    assert paths[mounts["/host"]["name"]] == {"path": "/"}
    assert "readOnly" not in mounts["/host"]
    for folder in ("/usr", "/bin", "/lib", "/lib64"):
        assert paths[mounts[folder]["name"]] == {"path": folder, "type": "Directory"}
        assert mounts[folder]["readOnly"] is True


def test_nothing_of_the_images_configuration_is_seen(spec, container):
    """What the loader and the C library read there names programs to load: ld.so.preload, ld.so.cache, …"""
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    (mount,) = [mount for mount in container["volumeMounts"] if mount["mountPath"] == "/etc"]
    assert volumes[mount["name"]] == {"name": "etc", "emptyDir": {}}
    assert len(spec["volumes"]) == len(container["volumeMounts"]) == 6


# What glibc keeps from setuid programs, but for what acts by being there.
# Source: glibc sysdeps/generic/unsecvars.h, of 2.42 and of releases before.
UNSECURE = """
    GCONV_PATH GETCONF_DIR GLIBC_TUNABLES HOSTALIASES LD_AUDIT LD_BIND_NOT LD_BIND_NOW LD_DEBUG
    LD_DEBUG_OUTPUT LD_HWCAP_MASK LD_LIBRARY_PATH LD_ORIGIN_PATH LD_PRELOAD LD_PROFILE LD_VERBOSE LD_WARN
    LOCALDOMAIN LOCPATH MALLOC_ARENA_MAX MALLOC_ARENA_TEST MALLOC_CHECK_ MALLOC_MMAP_MAX_
    MALLOC_MMAP_THRESHOLD_ MALLOC_PERTURB_ MALLOC_TOP_PAD_ MALLOC_TRACE MALLOC_TRIM_THRESHOLD_ NIS_PATH
    NLSPATH RESOLV_HOST_CONF RES_OPTIONS TMPDIR TZDIR
"""


def test_no_variable_of_the_image_reaches_the_loader(container):
    given = {each["name"]: each["value"] for each in container["env"]}
    for name in (*UNSECURE.split(), "BASH_ENV", "ENV", "MUSL_LOCPATH"):
        assert given[name] == ""
    assert given["PATH"] == "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    # These act however empty they are.
    assert not given.keys() & {"LD_SHOW_AUXV", "LD_TRACE_LOADED_OBJECTS", "LD_PREFER_MAP_32BIT_EXEC"}


@pytest.mark.parametrize("program", ["/usr/bin/env", "busybox"])
def test_what_is_set_for_the_loader_changes_nothing_of_what_runs(container, program):
    given = {each["name"]: each["value"] for each in container["env"]}
    found = shutil.which(program)
    assert found
    argv = [found, *(["env"] if program == "busybox" else []), "-i", "A=1", "/usr/bin/env"]
    done = subprocess.run(argv, env=given, capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"A=1\n", b"")


def test_no_library_and_no_function_of_the_images_environment_is_loaded(container):
    """Looked for where the pod sets nothing, so that this proves something."""
    images = {"LD_PRELOAD": "/evil.so", "LD_AUDIT": "/evil.so", "BASH_FUNC_true%%": "() { echo evil; }"}
    given = {each["name"]: each["value"] for each in container["env"]}
    command = [*manifest.CLEAN, "/bin/sh", "-c", "true"]
    naked = subprocess.run(command, env=images, capture_output=True, check=True)
    clothed = subprocess.run(command, env=images | given, capture_output=True, check=True)
    assert naked.stderr.count(b"/evil.so") >= 2
    assert (clothed.stdout, clothed.stderr) == (b"", b"")


def another(**changes) -> dict:
    """A pod with something changed."""
    about = {"operation": OPERATION, "attempt": "a", "image": "i", "pull": "Never", "deadline": 1}
    return manifest.debug_pod("n", "cp-1", **(about | changes))


def test_where_the_host_lacks_a_directory_an_empty_one_stands(pod):
    lacking = another(missing=("/lib64",))
    (volume,) = [each for each in lacking["spec"]["volumes"] if each["name"] == "lib64"]
    assert volume == {"name": "lib64", "emptyDir": {}}
    mounts = [each["spec"]["containers"][0]["volumeMounts"] for each in (lacking, pod)]
    assert mounts[0] == mounts[1]


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
        ("FailedMount: hostPath type check failed: /usr is not a directory", None),
        ("FailedMount: hostPath type check failed: /bin is not a directory", None),
        ("FailedMount: hostPath type check failed: /etc is not a directory", None),
        ("FailedMount: hostPath type check failed: /data is not a directory", None),
        ("FailedMount: hostPath type check failed: /lib64/x is not a directory", None),
        ("Failed: Error: ErrImagePull", None),
        ("", None),
    ],
)
def test_a_directory_that_the_host_does_not_have_is_known_from_the_kubelets_words(message, folder):
    assert manifest.missing_directory(message, ()) == folder
    assert manifest.missing_directory(message, ("/lib", "/lib64")) is None


def test_an_attempt_is_known_by_its_mark_its_operation_and_its_node(pod):
    assert manifest.is_attempt(pod, pod)
    other = {**pod, "spec": {**pod["spec"], "nodeName": "cp-2"}}
    assert not manifest.is_attempt(other, pod)
    for changed in ({"labels": {}}, {"annotations": {}}, {"annotations": None}, {"labels": None}):
        assert not manifest.is_attempt({**pod, "metadata": {**pod["metadata"], **changed}}, pod)
    marked = pod["metadata"]["annotations"] | {"kubectl-admin/attempt": "another"}
    assert not manifest.is_attempt({**pod, "metadata": {**pod["metadata"], "annotations": marked}}, pod)


@pytest.mark.parametrize("metadata", [{}, {"labels": {}}, {"labels": {"kubectl-admin/other": "x"}}])
def test_a_pod_without_the_label_is_of_no_operation(metadata):
    assert manifest.operation_of({"metadata": metadata}) == ""
