"""The audit of one case as people read it: what was done, what for, and with what result, in two languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from app.domain.purposes import Purpose


@dataclass(frozen=True, slots=True)
class Said:
    """A few words in Indonesian and English."""

    id: str
    en: str

    def __str__(self) -> str:
        return f"{self.id} / {self.en}"


ACTIONS: Mapping[str, Said] = MappingProxyType(
    {
        "referral.submit": Said("mengirim rujukan", "sent the referral"),
        "referral.read": Said("membaca rujukan", "read the referral"),
        "referral.amend": Said("memperbaiki rujukan", "amended the referral"),
        "referral.cancel": Said("membatalkan rujukan", "cancelled the referral"),
        "referral.void": Said("menyatakan rujukan keliru", "declared the referral entered in error"),
        "consent.withdraw": Said("mencatat persetujuan dicabut", "recorded that consent was withdrawn"),
        "consent.confirm": Said("mengonfirmasi kepentingan vital", "confirmed the vital interest"),
        "handoff.read": Said("membaca penyerahan", "read the handoff"),
        "handoff.accept": Said("menerima", "accepted"),
        "handoff.decline": Said("menolak", "declined"),
        "handoff.expire": Said("tawaran kedaluwarsa", "the offer expired"),
        "handoff.withdraw": Said("menarik kembali tawaran", "withdrew the offer"),
        "handoff.start": Said("memulai layanan", "started the service"),
        "handoff.hold": Said("menunda layanan", "put the service on hold"),
        "handoff.resume": Said("melanjutkan layanan", "resumed the service"),
        "handoff.hand_back": Said("mengembalikan", "handed it back"),
        "handoff.request_cancel": Said("meminta pembatalan", "asked to cancel"),
        "handoff.confirm_cancel": Said("menyetujui pembatalan", "confirmed the cancellation"),
        "handoff.complete": Said("menyelesaikan layanan", "completed the service"),
        "handoff.fail": Said("layanan gagal", "the service failed"),
        "handoff.void": Said("penyerahan gugur", "the handoff became void"),
        "handoff.keep_duty": Said("memenuhi kewajiban", "kept a duty"),
        "service_request.read": Said("membaca permintaan layanan", "read the service request"),
        "service_request.acknowledge": Said("mengetahui permintaan", "took notice of the request"),
        "service_request.place": Said("menempatkan permintaan", "placed the request by hand"),
        "service_request.close_unmet": Said("menutup tanpa layanan", "closed the request as unmet"),
        "decision.read": Said("membaca keputusan", "read a decision"),
        "rights.read": Said("melihat status hak", "looked at the person's rights"),
        "rights.request": Said("mencatat permintaan orangnya", "recorded what the person asked for"),
        "rights.answer": Said("menjawab permintaan orangnya", "answered what the person asked for"),
        "rights.restrict": Said("membatasi pemrosesan", "restricted the processing"),
        "rights.lift_restriction": Said("mengakhiri pembatasan", "lifted the restriction"),
        "rights.hold": Said("menahan penghapusan demi hukum", "set a legal hold"),
        "rights.lift_hold": Said("mengakhiri penahanan", "lifted a legal hold"),
        "rights.export": Said("menyalin seluruh data", "exported all that is held"),
        "rights.erase": Said("menghapus data pribadi", "erased the person"),
        "clock.remind_of_offer": Said("mengingatkan tawaran", "reminded of the offer"),
        "clock.expire_offer": Said("tawaran kedaluwarsa", "the offer expired"),
        "clock.undelivered_offer": Said("tawaran tidak sampai", "the offer did not arrive"),
        "clock.start_overdue": Said("mulai layanan terlambat", "the start is overdue"),
        "clock.review_overdue": Said("peninjauan terlambat", "the review is overdue"),
        "clock.tell_coordinator": Said("memberi tahu koordinator", "told the coordinator"),
        "clock.cancel_lapses": Said("pembatalan berlaku sendiri", "the cancellation took effect by itself"),
        "clock.acknowledge_overdue": Said("koordinator belum mengetahui", "the coordinator took no notice in time"),
        "clock.duty_reminder": Said("mengingatkan kewajiban", "reminded of a duty"),
        "clock.duty_overdue": Said("kewajiban terlewat", "a duty was not kept in time"),
        "clock.consent_reminder": Said("mengingatkan akhir persetujuan", "reminded that the consent comes to its end"),
        "clock.consent_expires": Said("persetujuan berakhir", "the consent came to its end"),
        "clock.confirm_reminder": Said("mengingatkan konfirmasi", "reminded of the confirmation"),
        "clock.confirm_overdue": Said("kepentingan vital tidak dikonfirmasi", "nobody confirmed the vital interest"),
        "audit.read": Said("membaca jejak audit", "read the audit of the case"),
    }
)

PURPOSES: Mapping[Purpose, Said] = MappingProxyType(
    {
        Purpose.REFER: Said("untuk merujuk", "to refer"),
        Purpose.DECIDE: Said("untuk memutuskan menerima", "to decide whether to take it"),
        Purpose.SERVE: Said("untuk melayani", "to serve"),
        Purpose.COORDINATE: Said("untuk mengoordinasi", "to coordinate"),
        Purpose.EXPLAIN: Said("untuk memahami keputusan", "to understand a decision"),
        Purpose.KEEP_TIME: Said("karena waktunya tiba", "because its time had come"),
        Purpose.NOTIFY: Said("untuk memberi kabar", "to bring news"),
        Purpose.GOVERN: Said("untuk mengatur", "to govern"),
        Purpose.COUNT: Said("untuk statistik", "to count"),
        Purpose.GIVE_RIGHTS: Said("untuk memenuhi hak orangnya", "to give the person their rights"),
        Purpose.ADMINISTER: Said("untuk mengelola", "to administer"),
        Purpose.ACCOUNT: Said("untuk pertanggungjawaban", "to account"),
    }
)

RESULTS: Mapping[str, Said] = MappingProxyType(
    {
        "done": Said("terlaksana", "done"),
        "withheld": Said("tidak diperlihatkan", "nothing was shown"),
        "not_found": Said("ditolak: bukan haknya atau tidak ada", "refused: not theirs, or not there"),
        "processing_restricted": Said("ditolak: pemrosesan dibatasi", "refused: the processing is restricted"),
        "role_required": Said("ditolak: peran kurang", "refused: the role is missing"),
        "another_person_required": Said("ditolak: perlu orang lain", "refused: it takes another person"),
        "scope_required": Said("ditolak: cakupan kurang", "refused: the scope is missing"),
    }
)

REFUSED = Said("mencoba", "tried")


def action_said(action: str, result: str) -> str:
    """Say what was done; of what was refused, what was tried."""
    if result not in {"done", "withheld"}:
        return f"{REFUSED}: {action}"
    return str(ACTIONS.get(action, action))


def purpose_said(purpose: str | None) -> str:
    """Say what for."""
    return str(PURPOSES[Purpose(purpose)]) if purpose in set(Purpose) else purpose or "-"


def result_said(result: str, basis: str | None) -> str:
    """Say with what result, and on what ground anything was disclosed."""
    said = str(RESULTS.get(result, result))
    return f"{said} ({basis})" if basis else said
