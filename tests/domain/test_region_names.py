"""Regions are found by their names as people write them."""

import pytest

from app.domain.region_names import RegionNames
from app.domain.regions import Level, Region
from app.reference.load import load_regions

NAMES = RegionNames(load_regions().current)


@pytest.mark.parametrize(
    ("written", "first"),
    [
        ("Kab. Kutai Kartanegara", "64.02"),
        ("kabupaten kutai kartanegara", "64.02"),
        ("KUKAR", "64.02"),
        ("kutai kertanegara", "64.02"),
        ("Kab Kutai Kertanegra", "64.02"),
        ("KutaiKartanegara", "64.02"),
        ("Kota Balikpapan", "64.71"),
        ("Balikpapn", "64.71"),
        ("PPU", "64.09"),
        ("Kab. Penajam", "64.09"),
        ("Penajam", "64.09.01"),
        ("penajam paser", "64.09"),
        ("Kec. Sepaku", "64.09.04"),
        ("Kelurahan Sepaku", "64.09.04.1005"),
        ("Sepako", "64.09.04"),
        ("Kota Bangun", "64.02.08"),
        ("kaltim", "64"),
        ("KEPRI", "21"),
        ("babel", "19"),
        ("DKI Jakarta", "31"),
        ("Jaksel", "31.74"),
        ("Kota Adm. Jakarta Selatan", "31.74"),
        ("kota baru", "63.02"),
        ("64.02", "64.02"),
    ],
)
def test_the_region_that_is_meant_comes_first(written: str, first: str) -> None:
    assert NAMES.search(written)[0].code == first


def test_a_regency_follows_the_district_that_has_its_name() -> None:
    assert [region.code for region in NAMES.search("Penajam")] == ["64.09.01", "64.09.01.1011", "64.09"]


@pytest.mark.parametrize("written", ["zzzz", "", "...", "kab.", "99.99"])
def test_what_is_no_name_finds_nothing(written: str) -> None:
    assert not any(region.name == written for region in NAMES.search(written))
    assert len(NAMES.search("zzzz")) == 0


def test_the_kind_that_was_asked_for_weighs_more_than_the_fit() -> None:
    names = RegionNames(
        [Region("64.01", "Kabupaten Bogor", Level.REGENCY, "64"), Region("64.71", "Kota Bogor", Level.CITY, "64")]
    )

    assert [region.code for region in names.search("Bogor")] == ["64.01", "64.71"]
    assert [region.code for region in names.search("kota bogor")] == ["64.71", "64.01"]
    assert [region.code for region in names.search("kab bogor")] == ["64.01", "64.71"]


def test_the_same_words_find_the_same_regions_in_the_same_order() -> None:
    again = RegionNames(reversed(list(load_regions().current)))

    for written in ("kutai", "jakarta", "kota baru", "sungai", "tanjong"):
        assert NAMES.search(written) == again.search(written)
