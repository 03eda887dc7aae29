"""What the page of one handoff says."""

from collections.abc import Mapping

from app.api.problem_texts import Text

WORDS: Mapping[str, Text] = {
    "handoff.title": Text("Penawaran", "Handoff"),
    "handoff.back": Text("Kembali ke daftar kerja", "Back to the work list"),
    "handoff.back_to_it": Text("Kembali tanpa menjawab", "Back without an answer"),
    "handoff.not_now": Text("Jangan sekarang", "Not now"),
    "handoff.vital_interest": Text(
        "Belum ada persetujuan. Ini darurat: yang ditunjukkan hanya yang menyelamatkan nyawa.",
        "There is no consent yet. This is an emergency: only what saves a life is shown.",
    ),
    "handoff.do_not_contact": Text(
        "Jangan menghubungi wali, dan jangan memberi tahu wali apa pun.",
        "Do not contact the guardian, and tell them nothing.",
    ),
    "handoff.late": Text(
        "Batas waktu menjawab sudah lewat, tetapi belum ada lembaga lain: Anda masih dapat menerima.",
        "The time to answer has passed, but nobody else was found: you can still accept.",
    ),
    "handoff.respond_by": Text("Jawab sebelum", "Answer by"),
    "handoff.start_by": Text("Mulai sebelum", "Start by"),
    "handoff.review_on": Text("Tinjau lagi sebelum", "Look at it again by"),
    "handoff.cancel_by": Text("Pembatalan berlaku sendiri pada", "Counts as cancelled at"),
    "handoff.sender": Text("Dari", "From"),
    "handoff.offered_at": Text("Ditawarkan pada", "Offered at"),
    "handoff.answered_at": Text("Dijawab pada", "Answered at"),
    "handoff.outcome": Text("Hasil", "Outcome"),
    "handoff.answer": Text("Jawaban Anda", "Your answer"),
    "handoff.add_note": Text("Tambahkan catatan", "Add a note"),
    "handoff.note": Text("Catatan", "Note"),
    "handoff.note_hint": Text(
        "Disegel. Hanya lembaga Anda yang membacanya, kecuali Anda membagikannya.",
        "Sealed. Your agency alone reads it, unless you share it.",
    ),
    "handoff.share_note": Text("Bagikan catatan kepada pengirim", "Share the note with the sender"),
    "handoff.share_note_hint": Text(
        "Pengirim dan pemegang kasus dapat membacanya.", "The sender and who holds the case can read it."
    ),
    "handoff.do_accept": Text("Terima", "Accept"),
    "handoff.do_decline": Text("Tolak", "Decline"),
    "handoff.do_start": Text("Mulai layanan", "Start the service"),
    "handoff.do_hold": Text("Tunda", "Put on hold"),
    "handoff.do_resume": Text("Lanjutkan layanan", "Go on with the service"),
    "handoff.do_hand_back": Text("Kembalikan", "Hand back"),
    "handoff.do_complete": Text("Selesaikan", "Complete"),
    "handoff.do_fail": Text("Nyatakan gagal", "Say that it failed"),
    "handoff.do_confirm_cancel": Text("Setujui pembatalan", "Confirm the cancellation"),
    "handoff.then_accept": Text(
        "Lembaga Anda mengambil layanan ini dan melihat data yang diperlukan untuk itu.",
        "Your agency takes this service on, and sees what it needs to know for it.",
    ),
    "handoff.then_decline": Text(
        "Layanan ini langsung ditawarkan kepada lembaga berikutnya. Anda tidak melihat kasus ini lagi.",
        "The service is offered to the next agency at once. You no longer see the case.",
    ),
    "handoff.then_start": Text("Pengirim diberi tahu bahwa layanan dimulai.", "The sender is told that it has begun."),
    "handoff.then_hold": Text(
        "Pada hari yang Anda pilih, Anda diingatkan.", "You are reminded of it on the day that you choose."
    ),
    "handoff.then_resume": Text("Pengirim diberi tahu bahwa layanan berlanjut.", "The sender is told that it goes on."),
    "handoff.then_hand_back": Text(
        "Layanan ini langsung ditawarkan kepada lembaga berikutnya. Anda tidak melihat kasus ini lagi.",
        "The service is offered to the next agency at once. You no longer see the case.",
    ),
    "handoff.then_complete": Text(
        "Pengirim diberi tahu hasilnya. Catatan hanya dibaca pengirim bila Anda membagikannya.",
        "The sender is told the outcome. It reads the note only if you share it.",
    ),
    "handoff.then_fail": Text(
        "Koordinator mencari jalan lain. Anda tidak melihat kasus ini lagi.",
        "The coordinator looks for another way. You no longer see the case.",
    ),
    "handoff.then_confirm_cancel": Text(
        "Layanan berhenti. Anda tidak melihat kasus ini lagi.", "The service stops. You no longer see the case."
    ),
    "handoff.ask_reason": Text("Mengapa?", "Why?"),
    "handoff.ask_outcome": Text("Bagaimana hasilnya?", "How did it end?"),
    "handoff.ask_day": Text("Kapan ditinjau lagi?", "When is it looked at again?"),
    "handoff.ask_day_hint": Text("Paling lambat setahun dari sekarang.", "At most a year from now."),
    "handoff.lacks_reason": Text("Pilih alasannya.", "Choose the reason."),
    "handoff.lacks_outcome": Text("Pilih hasilnya.", "Choose how it ended."),
    "handoff.lacks_review_on": Text("Isi tanggal peninjauannya.", "Choose the day."),
    "handoff.known": Text("Yang perlu Anda ketahui", "What you need to know"),
    "handoff.to_decide": Text(
        "Sebelum menerima, Anda melihat yang diperlukan untuk memutuskan.",
        "Before you accept, you see what you need to decide.",
    ),
    "handoff.once_accepted": Text("Apa lagi yang terlihat setelah menerima", "What else you see once you accepted"),
    "handoff.once_accepted_hint": Text("Sejauh diketahui pengirim:", "As far as the sender knows it:"),
    "handoff.nothing_known": Text(
        "Data kasus ini tidak ditunjukkan kepada Anda, atau tidak lagi.",
        "The data of this case is not shown to you, or no longer.",
    ),
    "handoff.unknown": Text("Tidak diketahui", "Not known"),
    "handoff.notes": Text("Catatan", "Notes"),
    "handoff.note_with": Text("Saat: {action}", "With: {action}"),
    "handoff.note_shared": Text("Dibagikan kepada pengirim.", "Shared with the sender."),
    "handoff.note_own": Text("Hanya lembaga Anda.", "Your agency alone."),
    "handoff.duties": Text("Kewajiban", "Duties"),
    "handoff.duty_kept": Text("Sudah dipenuhi pada", "Kept at"),
    "handoff.keep_duty": Text("Sudah dipenuhi", "This was done"),
    "handoff.not_confirmed": Text("belum dikonfirmasi", "not yet confirmed"),
    "handoff.why": Text("Mengapa ditawarkan kepada Anda", "Why it is offered to you"),
    "handoff.placed_by": Text("Ditempatkan oleh {agency}.", "Placed by {agency}."),
    "handoff.by_clause": Text(
        "Menurut klausul {clause} dari {document}, versi {version}.",
        "By clause {clause} of {document}, version {version}.",
    ),
    "done.handoff_accept": Text("Diterima. Pengirim sudah diberi tahu.", "Accepted. The sender has been told."),
    "done.handoff_decline": Text("Ditolak. Lembaga berikutnya ditanya.", "Declined. The next agency is asked."),
    "done.handoff_start": Text("Layanan dimulai.", "The service has begun."),
    "done.handoff_hold": Text("Ditunda. Anda akan diingatkan.", "On hold. You will be reminded."),
    "done.handoff_resume": Text("Layanan dilanjutkan.", "The service goes on."),
    "done.handoff_hand_back": Text(
        "Dikembalikan. Lembaga berikutnya ditanya.", "Handed back. The next agency is asked."
    ),
    "done.handoff_complete": Text("Selesai. Pengirim sudah diberi tahu.", "Completed. The sender has been told."),
    "done.handoff_fail": Text("Dicatat. Koordinator diberi tahu.", "Noted. The coordinator is told."),
    "done.handoff_confirm_cancel": Text("Pembatalan disetujui.", "The cancellation is confirmed."),
    "done.duty_kept": Text("Kewajiban dicatat sebagai dipenuhi.", "The duty is noted as kept."),
}
