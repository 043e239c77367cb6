"""`kubectl admin node-exec` on real nodes."""

import json
import random
import re
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests import permissions
from tests.cluster.labs import admin, environ_of, stage_of
from tests.cluster.node_room import pods, started
from tests.lab.errors import LabError
from tests.lab.nodes.lab import Lab
from tests.permissions import Right, Tried
from tests.program import PROGRAM, ROOT

pytestmark = pytest.mark.lab

POLICY = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: no-host-paths.example.com
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}
  validations:
  - expression: "!has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.hostPath))"
    message: host paths are for nobody
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: no-host-paths.example.com
spec:
  policyName: no-host-paths.example.com
  validationActions: [Deny]
  matchResources:
    namespaceSelector:
      matchLabels: {kubernetes.io/metadata.name: guarded}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: probe, namespace: guarded}
spec:
  containers: [{name: a, image: a}]
  volumes: [{name: a, hostPath: {path: /}}]
"""


def node_exec(lab: Lab, *arguments: str, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    """How it ends, with this on its stdin."""
    return subprocess.run(
        [*PROGRAM, "node-exec", *arguments],
        check=False,
        input=given,
        capture_output=True,
        env=environ_of(lab),
        cwd=ROOT,
        timeout=120,
    )


@pytest.fixture(autouse=True)
def _nothing_left(lab: Lab) -> Iterator[None]:
    yield
    assert pods(lab) == []


@pytest.fixture
def guarded(lab: Lab) -> Iterator[str]:
    """A namespace, gone afterwards."""
    lab.kubectl("create", "namespace", "guarded")
    # Without it no pod is made there, whatever else.
    account = ["serviceaccount/default", "--namespace=guarded", "--for=create", "--timeout=180s"]
    lab.kubectl("wait", *account, timeout=190)
    yield "guarded"
    lab.kubectl("delete", "namespace", "guarded", timeout=120)


def test_output_errors_and_exit_code_are_the_commands_own(lab):
    done = node_exec(lab, "worker-1", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, b"out\n", b"err\n")


def test_arguments_arrive_as_they_were_given(lab):
    words = [
        "",
        " a b ",
        "it's",
        '"quoted"',
        "$HOME",
        "$(id)",
        "`id`",
        "*",
        "\\n",
        "-x",
        "--",
        "a\nb",
        "é",
        "%s",
    ]
    done = node_exec(lab, "worker-1", "--", "printf", r"<%s>", *words)
    assert (done.returncode, done.stdout.decode()) == (0, "".join(f"<{word}>" for word in words))


@pytest.mark.parametrize("node", ["cp-1", "worker-1"])
def test_it_runs_on_the_host_itself(lab, node):
    script = "hostname; cat /proc/1/comm; systemctl is-active kubelet; id -u; pwd; echo $HOME; env | wc -l"
    done = node_exec(lab, node, "--", "sh", "-c", script)
    # PATH, HOME, LC_ALL, and the PWD that a shell adds.
    assert done.stdout.decode().split() == [node, "systemd", "active", "0", "/", "/root", "4"]


def test_a_command_that_is_not_there_is_said_by_the_host(lab):
    done = node_exec(lab, "worker-1", "--", "no-such-command")
    assert done.returncode == 127
    assert b"no-such-command" in done.stderr


def test_without_i_there_is_nothing_to_read(lab):
    assert node_exec(lab, "worker-1", "--", "cat", given=b"not for it").stdout == b""


def test_with_i_it_reads_what_comes_to_its_end(lab):
    content = random.Random(1).randbytes(3_000_000)
    assert node_exec(lab, "worker-1", "-i", "--", "cat", given=content).stdout == content


def test_it_answers_while_nothing_is_typed_and_ends_while_stdin_is_open(lab):
    with started(
        lab, "node-exec", "worker-1", "-i", "--", "sh", "-c", "echo name?; read name; echo $name"
    ) as run:
        assert run.stdin
        assert run.stdout
        assert run.stdout.readline() == b"name?\n"
        run.stdin.write(b"Ann\n")
        run.stdin.flush()
        assert run.stdout.readline() == b"Ann\n"
        assert run.wait(180) == 0


def test_a_reader_that_has_seen_enough_ends_it(lab):
    with started(lab, "node-exec", "worker-1", "--", "seq", "1000000000") as run:
        assert run.stdout
        assert run.stdout.readline() == b"1\n"
        run.stdout.close()
        assert run.wait(180) == 0
        assert run.stderr
        assert run.stderr.read() == b""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["no-such-node", "--", "ls"], 1, "there is no node no-such-node"),
        (["../cp-1", "--", "ls"], 2, "can't be the name of a node"),
        (["", "--", "ls"], 2, "can't be the name of a node"),
        (["cp-1"], 2, "Missing argument"),
        (["cp-1", "--debug-namespace", "none", "--", "ls"], 1, 'namespaces "none" not found'),
        (["cp-1", "--debug-namespace", "a/b", "--", "ls"], 2, "can't be the name of a namespace"),
    ],
)
def test_what_makes_no_sense_is_said(lab, arguments, code, said):
    done = admin(lab, "node-exec", *arguments)
    assert done.code == code
    assert said in done.err
    assert "internal error" not in done.err


@pytest.mark.parametrize("image", ["registry.invalid/no-such-image:1", "Not An Image"])
def test_an_image_that_can_not_be_had_is_told_once(lab, image):
    done = admin(lab, "node-exec", "worker-1", "--image", image, "--", "ls")
    assert done.code == 1
    # Where the machine is slow, what the events say is said before.
    error, hint = done.err.splitlines()[-2:]
    assert re.match(r"error: pod kube-system/kubectl-admin-\S+ does not start: (Err|Inv)\w+: .+", error)
    assert error.count("couldn't parse") + error.count("failed to pull") == 1
    assert "--image" in hint


def test_pod_security_refuses_in_its_own_words(lab, guarded):
    lab.kubectl("label", "namespace", guarded, "pod-security.kubernetes.io/enforce=baseline")
    done = admin(lab, "node-exec", "worker-1", "--debug-namespace", guarded, "--", "ls")
    assert done.code == 1
    assert 'violates PodSecurity "baseline:latest"' in done.err
    assert "namespace guarded takes no privileged pods; name one that does with --debug-namespace" in done.err
    assert len(done.err.splitlines()) == 2


def test_an_admission_policy_refuses_in_its_own_words(lab, guarded, tmp_path):
    (tmp_path / "policy").write_text(POLICY)
    (tmp_path / "pod").write_text(POD)
    lab.kubectl("apply", f"--filename={tmp_path}/policy")
    try:
        wait_until_refused(lab, f"{tmp_path}/pod")
        done = admin(lab, "node-exec", "worker-1", "--debug-namespace", guarded, "--", "ls")
    finally:
        lab.kubectl("delete", f"--filename={tmp_path}/policy")
    assert done.code == 1
    assert "no-host-paths.example.com" in done.err
    assert "host paths are for nobody" in done.err
    assert ", or name another namespace with --debug-namespace" in done.err


def wait_until_refused(lab: Lab, file: str) -> None:
    """Until every API server goes by the policy: each hears of it by itself."""
    end = time.monotonic() + 60
    for each in lab.control_planes:
        ask = ["create", "--dry-run=server", f"--filename={file}", f"--server=https://{each.address}:6443"]
        while True:
            try:
                lab.kubectl(*ask)
            except LabError as error:
                if "host paths" in str(error):
                    break
                raise
            assert time.monotonic() < end, "the policy is not heeded"
            time.sleep(0.2)


def test_a_node_that_is_not_ready_is_refused_at_once(lab):
    words = {"reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}
    status = {"conditions": [{"type": "Ready", "status": "Unknown", **words}]}
    with lab.faults.kubelet("worker-1"):
        # As the controller-manager says after 40 seconds.
        patch = f"--patch={json.dumps({'status': status})}"
        lab.kubectl("patch", "node/worker-1", "--subresource=status", "--type=strategic", patch)
        done = admin(lab, "node-exec", "worker-1", "--", "ls")
        assert pods(lab) == []
    assert done.code == 1
    assert "node worker-1 is not Ready since" in done.err
    assert "Kubelet stopped posting node status." in done.err
    lab.kubectl("wait", "node/worker-1", "--for=condition=Ready", "--timeout=120s", timeout=130)


def test_ctrl_c_at_any_moment_leaves_no_pod(lab):
    chance = random.Random(7)
    for _ in range(10):
        with started(lab, "node-exec", "worker-1", "--", "sleep", "1000") as run:
            time.sleep(chance.uniform(0.2, 5))
            run.send_signal(signal.SIGINT)
            assert run.stderr
            said = run.stderr.read().decode()
            # A program that is still being loaded ends as Python does.
            assert (run.wait(180), said[-19:]) == (130, "error: interrupted\n") or run.wait(
                60
            ) == -signal.SIGINT
        assert pods(lab) == []


def test_sigterm_leaves_no_pod(lab):
    with started(lab, "node-exec", "worker-1", "--", "sh", "-c", "echo here; sleep 1000") as run:
        assert run.stdout
        assert run.stdout.readline() == b"here\n"
        run.terminate()
        assert run.wait(180) == 143


def test_what_a_killed_run_leaves_is_removed_by_the_next_one(lab):
    with started(lab, "node-exec", "worker-1", "--", "sh", "-c", "echo here; sleep 1000") as run:
        assert run.stdout
        assert run.stdout.readline() == b"here\n"
        run.kill()
    (left,) = pods(lab)
    assert node_exec(lab, "cp-1", "--", "true").returncode == 0
    # The next run does not wait for what it deletes, whose process has its time to end.
    lab.kubectl("-n", "kube-system", "wait", f"pod/{left}", "--for=delete", "--timeout=180s", timeout=190)


def test_the_work_of_a_run_that_goes_on_is_left_alone(lab):
    with started(lab, "node-exec", "worker-1", "-i", "--", "sh", "-c", "echo here; cat") as run:
        assert run.stdin
        assert run.stdout
        assert run.stdout.readline() == b"here\n"
        assert node_exec(lab, "worker-1", "--", "true").returncode == 0
        out, _ = run.communicate(b"still here\n", timeout=180)
        assert out == b"still here\n"
        assert run.returncode == 0


NAMESPACED = " in namespace kube-system"
# What is asked for only where something has gone wrong.
UNASKED = [f"get pods{NAMESPACED}", f"list events{NAMESPACED}"]


@pytest.fixture(scope="module")
def tried(shared_lab: Lab) -> Tried:
    """By who has all rights of the page that are asked for here, by who lacks one of them."""

    def act(kubeconfig):
        return admin(shared_lab, "node-exec", "worker-1", "--", "hostname", KUBECONFIG=str(kubeconfig))

    answer = permissions.try_out(stage_of(shared_lab), "node-exec", act, unasked=UNASKED)
    admin(shared_lab, "cleanup", "--yes")  # of who may make pods and not delete them
    return answer


def test_the_rights_of_the_page_suffice(tried):
    assert (tried.with_all.code, tried.with_all.out, tried.with_all.err) == (0, "worker-1\n", "")


def test_each_right_that_is_missing_is_named(tried):
    permissions.check(tried)
    assert "docs/permissions.md" in next(
        ended.err
        for right, ended in tried.without.items()
        if right == Right("create", "pods", namespace="kube-system")
    )
