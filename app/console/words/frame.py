"""What stands around every page."""

from collections.abc import Mapping

from app.api.problem_texts import Text

WORDS: Mapping[str, Text] = {
    "frame.product": Text("Lintas", "Lintas"),
    "frame.skip": Text("Langsung ke isi", "Skip to content"),
    "frame.leave": Text("Keluar cepat", "Leave now"),
    "frame.leave_hint": Text(
        "Tekan Esc tiga kali untuk meninggalkan halaman ini seketika.",
        "Press Esc three times to leave this page at once.",
    ),
    "frame.navigation": Text("Menu utama", "Main menu"),
    "frame.signed_in_as": Text("Masuk sebagai", "Signed in as"),
    "frame.sign_out": Text("Keluar", "Sign out"),
    "frame.sign_out_everywhere": Text("Keluar dari semua perangkat", "Sign out everywhere"),
    "frame.language": Text("Bahasa", "Language"),
    "frame.indonesian": Text("Bahasa Indonesia", "Bahasa Indonesia"),
    "frame.english": Text("English", "English"),
    "frame.next_page": Text("Halaman berikutnya", "Next page"),
    "frame.pages": Text("Halaman daftar", "Pages of the list"),
    "frame.offline": Text(
        "Jaringan terputus. Belum ada yang terkirim, dan yang Anda tulis masih ada di halaman ini. Coba lagi setelah"
        " tersambung.",
        "The network is gone. Nothing was sent, and what you wrote is still on this page. Try again once you are"
        " connected.",
    ),
    "frame.errors": Text("Ada yang perlu diperbaiki", "There is a problem"),
    "frame.error": Text("Kesalahan:", "Error:"),
    "frame.optional": Text("(boleh kosong)", "(optional)"),
    "frame.done": Text("Berhasil", "Done"),
    "frame.day": Text("Tanggal", "Day"),
    "frame.month": Text("Bulan", "Month"),
    "frame.year": Text("Tahun", "Year"),
    "home.title": Text("Beranda", "Home"),
    "home.nothing": Text("Peran Anda belum mempunyai halaman di sini.", "There are no pages here yet for your roles."),
    "home.your_roles": Text("Peran Anda", "Your roles"),
    "times.left": Text("{span} lagi", "{span} left"),
    "times.over": Text("terlambat {span}", "{span} overdue"),
    "times.now": Text("sekarang", "now"),
    "times.days": Text("{count} hari", "{count} days"),
    "times.day": Text("{count} hari", "{count} day"),
    "times.hours": Text("{count} jam", "{count} hours"),
    "times.hour": Text("{count} jam", "{count} hour"),
    "times.minutes": Text("{count} menit", "{count} minutes"),
    "times.minute": Text("{count} menit", "{count} minute"),
}
