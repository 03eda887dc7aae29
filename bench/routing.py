"""How fast decisions are made: `make bench-routing` (docs/benchmarks.md says what is compared with what)."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from app.domain.canonical import canonical_bytes
from app.domain.decision import Decision
from app.domain.explanation import explain, explanation_bytes
from app.domain.facts import Facts
from app.domain.index import ClauseIndex
from app.domain.record import record_of
from app.domain.routing import Rules, compile_rules
from app.reference.load import shipped
from bench.loop import Answer, Loop
from bench.measure import Contender, Figure, each, in_turn
from bench.world import IN_BASELINE, MOMENT, World, a_world, referrals
from bench.zen_table import ZenTable, clauses_of, said_to_zen

ROUNDS = 7
CLAUSES = (10, 500, 10_000)
AGENCIES = (20, 2_000, 20_000)
HEADLINE = (500, 2_000)
MATCHING, WHOLE = "Lintas, matching", "Lintas, a whole decision"

Asked = tuple[Facts, str]


def main() -> None:
    """Measure, and print tables."""
    world = a_world(*HEADLINE)
    compare(world)
    latency(world)
    every_rules = {shape: compiled(a_world(*shape)) for shape in ((c, a) for c in CLAUSES for a in AGENCIES)}
    grid(every_rules, world.regencies[:2])


def compiled(world: World) -> Rules:
    """Make a world's rules ready, with all that is made when it is first asked for."""
    rules = compile_rules(world.registry, world.documents, shipped().vocabulary)
    for asked in referrals(0, 200, world.regencies):
        rules.decide(*asked)
    return rules


def decide(rules: Rules, asked: Asked) -> Decision:
    return rules.decide(*asked)


def record(rules: Rules, asked: Asked) -> bytes:
    """Decide, and write the decision as it is kept."""
    return canonical_bytes(record_of(rules, rules.decide(*asked), asked[0].received_at))


def told(rules: Rules, asked: Asked) -> bytes:
    """Decide, and explain it clause by clause and candidate by candidate."""
    return explanation_bytes(explain(rules, *asked))


def matched(index: ClauseIndex, asked: Asked) -> tuple[str, ...]:
    """Name the clauses that match, as the engine finds them where every fact is known; nothing else is done."""
    found = index.settled(*asked)
    if found is None:
        raise ValueError("every fact must be known")
    return index.names_of(found)


def compare(world: World) -> None:
    """Hold the engine against the loop and against zen-engine, on the same referrals, which none has seen before."""
    loop, zen = Loop(world), ZenTable(world)

    def fresh(number: int, count: int) -> list[Asked]:
        return referrals(1000 + number, count, world.regencies)

    def said(number: int) -> list[dict[str, Any]]:
        return [said_to_zen(*asked) for asked in fresh(number, 400)]

    def ours(name: str, do: Callable[[Rules, Asked], Any]) -> Contender:
        # Rules of its own for each, so that none finds ready what another has worked out.
        return Contender(name, partial(do, compiled(world)), partial(fresh, count=2000))

    rules = compiled(world)
    for asked in referrals(1, 400, world.regencies):
        agree(rules, loop, zen, asked)
    figures = in_turn(
        [
            Contender(MATCHING, partial(matched, compiled(world).index(MOMENT)), partial(fresh, count=2000)),
            ours(WHOLE, decide),
            ours("Lintas, a decision and its record", record),
            Contender("the loop, a whole decision", lambda asked: loop.decide(*asked), partial(fresh, count=60)),
            *(Contender(name, ask, said) for name, ask in zen.ways.items()),
        ],
        ROUNDS,
    )
    print(f"\n{HEADLINE[0]:,} clauses and {HEADLINE[1]:,} agencies, every fact known\n")
    table(
        ["", "microseconds", "a second", "times the matching", "times the whole decision"],
        [
            [name, figure.spread, figure.per_second, *(figures[one].times(figure) for one in (MATCHING, WHOLE))]
            for name, figure in figures.items()
        ],
    )


def agree(rules: Rules, loop: Loop, zen: ZenTable, asked: Asked) -> None:
    """Refuse to compare what does not come to the same."""
    decision = rules.decide(*asked)
    name = f"{decision.document}/{decision.clause}" if decision.clause else None
    chain = tuple((one.agency, f"{one.document}/{one.clause}") for one in decision.chain)
    reason = decision.reason.value if decision.reason else None
    ours = Answer(reason, decision.agency, name, chain, decision.matched)
    zens = {clauses_of(ask(said_to_zen(*asked))) for ask in zen.ways.values()}
    index = rules.index(asked[0].received_at)
    if ours != loop.decide(*asked) or zens != {ours.matched} or matched(index, asked) != ours.matched:
        raise AssertionError(f"they do not agree on {asked}")


def latency(world: World) -> None:
    """Time whole decisions with their records one by one, with more and more of the facts missing."""
    print("\nA whole decision with its record, one by one, in microseconds\n")
    rows, rules = [], compiled(world)
    for missing in range(5):
        took: list[list[float]] = []
        for number in range(ROUNDS):
            asked = referrals(2000 + 10 * missing + number, 1000, world.regencies, missing)
            took.append(each(partial(record, rules), asked))
        points = [Figure("", tuple(times[int(len(times) * share)] for times in took)) for share in (0.5, 0.9, 0.99)]
        rows.append([str(missing), *(point.spread for point in points)])
    table(["facts missing", "median", "90 of 100", "99 of 100"], rows)


def grid(every_rules: dict[tuple[int, int], Rules], homes: tuple[str, ...]) -> None:
    """Decide the same referrals, which meet the same agreement, whatever else is in the rulebook and the registry."""

    def asked(number: int, kind: int, count: int) -> list[Asked]:
        return referrals(3000 + 100 * kind + number, count, homes)

    def contenders(kind: int, do: Callable[[Rules, Asked], Any], count: Callable[[int], int]) -> list[Contender]:
        return [
            Contender(str(shape), partial(do, rules), partial(asked, kind=kind, count=count(shape[0])))
            for shape, rules in every_rules.items()
        ]

    plain = in_turn(contenders(0, decide, lambda _: 1000), ROUNDS)
    kept = in_turn(contenders(1, record, lambda _: 1000), ROUNDS)
    explained = in_turn(contenders(2, told, lambda clauses: 3 if clauses > 500 else 30), 5)
    print("\nDecisions a second: without explanation / with the record / with the full explanation\n")
    rows = [
        [
            f"{clauses:,} clauses",
            *(
                " / ".join(of[str((clauses, agencies))].per_second for of in (plain, kept, explained))
                for agencies in AGENCIES
            ),
        ]
        for clauses in CLAUSES
    ]
    table(["", *(f"{agencies:,} agencies" for agencies in AGENCIES)], rows)
    print(f"\n{IN_BASELINE} clauses are the baseline alone: no agreement matches there.")
    print("\nWhat size costs, the same clauses matching: the time of the second by that of the first\n")
    pairs = [((500, 2_000), (10_000, 2_000)), ((500, 20), (500, 2_000)), ((500, 20), (500, 20_000))]
    table(
        ["", "without explanation", "with the record"],
        [
            [
                f"{one[0]:,} clauses, {one[1]:,} agencies; {other[0]:,} clauses, {other[1]:,} agencies",
                *(of[str(one)].times(of[str(other)]) for of in (plain, kept)),
            ]
            for one, other in pairs
        ],
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table that reads well as it is, and in Markdown."""
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]
    for row in [head, ["-" * width for width in widths], *rows]:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |", flush=True)


if __name__ == "__main__":
    main()
