"""What the pages of a receiving agency say."""

from collections.abc import Mapping

from app.api.problem_texts import Text

WORDS: Mapping[str, Text] = {
    "handoffs.title": Text("Daftar kerja", "Work list"),
    "handoffs.navigation": Text("Daftar kerja", "Work list"),
    "handoffs.waiting": Text("Menunggu Anda", "Waiting for you"),
    "handoffs.under_way": Text("Sedang ditangani", "Under way"),
    "handoffs.ended": Text("Sudah berakhir", "Ended"),
    "handoffs.parts": Text("Bagian daftar kerja", "Parts of the work list"),
    "handoffs.service": Text("Layanan", "Service"),
    "handoffs.urgency": Text("Kedaruratan", "Urgency"),
    "handoffs.sender": Text("Dari", "From"),
    "handoffs.state": Text("Keadaan", "State"),
    "handoffs.due": Text("Batas waktu", "Due"),
    "handoffs.changed": Text("Terakhir berubah", "Last change"),
    "handoffs.nothing_waiting": Text("Tidak ada yang menunggu Anda.", "Nothing is waiting for you."),
    "handoffs.nothing_under_way": Text("Tidak ada yang sedang ditangani.", "Nothing is under way."),
    "handoffs.nothing_ended": Text("Belum ada yang berakhir.", "Nothing has ended yet."),
    "handoffs.no_due": Text("Tanpa batas waktu", "No limit"),
}
