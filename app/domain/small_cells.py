"""Small cells: what a table of counts may show, so that nobody in it can be found, by subtraction neither.

A count below `SMALLEST` is not shown, and nothing is shown from which it follows. Zero is as secret as one: that nobody
of a place is among the men says of everybody there that she is not. The rules, in the order in which they are applied:

1. A row or a column of fewer than `SMALLEST` people is shown as part of a `REST` that counts at least as many; if all
   small ones together do not, the smallest of the others goes with them. So every total that is shown, and every total
   that follows from those by subtraction, counts enough people.
2. A cell of fewer than `SMALLEST` people is hidden.
3. Further cells are hidden until whoever knows every total and every cell that is shown still cannot tell any hidden
   cell more closely than within a range `SMALLEST` wide. So none of them can be seen to be small.

A hidden cell does not say whether it was hidden for its own sake or for another's. The same counts always give the same
table. Statistical offices call 2 primary and 3 secondary (complementary) suppression; why a rectangle of hidden cells
is what protects is in Cox, "Suppression methodology and statistical disclosure control" (1980).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

SMALLEST = 5
"""The fewest people that a count may stand for."""

REST = "rest"
"""The code of what is shown together."""

Grid = list[list[int]]


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it may be shown; None is a count that is not."""

    code: str
    total: int
    counts: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Shown:
    """A table as it may be shown: every column's code, None for what is hidden; `total` None is a table of too few."""

    total: int | None
    totals: Mapping[str, int | None]
    rows: tuple[Row, ...]


def shown(counts: Mapping[str, Mapping[str, int]], columns: Sequence[str], *, one_row_each: bool = True) -> Shown:
    """Give a table as it may be shown: `counts` is row to column to people, each person in one column of a row.

    `one_row_each`: nobody is counted in two rows. Otherwise what is shown together counts as many people as its
    largest part does, for the others may be the same ones.
    """
    cells = {code: [line.get(column, 0) for column in columns] for code, line in counts.items()}
    parts = grouped({code: sum(line) for code, line in cells.items()}, disjoint=one_row_each)
    if not parts:
        return Shown(None, dict.fromkeys(columns), ())
    people = [_people((cells[code] for code in codes), disjoint=one_row_each) for codes in parts.values()]
    summed = [_people((cells[code] for code in codes), disjoint=True) for codes in parts.values()]
    sizes = _people(people, disjoint=one_row_each)
    across = grouped(dict(zip(columns, sizes, strict=True)), every_one=True)
    if len(across) < 2:
        across = {}
    places = [[columns.index(column) for column in group] for group in across.values()]
    grid = [[sum(line[place] for place in group) for group in places] for line in summed]
    small = [[sum(line[place] for place in group) < SMALLEST for group in places] for line in people]
    hidden = hide(grid, small)
    named = list(across)

    def one_row(code: str, line: list[int], is_hidden: list[bool], total: int) -> Row:
        visible = {name: None if gone else count for name, count, gone in zip(named, line, is_hidden, strict=True)}
        return Row(code, total, {**dict.fromkeys(columns), **visible})

    made = zip(parts, grid, hidden, map(sum, summed), strict=True)
    totals: dict[str, int | None] = {name: sum(line[place] for line in grid) for place, name in enumerate(named)}
    return Shown(
        sum(map(sum, summed)),
        {**dict.fromkeys(columns), **totals},
        tuple(one_row(*one) for one in made),
    )


def grouped(sizes: Mapping[str, int], *, disjoint: bool = True, every_one: bool = False) -> dict[str, tuple[str, ...]]:
    """Say what stands for itself and what stands together in `REST`, which comes last; nothing where all are too few.

    `every_one`: the codes are all there are, so that what has nobody must not be told from what has few.
    """
    alone = {code: size for code, size in sorted(sizes.items()) if size >= SMALLEST}
    together = [code for code in sorted(sizes) if code not in alone and (every_one or sizes[code])]

    def people() -> int:
        return (sum if disjoint else max)(sizes[code] for code in together)

    while together and people() < SMALLEST:
        if not alone:
            return {}
        least = min(alone, key=lambda code: (alone[code], code))
        del alone[least]
        together.append(least)
    parts: dict[str, tuple[str, ...]] = {code: (code,) for code in alone}
    return {**parts, REST: tuple(together)} if together else parts


