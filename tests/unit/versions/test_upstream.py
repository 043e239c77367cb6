import json

import pytest

from kubectl_admin.errors import UsageError
from kubectl_admin.versions import upstream
from kubectl_admin.versions.version import Version


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
    "text", ["", "[]", "{}", '{"taken": "soon", "minors": {}, "needs": {}}', "null", "\x00"]
)
def test_a_file_that_is_no_table(tmp_path, text):
    file = tmp_path / "upstream.json"
    file.write_text(text)
    with pytest.raises(UsageError, match="is not a table of upstream's versions"):
        upstream.load(file)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        upstream.load(tmp_path / "none.json")
