"""All that is held on a person, as the person reads it: in Indonesian or English, in plain text."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.audit_story import ACTIONS, PURPOSES, RESULTS, Said
from app.domain.purposes import Purpose
from app.domain.vocabulary import Vocabulary

INDENT = "  "

TITLE = Said("SEMUA YANG DISIMPAN LINTAS TENTANG ANDA", "ALL THAT LINTAS HOLDS ON YOU")
NOTHING = Said("tidak ada", "nothing")
ERASED = Said(
    "Data pribadi sudah dihapus; yang tersisa tidak menyebut siapa pun.",
    "Personal data is erased; what is left names nobody.",
)
SECTIONS: Mapping[str, Said] = MappingProxyType(
    {
        "referral": Said("Rujukan", "The referral"),
        "personal": Said("Data pribadi", "Personal data"),
        "facts": Said("Fakta untuk menentukan penerima", "Facts by which receivers were decided"),
        "service_requests": Said("Layanan yang diminta", "Services that were asked for"),
        "rights": Said("Permintaan atas hak Anda", "What was asked for by your rights"),
        "legal_holds": Said("Penahanan demi hukum", "Legal holds"),
        "looks": Said("Siapa melihat atau mengubah apa", "Who looked at or changed what"),
    }
)
LABELS: Mapping[str, Said] = MappingProxyType(
    {
        "exported_at": Said("disalin pada", "exported at"),
        "id": Said("nomor", "id"),
        "sender": Said("pengirim", "sender"),
        "holder": Said("pemegang", "holder"),
        "mode": Said("cara", "mode"),
        "urgency": Said("kedaruratan", "urgency"),
        "state": Said("keadaan", "state"),
        "received_at": Said("diterima pada", "received at"),
        "recorded_at": Said("dicatat pada", "recorded at"),
        "ended_at": Said("berakhir pada", "ended at"),
        "consent_withdrawn_at": Said("persetujuan dicabut pada", "consent withdrawn at"),
        "consent_services": Said("persetujuan untuk layanan", "consent for services"),
        "restricted_at": Said("dibatasi sejak", "restricted since"),
        "erased_at": Said("dihapus pada", "erased at"),
        "version": Said("versi", "version"),
        "case_types": Said("jenis kasus", "case types"),
        "locations": Said("tempat", "places"),
        "incident": Said("kejadian", "incident"),
        "domicile": Said("domisili", "domicile"),
        "current": Said("sekarang", "current"),
        "victim": Said("korban", "victim"),
        "age": Said("usia", "age"),
        "sex": Said("jenis kelamin", "sex"),
        "perpetrator_in_household": Said("pelaku serumah", "perpetrator in the household"),
        "conflicts": Said("lembaga dengan konflik", "agencies in conflict"),
        "refuses": Said("lembaga yang ditolak korban", "agencies that were refused"),
        "avoid_regions": Said("daerah yang dihindari", "regions to avoid"),
        "consent": Said("persetujuan", "consent"),
        "service_type": Said("layanan", "service"),
        "reason": Said("alasan", "reason"),
        "decisions": Said("keputusan", "decisions"),
        "decided_at": Said("diputuskan pada", "decided at"),
        "cause": Said("sebab", "cause"),
        "outcome": Said("hasil", "outcome"),
        "facts_version": Said("versi fakta", "version of the facts"),
        "placed_by": Said("ditempatkan oleh", "placed by"),
        "handoffs": Said("penyerahan", "handoffs"),
        "agency": Said("lembaga", "agency"),
        "offered_at": Said("ditawarkan pada", "offered at"),
        "answered_at": Said("dijawab pada", "answered at"),
        "changed_at": Said("berubah pada", "changed at"),
        "duties": Said("kewajiban", "duties"),
        "duty": Said("kewajiban", "duty"),
        "due_at": Said("batas waktu", "due at"),
        "right": Said("hak", "right"),
        "asked_at": Said("diminta pada", "asked at"),
        "refused_because": Said("ditolak karena", "refused because"),
        "lifted_at": Said("diakhiri pada", "lifted at"),
        "set_at": Said("ditetapkan pada", "set at"),
        "set_by": Said("ditetapkan oleh", "set by"),
        "document": Said("dokumen", "document"),
        "clause": Said("pasal", "clause"),
        "attachments": Said("lampiran", "attachments"),
        "case.incident_date": Said("tanggal kejadian", "date of the incident"),
        "case.place": Said("tempat kejadian", "place of the incident"),
        "case.police_reported_at": Said("dilaporkan ke polisi pada", "reported to the police at"),
        "case.relation_to_perpetrator": Said("hubungan dengan pelaku", "relation to the perpetrator"),
        "condition.community": Said("keadaan lingkungan", "condition: community"),
        "condition.family": Said("keadaan keluarga", "condition: family"),
        "condition.physical": Said("keadaan fisik", "condition: physical"),
        "condition.psychological": Said("keadaan psikis", "condition: psychological"),
        "narrative": Said("uraian", "narrative"),
        "purpose": Said("tujuan", "purpose"),
        "requested_by": Said("diminta oleh", "requested by"),
        "sender_reference": Said("nomor pada pengirim", "the sender's reference"),
        "services_already_given": Said("layanan yang sudah diberikan", "services already given"),
        "victim.alias": Said("nama samaran", "alias"),
        "victim.birth_date": Said("tanggal lahir", "date of birth"),
        "victim.citizenship": Said("kewarganegaraan", "citizenship"),
        "victim.disability_needs": Said("kebutuhan disabilitas", "disability needs"),
        "victim.guardian": Said("wali", "guardian"),
        "victim.name": Said("nama", "name"),
        "victim.national_id": Said("NIK", "national id"),
        "victim.safe_contact": Said("kontak aman", "safe contact"),
        "name": Said("nama", "name"),
        "phone": Said("telepon", "phone"),
        "email": Said("surel", "email"),
        "address": Said("alamat", "address"),
        "instructions": Said("petunjuk", "instructions"),
        "basis": Said("dasar", "basis"),
        "given_at": Said("diberikan pada", "given at"),
        "relation": Said("hubungan", "relation"),
        "is_perpetrator": Said("adalah pelaku", "is the perpetrator"),
        "contact": Said("kontak", "contact"),
        "title": Said("judul", "title"),
        "reference": Said("rujukan", "reference"),
        "note": Said("catatan", "note"),
        "type": Said("jenis", "type"),
    }
)
LEFT_OUT = frozenset({"result"})
"""What only a program reads; the JSON has it."""


def written(held: Mapping[str, Any], *, english: bool, zone: ZoneInfo, vocabulary: Vocabulary) -> str:
    """Write out what `export_referral` gives, with times by the clock of a zone."""
    return "\n".join([*_Reader(english, zone, vocabulary).lines(held), ""])


class _Reader:
    def __init__(self, english: bool, zone: ZoneInfo, vocabulary: Vocabulary) -> None:
        self._english = english
        self._zone = zone
        sets = (
            vocabulary.service_types,
            vocabulary.case_types,
            vocabulary.incident_places,
            vocabulary.relations_to_perpetrator,
        )
        named = [term for terms in sets for term in terms.values()]
        self._terms = {term.code: (term.en if english else term.id) for term in named}

    def lines(self, held: Mapping[str, Any]) -> Iterator[str]:
        yield self._in(TITLE)
        yield f"{self.label('exported_at')}: {self._value(held['exported_at'])}"
        if held["referral"]["erased_at"]:
            yield self._in(ERASED)
        for section, title in SECTIONS.items():
            yield ""
            yield self._in(title).upper()
            content = held[section]
            if not content:
                yield f"{INDENT}{self._in(NOTHING)}"
            elif section == "looks":
                yield from (f"{INDENT}{line}" for entry in content for line in self._look(entry))
            else:
                yield from self._said(content, 1)

    def _look(self, entry: Mapping[str, Any]) -> Iterator[str]:
        who = entry["agency_name"] or entry["agency_code"] or "Lintas"
        action = ACTIONS.get(entry["action"])
        result = RESULTS.get(entry["result"])
        what = self._in(action) if action else str(entry["action"])
        ended = self._in(result) if result else str(entry["result"])
        why = f", {self._in(PURPOSES[Purpose(entry['purpose'])])}" if entry["purpose"] in set(Purpose) else ""
        yield f"{self._value(entry['at'])}  {who}: {what}{why} ({ended})"
        if entry["fields"]:
            yield f"{INDENT}{', '.join(map(self.label, entry['fields']))}"

    def _said(self, value: Any, depth: int) -> Iterator[str]:
        room = INDENT * depth
        if isinstance(value, Mapping):
            for name, inner in value.items():
                if name in LEFT_OUT or inner is None or inner in ([], {}):
                    continue
                if _is_agency(inner):
                    yield f"{room}{self.label(name)}: {inner['name']}"
                elif isinstance(inner, Mapping) or _is_list_of_mappings(inner):
                    yield f"{room}{self.label(name)}:"
                    yield from self._said(inner, depth + 1)
                else:
                    yield f"{room}{self.label(name)}: {self._indented(inner, room)}"
        else:
            for one in value:
                first, *rest = list(self._said(one, depth + 1)) or [""]
                yield f"{room}- {first.strip()}"
                yield from rest

    def _indented(self, value: Any, room: str) -> str:
        if isinstance(value, Sequence) and not isinstance(value, str):
            return ", ".join(self._value(one) for one in value)
        return self._value(value).replace("\n", f"\n{room}{INDENT}")

    def label(self, name: str) -> str:
        if name in LABELS:
            return self._in(LABELS[name])
        if name.startswith("services.") and name.endswith(".note"):
            service = name.removeprefix("services.").removesuffix(".note")
            return f"{self.label('note')} ({self._terms.get(service, service)})"
        if name.endswith("_note"):
            return f"{self.label('note')} ({name.rpartition('.')[2].removesuffix('_note')})"
        return name.replace("_", " ")

    def _value(self, value: Any) -> str:
        if isinstance(value, bool):
            yes, no = ("yes", "no") if self._english else ("ya", "tidak")
            return yes if value else no
        said = str(value)
        moment = _moment(said)
        if moment is not None:
            return f"{moment.astimezone(self._zone):%Y-%m-%d %H:%M %Z}"
        return self._terms.get(said, said)

    def _in(self, said: Said) -> str:
        return said.en if self._english else said.id


def _is_agency(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) == {"code", "name"}


def _is_list_of_mappings(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(one, Mapping) for one in value)


def _moment(said: str) -> datetime | None:
    if len(said) < len("2025-01-01T00:00Z") or said[4:5] != "-" or "T" not in said:
        return None
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
