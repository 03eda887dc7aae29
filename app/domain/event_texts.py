"""What each kind of news says and who is told, in Indonesian and English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.events import EventType as E
from app.domain.wording import Text


@dataclass(frozen=True, slots=True)
class News:
    """What happened, and who is told of it."""

    what: Text
    who: Text


_RECEIVER = Text("penerima", "the receiver")
_OWNERS = Text("pengirim dan pemegang kasus", "the sender and who holds the case")
_BOTH = Text("pengirim, pemegang kasus dan penerima", "the sender, who holds the case, and the receiver")
_CONCERNED = Text("pengirim, pemegang kasus dan koordinatornya", "the sender, who holds the case, and its coordinator")
_KNOWING = Text("semua yang memegang sesuatu dari kasus ini", "everybody who has something of the case")
_COORDINATOR = Text("koordinator", "the coordinator")
_AGENCY = Text("lembaga pemiliknya", "the agency whose it is")

NEWS: Mapping[E, News] = {
    E.HANDOFF_OFFERED: News(
        Text(
            "Layanan ditawarkan kepada lembaga Anda; jawab sebelum respond_by.",
            "A service is offered to your agency; answer before respond_by.",
        ),
        Text(
            "penerima, pengirim dan pemegang kasus; koordinator juga bila darurat atau penerima tidak dapat dikabari",
            "the receiver, the sender and who holds the case; the coordinator too in an emergency, or where the "
            "receiver cannot be told",
        ),
    ),
    E.HANDOFF_REMINDER: News(
        Text(
            "Separuh waktu jawab, mulai, tinjauan, atau kewajiban sudah lewat.",
            "Half of the time to answer, begin, review or keep a duty has passed.",
        ),
        _RECEIVER,
    ),
    E.HANDOFF_ACCEPTED: News(Text("Lembaga menerima penyerahan.", "An agency has accepted the handoff."), _OWNERS),
    E.HANDOFF_DECLINED: News(
        Text(
            "Lembaga menolak tawaran; layanan diputuskan lagi.", "An agency has declined; the service is decided anew."
        ),
        _OWNERS,
    ),
    E.HANDOFF_EXPIRED: News(
        Text("Waktu jawab habis; layanan diputuskan lagi.", "The time to answer is over; the service is decided anew."),
        _BOTH,
    ),
    E.HANDOFF_WITHDRAWN: News(
        Text(
            "Tawaran ditarik; tidak ada lagi yang perlu dijawab.", "The offer is withdrawn; nothing is to be answered."
        ),
        _BOTH,
    ),
    E.HANDOFF_STARTED: News(Text("Layanan mulai dikerjakan.", "Work on the service has begun."), _OWNERS),
    E.HANDOFF_HELD: News(
        Text("Layanan ditunda sampai hari tinjauan.", "The service is on hold until its review day."), _OWNERS
    ),
    E.HANDOFF_RESUMED: News(Text("Layanan dilanjutkan.", "The service goes on."), _OWNERS),
    E.HANDOFF_HANDED_BACK: News(
        Text(
            "Lembaga mengembalikan penyerahan; layanan diputuskan lagi.",
            "An agency has handed it back; the service is decided anew.",
        ),
        _OWNERS,
    ),
    E.HANDOFF_CANCEL_REQUESTED: News(
        Text(
            "Pembatalan diminta: setujui, atau selesaikan bila sudah dikerjakan.",
            "A cancellation is asked for: confirm it, or complete what was done.",
        ),
        _BOTH,
    ),
    E.HANDOFF_CANCELLED: News(
        Text("Penyerahan dibatalkan; hentikan pekerjaan.", "The handoff is cancelled; stop working on it."), _BOTH
    ),
    E.HANDOFF_COMPLETED: News(
        Text("Layanan selesai, dengan hasilnya.", "The service is completed, with its outcome."), _OWNERS
    ),
    E.HANDOFF_FAILED: News(
        Text("Layanan yang dimulai tidak dapat diberikan.", "A service that was begun could not be given."), _OWNERS
    ),
    E.SERVICE_REQUEST_NEEDS_COORDINATOR: News(
        Text(
            "Layanan menunggu keputusan orang; akui sebelum acknowledge_by.",
            "A service waits for a person; acknowledge it before acknowledge_by.",
        ),
        _COORDINATOR,
    ),
    E.SERVICE_REQUEST_OVERDUE: News(
        Text(
            "Sesuatu terlambat atau perlu perhatian orang; because mengatakan apa.",
            "Something is late or needs a person; because says what.",
        ),
        _COORDINATOR,
    ),
    E.SERVICE_REQUEST_ACCEPTED: News(
        Text("Ada yang menangani layanan ini.", "Someone has taken the service."), _OWNERS
    ),
    E.SERVICE_REQUEST_FULFILLED: News(Text("Layanan terpenuhi.", "The service is fulfilled."), _CONCERNED),
    E.SERVICE_REQUEST_UNMET: News(
        Text("Layanan berakhir tanpa terpenuhi, dengan alasannya.", "The service ends unmet, with the reason."),
        _CONCERNED,
    ),
    E.SERVICE_REQUEST_CANCELLED: News(Text("Layanan dibatalkan.", "The service is cancelled."), _CONCERNED),
    E.REFERRAL_CLOSED: News(Text("Semua layanan sudah berakhir.", "Every service has ended."), _OWNERS),
    E.REFERRAL_CONSENT_EXPIRING: News(
        Text("Persetujuan segera berakhir; perbarui bila perlu.", "The consent ends soon; renew it if it is needed."),
        _OWNERS,
    ),
    E.REFERRAL_CONSENT_EXPIRED: News(
        Text(
            "Persetujuan berakhir; yang berjalan atas dasarnya ditarik.",
            "The consent has ended; what moved on it is taken back.",
        ),
        _OWNERS,
    ),
    E.REFERRAL_CONFIRMATION_DUE: News(
        Text(
            "Keadaan darurat berjalan tanpa persetujuan; konfirmasi sebelum confirm_by.",
            "An emergency moves without consent; confirm it before confirm_by.",
        ),
        Text("pengirim, pemegang kasus dan koordinator", "the sender, who holds the case, and the coordinator"),
    ),
    E.REFERRAL_UNCONFIRMED: News(
        Text("Keadaan darurat itu tidak dikonfirmasi tepat waktu.", "Nobody confirmed that emergency in time."), _OWNERS
    ),
    E.REFERRAL_RESTRICTED: News(
        Text(
            "Atas hak orangnya, kasus ini tidak dikerjakan sampai pembatasan dicabut.",
            "By right of its person, nobody works on the case until the restriction is lifted.",
        ),
        _KNOWING,
    ),
    E.REFERRAL_UNRESTRICTED: News(Text("Pembatasan dicabut.", "The restriction is lifted."), _KNOWING),
    E.REFERRAL_ERASED: News(
        Text(
            "Data orangnya dihapus; hapus juga salinan di sistem Anda.",
            "What was known of its person is erased; erase your system's copies too.",
        ),
        _KNOWING,
    ),
    E.ENDPOINT_VERIFICATION: News(
        Text(
            "Tantangan untuk membuktikan bahwa alamat ini milik Anda.",
            "The challenge by which you prove that the address is yours.",
        ),
        Text("alamat itu saja", "that address alone"),
    ),
    E.ENDPOINT_CHANGED: News(
        Text(
            "Endpoint berubah; alamat lama juga diberi tahu.", "The endpoint was changed; the old address hears of it."
        ),
        _AGENCY,
    ),
    E.ENDPOINT_PING: News(
        Text("Percobaan yang Anda minta.", "The trial that you asked for."), Text("endpoint itu", "that endpoint")
    ),
    E.ENDPOINT_FAILING: News(
        Text("Endpoint terus gagal selama 5 menit.", "The endpoint has done nothing but fail for 5 minutes."),
        Text("lembaga pemiliknya dan operator", "the agency whose it is, and operators"),
    ),
    E.ENDPOINT_DISABLED: News(
        Text("Endpoint dinonaktifkan; kabarnya ditahan.", "The endpoint is disabled; its news is held."),
        Text("lembaga pemiliknya dan operator", "the agency whose it is, and operators"),
    ),
    E.AGENCY_UNREACHED: News(
        Text(
            "Lembaga itu kehilangan cara terakhir untuk dikabari; sampaikan sendiri tawarannya.",
            "The agency has lost its last working way to be told; tell it yourself of what it is offered.",
        ),
        Text("koordinator wilayah lembaga itu", "who coordinates where that agency is at home"),
    ),
    E.PROPOSAL_MADE: News(
        Text("Perubahan menunggu orang kedua.", "A change waits for a second person."), Text("lembaganya", "its agency")
    ),
    E.PROPOSAL_ENDED: News(
        Text("Usulan berakhir; state mengatakan bagaimana.", "The proposal has ended; state says how."),
        Text("lembaganya", "its agency"),
    ),
    E.KEY_EXPIRING: News(
        Text("Kunci segera berakhir; ganti sebelum expires_at.", "A key ends soon; rotate it before expires_at."),
        _AGENCY,
    ),
    E.KEY_ROTATED: News(
        Text(
            "Kunci diganti; yang lama berlaku sampai expires_at.",
            "A key was rotated; the old one counts until expires_at.",
        ),
        _AGENCY,
    ),
    E.KEY_REVOKED: News(Text("Kunci dicabut.", "A key was revoked."), _AGENCY),
}