def hide(grid: Grid, small: Sequence[Sequence[bool]]) -> list[list[bool]]:
    """Say which cells are hidden, where every total of the table is shown and none is small.

    `small`: the cells that must be. With one row or one column the cells are totals themselves.
    """
    if len(grid) < 2 or len(grid[0]) < 2:
        return [[False] * len(line) for line in grid]
    table = _Hiding(grid, [list(line) for line in small])
    waiting = list(table.hidden_cells())
    while waiting:
        row, column = waiting.pop()
        while not table.is_safe(row, column):
            more = table.next_to_hide(row, column)
            if more is None:
                # Nothing of the table is left: by its totals alone each cell lies within a range of the smallest of
                # its own two totals and of what the table counts beside either, and none of these is small.
                break
            table.hidden[more[0]][more[1]] = True
            waiting.append(more)
    return table.hidden


@dataclass(slots=True)
class _Hiding:
    """A table of which more and more is hidden."""

    grid: Grid
    hidden: list[list[bool]]

    def hidden_cells(self) -> Iterator[tuple[int, int]]:
        """List what is hidden."""
        return (
            (row, column) for row, line in enumerate(self.hidden) for column, is_hidden in enumerate(line) if is_hidden
        )

    def is_safe(self, row: int, column: int) -> bool:
        """Say whether a hidden cell could have any value of a range `SMALLEST` wide.

        Units are moved round rectangles of hidden cells, which leaves every total and every cell that is shown as it
        is: whatever table comes out of that could be the true one.
        """
        return self._could_be_less(row, column) + self._could_be_more(row, column) >= SMALLEST

    def _could_be_less(self, row: int, column: int) -> int:
        enough, found = min(self.grid[row][column], SMALLEST), 0
        for other, across in self._corners(row, column):
            if found >= enough:
                break
            found += sum(self.grid[other][place] for place in across)
        return min(found, enough)

    def _could_be_more(self, row: int, column: int) -> int:
        left = list(self.grid[row])
        found = 0
        for other, across in self._corners(row, column):
            if found >= SMALLEST:
                break
            can_give = self.grid[other][column]
            for place in across:
                moved = min(can_give, left[place])
                can_give -= moved
                left[place] -= moved
                found += moved
        return found

    def _corners(self, row: int, column: int) -> Iterator[tuple[int, list[int]]]:
        """List the other rows in which the column is hidden, with the columns that are hidden in both rows."""
        mine = [place for place, is_hidden in enumerate(self.hidden[row]) if is_hidden and place != column]
        for other, line in enumerate(self.hidden):
            if other != row and line[column]:
                across = [place for place in mine if line[place]]
                if across:
                    yield other, across

    def next_to_hide(self, row: int, column: int) -> tuple[int, int] | None:
        """Choose what is hidden for the sake of a cell: the smallest that may help it; None if nothing is left."""
        for candidates in (
            self._of_row(row) if self._hidden_in_row(row) < SMALLEST or self._is_alone_in_row(row) else (),
            self._of_column(column) if self._hidden_in_column(column) < SMALLEST or self._is_alone(column) else (),
            self._missing_corners(row, column),
            self._of_row(row),
            self._of_column(column),
            self._visible(),
        ):
            found = min(candidates, key=lambda cell: (self.grid[cell[0]][cell[1]], cell), default=None)
            if found is not None:
                return found
        return None

    def _missing_corners(self, row: int, column: int) -> Iterator[tuple[int, int]]:
        mine = [place for place, is_hidden in enumerate(self.hidden[row]) if is_hidden and place != column]
        for other, line in enumerate(self.hidden):
            if other == row:
                continue
            if line[column]:
                yield from ((other, place) for place in mine if not line[place])
            elif any(line[place] for place in mine):
                yield other, column

    def _of_row(self, row: int) -> Iterator[tuple[int, int]]:
        return ((row, place) for place, is_hidden in enumerate(self.hidden[row]) if not is_hidden)

    def _of_column(self, column: int) -> Iterator[tuple[int, int]]:
        return ((place, column) for place, line in enumerate(self.hidden) if not line[column])

    def _visible(self) -> Iterator[tuple[int, int]]:
        return (cell for row in range(len(self.grid)) for cell in self._of_row(row))

    def _hidden_in_row(self, row: int) -> int:
        return sum(count for count, gone in zip(self.grid[row], self.hidden[row], strict=True) if gone)

    def _hidden_in_column(self, column: int) -> int:
        return sum(self.grid[row][column] for row, line in enumerate(self.hidden) if line[column])

    def _is_alone_in_row(self, row: int) -> bool:
        return sum(self.hidden[row]) < 2

    def _is_alone(self, column: int) -> bool:
        return sum(line[column] for line in self.hidden) < 2


def _people(lines: Iterable[Sequence[int]], *, disjoint: bool) -> list[int]:
    """Count column by column the people of several rows, at the least."""
    return [(sum if disjoint else max)(column) for column in zip(*lines, strict=True)]
