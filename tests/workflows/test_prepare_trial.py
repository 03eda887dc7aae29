"""What a trial is given of its own."""

from pathlib import Path

import pytest

from app.storage.sealing import KeyRing, KeyRingInvalid
from app.workflows.prepare_trial import own_key_ring


def test_a_key_ring_is_made_once_under_an_id_that_no_other_has(tmp_path: Path) -> None:
    made, again = own_key_ring(tmp_path), own_key_ring(tmp_path)
    (tmp_path / "other").mkdir()
    other = own_key_ring(tmp_path / "other")

    assert made == again
    assert made.active != other.active
    assert (tmp_path / "keyring.json").stat().st_mode & 0o777 == 0o600


def test_a_key_ring_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    own_key_ring(tmp_path)

    with pytest.raises(FileExistsError):
        KeyRing.generate("new").write(tmp_path / "keyring.json")


def test_a_lost_key_ring_is_not_replaced_beside_data_that_was_sealed_under_it(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "cluster").mkdir(parents=True)

    with pytest.raises(KeyRingInvalid, match="sealed under its key"):
        own_key_ring(tmp_path)
