"""packages-survey.sh and the files that name repositories, on two kinds of hosts."""

import pytest

from tests.scripts.package_host import PROGRAMS, PackageHost

CORE = "https://pkgs.k8s.io/core:/stable:"
CRIO = "https://pkgs.k8s.io/addons:/cri-o:/stable:"
LIST = "/etc/apt/sources.list.d/kubernetes.list"
SOURCES = "/etc/apt/sources.list.d/kubernetes.sources"
REPO = "/etc/yum.repos.d/kubernetes.repo"
ONE_LINE = f"""# deb {CORE}/v1.35/deb/ /
deb http://deb.debian.org/debian bookworm main
deb [signed-by=/etc/k.gpg arch=amd64] {CORE}/v1.36/deb/ / # ours
deb {CRIO}/v1.36/deb/ /
deb-src {CORE}/v1.36/deb/ /
deb https://mirror/kubernetes/v1.36/deb ./
"""
DEB822 = f"""Types: deb
URIs: {CORE}/v1.36/deb/
 https://mirror/v1.36/deb
# not {CORE}/v1.36/deb/
Suites: /
Signed-By: /etc/k.gpg

Types: deb
URIs: {CORE}/v1.34/deb/
Suites: /
Enabled: no

Types: deb
URIs: {CRIO}/v1.33/deb/
Suites: /
"""
YUM = f"""[kubernetes]
name=Kubernetes
baseurl={CORE}/v1.36/rpm/
enabled=1
gpgkey={CORE}/v1.36/rpm/repodata/repomd.xml.key
exclude=kubelet kubeadm, cri-tools

[cri-o]
baseurl={CRIO}/v1.36/rpm/

[former]
baseurl = {CORE}/v1.35/rpm/
enabled = 0
"""


@pytest.fixture
def host(tmp_path, shell) -> PackageHost:
    host = PackageHost(tmp_path, shell)
    host.file("/var/lib/dpkg/status").write_text("Package: dpkg\n")
    for name in ("apt-get", "apt-mark", "apt-cache", "dpkg-query"):
        host.program(name, PROGRAMS[name])
    return host


@pytest.fixture
def redhat(tmp_path, shell) -> PackageHost:
    """A host with dnf. (Its yum is of no interest.)"""
    host = PackageHost(tmp_path, shell)
    host.file("/etc/yum.repos.d").mkdir()
    host.program("dnf", ":")
    host.program("rpm", 'for name; do :; done; cat "STATE/installed/$name" 2> /dev/null || exit 1')
    return host


def test_apt_says_what_is_installed_and_held(host):
    host.set("installed/kubelet", "1.36.3-1.1")
    host.set("installed/kubeadm", "1.37.2-1.1")
    host.set("holds", "kubelet\nlinux-image\n")
    host.file(LIST).write_text(ONE_LINE)
    assert host.answer("packages-survey").splitlines() == [
        "manager apt",
        "installed kubeadm 1.37.2-1.1",
        "installed kubelet 1.36.3-1.1",
        "held kubelet",
        f"source {host.root}{LIST} 36",
    ]


def test_a_package_that_is_half_installed_is_not_installed(host):
    host.program("dpkg-query", 'echo "iHR|1.37.2-1.1"')
    assert host.answer("packages-survey") == "manager apt\n"


@pytest.mark.parametrize(
    ("path", "content", "minors"),
    [
        (LIST, ONE_LINE, [36]),
        (SOURCES, DEB822, [36]),
        ("/etc/apt/sources.list", f"deb {CORE}/v1.9/deb/ /\ndeb {CORE}/v1.36/deb/ /\n", [9, 36]),
        (LIST, f"deb {CORE}/v1.36/deb/ /\r\n", [36]),
        (SOURCES, DEB822.replace("\n", "\r\n"), [36]),
        (LIST, "deb https://m/v1.36/rpm/ /\ndeb https://m/v1.36/debian/ /\ndeb https://m/v2.36/deb/ /\n", []),
        (SOURCES, f"Types: deb-src\nURIs: {CORE}/v1.36/deb/\nSuites: /\n", []),
        (f"{LIST}.save", ONE_LINE, []),
        ("/etc/apt/sources.list.d/a b.list", ONE_LINE, []),
        (LIST, "", []),
    ],
)
def test_apts_files_are_read_as_apt_reads_them(host, path, content, minors):
    host.file(path).write_bytes(content.encode())
    lines = host.answer("packages-survey").splitlines()[1:]
    assert lines == [f"source {host.root}{path} {minor}" for minor in minors]


def test_dnf_says_what_is_installed_and_excluded(redhat):
    redhat.set("installed/kubelet", "1.36.3-150500.1.1\n")
    redhat.file(REPO).write_text(YUM)
    assert redhat.answer("packages-survey").splitlines() == [
        "manager dnf",
        "installed kubelet 1.36.3-150500.1.1",
        "held kubeadm",
        "held kubelet",
        f"source {redhat.root}{REPO} 36",
    ]


@pytest.mark.parametrize(
    ("path", "text", "held"),
    [
        ("/etc/dnf/plugins/versionlock.list", "# x\nkubelet-0:1.36.3-150500.1.1.*\n", ["kubelet"]),
        ("/etc/dnf/plugins/versionlock.list", "kubectl\n!kubeadm-0:1.36.3-1.*\n", ["kubectl"]),
        ("/etc/dnf/plugins/versionlock.list", "kube*-0:1.36.3-1.*\n", ["kubeadm", "kubectl", "kubelet"]),
        ("/etc/dnf/versionlock.toml", 'version = "1.0"\n[[packages]]\nname = "kubelet"\n', ["kubelet"]),
        ("/etc/dnf/dnf.conf", "[main]\nexcludepkgs = kube*, other\n", ["kubeadm", "kubectl", "kubelet"]),
    ],
)
def test_dnf_has_several_ways_to_hold(redhat, path, text, held):
    redhat.file(path).parent.mkdir(parents=True)
    redhat.file(path).write_text(text)
    assert redhat.answer("packages-survey").splitlines()[1:] == [f"held {name}" for name in held]


def test_zypper_has_a_list_of_locks(redhat):
    redhat.program("zypper", ":")
    redhat.file("/etc/zypp/repos.d").mkdir(parents=True)
    redhat.file("/etc/zypp/repos.d/k.repo").write_text(YUM.replace("exclude", "#"))
    redhat.file("/etc/zypp/locks").write_text("\ntype: package\nmatch_type: glob\nsolvable_name: kubelet\n")
    assert redhat.answer("packages-survey").splitlines() == [
        "manager zypper",
        "held kubelet",
        f"source {redhat.root}/etc/zypp/repos.d/k.repo 36",
    ]


def test_a_host_that_is_an_image_has_no_package_manager(redhat):
    redhat.file("/run").mkdir()
    redhat.file("/run/ostree-booted").touch()
    assert redhat.answer("packages-survey") == "manager none\n"
