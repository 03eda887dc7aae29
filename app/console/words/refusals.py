"""Why something was not done. What the API has a sentence for is said by that one (app/api/problem_texts.py)."""

from collections.abc import Mapping

from app.api.problem_texts import Text

WORDS: Mapping[str, Text] = {
    "refusal.title.not_found": Text("Halaman tidak ditemukan", "Page not found"),
    "refusal.not_found": Text(
        "Halaman ini tidak ada, atau bukan untuk Anda. Periksa alamatnya, atau kembali ke daftar.",
        "This page is not there, or it is not for you. Check the address, or go back to your list.",
    ),
    "refusal.title.form_expired": Text("Formulir tidak berlaku lagi", "This form is no longer valid"),
    "refusal.form_expired": Text(
        "Tidak ada yang diubah. Muat ulang halaman sebelumnya dan coba lagi.",
        "Nothing was changed. Load the page before this one again and retry.",
    ),
    "refusal.title.session_over": Text("Sesi Anda sudah berakhir", "Your session has ended"),
    "refusal.session_over": Text(
        "Tidak ada yang diubah. Masuk lagi, lalu ulangi.", "Nothing was changed. Sign in again, then retry."
    ),
    "refusal.nothing_changed": Text("Tidak ada yang diubah.", "Nothing was changed."),
    "refusal.present_state": Text("Keadaan sekarang: {state}.", "Where it stands now: {state}."),
    "refusal.go_back": Text("Lihat keadaan sekarang", "See where it stands"),
    "refusal.home": Text("Ke beranda", "Go to the first page"),
    "refusal.request_id": Text("Nomor permintaan", "Request number"),
    "refusal.title.broken": Text("Ada gangguan di pihak kami", "Something went wrong on our side"),
    "refusal.broken": Text(
        "Tidak ada yang diubah, kecuali daftar menunjukkan lain. Coba lagi sebentar lagi.",
        "Nothing was changed unless your list says otherwise. Try again in a moment.",
    ),
}
