import io
import json

import pytest

from kubectl_admin import cli
from kubectl_admin.frame.environment import Environment
from tests.program import Ended, environ

NO_CLUSTER = "/does/not/exist"


def health(*args):
    """What the verb says; none of these runs comes as far as a cluster."""
    out, err = io.StringIO(), io.StringIO()
    env = Environment(io.StringIO(), out, err, environ())
    return Ended(cli.run(["health", "--kubeconfig", NO_CLUSTER, *args], env), out.getvalue(), err.getvalue())


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--explain", "kubelet-skew", "--watch"], "--explain and --watch do not go together"),
        (
            ["--explain", "kubelet-skew", "--all", "--wait", "5m"],
            "--explain and --all, --wait do not go together",
        ),
        (["--explain", "kubelet-skew", "-o", "prometheus"], "--explain and -o prometheus do not go together"),
        (["--explain", "none-such"], "there is no rule 'none-such'"),
        (["--ignore", "none-such"], "there is no rule 'none-such'"),
        (["--ignore", "kubelet-skew=w1"], "'w1' is not an object of a finding"),
        (["--watch", "--wait", "5m"], "--watch and --wait do not go together"),
        (["--watch", "--save", "x", "--sample", "60"], "--watch and --sample, --save do not go together"),
        (["--host", "--watch"], "--host and --watch do not go together"),
        (["--host", "--wait", "5m"], "a debug pod is for one look"),
        (["--explain", "kubelet-skew", "--host"], "--explain and --host do not go together"),
        (["--watch", "-o", "json"], "--watch and -o json do not go together"),
        (["--wait", "5m", "--fail-on", "never"], "--wait and --fail-on never do not go together"),
        (["--force"], "--force is for the file of --save"),
        (["--timeout", "0"], "--timeout must be more than 0"),
        (["--timeout", "30d"], "--timeout must be at most 1h"),
        (["--sample", "99999999999h"], "'99999999999h' is too long: 36,500d at most"),
        (["--sample", "0"], "--sample must be more than 0"),
        (["--wait", "0"], "--wait must be more than 0"),
        (["--retries", "-1"], "-1 is not in the range"),
        (["--fail-on", "note"], "'note' is not one of"),
        (["--diff", "/does/not/exist"], "/does/not/exist can't be read: No such file or directory"),
        (["--save", "/does/not/exist/x"], "/does/not/exist/x can't be written: No such file or directory"),
    ],
)
def test_what_does_not_go_together_is_a_wrong_usage(args, said):
    ended = health(*args)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


def test_a_rule_is_explained_without_a_cluster():
    ended = health("--explain", "kubelet-skew")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "rule:   kubelet-skew",
        "wants:  a kubelet must not be newer than any API server, nor more than 3 minors",
        "  older",
        "source: https://kubernetes.io/releases/version-skew-policy/#kubelet",
    ]


def test_a_rule_is_explained_to_programs():
    (rule,) = json.loads(health("--explain", "not-seen", "-o", "json").out)["items"]
    assert rule == {"id": "not-seen", "text": "only parts that can be seen are judged", "source": ""}


def test_a_rule_without_a_source_is_this_programs_own():
    assert "source: this program's own" in health("--explain", "not-seen").out


@pytest.mark.parametrize(
    "args", [[], ["--watch"], ["--wait", "5m"], ["--all", "--retries", "0", "-o", "wide"]]
)
def test_whatever_else_asks_the_cluster(args):
    ended = health(*args)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"error: stat {NO_CLUSTER}: no such file or directory\n"


def test_a_file_that_was_to_be_written_is_not_there_after_an_error(tmp_path):
    assert NO_CLUSTER in health("--save", str(tmp_path / "record")).err
    assert list(tmp_path.iterdir()) == []
