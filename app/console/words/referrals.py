"""What a sending agency reads of its referrals: before one is sent, afterwards, and where one is changed."""

from collections.abc import Mapping

from app.api.problem_texts import Text

WORDS: Mapping[str, Text] = {
    # the list
    "referrals.title": Text("Rujukan lembaga Anda", "Your agency's referrals"),
    "referrals.navigation": Text("Rujukan", "Referrals"),
    "referrals.new": Text("Buat rujukan baru", "Make a new referral"),
    "referrals.parts": Text("Bagian daftar rujukan", "Parts of the list"),
    "referrals.open": Text("Berjalan", "Open"),
    "referrals.all": Text("Semua", "All"),
    "referrals.find": Text("Cari dengan nomor kasus lembaga Anda", "Find by your own case number"),
    "referrals.find_button": Text("Cari rujukan", "Find the referral"),
    "referrals.not_found": Text(
        "Tidak ada rujukan dengan nomor itu. Periksa penulisannya.",
        "There is no referral of that number. Check how it is written.",
    ),
    "referrals.received": Text("Dikirim", "Sent"),
    "referrals.urgency": Text("Kedaruratan", "Urgency"),
    "referrals.services": Text("Layanan", "Services"),
    "referrals.state": Text("Keadaan", "State"),
    "referrals.nothing_open": Text("Tidak ada rujukan yang berjalan.", "No referral is open."),
    "referrals.nothing_all": Text("Belum ada rujukan.", "There are no referrals yet."),
    # before it is sent
    "check.title": Text("Periksa sebelum dikirim", "Check before sending"),
    "check.nothing_sent": Text("Belum ada yang dikirim atau disimpan.", "Nothing has been sent or kept yet."),
    "check.who": Text("Siapa yang akan ditanya, dan mengapa", "Who would be asked, and why"),
    "check.understood": Text("Yang Anda isi", "What you said"),
    "check.send": Text("Kirim rujukan", "Send the referral"),
    "check.change": Text("Ubah isian", "Change something"),
    "check.known_title": Text("Nomor kasus ini sudah dipakai", "This case number was used already"),
    "check.known": Text(
        "Rujukan dengan nomor kasus yang sama sudah terkirim sebelumnya. Tidak ada yang dikirim lagi. Bila ini kasus"
        " lain, kembali ke formulir dan tulis nomor yang lain.",
        "A referral with the same case number was sent before. Nothing was sent again. If this is another case, go back"
        " to the form and give it another number.",
    ),
    "check.see_known": Text("Lihat rujukan yang sudah terkirim", "See the referral that was sent"),
    # why
    "told.offered_to": Text("Akan ditawarkan kepada", "Is offered to"),
    "told.then": Text("Bila ia menolak atau tidak menjawab, lalu", "If they decline or do not answer, then"),
    "told.waits": Text("Menunggu koordinator", "Waits for a coordinator"),
    "told.coordinator": Text("Koordinator", "Coordinator"),
    "told.missing": Text("Akan menentukan bila diketahui", "Would decide it if it were known"),
    "told.source": Text("Dasar", "By"),
    "told.unconfirmed": Text("belum dikonfirmasi para pihak", "not confirmed by the parties yet"),
    "told.why": Text("Mengapa", "Why"),
    "told.decided_at": Text("Diputuskan", "Decided"),
    "told.placed_by": Text("Ditempatkan oleh koordinator: {agency}.", "Placed by its coordinator: {agency}."),
    # after it was sent
    "sent.title": Text("Rujukan terkirim", "The referral was sent"),
    "sent.kept": Text("Rujukan Anda tersimpan dan tidak akan hilang.", "Your referral is kept and will not be lost."),
    "sent.next": Text("Apa selanjutnya", "What happens next"),
    "sent.next_answer": Text(
        "Lembaga yang ditawari menjawab sebelum batas waktunya. Anda melihat jawabannya di halaman rujukan ini.",
        "The agency that was asked answers in time. You see its answer on the page of this referral.",
    ),
    "sent.next_nobody": Text(
        "Bila ia menolak atau tidak menjawab, lembaga berikutnya ditanya; bila tidak ada lagi, koordinator yang"
        " menindaklanjuti. Tidak ada layanan yang didiamkan.",
        "If it declines or does not answer, the next agency is asked; where there is none, a coordinator sees to it. No"
        " service is left lying.",
    ),
    "sent.next_change": Text(
        "Bila ada fakta baru, atau korban berubah pikiran, katakan di halaman rujukan ini.",
        "If facts change, or the victim changes her mind, say so on the page of this referral.",
    ),
    "sent.follow": Text("Ikuti rujukan ini", "Follow this referral"),
    "sent.list": Text("Ke daftar rujukan", "To the list of referrals"),
    # one referral
    "referral.title": Text("Rujukan", "Referral"),
    "referral.back": Text("Lihat rujukan ini", "See this referral"),
    "referral.holder": Text("Pemegang kasus", "Who keeps the case"),
    "referral.consent_until": Text("Persetujuan berlaku sampai", "The consent holds until"),
    "referral.consent_ended_withdrawn": Text("Sudah dicabut", "Withdrawn"),
    "referral.consent_ended_expired": Text("Sudah berakhir", "Expired"),
    "referral.guardian_excluded": Text(
        "Wali adalah pelaku atau berlawanan kepentingan: ia tidak boleh dihubungi atau diberi tahu apa pun.",
        "The guardian is the perpetrator or in conflict: they must not be contacted or told anything.",
    ),
    "referral.restricted": Text(
        "Pemrosesan rujukan ini dibatasi atas permintaan orangnya.",
        "The person has had this referral restricted.",
    ),
    "referral.erased": Text(
        "Data orangnya sudah dihapus. Yang tampak di sini adalah sisanya.",
        "The person's data is erased. What is shown here is what is left.",
    ),
    "referral.duplicates": Text(
        "Orang yang sama mungkin sudah pernah dirujuk. Periksa sebelum melanjutkan; tidak ada yang digabung.",
        "The same person may have been referred before. Have a look before you go on; nothing is merged.",
    ),
    "referral.duplicate": Text("Rujukan lain {number}", "Other referral {number}"),
    "referral.confirm_needed": Text(
        "Rujukan darurat ini bergerak tanpa persetujuan. Seseorang harus mengonfirmasinya:",
        "This emergency moves without consent. Somebody must confirm it:",
    ),
    "referral.until_offered": Text("Dijawab paling lambat", "Answer due"),
    "referral.until_accepted": Text("Dimulai paling lambat", "Start due"),
    "referral.until_on_hold": Text("Ditinjau lagi pada", "Looked at again on"),
    "referral.until_cancel_requested": Text("Pembatalan dijawab paling lambat", "Cancellation answered by"),
    "referral.offered_at": Text("Ditawarkan", "Offered"),
    "referral.answered_at": Text("dijawab", "answered"),
    "referral.waits_because": Text("Menunggu koordinator karena", "Waits for its coordinator because"),
    "referral.waits_since": Text("Sejak", "Since"),
    "referral.acknowledged": Text("Sudah dilihat oleh", "Seen by"),
    "referral.not_acknowledged": Text("Koordinator belum melihatnya.", "No coordinator has seen it yet."),
    "referral.coordinator": Text("Dikoordinasi oleh", "Coordinated by"),
    "referral.history": Text("Yang sudah terjadi", "What happened so far"),
    "referral.why_of": Text("Mengapa: {service}", "Why: {service}"),
    "referral.actions": Text("Yang dapat Anda lakukan", "What you can do"),
    "notes.read": Text("Baca catatan lembaga", "Read the agency's notes"),
    "notes.title": Text("Catatan dari {agency}", "Notes from {agency}"),
    "notes.with": Text("Bersama jawaban: {move}", "With the answer: {move}"),
    "notes.none": Text("Tidak ada catatan yang dibagikan.", "No notes were shared."),
    # changes
    "amend.title": Text("Ubah atau tambah fakta", "Change or add facts"),
    "amend.intro": Text(
        "Isi hanya yang berubah; yang lain tetap. Layanan yang belum ditawarkan diputuskan lagi.",
        "Fill in what has changed and nothing else. Services without an offer are decided again.",
    ),
    "amend.keep": Text("Biarkan seperti semula", "Leave as it is"),
    "amend.list": Text(
        "Daftar yang Anda pilih menggantikan daftar sebelumnya. Kosongkan bila tidak berubah.",
        "What you choose takes the place of the list before. Choose none to leave it as it is.",
    ),
    "amend.age_hint": Text(
        "Dalam tahun. Kosongkan bila tidak berubah.", "In years. Leave it empty to leave it as it is."
    ),
    "amend.narrative_hint": Text(
        "Menggantikan uraian sebelumnya. Kosongkan bila tidak berubah.",
        "Takes the place of the text before. Leave it empty to leave that as it is.",
    ),
    "amend.consent": Text("Persetujuan baru", "A new consent"),
    "amend.do": Text("Simpan perubahan", "Save the changes"),
    "amend.changed_title": Text("Sementara itu rujukan ini berubah", "This referral changed meanwhile"),
    "amend.changed": Text(
        "Tidak ada yang diubah. Isian Anda masih ada di bawah. Lihat dulu keadaannya sekarang, lalu simpan lagi bila"
        " masih sesuai.",
        "Nothing was changed. What you typed still stands below. Look at how it stands now, and save again if it still"
        " fits.",
    ),
    "end.leave_it": Text("Tidak jadi", "Leave it"),
    "end.withdraw_consent.title": Text("Cabut persetujuan", "Withdraw consent"),
    "end.withdraw_consent.leads_to": Text(
        "Bila korban berubah pikiran: semua tawaran ditarik, lembaga penerima seketika tidak melihat datanya lagi, dan"
        " koordinator diberi tahu.",
        "If the victim has changed her mind: all offers are withdrawn, receiving agencies see nothing more from that"
        " moment, and the coordinator is told.",
    ),
    "end.withdraw_consent.for_good": Text(
        "Untuk melanjutkan sesudahnya diperlukan persetujuan baru.", "To go on afterwards takes a new consent."
    ),
    "end.withdraw_consent.do": Text("Cabut persetujuan sekarang", "Withdraw the consent now"),
    "end.cancel.title": Text("Batalkan rujukan", "Cancel the referral"),
    "end.cancel.leads_to": Text(
        "Tawaran ditarik. Lembaga yang sudah menerima diminta membatalkan dan masih boleh menyelesaikan pekerjaannya.",
        "Offers are withdrawn. An agency that has accepted is asked to cancel, and may still finish its work.",
    ),
    "end.cancel.for_good": Text(
        "Layanan yang dibatalkan tidak dilanjutkan. Bila diperlukan lagi, buat rujukan baru.",
        "A service that is cancelled does not go on. If it is needed again, make a new referral.",
    ),
    "end.cancel.do": Text("Batalkan rujukan sekarang", "Cancel the referral now"),
    "end.void.title": Text("Tandai salah masuk", "Mark as entered in error"),
    "end.void.leads_to": Text(
        "Untuk rujukan yang tidak seharusnya ada: orang yang keliru, atau dimasukkan dua kali.",
        "For a referral that should not be there: the wrong person, or entered twice.",
    ),
    "end.void.for_good": Text(
        "Semua tawaran berakhir, dan rujukan ini tidak dapat diubah lagi. Setelah ada yang menerima, hanya koordinator"
        " yang dapat melakukannya.",
        "Every offer ends, and the referral cannot be changed any more. Once somebody has accepted, its coordinator"
        " alone may do this.",
    ),
    "end.void.do": Text("Tandai salah masuk sekarang", "Mark it as an error now"),
    "confirm.title": Text("Konfirmasi keadaan darurat tanpa persetujuan", "Confirm an emergency without consent"),
    "confirm.means": Text(
        "Anda menyatakan bahwa keselamatan korban tidak memberi waktu untuk meminta persetujuan. Yang mengonfirmasi"
        " bertanggung jawab.",
        "You say that the victim's safety leaves no time to ask for consent. Who confirms answers for it.",
    ),
    "confirm.until": Text("Paling lambat", "No later than"),
    "confirm.because": Text("Mengapa tanpa persetujuan", "Why there is no consent"),
    "confirm.do": Text("Konfirmasi", "Confirm"),
    "done.referral_amended": Text("Perubahan disimpan.", "The changes are saved."),
    "done.consent_withdrawn": Text("Persetujuan dicabut.", "The consent is withdrawn."),
    "done.referral_cancelled": Text("Rujukan dibatalkan.", "The referral is cancelled."),
    "done.referral_voided": Text("Rujukan ditandai salah masuk.", "The referral is marked as entered in error."),
    "done.interest_confirmed": Text("Keadaan darurat dikonfirmasi.", "The emergency is confirmed."),
}
