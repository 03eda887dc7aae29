"""What an engine decided once, the same engine decides for good."""

from app.domain.decision import ENGINE_VERSION
from tests.golden.records import DECISIONS, altered, read, worked_cases

WRITE = "python -m tests.golden.records"


def test_the_engine_alters_no_old_decision_without_a_new_version() -> None:
    golden = read(DECISIONS)

    names = altered(golden)

    assert not names or golden["engine"] != ENGINE_VERSION, (
        f"engine {ENGINE_VERSION} does not make these old decisions any more: {', '.join(names)}. Old decisions would "
        f"no longer replay to the same bytes. If that is meant, raise ENGINE_VERSION in app/domain/decision.py and "
        f"run `{WRITE}`; if not, the engine has a fault."
    )


def test_the_golden_records_are_those_of_the_engine_as_it_is() -> None:
    golden = read(DECISIONS)

    assert golden["engine"] == ENGINE_VERSION, f"the engine has a new version: run `{WRITE}` and look at what changed"


def test_every_worked_case_has_a_golden_record() -> None:
    missing = worked_cases().keys() - read(DECISIONS)["decisions"].keys()

    assert not missing, f"run `{WRITE}` to add {', '.join(sorted(missing))}"
