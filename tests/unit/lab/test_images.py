import json
import tarfile

from tests.lab.recipes.images import Image, write_archive


def test_an_archive_is_the_same_from_the_same_files_whenever_and_by_whomever(tmp_path):
    program = tmp_path / "program"
    program.write_text("runs")
    program.chmod(0o755)
    image = Image(
        "localhost/x:1", {"usr/bin/x": program}, {"bin": "usr/bin"}, ["/usr/bin/x"], folders=["tmp"]
    )
    first, second = tmp_path / "first.tar", tmp_path / "second.tar"
    write_archive([image], first)
    program.touch()
    write_archive([image], second)
    assert first.read_bytes() == second.read_bytes()


def test_an_archive_holds_names_configuration_and_layers(tmp_path):
    program = tmp_path / "program"
    program.write_text("runs")
    image = Image(
        "localhost/x:1", {"usr/bin/x": program}, {"bin": "usr/bin"}, ["/usr/bin/x"], folders=["tmp"]
    )
    again = Image(
        "localhost/y:1", {"usr/bin/x": program}, {"bin": "usr/bin"}, ["/usr/bin/x"], folders=["tmp"]
    )
    write_archive([image, again], tmp_path / "images.tar")
    with tarfile.open(tmp_path / "images.tar") as archive:
        one, other = json.load(archive.extractfile("manifest.json"))
        assert [one["RepoTags"], other["RepoTags"]] == [["localhost/x:1"], ["localhost/y:1"]]
        assert one["Layers"] == other["Layers"]  # the same bytes are there once
        assert json.load(archive.extractfile(one["Config"]))["config"]["Entrypoint"] == ["/usr/bin/x"]
        with tarfile.open(fileobj=archive.extractfile(one["Layers"][0])) as layer:
            members = {member.name: (oct(member.mode), member.uid, member.mtime) for member in layer}
    assert members["tmp"][0] == "0o1777"
    assert set(members) == {"bin", "tmp", "usr", "usr/bin", "usr/bin/x"}
    assert {(owner, time) for _mode, owner, time in members.values()} == {(0, 0)}
