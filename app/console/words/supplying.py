"""What is said where a coordinator supplies what is missing, and how facts are called."""

from collections.abc import Mapping

from app.api.problem_texts import Text

WORDS: Mapping[str, Text] = {
    "fact.case.types": Text("Jenis kasus", "Type of case"),
    "fact.locations.incident": Text("Tempat kejadian", "Place of the incident"),
    "fact.locations.domicile": Text("Domisili korban", "The victim's domicile"),
    "fact.locations.current": Text("Tempat korban berada", "Where the victim is now"),
    "fact.victim.age": Text("Umur korban", "The victim's age"),
    "fact.victim.sex": Text("Jenis kelamin korban", "The victim's sex"),
    "fact.perpetrator_in_household": Text("Pelaku tinggal serumah", "The perpetrator lives in the household"),
    "sex.female": Text("Perempuan", "Female"),
    "sex.male": Text("Laki-laki", "Male"),
    "sex.unknown": Text("Tidak diketahui", "Not known"),
    "supply.title": Text("Lengkapi fakta", "Supply facts"),
    "supply.explained": Text(
        "Isi yang sudah Anda pastikan. Hanya yang Anda ubah yang dikirim; yang masih menunggu diputuskan ulang.",
        "Fill in what you have found out. Only what you change is sent; what waits is then decided again.",
    ),
    "supply.missing": Text("Yang menentukan dan belum diketahui", "What is missing and decides"),
    "supply.known": Text("Fakta lain", "Other facts"),
    "supply.place_hint": Text(
        "Nama desa, kecamatan, atau kabupaten/kota, atau kodenya. Kosongkan bila tidak diketahui.",
        "The name of a village, district or regency, or its code. Leave it empty if it is not known.",
    ),
    "supply.age_hint": Text("Dalam tahun penuh.", "In whole years."),
    "supply.do": Text("Simpan dan putuskan ulang", "Save and decide again"),
    "supply.unchanged": Text("Belum ada yang Anda ubah.", "You have not changed anything yet."),
    "supply.place_unclear": Text(
        "Ada beberapa tempat bernama begitu. Pilih salah satu di bawah.",
        "There are several places of this name. Choose one below.",
    ),
    "supply.which_place": Text("{fact}: yang mana?", "{fact}: which one?"),
    "supply.place_unknown": Text(
        "Tempat ini tidak ditemukan. Coba nama kecamatan atau kabupatennya.",
        "This place was not found. Try its district or regency.",
    ),
    "supply.meanwhile": Text("Rujukan ini berubah sementara Anda mengisi.", "It has changed while you were writing."),
    "supply.meanwhile_hint": Text(
        "Belum ada yang disimpan. Isian Anda masih di sini: periksa keadaan sekarang, lalu kirim lagi.",
        "Nothing was saved. What you wrote is still here: see where it stands, then send it again.",
    ),
    "done.amended": Text("Fakta disimpan, dan layanan ini diputuskan ulang.", "Saved, and decided again."),
    "done.amended_still_waits": Text(
        "Fakta disimpan. Layanan ini masih menunggu keputusan Anda.", "Saved. The service still waits for you."
    ),
    "done.amended_elsewhere": Text(
        "Fakta disimpan. Menurut fakta itu, koordinator lain yang menangani kasus ini sekarang; ia sudah diberi tahu.",
        "Saved. By these facts another agency coordinates the case now, and has been told.",
    ),
}
