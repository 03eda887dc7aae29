"""Nobody in a table can be found, by whoever knows every number that is shown and can solve equations."""

from collections import deque
from collections.abc import Iterator, Mapping
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.small_cells import REST, SMALLEST, Shown, shown

COLUMNS = ("a", "b", "c", "d")
Counts = Mapping[str, Mapping[str, int]]

few = st.integers(0, 9)
some = st.one_of(st.just(0), few, st.integers(0, 60))


@st.composite
def tables(draw: st.DrawFn, most_rows: int = 7) -> tuple[Counts, tuple[str, ...]]:
    """A table of few or many people, with zeros, of one to four columns."""
    columns = COLUMNS[: draw(st.integers(1, 4))]
    rows = draw(st.integers(0, most_rows))
    cell = draw(st.sampled_from([few, some]))
    return {f"row{row}": {column: draw(cell) for column in columns} for row in range(rows)}, columns


class Attacker:
    """Knows all that is shown, that no count is below zero, and nothing else; finds the exact range of a hidden cell.

    Whatever could be the true table differs from it by moves around hidden cells, so a range is a flow: how much can
    be sent from the cell's row to its column over other hidden cells, each of which may take any amount and give no
    more than it holds.
    """

    def __init__(self, table: Shown, truth: Mapping[tuple[str, str], int]) -> None:
        self.hidden = {
            (row.code, column): truth[row.code, column]
            for row in table.rows
            for column in self.columns_of(table)
            if row.counts[column] is None
        }

    @staticmethod
    def columns_of(table: Shown) -> list[str]:
        return [column for column, total in table.totals.items() if total is not None]

    def range_of(self, cell: tuple[str, str]) -> tuple[int, int]:
        value = self.hidden[cell]
        # More in this cell: less elsewhere in its row, and so on around, until less elsewhere in its column.
        more = self._flow(cell, up=True)
        less = self._flow(cell, up=False)
        return value - min(value, less), value + more

    def _flow(self, cell: tuple[str, str], *, up: bool) -> int:
        others = {key: value for key, value in self.hidden.items() if key != cell}
        total = 0
        while step := self._path(cell, others, up=up):
            total += step
            if total > 100 * SMALLEST:
                break
        return total

    def _path(self, cell: tuple[str, str], others: dict[tuple[str, str], int], *, up: bool) -> int:
        """Move units round one cycle through the cell; give how many, 0 where there is none."""
        start, goal = f"row:{cell[0]}", f"column:{cell[1]}"
        came: dict[str, tuple[str, tuple[str, str]]] = {start: ("", cell)}
        waiting = deque([start])
        while waiting and goal not in came:
            place = waiting.popleft()
            from_row = place.startswith("row:")
            for key, value in others.items():
                at, to = (f"row:{key[0]}", f"column:{key[1]}") if from_row else (f"column:{key[1]}", f"row:{key[0]}")
                # Leaving a row, the balance is put right by giving (up) or by taking (down); a column is the reverse.
                gives = from_row == up
                if at == place and to not in came and (value > 0 or not gives):
                    came[to] = (place, key)
                    waiting.append(to)
        if goal not in came:
            return 0
        steps, place = [], goal
        while place != start:
            place, key = came[place]
            steps.append((key, place.startswith("row:") == up))
        amount = min([10 * SMALLEST, *(others[key] for key, gives in steps if gives)])
        for key, gives in steps:
            others[key] += -amount if gives else amount
        return amount


def every_table(rows: tuple[int, ...], columns: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], ...]]:
    """List every table of whole numbers with these totals, one by one: what an attacker without wits would do."""
    if not rows:
        if not any(columns):
            yield ()
        return
    for line in product(*(range(min(rows[0], most) + 1) for most in columns)):
        if sum(line) == rows[0]:
            left = tuple(most - taken for most, taken in zip(columns, line, strict=True))
            yield from ((line, *others) for others in every_table(rows[1:], left))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=3), min_size=2, max_size=3))
def test_the_attacker_of_these_tests_finds_all_that_there_is_to_find(lines: list[list[int]]) -> None:
    counts = {f"row{row}": dict(zip(COLUMNS, line, strict=False)) for row, line in enumerate(lines)}
    columns = COLUMNS[: min(map(len, lines))]
    counts = {row: {column: line[column] for column in columns} for row, line in counts.items()}
    table = shown(counts, columns)
    attacker = Attacker(table, truth_of(table, counts, columns))
    seen = Attacker.columns_of(table)
    totals = tuple(table.totals[column] or 0 for column in seen)
    possible = [
        found
        for found in every_table(tuple(row.total for row in table.rows), totals)
        if all(
            row.counts[column] in (None, count)
            for row, line in zip(table.rows, found, strict=True)
            for column, count in zip(seen, line, strict=True)
        )
    ]

    for row, column in attacker.hidden:
        place = ([line.code for line in table.rows].index(row), seen.index(column))
        values = {found[place[0]][place[1]] for found in possible}
        assert attacker.range_of((row, column)) == (min(values), max(values))


