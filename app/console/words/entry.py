"""What the form of a referral says: each field by its name in the form."""

from collections.abc import Mapping

from app.api.problem_texts import Text

WORDS: Mapping[str, Text] = {
    "entry.title": Text("Rujukan baru", "New referral"),
    "entry.intro": Text(
        "Isi apa yang Anda tahu. Yang tidak diketahui biarkan tidak diketahui: jangan ditebak. Tidak ada yang disimpan"
        " atau dikirim sebelum Anda menekan Kirim di halaman terakhir.",
        "Say what you know. Leave unknown what is not known: do not guess. Nothing is kept or sent before you press"
        " Send on the last page.",
    ),
    "entry.step": Text("Langkah {number} dari {count}", "Step {number} of {count}"),
    "entry.steps": Text("Langkah pengisian", "Steps of the form"),
    "entry.next": Text("Lanjut", "Continue"),
    "entry.back": Text("Kembali", "Back"),
    "entry.check": Text("Periksa sebelum dikirim", "Check before sending"),
    "entry.unknown": Text("Tidak diketahui", "Not known"),
    "entry.yes": Text("Ya", "Yes"),
    "entry.no": Text("Tidak", "No"),
    "entry.not_said": Text("Belum ditanyakan", "Not asked yet"),
    "entry.offline": Text(
        "Jaringan terputus. Isian Anda masih ada di halaman ini. Coba lagi setelah tersambung: rujukan tidak akan"
        " terkirim dua kali.",
        "The network is gone. What you typed is still on this page. Try again once you are connected: the referral will"
        " not be sent twice.",
    ),
    "entry.signed_out": Text(
        "Sesi Anda sudah berakhir. Isian Anda masih ada di halaman ini. Masuk lagi di tab lain, lalu ulangi di sini.",
        "Your session has ended. What you typed is still on this page. Sign in again in another tab, then press again"
        " here.",
    ),
    "entry.trouble": Text(
        "Layanan sedang terganggu. Isian Anda masih ada di halaman ini. Coba lagi sebentar lagi.",
        "The service is in trouble. What you typed is still on this page. Try again in a moment.",
    ),
    "entry.step.case": Text("Kejadian", "What happened"),
    "entry.step.places": Text("Tempat", "Places"),
    "entry.step.victim": Text("Korban", "The victim"),
    "entry.step.perpetrator": Text("Pelaku", "The perpetrator"),
    "entry.step.services": Text("Layanan", "Services"),
    "entry.step.story": Text("Uraian", "The story"),
    "entry.step.consent": Text("Persetujuan", "Consent"),
    # what happened
    "entry.sender_reference": Text("Nomor kasus di lembaga Anda", "Your own case number"),
    "entry.sender_reference_hint": Text(
        "Hanya lembaga Anda yang melihatnya. Satu nomor untuk satu rujukan.",
        "Seen by your agency alone. One number for one referral.",
    ),
    "entry.urgency": Text("Seberapa mendesak", "How urgent it is"),
    "entry.urgency_emergency": Text(
        "Nyawa atau keselamatan terancam sekarang. Dijawab dalam satu jam.",
        "Life or safety is in danger now. Answered within an hour.",
    ),
    "entry.urgency_urgent": Text(
        "Perlu ditangani hari ini. Dijawab dalam 24 jam.", "To be seen to today. Answered within 24 hours."
    ),
    "entry.urgency_standard": Text("Dijawab dalam tiga hari kerja.", "Answered within three working days."),
    "entry.case.types": Text("Bentuk kekerasan", "Kinds of violence"),
    "entry.case.types_hint": Text("Pilih semua yang sesuai.", "Choose all that apply."),
    "entry.case.incident_date": Text("Tanggal kejadian", "Date of the incident"),
    "entry.case.incident_date_hint": Text("Kosongkan bila tidak diketahui.", "Leave it empty if it is not known."),
    "entry.case.place": Text("Tempat terjadinya", "Where it happened"),
    "entry.case.police_reported_at": Text("Dilaporkan ke polisi pada", "Reported to the police at"),
    "entry.case.police_reported_at_hint": Text(
        "Kosongkan bila belum dilaporkan atau tidak diketahui.", "Leave it empty if it was not, or if it is not known."
    ),
    "entry.mode": Text("Siapa yang memegang kasus", "Who keeps the case"),
    "entry.mode_referral": Text("Lembaga Anda tetap memegang kasus ini.", "Your agency keeps the case."),
    "entry.mode_transfer": Text(
        "Kasus diserahkan kepada lembaga yang menerimanya.", "The case goes over to the agency that accepts it."
    ),
    # places
    "entry.places_hint": Text(
        "Tempat menentukan lembaga mana yang ditanya. Kabupaten saja sudah membantu; desa lebih baik.",
        "Places decide which agency is asked. A regency helps already; a village is better.",
    ),
    "entry.secret_place": Text(
        "Korban di rumah aman? Pilih kabupatennya saja. Jangan menulis nama atau alamat rumah aman di mana pun dalam"
        " formulir ini.",
        "Is the victim in a shelter? Choose its regency and nothing finer. Do not write the name or the address of a"
        " shelter anywhere in this form.",
    ),
    "entry.locations.incident": Text("Tempat kejadian", "Where it happened"),
    "entry.locations.domicile": Text("Domisili korban", "Where the victim lives"),
    "entry.locations.current": Text("Tempat korban sekarang", "Where the victim is now"),
    "entry.avoid_regions": Text("Wilayah yang tidak aman bagi korban", "Where the victim is not safe"),
    "entry.avoid_regions_hint": Text(
        "Lembaga di wilayah ini tidak akan ditanya. Boleh lebih dari satu; cari satu per satu.",
        "Agencies there are not asked. There may be several; search for one after another.",
    ),
    "entry.sought": Text("Cari nama tempat", "Search for a place"),
    "entry.sought_hint": Text(
        "Desa, kecamatan, kabupaten, kota, provinsi, atau negara. Contoh: Sepaku, Kukar, Malaysia.",
        "A village, district, regency, city, province or country, such as Sepaku, Kukar, Malaysia.",
    ),
    "entry.search": Text("Cari", "Search"),
    "entry.search_for": Text("Cari {place}", "Search: {place}"),
    "entry.found": Text("Pilih yang dimaksud", "Choose the one you mean"),
    "entry.found_nothing": Text(
        "Tidak ada tempat dengan nama itu. Coba nama kecamatan atau kabupatennya.",
        "There is no place of that name. Try the name of its district or regency.",
    ),
    "entry.country": Text("Luar negeri", "Abroad"),
    # the victim
    "entry.victim.name": Text("Nama korban", "Name of the victim"),
    "entry.victim.alias": Text("Nama samaran", "Alias"),
    "entry.victim.alias_hint": Text(
        "Cukup untuk merujuk bila namanya tidak diketahui atau tidak boleh ditulis.",
        "Enough to refer by if the name is not known or must not be written.",
    ),
    "entry.victim.age": Text("Umur", "Age"),
    "entry.victim.age_hint": Text("Dalam tahun.", "In years."),
    "entry.victim.birth_date": Text("Tanggal lahir", "Date of birth"),
    "entry.victim.birth_date_hint": Text("Kosongkan bila tidak diketahui.", "Leave it empty if it is not known."),
    "entry.victim.sex": Text("Jenis kelamin", "Sex"),
    "entry.victim.national_id": Text("NIK", "National identity number (NIK)"),
    "entry.victim.national_id_hint": Text("16 angka.", "16 digits."),
    "entry.victim.disability_needs": Text("Kebutuhan khusus disabilitas", "Needs because of a disability"),
    "entry.victim.safe_contact.phone": Text("Nomor telepon yang aman", "A safe telephone number"),
    "entry.victim.safe_contact.phone_hint": Text(
        "Hanya nomor yang tidak dibaca atau diangkat pelaku.",
        "Only a number that the perpetrator does not read or answer.",
    ),
    "entry.victim.safe_contact.instructions": Text("Cara menghubungi dengan aman", "How to reach the victim safely"),
    "entry.victim.safe_contact.instructions_hint": Text(
        "Misalnya: hanya pagi hari, mengaku dari puskesmas.", "For instance: in the morning only, as the health centre."
    ),
    "entry.guardian": Text("Orang tua atau wali", "Parent or guardian"),
    "entry.victim.guardian.name": Text("Nama orang tua atau wali", "Name of the parent or guardian"),
    "entry.victim.guardian.relation": Text("Hubungan wali dengan korban", "What the guardian is to the victim"),
    "entry.victim.guardian.is_perpetrator": Text(
        "Apakah orang tua atau wali ini pelakunya?", "Is this parent or guardian the perpetrator?"
    ),
    "entry.victim.guardian.is_perpetrator_hint": Text(
        "Selama belum dijawab Tidak, lembaga penerima diminta tidak menghubunginya.",
        "Until this is answered with No, receiving agencies are told not to contact them.",
    ),
    "entry.victim.guardian.in_conflict": Text(
        "Apakah ia melindungi pelaku atau berlawanan kepentingan dengan korban?",
        "Do they shield the perpetrator, or is their interest against the victim's?",
    ),
    "entry.victim.guardian.contact.phone": Text("Telepon orang tua atau wali", "Telephone of the parent or guardian"),
    # the perpetrator
    "entry.perpetrator_hint": Text(
        "Nama pelaku tidak ditanyakan. Yang perlu diketahui hanyalah hubungannya dengan korban, dan lembaga mana yang"
        " tidak boleh tahu tentang kasus ini.",
        "The perpetrator's name is not asked for. What matters is what they are to the victim, and which agencies must"
        " not learn of the case.",
    ),
    "entry.case.relation_to_perpetrator": Text("Pelaku adalah … korban", "To the victim, the perpetrator is"),
    "entry.case.perpetrator_in_household": Text(
        "Apakah pelaku tinggal serumah dengan korban?", "Does the perpetrator live with the victim?"
    ),
    "entry.conflicts": Text("Lembaga yang terlibat dalam kasus", "Agencies named in the case"),
    "entry.conflicts_hint": Text(
        "Misalnya tempat pelaku bekerja. Lembaga ini dan seluruh institusinya tidak diberi tahu apa pun.",
        "The perpetrator's workplace, for instance. They and their whole institution learn nothing of it.",
    ),
    # services
    "entry.services": Text("Layanan yang dibutuhkan", "Services that are needed"),
    "entry.services_hint": Text(
        "Pilih semua yang dibutuhkan. Setiap layanan ditawarkan sendiri-sendiri.",
        "Choose all that are needed. Each is offered on its own.",
    ),
    "entry.note": Text("Catatan untuk lembaga penerima", "Note for the receiving agency"),
    "entry.note_of": Text("Catatan: {service}", "Note: {service}"),
    "entry.cannot": Text("Lembaga saya tidak dapat memberikannya", "My agency cannot give it"),
    "entry.cannot_of": Text("Lembaga saya tidak dapat memberikannya: {service}", "My agency cannot give it: {service}"),
    # the story
    "entry.narrative": Text("Uraian kejadian", "What happened, in words"),
    "entry.narrative_hint": Text(
        "Hanya dibaca lembaga yang layanannya membutuhkannya, dan setiap pembacaan dicatat.",
        "Read only by agencies whose service needs it, and every reading is recorded.",
    ),
    "entry.condition.physical": Text("Keadaan fisik korban", "How the victim is physically"),
    "entry.condition.psychological": Text("Keadaan psikis korban", "How the victim is mentally"),
    "entry.purpose": Text("Tujuan rujukan", "What the referral is for"),
    "entry.requested_by": Text("Siapa yang meminta bantuan", "Who asked for help"),
    # consent
    "entry.consent_hint": Text(
        "Tanpa persetujuan, hanya keadaan darurat yang bergerak, dan hanya dengan data penyelamat nyawa. Tanyakan"
        " dengan kata-kata yang dimengerti korban: data apa yang diberikan, kepada siapa, dan untuk apa; dan bahwa ia"
        " boleh menolak dan boleh berubah pikiran.",
        "Without consent only an emergency moves, with the minimum that saves a life. Ask in words that the victim"
        " understands: what is passed on, to whom, and what for; and that she may refuse and may change her mind.",
    ),
    "entry.consent.basis": Text("Dasar untuk meneruskan kasus ini", "On what ground the case may be passed on"),
    "entry.consent.basis_victim": Text(
        "Korban mengerti dan menyetujui. Untuk anak di bawah 18 tahun ini saja belum cukup.",
        "The victim understands and agrees. For a child below 18 this alone is not enough.",
    ),
    "entry.consent.basis_guardian": Text(
        "Orang tua atau wali menyetujui untuk anak. Tidak berlaku bila ia pelaku atau berlawanan kepentingan.",
        "A parent or guardian agrees for a child. It does not count if they are the perpetrator or in conflict.",
    ),
    "entry.consent.basis_child_best_interest": Text(
        "Untuk anak yang walinya pelaku, berlawanan kepentingan, atau tidak ada.",
        "For a child whose guardian is the perpetrator, in conflict, or not there.",
    ),
    "entry.consent.basis_legal_duty": Text(
        "Undang-undang mewajibkan kasus ini diteruskan.", "The law requires that the case is passed on."
    ),
    "entry.consent.basis_none": Text(
        "Belum ada atau ditolak. Kasus darurat tetap bergerak; lainnya menunggu koordinator.",
        "There is none, or it was refused. An emergency moves all the same; anything else waits for a coordinator.",
    ),
    "entry.consent.given_at": Text("Kapan diberikan", "When it was given"),
    "entry.consent.given_at_hint": Text(
        "Kosongkan bila tanpa persetujuan.", "Leave it empty where there is no consent."
    ),
    "entry.time": Text("Pukul", "Time"),
    "entry.consent.relation": Text("Wali yang menyetujui adalah … korban", "The guardian who agreed is the victim's"),
    "entry.consent.law": Text("Undang-undang yang menjadi dasar", "The law it rests on"),
    "entry.consent.law_hint": Text(
        "Hanya untuk kepentingan terbaik anak dan kewajiban hukum.",
        "For the best interest of the child and a legal duty only.",
    ),
    "entry.consent.last_day": Text("Berlaku sampai dengan", "Good until"),
    "entry.consent.last_day_hint": Text(
        "Kosongkan bila berlaku sampai dicabut.", "Leave it empty if it holds until it is withdrawn."
    ),
    "entry.consent.services_refused": Text("Layanan yang ditolak korban", "Services that the victim refuses"),
    "entry.consent.agencies_refused": Text("Lembaga yang ditolak korban", "Agencies that the victim refuses"),
    "entry.more_consent": Text("Batas persetujuan", "Limits of the consent"),
    "entry.none_chosen": Text("Tidak ada", "None"),
}
