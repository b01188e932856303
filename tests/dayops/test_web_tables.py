"""Tables: sorted, filtered, paged and exported by query string, from lists and from the database."""

import json
from dataclasses import dataclass

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from dayops.models import WorkerProcess
from dayops.web.tables import Column, Filter, Table, TableView
from tests.people import client_of


@dataclass(frozen=True)
class Row:
    name: str
    noise: float | None
    state: str = "OK"


COLUMNS = (
    Column("name", "Name", lambda row: row.name, order="name", link=lambda row: f"/rows/{row.name}"),
    Column("noise", "Noise", lambda row: row.noise, "number", order="noise", unit="e⁻"),
    Column("state", "State", lambda row: row.state, "status"),
)
FILTERS = (Filter("state", "State", (("OK", "ok"), ("ERROR", "error")), "state"),)
TABLE = Table("rows", COLUMNS, search=("name",), filters=FILTERS, page_size=2)
ROWS = [Row("b", 2.0), Row("a", None, "ERROR"), Row("c", 1.0)]
WORKERS = Table(
    "workers",
    (
        Column("name", "Name", lambda w: w.name, order="name"),
        Column("pid", "Process", lambda w: w.pid, "number", order="pid"),
    ),
    search=("name", "host"),
    filters=(Filter("queue", "Queue", (("alert-production", "AP"), ("archive-center", "AC")), "queue"),),
    page_size=2,
)


def names(rf, query: str, rows=ROWS, table=TABLE) -> list[str]:
    return [row.name for row in table.chosen(rf.get(f"/?{query}"), rows)]


def view(rf, query: str = "", rows=ROWS) -> TableView:
    request = rf.get(f"/?{query}")
    return TableView(TABLE, request, TABLE.chosen(request, rows))


def test_a_column_that_is_not_on_the_page_is_exported_alone(rf):
    table = Table("rows", (*COLUMNS, Column("host", "Host", lambda row: f"host of {row.name}", on_page=False)))
    request = rf.get("/")
    drawn = TableView(table, request, ROWS)
    assert "Host" not in [head.column.title for head in drawn.heads()]
    assert {len(cells) for cells in drawn.body()} == {3}
    answer = table.respond(rf.get("/?format=json"), ROWS, "unused.html")
    assert json.loads(answer.getvalue())[0]["host"] == "host of b"


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("", "bac"),
        ("sort=name", "abc"),
        ("sort=-name", "cba"),
        ("sort=noise", "cba"),
        ("sort=-noise", "bca"),
        ("sort=state", "bac"),
        ("sort=password", "bac"),
        ("q=A", "a"),
        ("state=ERROR", "a"),
        ("state=OK&sort=name", "bc"),
        ("state=NONSENSE", "bac"),
        ("q=%00", "bac"),
    ],
)
def test_the_query_string_says_which_rows_in_which_order(rf, query, order):
    assert names(rf, query) == list(order)


def test_a_status_is_sorted_by_how_bad_it_is(rf):
    table = Table("rows", (Column("state", "State", lambda row: row.state, "status", order="state"),))
    rows = [Row(word, None, word) for word in ("ERROR", "OK", "WARN", "MISSING", "QUEUED")]
    assert names(rf, "sort=-state", rows, table) == ["ERROR", "MISSING", "WARN", "QUEUED", "OK"]


def test_people_see_words_where_programs_get_the_value(rf):
    table = Table("rows", (Column("noise", "Noise", lambda row: row.noise, "number", shown=lambda row: "<quiet>"),))
    ((_, cell),) = next(TableView(table, rf.get("/"), [Row("a", 1.5)]).body())
    assert cell == "&lt;quiet&gt;"
    answer = table.respond(rf.get("/?format=json"), [Row("a", 1.5)], "")
    assert json.loads(answer.getvalue()) == [{"noise": 1.5}]


@given(st.lists(st.none() | st.floats(allow_nan=False)))
def test_sorting_keeps_every_row_and_puts_the_unknown_last(values):
    rows = [Row(str(i), value) for i, value in enumerate(values)]
    found = [row.noise for row in TABLE.chosen(RequestFactory().get("/?sort=noise"), rows)]
    known = sorted(value for value in values if value is not None)
    assert found == known + [None] * (len(values) - len(known))


@pytest.mark.parametrize(("page", "shown"), [("1", "ba"), ("2", "c"), ("99", "c"), ("0", "c"), ("x", "ba")])
def test_a_page_that_does_not_exist_shows_the_nearest(rf, page, shown):
    assert [row.name for row in view(rf, f"page={page}").page] == list(shown)


def test_pressing_a_heading_twice_turns_the_order_round(rf):
    assert [head.sort for head in view(rf).heads()] == ["name", "noise", "state"]
    head = next(iter(view(rf, "sort=name").heads()))
    assert (head.direction, head.sort) == ("ascending", "-name")


def test_cells_are_escaped_and_linked(rf):
    (_, name), (_, noise), (_, state) = next(view(rf, rows=[Row("<b>", float("nan"), "<i>")]).body())
    assert name == '<a href="/rows/&lt;b&gt;">&lt;b&gt;</a>'
    assert noise == "–"
    assert "<i>" not in state


def test_an_export_has_every_matching_row_and_not_only_the_page(rf):
    response = TABLE.respond(rf.get("/?format=json&page=1&state=OK"), ROWS, "unused.html")
    assert [row["name"] for row in json.loads(response.getvalue())] == ["b", "c"]


def make_workers() -> None:
    for i, (queue, host) in enumerate(
        [("alert-production", "one"), ("archive-center", "two"), ("archive-center", "one")]
    ):
        WorkerProcess.objects.create(name=f"w{i}", host=host, pid=100 - i, queue=queue)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("sort=pid", ["w2", "w1", "w0"]),
        ("q=ONE", ["w0", "w2"]),
        ("queue=archive-center", ["w1", "w2"]),
        ("queue=x' OR 1=1", ["w0", "w1", "w2"]),
    ],
)
def test_the_database_sorts_searches_and_filters_alike(rf, query, found):
    make_workers()
    assert names(rf, query, WorkerProcess.objects.order_by("id"), WORKERS) == found


@pytest.mark.django_db
def test_a_page_of_a_large_table_costs_two_queries(rf, django_assert_num_queries):
    make_workers()
    request = rf.get("/?sort=name")
    with django_assert_num_queries(2):
        table = TableView(WORKERS, request, WORKERS.chosen(request, WorkerProcess.objects.all()))
        assert len(list(table.body())) == 2
        assert table.total == 3


@pytest.mark.django_db
def test_the_page_keeps_filter_and_order_when_it_turns():
    page = client_of("maintainer").get("/style/?sort=-noise&phase=COMPLETED").content.decode()
    assert "?sort=-noise&amp;phase=COMPLETED&amp;format=csv" in page
    assert 'aria-sort="descending"' in page


@pytest.mark.django_db
def test_a_search_without_hits_says_so_and_how_to_go_back():
    page = client_of("maintainer").get("/style/?q=nothing-like-this").content.decode()
    assert "Nothing matches" in page
    assert '<a href="/style/">clear</a>' in page


@pytest.mark.django_db
def test_a_search_keeps_what_else_the_address_says():
    page = client_of("maintainer").get("/style/?metric=median&sort=noise&q=nothing").content.decode()
    assert '<input type="hidden" name="metric" value="median">' in page
    assert '<a href="/style/?metric=median&amp;sort=noise">clear</a>' in page
    assert 'type="hidden" name="q"' not in page
