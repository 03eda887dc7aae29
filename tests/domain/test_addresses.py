from ipaddress import ip_network

import pytest

from app.domain.addresses import Reach, networks_of

INTERNET = Reach()
HOSPITAL = Reach(networks_of(("10.20.0.0/16", "fd12:3456::/32")))
TRIAL = Reach(networks_of(("127.0.0.0/8", "::1/128")), allow_http=True)

REFUSED = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.254
168.63.129.16 169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.9 192.0.0.192 192.0.2.1
192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.1 192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.1
203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1
::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b:1::1
64:ff9b:1::8.8.8.8 100::1 100:0:0:1::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1
2001:20::1 2001:db8::1 2002:7f00:1::1 2002:a00:1::1 2002:a9fe:a9fe::1 2620:4f:8000::1 3fff::1 4000::1 5f00::1
fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 febf::1 fec0::1 ff02::1 ff0e::1 localhost 0x7f000001 2130706433
127.1 1.2.3.4.5
"""

ALLOWED = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 36.66.1.1 100.63.255.255 100.128.0.0 103.10.1.1 126.255.255.255
128.0.0.1 172.15.255.255 172.32.0.0 192.0.1.1 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0
223.255.255.255 2001:200::1 2400:cb00::1 2606:4700:4700::1111 2a00:1450:4001::1 2620:4f:8001::1 ::ffff:8.8.8.8
64:ff9b::8.8.8.8 2002:808:808::1
"""


@pytest.mark.parametrize("address", REFUSED.split())
def test_what_not_everybody_on_the_internet_may_have_is_refused(address: str) -> None:
    assert not INTERNET.may_post_to(address)


@pytest.mark.parametrize("address", ALLOWED.split())
def test_public_addresses_are_allowed(address: str) -> None:
    assert INTERNET.may_post_to(address)


@pytest.mark.parametrize("address", ["10.20.0.1", "::ffff:10.20.3.4", "64:ff9b::10.20.3.4", "fd12:3456:1::1"])
def test_the_allow_list_opens_a_private_network_in_every_form_of_its_addresses(address: str) -> None:
    assert HOSPITAL.may_post_to(address)


@pytest.mark.parametrize("address", ["10.21.0.1", "::ffff:10.21.3.4", "fd12:3457::1", "127.0.0.1", "169.254.169.254"])
def test_the_allow_list_opens_nothing_else(address: str) -> None:
    assert not HOSPITAL.may_post_to(address)


def test_an_allow_list_holds_networks() -> None:
    assert networks_of(("10.0.0.0/8",)) == (ip_network("10.0.0.0/8"),)
    with pytest.raises(ValueError, match="localhost"):
        networks_of(("localhost",))


GOOD = [
    "https://simfoni.example.go.id/hooks",
    "https://simfoni.example.go.id",
    "https://simfoni.example.go.id.:8443/a/b?token=x&y=%20z",
    "https://SIMFONI.example.go.id:443/",
    "https://xn--puskesmas-q9a.example/",
    "HTTPS://a.b/",
    "https://8.8.8.8/hook",
    "https://[2606:4700:4700::1111]:8443/hook",
    "https://1a.example/",
    "https://a-b.example?x",
]


@pytest.mark.parametrize("url", GOOD)
def test_a_plain_https_url_has_no_faults(url: str) -> None:
    assert INTERNET.faults_of(url) == ()


BAD = {
    "url_too_long": ["https://a.example/" + "x" * 2048],
    "url_characters": [
        "",
        " https://a.example/",
        "https://a.example/\n",
        "https://a\t.example/",
        "https://a.example/a b",
        "https://a.example\\@b.example/",
        "https://pusk\u00e9smas.example/",
        "https://127\u30020\u30020\u30021/",
        "https://\u2460\u2461\u2466.0.0.1/",
        "https://a.example/\x00",
    ],
    "url_invalid": ["a.example", "//a.example/", "mailto:a@b.example", "https:a.example", "/hook", "https:/a.example"],
    "url_scheme": ["ftp://a.example/", "file://a.example/etc/passwd", "gopher://a.example/", "javascript://a.example/"],
    "url_fragment": ["https://a.example/#", "https://a.example/#x", "https://a.example#@b.example/"],
    "url_userinfo": [
        "https://user@a.example/",
        "https://user:secret@a.example/",
        "https://a.example:443@127.0.0.1/",
        "https://@a.example/",
    ],
    "url_host": [
        "https:///hook",
        "https://a_b.example/",
        "https://-a.example/",
        "https://a-.example/",
        "https://a..example/",
        "https://.a.example/",
        "https://a.example:/",
        "https://a.example:99999999/",
        "https://a.example:80:80/",
        "https://%31%32%37.0.0.1/",
        "https://[::1/",
        "https://::1/",
        "https://[fe80::1%25eth0]/",
        "https://[v1.a]/",
        f"https://{'a' * 64}.example/",
        f"https://{'a.' * 127}example/",
    ],
    "url_host_not_canonical": [
        "https://2130706433/",
        "https://127.1/",
        "https://127.0.1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0x7F.1/",
        "https://127.0.0.1./",
        "https://127.0.0.01/",
        "https://256.0.0.1/",
        "https://1.2.3.4.5/",
        "https://a.example.0x1/",
        "https://a.example.7/",
        "https://0/",
        "https://0x/",
        "https://[::ffff:127.0.0.256]/",
    ],
    "url_address_not_allowed": [
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://0.0.0.0/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[fd00:ec2::254]/",
        "https://[fe80::1]/",
    ],
    "url_https_required": ["http://a.example/", "http://8.8.8.8/", "HTTP://a.example/"],
    "url_port": [
        "https://a.example:0/",
        "https://a.example:22/",
        "https://a.example:25/",
        "https://a.example:80/",
        "https://a.example:1023/",
        "https://a.example:65536/",
    ],
}


@pytest.mark.parametrize(("code", "url"), [(code, url) for code, urls in BAD.items() for url in urls])
def test_every_fault_of_a_url_is_named_and_never_repeats_it(code: str, url: str) -> None:
    faults = INTERNET.faults_of(url)

    assert [fault.code for fault in faults] == [code]
    assert faults[0].pointer == "/url"
    assert len(url) < 12 or url not in faults[0].message


def test_all_faults_are_listed_at_once() -> None:
    codes = [fault.code for fault in INTERNET.faults_of("http://10.0.0.1:22/#x")]

    assert codes == ["url_fragment", "url_address_not_allowed", "url_https_required", "url_port"]


@pytest.mark.parametrize("url", ["http://10.20.1.1:8080/hook", "https://10.20.1.1/", "http://[fd12:3456::1]/hook"])
def test_an_opened_network_needs_no_tls(url: str) -> None:
    assert HOSPITAL.faults_of(url) == ()


def test_http_to_a_name_is_for_trials_alone() -> None:
    url = "http://receiver.local:8080/hook"

    assert [fault.code for fault in HOSPITAL.faults_of(url)] == ["url_https_required"]
    assert TRIAL.faults_of(url) == ()


def test_a_trial_still_keeps_out_of_networks_that_are_not_opened() -> None:
    assert [fault.code for fault in TRIAL.faults_of("http://10.0.0.1/")] == ["url_address_not_allowed"]
