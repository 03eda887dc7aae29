"""What problems say to people, by code, in Indonesian and English. No text ever holds a value that was sent."""

from collections.abc import Mapping
from typing import NamedTuple


class Text(NamedTuple):
    """One text in both languages; names in braces are filled from the problem's own members."""

    id: str
    en: str


class Wording(NamedTuple):
    """A problem's title, the same every time, and the sentence that says what happened."""

    title: Text
    detail: Text


PROBLEMS: Mapping[str, Wording] = {
    "refused": Wording(
        Text("Permintaan ditolak", "Request refused"),
        Text("Permintaan ini tidak dapat dilayani.", "This request cannot be served."),
    ),
    "domain_error": Wording(
        Text("Tidak diperbolehkan", "Not allowed"),
        Text("Aturan tidak memperbolehkan hal ini.", "The rules do not allow this."),
    ),
    "invalid": Wording(
        Text("Isi tidak sah", "Invalid content"),
        Text("Isinya tidak dapat diterima; lihat errors.", "It cannot be taken as it is; see errors."),
    ),
    "invalid_input": Wording(
        Text("Isian tidak sah", "Invalid input"),
        Text("Ada isian yang perlu diperbaiki; lihat errors.", "Some fields need correction; see errors."),
    ),
    "invalid_parameter": Wording(
        Text("Parameter tidak sah", "Invalid parameter"),
        Text("Ada parameter yang tidak dapat dibaca; lihat errors.", "A parameter cannot be read; see errors."),
    ),
    "document_invalid": Wording(
        Text("Dokumen tidak sah", "Invalid document"),
        Text("Perjanjian tidak dapat dibaca; lihat errors.", "The agreement cannot be read; see errors."),
    ),
    "document_refused": Wording(
        Text("Dokumen ditolak", "Document refused"),
        Text(
            "Dokumen ini tidak dapat diterbitkan; lihat findings, masing-masing dengan klausul dan contohnya.",
            "This document cannot be published; see findings, each with its clauses and an example.",
        ),
    ),
    "version_published": Wording(
        Text("Versi sudah terbit", "Version already published"),
        Text(
            "Versi yang sudah terbit tidak pernah berubah; buat versi berikutnya.",
            "A published version never changes; draft the next one.",
        ),
    ),
    "not_next_version": Wording(
        Text("Bukan versi berikutnya", "Not the next version"),
        Text(
            "Versi diterbitkan berurutan; berikutnya adalah versi {next_version}.",
            "Versions are published one after the other; the next one is {next_version}.",
        ),
    ),
    "facts_invalid": Wording(
        Text("Fakta tidak sah", "Invalid facts"),
        Text("Fakta kasus tidak dapat dibaca; lihat errors.", "The facts of the case cannot be read; see errors."),
    ),
    "registry_invalid": Wording(
        Text("Daftar lembaga tidak sah", "Invalid registry"),
        Text("Daftar lembaga tidak dapat dibaca; lihat errors.", "The agencies cannot be read; see errors."),
    ),
    "unknown_agency": Wording(
        Text("Lembaga tidak dikenal", "Unknown agency"),
        Text("Tidak ada lembaga dengan kode itu.", "There is no agency with that code."),
    ),
    "not_found": Wording(
        Text("Tidak ditemukan", "Not found"),
        Text(
            "Tidak ada, atau bukan milik lembaga Anda.",
            "It is not there, or it is not your agency's.",
        ),
    ),
    "no_such_path": Wording(
        Text("Alamat tidak ada", "No such address"),
        Text("Tidak ada apa pun di alamat ini.", "There is nothing at this address."),
    ),
    "method_not_allowed": Wording(
        Text("Metode tidak diperbolehkan", "Method not allowed"),
        Text("Alamat ini menerima: {allow}.", "This address takes: {allow}."),
    ),
    "referral_not_open": Wording(
        Text("Rujukan sudah berakhir", "The referral has ended"),
        Text(
            "Rujukan berstatus {current_state} dan tidak dapat diubah lagi.",
            "The referral is {current_state} and cannot be changed any more.",
        ),
    ),
    "processing_restricted": Wording(
        Text("Pemrosesan dibatasi", "Processing restricted"),
        Text(
            "Atas hak orangnya, kasus ini dibatasi sejak {restricted_at}; tanyakan petugas pelindungan data.",
            "By right of its person this case is restricted since {restricted_at}; ask your protection officer.",
        ),
    ),
    "referral_erased": Wording(
        Text("Data sudah dihapus", "Erased"),
        Text(
            "Data orangnya sudah dihapus; kasus ini tidak dapat dikerjakan lagi.",
            "What was known of its person is erased; nothing can be done with this case any more.",
        ),
    ),
    "under_legal_hold": Wording(
        Text("Ditahan demi hukum", "Under legal hold"),
        Text(
            "Kasus ini ditahan demi hukum; penahanan harus diakhiri lebih dahulu.",
            "A legal hold keeps this case; it has to be lifted first.",
        ),
    ),
    "emergency_running": Wording(
        Text("Keadaan darurat masih berjalan", "An emergency is running"),
        Text(
            "Kasus darurat baru dapat dihapus setelah berakhir atau dibatalkan.",
            "An emergency can be erased once it has ended or was cancelled.",
        ),
    ),
    "already_answered": Wording(
        Text("Sudah dijawab", "Already answered"),
        Text("Permintaan ini sudah dijawab.", "This request was answered before."),
    ),
    "not_restricted": Wording(
        Text("Tidak dibatasi", "Not restricted"),
        Text("Pemrosesan kasus ini tidak dibatasi.", "The processing of this case is not restricted."),
    ),
    "hold_lifted": Wording(
        Text("Penahanan sudah diakhiri", "Hold already lifted"),
        Text("Penahanan ini sudah diakhiri.", "This hold was lifted before."),
    ),
    "ledger_unavailable": Wording(
        Text("Buku penghapusan tidak dapat ditulis", "The erasure ledger cannot be written"),
        Text(
            "Tidak ada yang dihapus; beri tahu pengelola, lalu coba lagi.",
            "Nothing was erased; tell the operator, then try again.",
        ),
    ),
    "request_not_waiting": Wording(
        Text("Permintaan tidak menunggu koordinator", "The request does not wait for its coordinator"),
        Text(
            "Permintaan layanan berstatus {current_state}; hanya yang menunggu koordinator dapat ditangani begini.",
            "The service request is {current_state}; only one that waits for its coordinator can be dealt with so.",
        ),
    ),
    "holder_required": Wording(
        Text("Bukan wewenang Anda", "Not yours to do"),
        Text(
            "Hanya lembaga yang memegang kasus ini yang dapat melakukannya.",
            "Only the agency that holds this case may do that.",
        ),
    ),
    "duty_not_owed": Wording(
        Text("Bukan kewajiban Anda sekarang", "Not owed by you now"),
        Text(
            "Kewajiban dipenuhi oleh lembaga yang menerima penyerahan ini, selama penyerahan itu berjalan.",
            "A duty is kept by the agency that has taken this handoff, while the handoff lasts.",
        ),
    ),
    "consent_required": Wording(
        Text("Tidak ada persetujuan", "There is no consent"),
        Text(
            "Tanpa persetujuan, kasus ini tidak boleh diteruskan kepada lembaga lain.",
            "Without consent nothing of this case may be passed on to another agency.",
        ),
    ),
    "nothing_to_confirm": Wording(
        Text("Tidak ada yang perlu dikonfirmasi", "There is nothing to confirm"),
        Text(
            "Tidak ada layanan dalam rujukan ini yang berjalan atas dasar kepentingan vital.",
            "No service of this referral moves on the vital interest.",
        ),
    ),
    "illegal_transition": Wording(
        Text("Langkah tidak mungkin", "Not possible in this state"),
        Text(
            "Penyerahan berstatus {current_state}; langkah {event} tidak mungkin dari sana atau bukan wewenang Anda.",
            "The handoff is {current_state}; {event} is not possible from there, or not yours to do.",
        ),
    ),
    "too_many_unverified": Wording(
        Text("Terlalu banyak endpoint yang belum terverifikasi", "Too many endpoints are unverified"),
        Text(
            "Verifikasi atau nonaktifkan dahulu endpoint lembaga Anda yang masih unverified; yang dinonaktifkan "
            "masih dihitung satu jam sejak tantangan terakhirnya.",
            "First verify or disable those of your agency's endpoints that are unverified; one that is disabled still "
            "counts for an hour after its latest challenge.",
        ),
    ),
    "key_replaced": Wording(
        Text("Kunci sudah diganti", "Key already rotated"),
        Text(
            "Kunci ini sudah punya pengganti: ganti penggantinya, atau minta kunci lain dari operator.",
            "This key was rotated already: rotate the one that replaced it, or ask the operator for another.",
        ),
    ),
    "proposal_ended": Wording(
        Text("Usulan sudah berakhir", "The proposal has ended"),
        Text(
            "Usulan ini tidak menunggu lagi; keadaannya {current_state}. Ajukan lagi bila masih diperlukan.",
            "This proposal does not wait any more; it is {current_state}. Propose it again if it is still needed.",
        ),
    ),
    "another_person_required": Wording(
        Text("Perlu orang lain", "Another person is required"),
        Text(
            "Usulan diputuskan oleh orang lain, dengan kunci lain, bukan oleh pengusulnya; pengusul dapat menariknya.",
            "A proposal is decided by another person, with another key, not by who made it, who can withdraw it.",
        ),
    ),
    "too_many_proposals": Wording(
        Text("Terlalu banyak usulan yang menunggu", "Too many proposals are waiting"),
        Text(
            "Putuskan atau tarik dulu sebagian usulan yang masih menunggu.",
            "Some of the proposals that wait have to be decided or withdrawn first.",
        ),
    ),
    "too_many_secrets": Wording(
        Text("Terlalu banyak kunci yang masih berlaku", "Too many secrets are still valid"),
        Text(
            "Tunggu sampai salah satu kunci lama berakhir, atau ganti dengan old_valid_for PT0S, "
            "yang langsung mengakhiri semua kunci lama.",
            "Wait until one of the older secrets has ended, or rotate with old_valid_for PT0S, which ends all of "
            "them at once.",
        ),
    ),
    "not_a_webhook": Wording(
        Text("Bukan webhook", "Not a webhook"),
        Text(
            "Endpoint ini alamat surel; rahasia, header dan TLS sendiri hanya ada pada webhook.",
            "This endpoint is a mail address; secrets, headers and TLS of your own belong to webhooks alone.",
        ),
    ),
    "duplicate_reference": Wording(
        Text("Nomor rujukan sudah dipakai", "Reference already used"),
        Text(
            "Lembaga Anda sudah mengirim rujukan dengan sender_reference ini; lihat referral_id.",
            "Your agency has already sent a referral with this sender_reference; see referral_id.",
        ),
    ),
    "role_required": Wording(
        Text("Peran diperlukan", "Role required"),
        Text("Kunci Anda tidak memiliki peran {roles}.", "Your key does not carry the role {roles}."),
    ),
    "scope_required": Wording(
        Text("Cakupan diperlukan", "Scope required"),
        Text(
            "Kunci atau token Anda dibatasi, dan tidak mencakup {scope}.",
            "Your key or token is narrowed, and does not hold the scope {scope}.",
        ),
    ),
    "precondition_required": Wording(
        Text("If-Match diperlukan", "If-Match required"),
        Text(
            "Kirim If-Match dengan ETag dari versi yang Anda ubah.",
            "Send If-Match with the ETag of the version you are changing.",
        ),
    ),
    "precondition_failed": Wording(
        Text("Sudah berubah", "Changed meanwhile"),
        Text(
            "Data sudah berubah sejak Anda membacanya; baca lagi, lalu ulangi.",
            "It has changed since you read it; read it again, then repeat.",
        ),
    ),
    "malformed_body": Wording(
        Text("Isi permintaan rusak", "Malformed body"),
        Text("Isi permintaan bukan JSON yang sah; lihat errors.", "The body is not JSON as taken here; see errors."),
    ),
    "malformed_request": Wording(
        Text("Bukan permintaan HTTP yang sah", "Not a valid HTTP request"),
        Text(
            "Permintaan tidak dapat dibaca sebagai HTTP/1.1, atau tidak memuat tepat satu Host.",
            "The request cannot be read as HTTP/1.1, or does not have exactly one Host.",
        ),
    ),
    "headers_too_large": Wording(
        Text("Header terlalu besar", "Headers too large"),
        Text(
            "Baris permintaan dan header bersama-sama paling besar 64 KiB.",
            "The request line and the headers together may have at most 64 KiB.",
        ),
    ),
    "body_too_large": Wording(
        Text("Isi permintaan terlalu besar", "Body too large"),
        Text("Isi permintaan paling besar 256 KiB.", "A body may have at most 256 KiB."),
    ),
    "body_too_slow": Wording(
        Text("Isi permintaan terlalu lambat", "Body too slow"),
        Text("Isi permintaan tidak tiba tepat waktu.", "The body did not arrive in time."),
    ),
    "unsupported_media_type": Wording(
        Text("Jenis isi tidak didukung", "Unsupported media type"),
        Text(
            "Kirim JSON dalam UTF-8 tanpa kompresi, dengan Content-Type: application/json.",
            "Send JSON in UTF-8, not compressed, with Content-Type: application/json.",
        ),
    ),
    "recovery_running": Wording(
        Text("Pemulihan sedang berjalan", "A recovery is running"),
        Text(
            "Pemulihan lain untuk endpoint ini (recovery_id) masih berjalan; tunggu sampai selesai, atau batalkan.",
            "Another recovery of this endpoint (recovery_id) is running; wait for its end, or cancel it.",
        ),
    ),
    "recovery_of_held": Wording(
        Text("Kabar yang ditahan tetap dikirim", "Held news is sent"),
        Text(
            "Pemulihan ini mengirim kabar yang ditahan; jeda endpoint bila pengiriman harus berhenti.",
            "This recovery sends news that was held; pause the endpoint if nothing may be sent.",
        ),
    ),
    "not_sent_again": Wording(
        Text("Tidak dikirim ulang", "Not sent again"),
        Text(
            "Tantangan, dan kabar kepada alamat lama, tidak dikirim ulang; minta tantangan baru dengan POST "
            ".../challenge dari endpoint itu.",
            "A challenge, and what a former address was told, is not sent again; ask for a new challenge by POST "
            ".../challenge of the endpoint.",
        ),
    ),
    "unauthenticated": Wording(
        Text("Kunci diperlukan", "Key required"),
        Text(
            "Kirim kunci atau token yang berlaku: Authorization: Bearer lintas_...",
            "Send a valid key or token: Authorization: Bearer lintas_...",
        ),
    ),
    "idempotency_key_invalid": Wording(
        Text("Idempotency-Key tidak sah", "Invalid Idempotency-Key"),
        Text(
            "Idempotency-Key harus satu nilai berisi 1-255 karakter ASCII yang tampak.",
            "The Idempotency-Key must be one value of 1 to 255 printable ASCII characters.",
        ),
    ),
    "idempotency_key_required": Wording(
        Text("Idempotency-Key diperlukan", "Idempotency-Key required"),
        Text(
            "Kirim Idempotency-Key agar permintaan ini aman diulang.",
            "Send an Idempotency-Key, so that this request can be repeated without harm.",
        ),
    ),
    "idempotency_key_reused": Wording(
        Text("Idempotency-Key sudah dipakai", "Idempotency-Key already used"),
        Text(
            "Idempotency-Key ini sudah dipakai untuk permintaan lain.",
            "This Idempotency-Key was used for another request.",
        ),
    ),
    "idempotency_in_flight": Wording(
        Text("Sedang dikerjakan", "In progress"),
        Text(
            "Permintaan dengan Idempotency-Key ini sedang dikerjakan; ulangi sebentar lagi.",
            "A request with this Idempotency-Key is being worked on; repeat in a moment.",
        ),
    ),
    "rate_limited": Wording(
        Text("Terlalu banyak permintaan", "Too many requests"),
        Text("Ulangi setelah waktu di Retry-After.", "Repeat after the time in Retry-After."),
    ),
    "service_unavailable": Wording(
        Text("Layanan sedang tidak tersedia", "Service unavailable"),
        Text(
            "Ulangi setelah waktu di Retry-After, dengan Idempotency-Key yang sama.",
            "Repeat after the time in Retry-After, with the same Idempotency-Key.",
        ),
    ),
    "internal_error": Wording(
        Text("Kesalahan pada layanan", "Internal error"),
        Text(
            "Ada yang salah di pihak kami; sebutkan instance bila melapor.",
            "Something broke on our side; name the instance when you report it.",
        ),
    ),
}
