"""A list of regions as a CSV file: code, name, level, parent."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping

from app.domain.regions import Level, Region, depth, is_region

COLUMNS = ("code", "name", "level", "parent")
LEVELS = {
    1: (Level.PROVINCE,),
    2: (Level.REGENCY, Level.CITY),
    3: (Level.DISTRICT,),
    4: (Level.VILLAGE,),
}
LONGEST_NAME = 200
MOST_REGIONS = 200_000
MOST_FAULTS = 20


class RegionFileInvalid(Exception):
    """A file is not a list of regions; each line says what is wrong, with the line it is about."""


def read_regions(text: str) -> list[Region]:
    """Read a list of regions, or say with their lines what is wrong (RegionFileInvalid)."""
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    found: dict[str, Region] = {}
    faults: list[str] = []
    try:
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise RegionFileInvalid(f"line 1: the columns must be {', '.join(COLUMNS)}")
        for row in rows:
            said = list(_faults(row, found))
            faults += [f"line {rows.line_num}: {fault}" for fault in said]
            if len(faults) >= MOST_FAULTS or len(found) >= MOST_REGIONS:
                break
            if not said:
                found[row["code"]] = Region(
                    row["code"], row["name"].strip(), Level(row["level"]), row["parent"] or None
                )
    except csv.Error:
        faults.append(f"line {rows.line_num}: this is not CSV")
    if len(found) >= MOST_REGIONS:
        faults.append(f"more than {MOST_REGIONS} regions")
    if not faults and not found:
        faults.append("the file lists no region")
    faults += [f"{region.code}: its parent is not in the list" for region in _orphans(found)] if not faults else []
    if faults:
        raise RegionFileInvalid("\n".join(faults[:MOST_FAULTS]))
    return list(found.values())


def _faults(row: Mapping[str | None, str | None], found: Mapping[str, Region]) -> Iterator[str]:
    code, name, level, parent = (row.get(column) for column in COLUMNS)
    if None in row or code is None or name is None or level is None or parent is None:
        yield f"{len(COLUMNS)} columns are expected"
        return
    if not is_region(code) or depth(code) not in LEVELS:
        yield "a region code is expected, as in 64.02; a spreadsheet may have made a number of it"
        return
    if code in found:
        yield f"{code} is listed twice"
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        yield f"{code}: a name of 1 to {LONGEST_NAME} characters is expected"
    if level not in [str(known) for known in LEVELS[depth(code)]]:
        yield f"{code}: its level must be {' or '.join(LEVELS[depth(code)])}"
    if parent != code.rpartition(".")[0]:
        yield f"{code}: its parent must be {code.rpartition('.')[0] or 'left empty'}"


def _orphans(found: Mapping[str, Region]) -> Iterator[Region]:
    return (region for region in found.values() if region.parent is not None and region.parent not in found)
