"""What a caller does about each problem, by code, in Indonesian and English."""

from collections.abc import Mapping

from app.api.problem_texts import Text

ADVICE: Mapping[str, Text] = {
    "refused": Text("Perbaiki permintaannya.", "Mend the request."),
    "domain_error": Text("Perbaiki permintaannya.", "Mend the request."),
    "invalid": Text("Perbaiki yang disebut errors.", "Mend what errors names."),
    "invalid_input": Text(
        "Perbaiki setiap isian di errors (pointer), lalu kirim lagi.",
        "Mend every field in errors (pointer), and send it again.",
    ),
    "invalid_parameter": Text("Perbaiki parameter di errors.", "Mend the parameter in errors."),
    "document_invalid": Text("Perbaiki setiap kesalahan di errors.", "Mend every fault in errors."),
    "document_refused": Text(
        "Perbaiki klausul di findings; contohnya ada di witness.",
        "Mend the clauses in findings; the witness shows how it fails.",
    ),
    "version_published": Text("Rancang versi berikutnya.", "Draft the next version."),
    "not_next_version": Text("Gunakan nomor next_version.", "Use the number next_version."),
    "facts_invalid": Text("Perbaiki setiap kesalahan di errors.", "Mend every fault in errors."),
    "registry_invalid": Text("Perbaiki setiap kesalahan di errors.", "Mend every fault in errors."),
    "unknown_agency": Text("Cari kodenya di GET /v1/agencies.", "Look up the code in GET /v1/agencies."),
    "not_found": Text(
        "Periksa id dan kuncinya: milik lembaga lain dijawab sama. Jangan diulang.",
        "Check the id and the key: what is another agency's is answered alike. Do not repeat it.",
    ),
    "no_such_path": Text("Periksa alamatnya.", "Check the address."),
    "method_not_allowed": Text("Gunakan metode di Allow.", "Use a method in Allow."),
    "referral_not_open": Text(
        "Baca lagi rujukannya; kirim rujukan baru bila masih diperlukan.",
        "Read the referral again; send a new one if it is still needed.",
    ),
    "processing_restricted": Text(
        "Hentikan pekerjaan; tunggu referral.unrestricted.", "Stop working on it; wait for referral.unrestricted."
    ),
    "referral_erased": Text("Hapus salinan di sistem Anda.", "Erase your system's copies."),
    "under_legal_hold": Text("Akhiri penahanan lebih dahulu.", "Have the hold lifted first."),
    "emergency_running": Text("Tunggu sampai keadaan darurat berakhir.", "Wait until the emergency has ended."),
    "already_answered": Text("Tidak perlu apa-apa: baca jawabannya.", "Nothing: read the answer that was given."),
    "not_restricted": Text("Tidak perlu apa-apa.", "Nothing."),
    "hold_lifted": Text("Tidak perlu apa-apa.", "Nothing."),
    "ledger_unavailable": Text("Beri tahu pengelola, lalu ulangi.", "Tell the operator, then repeat."),
    "request_not_waiting": Text("Baca lagi permintaan layanannya.", "Read the service request again."),
    "holder_required": Text("Minta kepada pemegang kasus.", "Ask who holds the case."),
    "duty_not_owed": Text("Baca lagi penyerahannya.", "Read the handoff again."),
    "consent_required": Text(
        "Catat persetujuan atau dasarnya lebih dahulu.", "Record the consent or its ground first."
    ),
    "nothing_to_confirm": Text("Tidak perlu apa-apa.", "Nothing."),
    "illegal_transition": Text(
        "Lakukan salah satu dari available_actions; anggap selesai bila current_state sudah seperti tujuan Anda.",
        "Do one of available_actions; where current_state is what you wanted, it is done.",
    ),
    "too_many_unverified": Text("Verifikasi atau nonaktifkan endpoint lama.", "Verify or disable older endpoints."),
    "key_replaced": Text("Gunakan kunci penggantinya.", "Use the key that replaced it."),
    "proposal_ended": Text("Ajukan lagi bila masih diperlukan.", "Propose it again if it is still needed."),
    "another_person_required": Text(
        "Minta orang lain, dengan kuncinya sendiri.", "Ask another person, with their own key."
    ),
    "too_many_proposals": Text("Putuskan atau tarik sebagian usulan.", "Decide or withdraw some proposals."),
    "too_many_secrets": Text(
        "Tunggu rahasia lama berakhir, atau ganti dengan old_valid_for PT0S.",
        "Wait for an old secret's end, or rotate with old_valid_for PT0S.",
    ),
    "not_a_webhook": Text("Surel tidak memerlukan ini.", "Mail needs nothing of the kind."),
    "duplicate_reference": Text(
        "Rujukan itu sudah ada: gunakan referral_id.", "The referral is there already: use referral_id."
    ),
    "role_required": Text("Gunakan kunci dengan salah satu roles.", "Use a key with one of roles."),
    "scope_required": Text("Gunakan kunci dengan scope itu.", "Use a key that holds the scope."),
    "precondition_required": Text(
        "Baca dahulu, lalu kirim ETag-nya di If-Match.", "Read it first, and send its ETag in If-Match."
    ),
    "precondition_failed": Text(
        "Baca lagi, terapkan perubahan pada yang baru, lalu kirim ETag baru.",
        "Read it again, make your change to what it is now, and send the new ETag.",
    ),
    "malformed_body": Text("Kirim JSON yang sah dalam UTF-8.", "Send valid JSON in UTF-8."),
    "malformed_request": Text("Periksa klien HTTP Anda.", "Look at your HTTP client."),
    "headers_too_large": Text("Kirim header lebih sedikit.", "Send fewer headers."),
    "body_too_large": Text("Kirim isi yang lebih kecil.", "Send a smaller body."),
    "body_too_slow": Text(
        "Kirim seluruh isi sekaligus; ulangi dengan Idempotency-Key yang sama.",
        "Send the whole body at once; repeat with the same Idempotency-Key.",
    ),
    "unsupported_media_type": Text("Kirim Content-Type: application/json.", "Send Content-Type: application/json."),
    "recovery_running": Text("Ikuti recovery_id, atau batalkan.", "Follow recovery_id, or cancel it."),
    "recovery_of_held": Text(
        "Jeda endpoint bila pengiriman harus berhenti.", "Pause the endpoint if sending must stop."
    ),
    "not_sent_again": Text("Minta tantangan baru.", "Ask for a new challenge."),
    "unauthenticated": Text(
        "Periksa kuncinya; yang berakhir atau dicabut tidak akan berlaku lagi. Jangan diulang dengan kunci yang sama.",
        "Check the key; one that expired or was revoked does not count again. Do not repeat with the same key.",
    ),
    "idempotency_key_invalid": Text(
        "Kirim satu Idempotency-Key, misalnya UUID.", "Send one Idempotency-Key, such as a UUID."
    ),
    "idempotency_key_required": Text(
        "Kirim Idempotency-Key, dan simpan bersama pekerjaan Anda.",
        "Send an Idempotency-Key, and keep it with your work.",
    ),
    "idempotency_key_reused": Text(
        "Pekerjaan baru memerlukan Idempotency-Key baru; ulangan memerlukan isi yang sama persis.",
        "New work takes a new Idempotency-Key; a repeat takes exactly the same body.",
    ),
    "idempotency_in_flight": Text(
        "Ulangi setelah Retry-After, dengan Idempotency-Key dan isi yang sama.",
        "Repeat after Retry-After, with the same Idempotency-Key and body.",
    ),
    "rate_limited": Text(
        "Ulangi setelah Retry-After; pelankan menurut RateLimit.", "Repeat after Retry-After; slow down by RateLimit."
    ),
    "service_unavailable": Text(
        "Ulangi setelah Retry-After, dengan Idempotency-Key dan isi yang sama.",
        "Repeat after Retry-After, with the same Idempotency-Key and body.",
    ),
    "internal_error": Text(
        "Ulangi dengan Idempotency-Key yang sama; bila terus terjadi, laporkan instance.",
        "Repeat with the same Idempotency-Key; if it goes on, report instance.",
    ),
}
AGAIN = frozenset(
    {
        "body_too_slow",
        "idempotency_in_flight",
        "internal_error",
        "ledger_unavailable",
        "rate_limited",
        "service_unavailable",
    }
)
"""The problems after which the very same request may be sent again."""
