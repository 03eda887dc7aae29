"""The generated tables that are there in both languages: problems, news, moves, and the glossary."""

import re
from collections.abc import Iterator, Mapping

from app.api.problem_advice import ADVICE, AGAIN
from app.api.problem_texts import PROBLEMS, Text
from app.api.problems import NEVER_ANSWERED, ROWS
from app.domain.access_token import TokenFault
from app.domain.event_texts import NEWS
from app.domain.handoff import TRANSITIONS
from app.domain.labels import LABELS
from app.reference.load import shipped

HEADS = {
    "problems": Text(
        "| status | `code` | yang terjadi | yang Anda lakukan | ulangi? |",
        "| status | `code` | what happened | what you do | again? |",
    ),
    "news": Text("| type | isinya | kepada |", "| type | what it says | to |"),
    "moves": Text("| dari | langkah | ke | oleh |", "| from | move | to | by |"),
    "scopes": Text("| scope | peran |", "| scope | roles |"),
    "labels": Text("| kode | Indonesia | Inggris |", "| code | Indonesian | English |"),
}
WORDS = {
    "same": Text("sama persis", "the same"),
    "mended": Text("tidak", "no"),
    "every_role": Text("semua peran", "every role"),
    "waiting": Text("selama menunggu koordinator", "while a person is waited for"),
    "service_types": Text("Jenis layanan", "Types of service"),
    "case_types": Text("Jenis kasus", "Types of case"),
    "urgencies": Text("Kedaruratan", "Urgencies"),
    "agency_kinds": Text("Jenis lembaga", "Kinds of agency"),
    "handoff_state": Text("Keadaan penyerahan", "States of a handoff"),
    "handoff_event": Text("Langkah pada penyerahan", "Moves of a handoff"),
    "request_state": Text("Keadaan permintaan layanan", "States of a service request"),
    "referral_state": Text("Keadaan rujukan", "States of a referral"),
    "role": Text("Peran", "Roles"),
    "reason": Text("Mengapa koordinator diminta", "Why a coordinator is asked"),
    "decline_reason": Text("Mengapa tawaran ditolak atau dikembalikan", "Why an offer is declined or handed back"),
    "completion_outcome": Text("Hasil layanan", "Outcomes of a service"),
}

FAULTS_IN_INDONESIAN: Mapping[TokenFault, str] = {
    TokenFault.MALFORMED: "bukan token yang bertanda tangan, atau kepalanya terlalu besar",
    TokenFault.TOO_LARGE: "terlalu besar",
    TokenFault.ALGORITHM: "tidak ditandatangani dengan cara yang ditetapkan (`alg`)",
    TokenFault.TYPE: "kepalanya tidak mengatakan bahwa ini token akses (`typ`)",
    TokenFault.HEADER: "kepalanya membawa kunci, atau meminta dibaca dengan cara lain",
    TokenFault.KEY: "penerbit tidak punya kunci dengan nama ini (`kid`) yang boleh menandatangani",
    TokenFault.SIGNATURE: "tidak ditandatangani dengan kunci itu",
    TokenFault.ISSUER: "milik penerbit lain (`iss`)",
    TokenFault.AUDIENCE: "untuk layanan lain (`aud`)",
    TokenFault.TIMES: "`exp`, `iat` atau `nbf` tidak ada atau bukan angka, atau umurnya terlalu panjang",
    TokenFault.EXPIRED: "sudah kedaluwarsa (`exp`)",
    TokenFault.TOO_EARLY: "belum berlaku, atau diterbitkan di masa depan (`nbf`, `iat`)",
    TokenFault.ID_TOKEN: "token ID atau token penyegar",
    TokenFault.SUBJECT: "tidak mengatakan milik siapa (`sub`)",
    TokenFault.AGENCY: "tidak menyebut lembaga, atau lembaga yang tidak terdaftar",
    TokenFault.ROLES: "tidak membawa satu pun peran",
    TokenFault.CERTIFICATE: "terikat pada sertifikat yang tidak ditunjukkan, atau terikat dengan cara lain (`cnf`)",
}


def problems(language: str) -> str:
    """Tabulate every problem that is answered, with what to do about it."""
    statuses: dict[str, int] = {}
    for kind, row in ROWS.items():
        statuses.setdefault(kind.code, row.status)
    rows = [getattr(HEADS["problems"], language), "|---|---|---|---|---|"]
    unseen = {kind.code for kind in NEVER_ANSWERED}
    for code in sorted(PROBLEMS.keys() - unseen, key=lambda code: (statuses.get(code, 400), code)):
        again = WORDS["same" if code in AGAIN else "mended"]
        # What a problem fills in is named here by the member that it comes from.
        title, detail = (re.sub(r"{(\w+)}", r"`\1`", getattr(text, language)) for text in PROBLEMS[code])
        rows.append(
            f"| {statuses.get(code, 400)} | `{code}` | **{title}.** {detail} | {getattr(ADVICE[code], language)} "
            f"| {getattr(again, language)} |"
        )
    return "\n".join(rows)


def news(language: str) -> str:
    """Tabulate every type of news."""
    rows = [getattr(HEADS["news"], language), "|---|---|---|"]
    rows += [
        f"| `{type_.value}` | {getattr(one.what, language)} | {getattr(one.who, language)} |"
        for type_, one in NEWS.items()
    ]
    return "\n".join(rows)


def moves(language: str) -> str:
    """Tabulate every move of a handoff."""
    rows = [getattr(HEADS["moves"], language), "|---|---|---|---|"]
    for (state, event), move in TRANSITIONS.items():
        who = ", ".join(sorted(getattr(LABELS["actor"][actor.value], language) for actor in move.who))
        late = f" ({getattr(WORDS['waiting'], language)})" if move.while_waiting else ""
        rows.append(f"| `{state.value}` | `{event.value}` | `{move.to.value}` | {who}{late} |")
    return "\n".join(rows)


def codes(language: str) -> str:
    """Tabulate the codes that people meet, set by set, each in both languages."""
    return "\n\n".join(_sets(language))


def _sets(language: str) -> Iterator[str]:
    known = shipped().vocabulary
    sets: dict[str, list[tuple[str, str, str]]] = {
        name: [(term.code, term.id, term.en) for term in terms.values()]
        for name, terms in (
            ("service_types", known.service_types),
            ("case_types", known.case_types),
            ("urgencies", known.urgencies),
            ("agency_kinds", known.agency_kinds),
        )
    }
    for name in WORDS:
        if name in LABELS:
            sets[name] = [(code, text.id, text.en) for code, text in LABELS[name].items()]
    for name, rows in sets.items():
        yield f"### {getattr(WORDS[name], language)}"
        body = [f"| `{code}` | {indonesian} | {english} |" for code, indonesian, english in rows]
        yield "\n".join([getattr(HEADS["labels"], language), "|---|---|---|", *body])
