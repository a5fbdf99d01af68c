"""One query over many runs: what it gives, what it says of runs that cannot be read."""

import functools
import http.server
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from runner.data import query, tables
from runner.errors import SpecError
from tests.data.conftest import make_run


def ask(sql, root, cache, *values):
    return query.query(sql, [root], cache, list(values)).rows


def test_every_view_has_the_columns_that_it_declares(reports, tmp_path):
    for table in tables.ALL:
        found = query.query(f"select * from {table.name}", [reports], tmp_path / "cache")
        assert found.columns == tuple(column.name for column in table.columns)
        assert found.rows


def test_numbers_of_steps_are_a_map_and_absent_ones_are_not_in_it(reports, tmp_path):
    rows = ask("select numbers['load.rps'], numbers['board.temperature'], texts['build.id'], "
               "treatment['gogc'] from steps where run like '%000001' order by repetition",
               reports, tmp_path)  # fmt: skip
    assert rows == (
        (1001.0, None, "x/y", "50"),
        (1002.0, None, "x/y", "50"),
        (1003.0, None, "x/y", "50"),
    )


def test_samples_are_read_where_a_query_names_them(reports, tmp_path):
    rows = ask("select name, sum(value), count(*) from samples group by 1", reports, tmp_path)
    assert rows == (("procfs.rss", 96.0, 6),)  # what was absent is not a row


def test_facts_and_changes_keep_their_text(reports, tmp_path):
    assert ask(
        "select distinct value from facts where fact = 'cpu.vulnerabilities'", reports, tmp_path
    ) == (('{"a": "b"}',),)
    assert ask("select distinct before, after from changes", reports, tmp_path) == (("60", "10"),)


def test_the_index_follows_what_is_added_changed_and_removed(reports, tmp_path):
    count = "select count(*) from estimates"
    assert ask(count, reports, tmp_path) == ((2,),)
    third = make_run(reports, 3, [5.0])
    assert ask(count, reports, tmp_path) == ((3,),)
    shutil.rmtree(third)
    assert ask(count, reports, tmp_path) == ((2,),)
    shutil.rmtree(reports / "demo")
    again = make_run(reports, 1, [99.0, 99.0])
    assert ask("select values from estimates", reports, tmp_path) == (([99.0, 99.0],),)
    (again / "artifacts" / "analysis.json").write_text("{")
    assert ask(count, reports, tmp_path) == ((0,),)
    ((analysed, why),) = ask("select analysed, why from runs", reports, tmp_path)
    assert analysed is False
    assert "analysis.json" in why


def test_a_run_that_cannot_be_read_is_named(reports, tmp_path):
    broken = reports / "demo" / "20261109T000000Z-0000ff"
    broken.mkdir()
    (broken / "run.json").write_text("[]")
    found = query.query("select count(*) from runs", [reports], tmp_path)
    assert found.rows == ((2,),)
    assert len(found.unread) == 1
    assert "20261109T000000Z-0000ff" in found.unread[0]


def test_an_unreadable_run_is_named_each_time(reports, tmp_path):
    broken = reports / "demo" / "20261109T000000Z-0000ff"
    broken.mkdir()
    (broken / "run.json").write_text("{}")
    for _ in range(2):
        assert len(query.query("select 1", [reports], tmp_path).unread) == 1


def test_a_damaged_index_is_made_again(reports, tmp_path):
    ask("select 1", reports, tmp_path)
    (index,) = tmp_path.glob("index-*.duckdb")
    index.write_bytes(b"not a database" * 1000)
    assert ask("select count(*) from runs", reports, tmp_path) == ((2,),)


def test_a_query_cannot_change_the_index(reports, tmp_path):
    with pytest.raises(SpecError):
        ask("delete from runs", reports, tmp_path)
    assert ask("select count(*) from runs", reports, tmp_path) == ((2,),)


HOLD = """
import duckdb, sys
con = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_command_at_once_works_without_the_file(reports, tmp_path):
    ask("select 1", reports, tmp_path)
    (file,) = tmp_path.glob("index-*.duckdb")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"held\n"
        assert ask("select count(*) from runs", reports, tmp_path) == ((2,),)
        other.stdin.close()


@pytest.mark.parametrize("sql", ["selct 1", "select nosuch from runs", "select * from nosuch", ";"])
def test_a_wrong_query_is_one_error_with_the_views(reports, tmp_path, sql):
    with pytest.raises(SpecError) as error:
        ask(sql, reports, tmp_path)
    assert "select" in (error.value.fix + error.value.message)


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(SpecError, match="no folder of runs"):
        ask("select 1", tmp_path / "nosuch", tmp_path)


def test_parquet_is_read_again_from_a_web_server(reports, tmp_path):
    """The same numbers come back over HTTP, by DuckDB's own extension."""
    pytest.importorskip("duckdb_ext", reason="the extra `remote` is not installed")
    out = tmp_path / "served" / "steps.parquet"
    out.parent.mkdir()
    query.write_parquet("select * from steps", [reports], tmp_path, out)
    handler = functools.partial(Quiet, directory=str(out.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/steps.parquet"
        rows = ask(f"select sum(numbers['procfs.rss']) from '{url}'", reports, tmp_path)
        server.shutdown()
    assert rows == ((96.0,),)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_the_page_of_views_is_the_one_that_is_committed():
    page = (Path(__file__).parents[2] / "docs" / "query.md").read_text(encoding="utf-8")
    assert tables.markdown() in page
