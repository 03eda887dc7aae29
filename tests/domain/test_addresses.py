from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from app.domain.addresses import Reach, is_global, networks_of, unwrapped
from tests.domain.hostile_urls import HOSTILE, SPECIAL_PURPOSE

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


@pytest.mark.parametrize(("code", "url"), [(code, url) for code, urls in HOSTILE.items() for url in urls])
def test_every_fault_of_a_url_is_named_and_never_repeats_it(code: str, url: str) -> None:
    faults = INTERNET.faults_of(url)

    assert [fault.code for fault in faults] == [code], HOSTILE[code][url]
    assert faults[0].pointer == "/url"
    assert len(url) < 12 or url not in faults[0].message


def test_there_are_hostile_urls_enough() -> None:
    urls = [url for urls in HOSTILE.values() for url in urls]

    assert len(urls) == len(set(urls)) >= 250
    assert all(reason for urls in HOSTILE.values() for reason in urls.values())


@pytest.mark.parametrize("code", set(HOSTILE) - {"url_https_required", "url_address_not_allowed"})
def test_no_allow_list_and_no_trial_lets_a_broken_url_through(code: str) -> None:
    everything = Reach(networks_of(("0.0.0.0/0", "::/0")), allow_http=True)

    assert [url for url in HOSTILE[code] if not everything.faults_of(url)] == []


# --- every special-purpose range ---


def inside(network: str) -> list[str]:
    """The first, the last and one in the middle of a range."""
    found = ip_network(network)
    return [str(found[place]) for place in sorted({0, found.num_addresses // 2, found.num_addresses - 1})]


@pytest.mark.parametrize("network", SPECIAL_PURPOSE)
def test_no_address_of_a_special_purpose_range_is_posted_to_in_any_form(network: str) -> None:
    for address in inside(network):
        forms = [address]
        if ":" not in address:
            number = int(ip_address(address))
            forms += [f"::ffff:{address}", f"::{address}", f"::ffff:0:{address}", f"64:ff9b::{address}"]
            forms += [f"2002:{number >> 16:x}:{number & 0xFFFF:x}::1", f"2400:cb00::5efe:{address}"]
        assert [form for form in forms if INTERNET.may_post_to(form)] == [], SPECIAL_PURPOSE[network]


@given(st.ip_addresses())
def test_what_may_be_posted_to_is_global_by_the_standard_library_too(address: IPv4Address | IPv6Address) -> None:
    final = unwrapped(address)

    if is_global(address):
        assert final.is_global
        assert not final.is_multicast
        assert not final.is_reserved or final.version == 6


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_alike_in_every_form_of_it(address: IPv4Address) -> None:
    number = int(address)
    forms = [f"::ffff:{address}", f"64:ff9b::{address}", f"2002:{number >> 16:x}:{number & 0xFFFF:x}::"]

    assert {INTERNET.may_post_to(form) for form in forms} == {is_global(address)}


@given(st.text(max_size=60) | st.from_regex(r"https://[a-z0-9.:\[\]%@-]{0,40}(/.*)?", fullmatch=True))
def test_whatever_a_url_is_it_is_judged_and_what_passes_is_read_alike_by_the_client(url: str) -> None:
    if INTERNET.faults_of(url):
        return

    read = URL(url, encoded=True)
    assert read.scheme == "https"
    assert (read.user, read.password, read.fragment) == (None, None, "")
    host = url.split("://", 1)[1].split("/", 1)[0].split("?", 1)[0]
    name = host.rsplit("]", 1)[0].lstrip("[") if host.startswith("[") else host.split(":", 1)[0]
    assert (
        ip_address(read.raw_host or "") == ip_address(name) if host.startswith("[") else read.raw_host == name.lower()
    )
    assert read.port == 443 or 1024 <= (read.port or 0) <= 65535


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
