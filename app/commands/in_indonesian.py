"""What each command does, in Indonesian: shown by `--help` before the English that its docstring says."""

import inspect
from collections.abc import Iterator, Mapping

import typer
from typer.models import CommandInfo

INDONESIAN: Mapping[str, str] = {
    "serve": "Jalankan API pada basis data LINTAS_DATABASE_URL; boleh berapa pun jumlahnya.",
    "work": "Jalankan pekerja pada basis data LINTAS_DATABASE_URL; boleh berapa pun jumlahnya.",
    "all": "Jalankan seluruh Lintas dalam satu proses, dengan basis data sendiri di .lintas/ bila tidak ditentukan.",
    "sandbox": "Jalankan dunia coba sendiri bagi pembuat klien: kunci, lembaga dan jamnya dapat diatur.",
    "sign-in": "Cetak tautan sekali pakai untuk masuk ke konsol; hanya dalam percobaan.",
    "migrate": "Sesuaikan basis data dengan versi ini.",
    "repair-feed": "Setelah dump dipulihkan: teruskan umpan bagi semua pembacanya.",
    "seed": "Tambahkan wilayah, kode, lembaga dan dokumen bawaan Lintas yang belum ada.",
    "route": "Putuskan berkas kasus tanpa basis data, dan bandingkan dengan yang diharapkan berkas itu.",
    "openapi": "Tulis uraian API ke openapi/openapi.json.",
    "health": "Katakan apakah Lintas yang berjalan sudah siap; keluar 1 bila tidak.",
    "keys create": "Terbitkan kunci. Kunci diperlihatkan sekarang, dan tidak pernah lagi.",
    "keys list": "Daftar kunci, tanpa kuncinya sendiri.",
    "keys rotate": "Terbitkan kunci pengganti: keduanya berlaku sampai yang lama berakhir.",
    "keys revoke": "Cabut kunci, mulai dari permintaan berikutnya.",
    "keys rotate-seal": "Segel semuanya lagi dengan kunci segel yang aktif, sementara layanan berjalan.",
    "keys seal-status": "Hitung apa yang disegel dengan kunci mana, dan kunci mana yang boleh dikeluarkan.",
    "keys forget-seal": "Lupakan tanda pengenal kunci segel yang tidak dipakai lagi.",
    "keys scopes": "Daftar semua lingkup, dengan peran yang dapat memilikinya.",
    "keys add-certificate": "Daftarkan sertifikat klien bagi suatu lembaga, dengan perannya.",
    "keys list-certificates": "Daftar sertifikat klien yang terdaftar.",
    "keys revoke-certificate": "Cabut sertifikat klien, mulai dari permintaan berikutnya.",
    "keys list-subjects": "Daftar pemegang token yang pernah memanggil, dan siapa mereka.",
    "keys revoke-subject": "Tolak pemegang token, mulai dari permintaan berikutnya.",
    "agreements check": "Katakan apa yang menolak dokumen, dan apa yang perlu diketahui pihaknya; keluar 1 bila ada.",
    "agreements coverage": "Tunjukkan siapa yang ditawari tiap layanan di tiap wilayah dokumen, dan oleh klausul mana.",
    "agreements explain": "Tuliskan dokumen sebagai pasal bernomor yang akan ditandatangani atau dikoreksi para pihak.",
    "agreements schema": "Tulis JSON Schema dokumen ke openapi/agreement.schema.json.",
    "agreements list": "Daftar dokumen di basis data dengan versi dan drafnya.",
    "agreements draft": "Simpan berkas sebagai draf versi yang disebutnya; belum mengikat sebelum diterbitkan.",
    "agreements confirm": "Buat draf versi berikutnya, dengan sumber satu klausul yang sudah dipastikan.",
    "agreements withdraw": "Tarik kembali draf; yang sudah terbit tetap.",
    "agreements publish": "Periksa draf dan terbitkan untuk seterusnya: semua memutus menurutnya sejak tanggalnya.",
    "agreements simulate": "Katakan permintaan mana yang akan berpindah bila dokumen berlaku; tidak ada yang ditulis.",
    "proposals list": "Daftar usulan yang menunggu: apa, oleh siapa, dan sampai kapan.",
    "proposals withdraw": "Tarik kembali yang diusulkan dari baris perintah.",
    "audit key": "Cetak kunci publik untuk memeriksa tanda tangan; simpan terpisah dari basis data.",
    "audit verify": "Periksa seluruh jejak audit: keluar 1 bila ada yang diubah, dihapus, ditambah atau ditulis ulang.",
    "audit drop": "Hapus segmen lama yang dijamin jangkar; perlu peran pemilik tabel.",
    "audit of": "Ceritakan satu kasus: kapan, siapa, apa, untuk apa, bagian mana, dan dengan hasil apa.",
    "regions import": "Ambil edisi wilayah yang lebih baru, dan katakan apa yang berubah dan siapa yang terkena.",
    "rights erase": "Hapus data pribadi seorang dalam suatu rujukan, untuk selamanya.",
    "rights apply-ledger": "Setelah pemulihan: hapus sekali lagi semua yang disebut buku penghapusan.",
    "rights export": "Cetak semua yang disimpan tentang seorang; periksa sebelum diserahkan.",
    "rights request": "Catat apa yang diminta seseorang; 3 x 24 jam dihitung sejak ia memintanya.",
    "rights list": "Daftar permintaan yang belum dijawab, yang paling dekat tenggatnya di atas.",
    "rights restrict": "Batasi suatu rujukan: tidak seorang pun melihat atau menggerakkannya sampai dicabut.",
    "rights lift-restriction": "Cabut pembatasan suatu rujukan.",
    "rights hold": "Tahan rujukan agar tidak dihapus, sampai penahanan dicabut.",
    "rights lift-hold": "Cabut penahanan hukum.",
    "statistics referrals": "Tulis rujukan menurut bulan, kabupaten/kota dan kategori SIMFONI-PPA.",
    "statistics duties": "Tulis apa yang terjadi dengan kewajiban yang dibebankan dokumen pada serah terima.",
    "statistics page": "Tulis semua statistik beberapa bulan sebagai satu halaman HTML dengan grafik dan tabel.",
    "statistics draw": "Tarik setiap bulan yang sudah tetap dan belum ditarik, seperti yang dilakukan pekerja sendiri.",
}


def commands(of: typer.Typer, above: str = "") -> Iterator[tuple[str, CommandInfo]]:
    """Give every command with the words that call it."""
    for command in of.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback else "")
        yield f"{above}{name}", command
    for group in of.registered_groups:
        if group.typer_instance is not None:
            yield from commands(group.typer_instance, f"{above}{group.name} ")


def speak_both(cli: typer.Typer) -> None:
    """Have every command say in both languages what it does."""
    for words, command in commands(cli):
        if command.callback is not None and words in INDONESIAN:
            command.help = f"{INDONESIAN[words]} / {inspect.getdoc(command.callback)}"
