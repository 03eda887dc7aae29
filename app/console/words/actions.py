"""What is said after something was done: by the code that the address carries."""

from collections.abc import Mapping

from app.api.problem_texts import Text

WORDS: Mapping[str, Text] = {
    "done.signed_out": Text("Anda sudah keluar.", "You are signed out."),
    "done.signed_out_everywhere": Text(
        "Anda sudah keluar dari semua perangkat.", "You are signed out on every device."
    ),
}