def truth_of(table: Shown, counts: Counts, columns: tuple[str, ...]) -> dict[tuple[str, str], int]:
    """What is behind each cell, with what is shown together added up."""
    rows = [row.code for row in table.rows]
    alone = {"row": set(rows), "column": {column for column in columns if table.totals[column] is not None}}
    found: dict[tuple[str, str], int] = {}
    for row, line in counts.items():
        for column, count in line.items():
            key = (row if row in alone["row"] else REST, column if column in alone["column"] else REST)
            found[key] = found.get(key, 0) + count
    return {(row, column): found.get((row, column), 0) for row in rows for column in Attacker.columns_of(table)}


@settings(max_examples=600, deadline=None)
@given(tables())
def test_no_hidden_cell_is_known_more_closely_than_within_five(drawn: tuple[Counts, tuple[str, ...]]) -> None:
    counts, columns = drawn
    table = shown(counts, columns)
    attacker = Attacker(table, truth_of(table, counts, columns))

    for cell in attacker.hidden:
        least, most = attacker.range_of(cell)
        assert most - least >= SMALLEST, (cell, least, most, table)


@settings(max_examples=600, deadline=None)
@given(tables())
def test_every_number_that_is_shown_is_the_truth_and_counts_at_least_five(
    drawn: tuple[Counts, tuple[str, ...]],
) -> None:
    counts, columns = drawn
    table = shown(counts, columns)
    truth = truth_of(table, counts, columns)

    visible = {(row.code, column): row.counts[column] for row in table.rows for column in Attacker.columns_of(table)}
    assert all(count == truth[cell] and count >= SMALLEST for cell, count in visible.items() if count is not None)
    assert all(row.total >= SMALLEST for row in table.rows)
    assert all(total is None or total >= SMALLEST for total in table.totals.values())


@settings(max_examples=300, deadline=None)
@given(tables())
def test_nobody_is_lost_in_the_totals(drawn: tuple[Counts, tuple[str, ...]]) -> None:
    counts, columns = drawn
    everybody = sum(sum(line.values()) for line in counts.values())

    table = shown(counts, columns)

    assert table.total == (everybody if everybody >= SMALLEST else None)
    assert sum(row.total for row in table.rows) == (table.total or 0)
    across = [total for total in table.totals.values() if total is not None]
    assert sum(across) == (table.total if across else 0)


@settings(max_examples=300, deadline=None)
@given(tables())
def test_what_stands_together_is_never_one_that_is_too_small_for_itself(
    drawn: tuple[Counts, tuple[str, ...]],
) -> None:
    counts, columns = drawn
    table = shown(counts, columns)

    merged = [column for column in columns if table.totals[column] is None]
    assert len(merged) != 1 or len(columns) == 1
    codes = {row.code for row in table.rows}
    together = [code for code, line in counts.items() if code not in codes and any(line.values())]
    assert len(together) != 1 or table.total is None


@given(tables())
def test_the_same_counts_give_the_same_table_in_whatever_order_they_come(
    drawn: tuple[Counts, tuple[str, ...]],
) -> None:
    counts, columns = drawn
    turned = dict(reversed(list(counts.items())))

    assert shown(counts, columns) == shown(turned, columns)


def test_a_count_that_would_follow_from_a_total_is_hidden_too() -> None:
    counts = {"x": {"a": 20, "b": 3, "c": 9}, "y": {"a": 30, "b": 40, "c": 50}, "z": {"a": 12, "b": 31, "c": 8}}

    table = shown(counts, ("a", "b", "c"))

    assert {row.code: row.counts for row in table.rows} == {
        "x": {"a": 20, "b": None, "c": None},
        "y": {"a": 30, "b": 40, "c": 50},
        "z": {"a": 12, "b": None, "c": None},
    }
    assert table.totals == {"a": 62, "b": 74, "c": 67}


def test_zero_is_as_secret_as_one() -> None:
    counts = {"x": {"a": 20, "b": 0, "c": 30}, "y": {"a": 20, "b": 20, "c": 30}}

    table = shown(counts, ("a", "b", "c"))

    assert [row.counts["b"] for row in table.rows] == [None, None]


def test_a_row_of_few_people_stands_with_others_and_shows_nothing_of_its_own() -> None:
    counts = {"x": {"a": 0, "b": 3}, "y": {"a": 8, "b": 9}, "z": {"a": 30, "b": 30}}

    table = shown(counts, ("a", "b"))

    assert [(row.code, row.total) for row in table.rows] == [("z", 60), (REST, 20)]


def test_a_category_that_few_have_is_not_told_from_the_next_smallest() -> None:
    counts = {"x": {"female": 60, "male": 9, "unknown": 2}, "y": {"female": 70, "male": 8, "unknown": 0}}

    table = shown(counts, ("female", "male", "unknown"))

    assert table.totals == {"female": 130, "male": None, "unknown": None, REST: 19}


def test_people_who_may_be_the_same_ones_are_not_added_up_to_be_enough() -> None:
    counts = {"x": {"a": 3}, "y": {"a": 3}, "z": {"a": 3}}

    assert shown(counts, ("a",)).total == 9
    assert shown(counts, ("a",), one_row_each=False).total is None


def test_all_of_one_kind_is_not_shown_for_it_says_the_same_of_everybody() -> None:
    table = shown({"x": {"a": 50, "b": 0}, "y": {"a": 40, "b": 0}}, ("a", "b"))

    assert (table.total, table.totals) == (90, {"a": None, "b": None})
    assert [row.counts for row in table.rows] == [{"a": None, "b": None}] * 2
