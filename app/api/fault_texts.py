"""What is said of one faulty field, by code, in Indonesian and English. No text ever holds a value that was sent."""

from collections.abc import Mapping

from app.api.problem_texts import Text

FAULTS: Mapping[str, Text] = {
    "invalid": Text("tidak dapat diterima", "cannot be taken"),
    "required": Text("wajib diisi", "is required"),
    "unknown_field": Text("isian ini tidak dikenal", "this field is not known"),
    "more_faults": Text("masih ada kesalahan lain yang tidak tercantum", "there are more faults than are listed"),
    "unknown_parameter": Text("parameter ini tidak dikenal", "this parameter is not known"),
    "control_character": Text(
        "berisi karakter kendali, atau karakter yang membalik arah tulisan",
        "holds a control character, or one that turns the direction of writing",
    ),
    "nothing_visible": Text("tidak berisi satu pun karakter yang tampak", "holds no character that can be seen"),
    "wrong_type": Text("jenis nilainya salah", "is of the wrong type"),
    "text_required": Text("harus berupa teks", "must be text"),
    "whole_number_required": Text("harus berupa bilangan bulat", "must be a whole number"),
    "number_required": Text("harus berupa bilangan", "must be a number"),
    "true_or_false_required": Text("harus true atau false", "must be true or false"),
    "object_required": Text("harus berupa objek", "must be an object"),
    "list_required": Text("harus berupa daftar", "must be a list"),
    "null_required": Text("harus null", "must be null"),
    "wrong_format": Text("bentuknya salah", "is not in the right form"),
    "day_required": Text("harus berupa tanggal seperti 2025-03-31", "must be a day such as 2025-03-31"),
    "moment_required": Text(
        "harus berupa waktu dengan selisih zona seperti 2025-03-31T09:00:00+08:00",
        "must be a time with an offset such as 2025-03-31T09:00:00+08:00",
    ),
    "uuid_required": Text("harus berupa UUID", "must be a UUID"),
    "url_required": Text("harus berupa URL", "must be a URL"),
    "duration_required": Text("harus berupa durasi ISO 8601", "must be an ISO 8601 duration"),
    "unknown_code": Text("kode ini tidak dikenal", "is not a known code"),
    "unknown_region": Text("wilayah ini tidak ada", "is not a known region"),
    "unknown_agency": Text("lembaga ini tidak ada", "is not a known agency"),
    "agency_off_the_list": Text(
        "lembaga ini terlibat dalam kasus atau ditolak korban", "this agency is in conflict or was refused"
    ),
    "done_by_doing": Text(
        "lakukan penghapusan atau pembatasannya, dan permintaan ini terjawab",
        "erase or restrict the referral, and the request is answered",
    ),
    "unknown_duty": Text("penyerahan ini tidak memuat kewajiban itu", "the handoff carries no such duty"),
    "region_avoided": Text("korban tidak aman di wilayah lembaga ini", "the victim is not safe where this agency is"),
    "empty": Text("tidak boleh kosong", "must not be empty"),
    "not_after_since": Text("harus sesudah since", "must be after since"),
    "failed_or_since": Text(
        "isi failed: true, atau since, atau keduanya", "needs failed: true, or since, or both of them"
    ),
    "url_too_long": Text("URL terlalu panjang", "the URL is too long"),
    "url_characters": Text(
        "URL berisi karakter yang tidak boleh; nama internasional ditulis xn--..., selebihnya %XX",
        "the URL holds characters it may not; an international name is written xn--..., anything else %XX",
    ),
    "url_invalid": Text("bukan URL yang sah", "is not a valid URL"),
    "url_scheme": Text("skema URL harus https", "the URL's scheme must be https"),
    "url_fragment": Text("URL tidak boleh memuat fragmen (#)", "the URL may hold no fragment (#)"),
    "url_userinfo": Text("URL tidak boleh memuat nama atau sandi", "the URL may hold no name or password"),
    "url_host": Text("nama host URL tidak sah", "the URL's host name is not valid"),
    "url_host_not_canonical": Text(
        "alamat IP harus ditulis dengan cara biasa", "an IP address must be written in the usual way"
    ),
    "url_address_not_allowed": Text("alamat ini bukan alamat publik", "this is not a public address"),
    "url_https_required": Text("wajib https", "https is required"),
    "mail_address": Text(
        "bukan satu alamat surel biasa seperti mailto:kantor@lembaga.example",
        "is not one plain mail address such as mailto:office@agency.example",
    ),
    "mail_not_sent": Text("layanan ini tidak mengirim surel", "this installation sends no mail"),
    "channel_changed": Text(
        "webhook tidak menjadi surel atau sebaliknya; daftarkan endpoint lain",
        "a webhook does not become mail, nor mail a webhook; register another endpoint",
    ),
    "for_webhooks_alone": Text("hanya untuk webhook", "is for webhooks alone"),
    "url_port": Text("port ini tidak diizinkan", "this port is not allowed"),
    # of endpoints
    "challenge_wrong": Text(
        "bukan tantangan yang terakhir dikirim ke alamat ini, atau sudah lebih dari 72 jam",
        "is not the challenge last sent to this address, or is older than 72 hours",
    ),
    "secret_life": Text(
        "harus berupa durasi dari PT0S sampai P7D, seperti PT24H", "must be a duration from PT0S to P7D, as in PT24H"
    ),
    "key_life": Text(
        "harus berupa durasi dari PT0S sampai P30D, seperti P7D", "must be a duration from PT0S to P30D, as in P7D"
    ),
    "header_name": Text(
        "nama header hanya huruf, angka dan tanda hubung, diawali huruf, paling banyak 64",
        "a header's name has letters, digits and hyphens, a letter first, at most 64 of them",
    ),
    "header_reserved": Text("header ini tidak boleh diatur lembaga", "this header is not for an agency to set"),
    "header_value": Text(
        "nilai header hanya ASCII yang tercetak, tanpa spasi di kedua ujungnya, paling banyak 2000 karakter",
        "a header's value is printable ASCII without spaces at its ends, at most 2000 characters",
    ),
    "headers_too_long": Text(
        "nama dan nilai header bersama-sama paling banyak 8000 karakter",
        "names and values of the headers together have at most 8000 characters",
    ),
    "pem_too_long": Text("teks PEM terlalu panjang", "is too long for what it holds"),
    "certificate_unreadable": Text(
        "bukan sertifikat PEM, atau terlalu banyak", "is not a certificate in PEM, or holds too many of them"
    ),
    "certificate_expired": Text("sertifikat sudah kedaluwarsa", "holds a certificate that has expired"),
    "certificate_not_yet_valid": Text("sertifikat belum berlaku", "holds a certificate that is not valid yet"),
    "certificate_not_for_clients": Text(
        "sertifikat ini tidak untuk klien TLS", "is a certificate that is not for TLS clients"
    ),
    "certificate_too_weak": Text(
        "berisi sertifikat yang lemah: kunci RSA di bawah 2048 bit, atau tanda tangan MD5 atau SHA-1",
        "holds a weak certificate: an RSA key below 2048 bits, or signed with MD5 or SHA-1",
    ),
    "certificate_no_authority": Text(
        "berisi sertifikat yang bukan otoritas; sertifikat peladen hanya bila ditandatangani sendiri",
        "holds a certificate that is no authority's; a server's own is taken only where it signed itself",
    ),
    "key_unreadable": Text("bukan kunci privat PEM tanpa sandi", "is not a private key in PEM without a passphrase"),
    "key_too_weak": Text(
        "kunci harus RSA mulai 2048 bit, kurva NIST, atau Ed25519",
        "must be RSA from 2048 bits on, a NIST curve, or Ed25519",
    ),
    "key_does_not_match": Text("bukan kunci sertifikat ini", "is not the key of this certificate"),
    "one_of": Text("harus salah satu dari: {expected}", "must be one of: {expected}"),
    "too_short": Text("harus ada sedikitnya {limit}", "needs at least {limit}"),
    "too_long": Text("paling banyak {limit}", "takes at most {limit}"),
    "below_least": Text("harus paling sedikit {limit}", "must be at least {limit}"),
    "above_most": Text("harus paling banyak {limit}", "must be at most {limit}"),
    "not_above": Text("harus lebih dari {limit}", "must be more than {limit}"),
    "not_below": Text("harus kurang dari {limit}", "must be less than {limit}"),
    "not_multiple": Text("harus kelipatan {limit}", "must be a multiple of {limit}"),
    "out_of_range": Text("di luar rentang yang mungkin", "is out of range"),
    "in_future": Text("tidak boleh di masa depan", "must not be in the future"),
    "in_past": Text("tidak boleh di masa lalu", "must not be in the past"),
    "twice": Text("tercantum dua kali", "is there twice"),
    "contradiction": Text("bertentangan dengan isian lain", "contradicts another field"),
    "malformed_cursor": Text(
        "kursor ini tidak berasal dari daftar dan saringan ini", "is no cursor of this list and these filters"
    ),
    # of a document, facts or agencies
    "not_a_mapping": Text("harus berupa objek", "must be an object"),
    "unknown_key": Text("berisi isian yang tidak dikenal", "this field is not known here"),
    "not_a_list": Text("harus berupa daftar", "must be a list"),
    "too_many": Text("terlalu banyak", "has too many entries"),
    "not_text": Text(
        "harus berupa teks; angka dan tanggal ditulis dalam tanda kutip",
        "must be text; what looks like a number or a date is written in quotes",
    ),
    "bad_text": Text("harus 1 sampai 2000 karakter", "must have between 1 and 2000 characters"),
    "bad_identifier": Text(
        "hanya a-z, 0-9, '-', '_' dan '.', paling banyak 64", "only a-z, 0-9, '-', '_' and '.', at most 64 of them"
    ),
    "bad_number": Text("harus berupa bilangan bulat dalam batasnya", "must be a whole number within its bounds"),
    "not_a_boolean": Text("harus true atau false", "must be true or false"),
    "bad_date": Text("harus berupa tanggal seperti 2024-07-17", "must be a date, as in 2024-07-17"),
    "bad_time": Text(
        "harus berupa waktu dengan selisih zona seperti 2024-08-01T09:15:00+08:00",
        "must be a time with an offset, as in 2024-08-01T09:15:00+08:00",
    ),
    "named_twice": Text("disebut dua kali", "is named twice"),
    "region_is_a_number": Text(
        'kode wilayah adalah teks dan terbaca sebagai angka: tulis dalam tanda kutip seperti "64.02" '
        "(sebagai angka, 64.10 menjadi 64.1, wilayah lain)",
        'a region code is text and was read as a number: write it in quotes, as in "64.02" '
        "(as a number 64.10 would become 64.1, another place)",
    ),
    "bad_region": Text('harus berupa kode wilayah seperti "64.02"', 'must be a region code, as in "64.02"'),
    "bad_duration": Text(
        "harus berupa durasi seperti PT24H, P7D atau P3WD", "must be a duration, as in PT24H, P7D or P3WD"
    ),
    "unknown_time_zone": Text(
        "harus berupa zona waktu IANA seperti Asia/Makassar", "must be a time zone, as in Asia/Makassar"
    ),
    "never_in_force": Text(
        "harus berakhir setelah hari mulainya", "the document must end after the day on which it begins"
    ),
    "no_basis": Text(
        "klausul yang mencari lembaga menurut wilayah memerlukan basis",
        "a clause that looks for agencies by region needs a basis",
    ),
    "where_or_agency": Text(
        "isi where atau agency, dan tidak keduanya", "either where or agency is expected here, and not both"
    ),
    "nobody": Text(
        "age_below harus di atas age_from; jika tidak, tidak berlaku bagi siapa pun",
        "age_below must lie above age_from, or it is true of nobody",
    ),
    "secret_place_too_narrow": Text(
        "bila lokasi dirahasiakan, wilayah asal dan wilayah layanan paling sempit kabupaten/kota",
        "where a place is secret, home and area are a regency or wider: narrower would tell where it is",
    ),
    "without_confirmation": Text(
        "hanya kutipan dengan confirmed: true yang menyebut oleh siapa dan kapan",
        "only a citation with confirmed: true says by whom and when",
    ),
    "not_asked_for": Text("facts.services tidak menyebut layanan ini", "facts.services does not name this service"),
    # of a body that is not JSON as taken here
    "not_utf8": Text("bukan UTF-8, mulai byte {limit}", "is not UTF-8, from byte {limit} on"),
    "byte_order_mark": Text("dimulai dengan byte order mark", "begins with a byte order mark"),
    "not_json": Text("bukan JSON, di baris {line} kolom {column}", "is not JSON, at line {line} column {column}"),
    "too_deep": Text("bersarang lebih dari 32 tingkat", "is nested more than 32 levels deep"),
    "nul_character": Text("berisi karakter NUL", "holds a NUL character"),
    "lone_surrogate": Text("berisi pasangan surrogate yang tidak lengkap", "holds half of a surrogate pair"),
    "not_finite": Text("bukan bilangan JSON (NaN, Infinity)", "is no number of JSON (NaN, Infinity)"),
    "number_out_of_range": Text("bilangan ini terlalu besar", "is too large a number"),
    "duplicate_key": Text("berisi nama yang sama dua kali", "holds the same name twice"),
}
