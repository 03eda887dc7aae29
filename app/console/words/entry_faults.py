"""What is said of a field of the referral's form where the API's own words are for programs."""

from collections.abc import Mapping

from app.api.problem_texts import Text

INSTEAD: Mapping[str, Text] = {
    "required": Text("wajib diisi", "is required"),
    "moment_required": Text(
        "isi tanggal dan jamnya, misalnya 4 / 3 / 2025 pukul 09.00; kira-kira pun boleh",
        "give the day and the time, such as 4 / 3 / 2025 at 09:00; a rough time will do",
    ),
    "day_required": Text(
        "isi tanggal, bulan, dan tahunnya, atau kosongkan bila tidak diketahui",
        "give day, month and year, or leave all three empty if it is not known",
    ),
    "choose_place": Text(
        "pilih tempat yang dimaksud dari hasil pencarian, atau kosongkan pencariannya",
        "choose the place you mean from what was found, or empty the search",
    ),
    "contradiction": Text(
        "tidak sesuai dengan isian lain; periksa keduanya", "does not fit another field; check both of them"
    ),
    "whole_number_required": Text("isi dengan angka", "must be a number"),
}
"""By the code of the fault."""
