"""What is said about signing in."""

from collections.abc import Mapping

from app.api.problem_texts import Text

WORDS: Mapping[str, Text] = {
    "sign_in.title": Text("Masuk", "Sign in"),
    "sign_in.provider": Text("Masuk dengan akun lembaga Anda", "Sign in with your agency's account"),
    "sign_in.provider_hint": Text(
        "Anda dibawa ke halaman masuk lembaga Anda, lalu kembali ke sini.",
        "You are taken to your agency's sign-in page, and then back here.",
    ),
    "sign_in.failed_title": Text("Anda belum masuk", "You are not signed in"),
    "sign_in.failed.again": Text(
        "Masuk tidak selesai, atau terlalu lama. Mulailah lagi.",
        "Signing in was not finished, or took too long. Begin again.",
    ),
    "sign_in.failed.denied": Text(
        "Penyedia akun lembaga Anda tidak mengizinkannya.", "Your agency's account provider did not allow it."
    ),
    "sign_in.failed.no_access": Text(
        "Akun Anda dikenal, tetapi tidak berhak masuk di sini: lembaga atau perannya belum diatur. Hubungi operator.",
        "Your account is known, but may not sign in here: its agency or its role is not set up. Ask the operator.",
    ),
    "sign_in.failed.provider": Text(
        "Jawaban penyedia akun tidak dapat diterima. Coba lagi; bila terulang, hubungi operator.",
        "What the account provider answered cannot be taken. Try again; if it happens again, ask the operator.",
    ),
    "sign_in.failed.away": Text(
        "Penyedia akun sedang tidak menjawab. Coba lagi beberapa saat lagi.",
        "The account provider does not answer now. Try again in a while.",
    ),
    "sign_in.again": Text("Mulai lagi", "Begin again"),
    "sign_in.link_title": Text("Masuk dengan tautan", "Sign in by a link"),
    "sign_in.link_hint": Text(
        "Ini percobaan. Mintalah tautan sekali pakai kepada operator, yang membuatnya dengan:",
        "This is a trial. Ask the operator for a link that works once, which is made by:",
    ),
    "sign_in.none": Text(
        "Belum ada cara masuk yang diatur di sini. Hubungi operator.",
        "No way of signing in is set up here. Ask the operator.",
    ),
    "sign_in.link_for": Text(
        "Tautan ini untuk {name}, {agency}, dan hanya berlaku sekali.",
        "This link is for {name}, {agency}, and works once.",
    ),
    "sign_in.continue": Text("Masuk sebagai {name}", "Sign in as {name}"),
    "sign_in.link_over_title": Text("Tautan tidak berlaku", "This link does not work"),
    "sign_in.link_over": Text(
        "Tautan ini sudah dipakai, atau waktunya sudah habis. Mintalah yang baru kepada operator.",
        "This link was used already, or its time is over. Ask the operator for a new one.",
    ),
}
