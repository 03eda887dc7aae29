"""A newer edition of the regions: what it changes, and whom that touches."""

from collections.abc import Iterable

import pytest

from app.domain.region_editions import changes, touched_agencies, touched_documents
from app.domain.regions import Level, Region, Regions
from app.reference.load import HERE
from app.reference.region_file import RegionFileInvalid, read_regions
from tests.domain.factories import a_clause, a_registry, an_agency, an_agreement

LEVELS = {1: Level.PROVINCE, 2: Level.REGENCY, 3: Level.DISTRICT, 4: Level.VILLAGE}


def a_region(code: str, name: str | None = None) -> Region:
    parts = code.split(".")
    return Region(code, name or f"Region {code}", LEVELS[len(parts)], ".".join(parts[:-1]) or None)


def some(*codes: str) -> list[Region]:
    return [a_region(code) for code in codes]


def known(*regions: Region, retired: Iterable[str] = ()) -> Regions:
    return Regions({region.code: region for region in regions}, frozenset(retired))


def test_the_same_edition_changes_nothing() -> None:
    edition = some("64", "64.02", "64.02.06")

    assert changes(known(*edition), edition).is_nothing


def test_another_name_for_a_code_is_told() -> None:
    before, after = a_region("64.02", "Kabupaten Kutai"), a_region("64.02", "Kabupaten Kutai Kartanegara")

    found = changes(known(a_region("64"), before), [a_region("64"), after])

    assert found.renamed == ((before, after),)
    assert found.codes == {"64.02"}


def test_what_is_no_longer_listed_is_retired_and_comes_back_when_it_is_listed_again() -> None:
    edition = some("64", "64.02")

    gone = changes(known(*some("64", "64.02", "64.09")), edition)
    back = changes(known(*some("64", "64.02", "64.09"), retired=["64.09"]), some("64", "64.02", "64.09"))

    assert [region.code for region in gone.retired] == ["64.09"]
    assert [region.code for region in back.listed_again] == ["64.09"]
    assert changes(known(*some("64", "64.02", "64.09"), retired=["64.09"]), edition).is_nothing


def test_an_edition_that_stops_at_the_regencies_retires_no_district() -> None:
    found = changes(known(*some("64", "64.02", "64.02.06", "63", "63.71")), some("64", "64.02", "63", "63.71"))

    assert found.is_nothing


def test_a_province_that_is_gone_takes_all_below_it_along() -> None:
    found = changes(known(*some("64", "64.02", "64.02.06", "63", "63.71")), some("63", "63.71"))

    assert [region.code for region in found.retired] == ["64", "64.02", "64.02.06"]


def test_a_district_of_which_villages_moved_to_a_new_one_was_split() -> None:
    before = [*some("64", "64.02", "64.02.13"), a_region("64.02.13.2001", "Salok"), a_region("64.02.13.2002", "Tani")]
    after = [
        *some("64", "64.02", "64.02.13", "64.02.20"),
        a_region("64.02.13.2001", "Salok"),
        a_region("64.02.20.2001", "Tani"),
    ]

    found = changes(known(*before), after)

    assert found.split == {"64.02.13": ("64.02.20",)}
    assert found.recoded == {"64.02.13.2002": "64.02.20.2001"}
    assert found.codes == {"64.02.13", "64.02.13.2002"}


def test_a_province_split_in_two_is_told_though_one_part_keeps_the_code() -> None:
    before = [*some("91", "91.01"), a_region("91.02", "Kabupaten Jayawijaya")]
    after = [*some("91", "91.01", "95"), a_region("95.01", "Kabupaten Jayawijaya")]

    found = changes(known(*before), after)

    assert found.split == {"91": ("95",)}


def test_a_district_that_only_got_another_code_was_not_split() -> None:
    before = [a_region("64"), a_region("64.02"), a_region("64.02.13", "Samboja"), a_region("64.02.13.2001", "Tani")]
    after = [a_region("64"), a_region("64.02"), a_region("64.02.33", "Samboja"), a_region("64.02.33.2001", "Tani")]

    found = changes(known(*before), after)

    assert found.split == {}
    assert found.recoded == {"64.02.13": "64.02.33", "64.02.13.2001": "64.02.33.2001"}


def test_a_retired_code_stays_known() -> None:
    regions = known(*some("64", "64.02", "64.09"), retired=["64.09"])

    assert regions.knows("64.09")
    assert [region.code for region in regions.current] == ["64", "64.02"]


def test_it_is_told_which_documents_and_agencies_name_what_changed() -> None:
    documents = [an_agreement(a_clause()), an_agreement(a_clause(), id="far", parties={"far": ["63"]})]
    registry = a_registry(
        an_agency("near"), an_agency("far", region="63"), an_agency("chief", "ID", coordinator_for="64.09")
    )

    codes = frozenset({"64.02", "64.09"})

    assert [(one.name, one.codes) for one in touched_documents(documents, codes)] == [
        ("agreement v1", ("64.02", "64.09"))
    ]
    assert [one.name for one in touched_agencies(registry, codes)] == ["chief", "near"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kode,nama\n64,Kaltim\n", "line 1: the columns"),
        ("code,name,level,parent\n64.2,Kutai,regency,64\n", "line 2: a region code"),
        ("code,name,level,parent\n64,Kaltim,province,\n64,Kaltim,province,\n", "line 3: 64 is listed twice"),
        ("code,name,level,parent\n64,Kaltim,regency,\n", "line 2: 64: its level"),
        ("code,name,level,parent\n64.02,Kutai,regency,63\n", "line 2: 64.02: its parent must be 64"),
        ("code,name,level,parent\n64.02,Kutai,regency,64\n", "64.02: its parent is not in the list"),
        ("code,name,level,parent\n64,Kaltim\n", "line 2: 4 columns"),
        ("code,name,level,parent\n64,Kaltim,province,,x\n", "line 2: 4 columns"),
        ('code,name,level,parent\n64,"Kal,province,\n', "this is not CSV"),
        ("code,name,level,parent\n", "lists no region"),
        ("code,name,level,parent\n64,\x00,province,\n", "line 2: "),
    ],
)
def test_a_file_that_is_no_list_of_regions_is_refused_with_the_line(text: str, said: str) -> None:
    with pytest.raises(RegionFileInvalid, match=said):
        read_regions(text)


def test_the_shipped_file_is_a_list_of_regions() -> None:
    assert len(read_regions((HERE / "regions.csv").read_text("utf-8"))) == 1695
