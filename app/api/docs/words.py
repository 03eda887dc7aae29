"""What the pages say around their text, in Indonesian and English."""

from collections.abc import Mapping

from app.api.language import Language
from app.api.problem_texts import Text

WORDS: Mapping[str, Text] = {
    "manual": Text("Panduan Lintas", "Lintas manual"),
    "lead": Text(
        "Lintas menerima rujukan korban dari sistem suatu lembaga, memutuskan menurut perjanjian yang ditandatangani "
        "lembaga mana yang harus bertindak, dan menyerahkannya sampai ada yang menangani.",
        "Lintas takes in a victim's referral from one agency's system, decides by the signed agreements which agency "
        "must act, and hands it over until someone has taken it.",
    ),
    "skip": Text("Langsung ke isi", "Skip to the text"),
    "pages": Text("Halaman", "Pages"),
    "on_this_page": Text("Di halaman ini", "On this page"),
    "more": Text("Lainnya", "More"),
    "before": Text("Sebelumnya", "Before"),
    "after": Text("Berikutnya", "Next"),
    "reference": Text("Rujukan API", "API reference"),
    "reference_lead": Text(
        "Setiap operasi, dengan isian, jawaban dan kejadian keluarnya. Uraiannya berbahasa Inggris, sama dengan berkas "
        "kontrak openapi.json.",
        "Every operation with what it takes and answers, and the news that goes out; the same as the contract file "
        "openapi.json.",
    ),
    "contract": Text("Berkas kontrak: openapi.json", "The contract: openapi.json"),
    "untranslated": Text(
        "Halaman ini belum ada dalam bahasa Indonesia.", "This page is not there in English; this is the Indonesian."
    ),
    "other_language": Text("English", "Bahasa Indonesia"),
    "in_english": Text("(Inggris)", ""),
    "in_indonesian": Text("", "(Indonesian)"),
    "operations": Text("Operasi", "Operations"),
    "news": Text("Kejadian keluar (webhook)", "News that goes out (webhooks)"),
    "table": Text("Tabel", "Table"),
}


def said(word: str, language: Language) -> str:
    """Say something in a language."""
    text: str = getattr(WORDS[word], language.value)
    return text


def other(language: Language) -> Language:
    """Give the other language."""
    return Language.ENGLISH if language is Language.INDONESIAN else Language.INDONESIAN
