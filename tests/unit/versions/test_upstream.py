import json

import pytest

from kubectl_admin.errors import UsageError
from kubectl_admin.versions import upstream
from kubectl_admin.versions.version import Version

HINT = "--data takes a file like kubectl_admin/data/upstream.json; docs/skew.md describes it"


def test_the_table_that_ships():
    table = upstream.load()
    assert table.support[36].end.isoformat() == "2027-06-28"
    assert table.requirements[37].etcd_before == Version(3, 6, 11)
    assert table.newest == max(table.requirements)
    assert sorted(table.support) == list(range(min(table.support), table.newest + 1))


def test_a_table_of_ones_own(tmp_path):
    file = tmp_path / "upstream.json"
    minors = {"1.40": {"end": "2028-10-28", "latest": "1.40.1"}}
    file.write_text(json.dumps({"taken": "2027-09-01", "minors": minors, "needs": {}}))
    assert upstream.load(file).newest == 40


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is not JSON"),
        ("# a page", "it is not JSON"),
        (b"\xff", "it is not UTF-8 text"),
        ("[]", "it is not a JSON object, but a list"),
        ("null", "it is not a JSON object, but a NoneType"),
        ("{}", "it has no 'taken'"),
        ('{"taken": 1, "minors": {}, "needs": {}}', "fromisoformat: argument must be str"),
        ('{"taken": "soon", "minors": {}, "needs": {}}', "Invalid isoformat string: 'soon'"),
        ('{"taken": "2027-09-01", "minors": {"1.40": {}}, "needs": {}}', "it has no 'end'"),
        ('{"taken": "2027-09-01", "minors": {"one": {}}, "needs": {}}', "'one' is not a version"),
    ],
)
def test_a_file_that_is_no_table(tmp_path, text, why):
    file = tmp_path / "upstream.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError) as caught:
        upstream.load(file)
    assert caught.value.what == f"{file} is not a table of upstream's versions: {why}"
    assert caught.value.hint == HINT


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="No such file") as caught:
        upstream.load(tmp_path / "none.json")
    assert caught.value.hint == HINT
