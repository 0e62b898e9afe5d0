"""Which URLs and addresses callbacks may reach; every odd way to write a private one is refused."""

from ipaddress import ip_address, ip_network

import pytest

from app.adapters.webhooks.ssrf_guard import (
    ForbiddenTargetError,
    Resolve,
    is_public,
    make_guard,
    parse,
)

PRIVATE = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1
127.1.2.3 169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.1
192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9
224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 168.63.129.16
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1
64:ff9b::7f00:1 64:ff9b::10.0.0.1 64:ff9b::8.8.8.8 64:ff9b:1::7f00:1 64:ff9b:1:ffff::10.0.0.1
100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:10::1 2001:20::1 2001:db8::1
2002:7f00:1:: 2002:7f00:1::1 2002:a00:1::1 2002:808:808::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254
fdff:ffff::1 fe80::1 fe80::1%eth0 febf::1 fec0::1 ff02::1 ff0e::1 4000::1 8000::1
""".split()
PUBLIC = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1
169.253.255.255 172.15.255.255 172.32.0.0 192.0.1.1 192.167.255.255 192.169.0.0 223.255.255.255
2001:4860:4860::8888 2606:4700:4700::1111 2a00:1450:4001::1 2400:cb00::1 2003::1 3ffe:ffff::1
""".split()


@pytest.mark.parametrize("address", PRIVATE)
def test_no_address_off_the_open_internet_is_public(address: str) -> None:
    """Private, local, shared, reserved, documentation, and every form that wraps another one."""
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_open_internet_is_public(address: str) -> None:
    """Also right beside the closed networks."""
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        # Spellings that some resolver reads as 127.0.0.1.
        "https://2130706433/", "https://0x7f000001/", "https://017700000001/", "https://127.1/",
        "https://127.0.1/", "https://0177.0.0.1/", "https://0x7f.0.0.1/", "https://127.0.0.01/",
        "https://127.0.0.0x1/", "https://00000177.0.0.1/", "https://a.0x7f/", "https://a.1/",
        "https://0/", "https://256.256.256.256/", "https://1.2.3.4.5/",
        "https://１２７.0.0.1/", "https://127。0。0。1/", "https://ⓛocalhost/",
        # Dots, users, fragments, brackets, escapes, spaces.
        "https://127.0.0.1./", "https://localhost./", "https://example.com./", "https://.example/",
        "https://a..b/", "https://user@example.com/", "https://user:pw@127.0.0.1/",
        "https://example.com@127.0.0.1/", "https://example.com#@127.0.0.1/",
        "https://example.com\\@127.0.0.1/", "https://example.com/\\..", "https://127.0.0.1%00.a/",
        "https://127.0.0.1%2ea/", "https://%31%32%37.0.0.1/", "https://[127.0.0.1]/",
        "https://[::1%25lo]/", "https://[fe80::1%eth0]/", "https://[::1", "https://::1/",
        "https://[1.2.3.4.5]/", "https://exa mple.com/", "https://example.com/a b",
        "https://example.com/\n", "https://example.com\t/", " https://example.com/", "https://",
        "https:///path", "https:example.com", "//example.com/", "example.com", "",
        # Schemes and ports.
        "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "javascript:alert(1)",
        "HTTPS://example.com/", "https://example.com:/", "https://example.com:0/",
        "https://example.com:65536/", "https://example.com:443:80/", "https://example.com:-1/",
        "https://-a.example/", "https://a-.example/", "https://" + "a" * 64 + ".example/",
        "https://" + "a." * 130 + "example/", "https://example.com/" + "a" * 2048,
        "https://bücher.example/",
    ],
)  # fmt: skip
def test_odd_urls_are_refused_before_anything_is_resolved(url: str) -> None:
    """Whatever two readers could read differently is not read at all."""
    with pytest.raises(ForbiddenTargetError):
        parse(url)


@pytest.mark.parametrize(
    ("url", "authority", "endpoint", "path"),
    [
        ("https://example.com", "example.com", "example.com:443", "/"),
        ("https://Example.COM/a?b=c%20d", "example.com", "example.com:443", "/a?b=c%20d"),
        ("https://example.com:443/", "example.com", "example.com:443", "/"),
        ("https://example.com:8443?x=1", "example.com:8443", "example.com:8443", "/?x=1"),
        ("http://127.0.0.1:9000/hook", "127.0.0.1:9000", "127.0.0.1:9000", "/hook"),
        ("https://[2606:4700:0::1]/", "[2606:4700::1]", "[2606:4700::1]:443", "/"),
        ("https://xn--bcher-kva.de/", "xn--bcher-kva.de", "xn--bcher-kva.de:443", "/"),
        ("https://a_b.3com.example/@x", "a_b.3com.example", "a_b.3com.example:443", "/@x"),
    ],
)  # fmt: skip
def test_plain_urls_are_read(url: str, authority: str, endpoint: str, path: str) -> None:
    """In their parts, the host in one form only."""
    target = parse(url)
    assert (target.authority, target.endpoint, target.path) == (authority, endpoint, path)


def answering(*addresses: str) -> Resolve:
    """A resolver with one answer."""

    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolve


@pytest.mark.parametrize(
    ("url", "addresses", "why"),
    [
        ("http://example.com/", ["8.8.8.8"], "https"),
        ("https://example.com:25/", ["8.8.8.8"], "port"),
        ("https://example.com/", ["127.0.0.1"], "internet"),
        ("https://example.com/", ["8.8.8.8", "10.0.0.1"], "internet"),
        ("https://example.com/", ["8.8.8.8", "::ffff:10.0.0.1"], "internet"),
        ("https://example.com/", ["64:ff9b::7f00:1"], "internet"),
        ("https://example.com/", ["fe80::1%eth0"], "internet"),
    ],
)
async def test_one_bad_address_refuses_all(url: str, addresses: list[str], why: str) -> None:
    """A name that leads anywhere private is not called at all."""
    with pytest.raises(ForbiddenTargetError, match=why):
        await make_guard([], answering(*addresses)).addresses(parse(url))


async def test_allowed_networks_and_endpoints_pass() -> None:
    """Over http as well, and only those that are named."""
    guard = make_guard([ip_network("127.0.0.0/8"), "Hooks.Local:81"], answering("127.0.0.1"))
    assert await guard.addresses(parse("http://any.example:81/")) == ["127.0.0.1"]
    beside = make_guard([ip_network("127.0.0.0/8"), "Hooks.Local:81"], answering("10.0.0.1"))
    assert await beside.addresses(parse("http://hooks.local:81/")) == ["10.0.0.1"]
    for url in ("https://hooks.local:82/", "https://other.local/"):
        with pytest.raises(ForbiddenTargetError):
            await beside.addresses(parse(url))


async def test_open_internet_passes() -> None:
    """Every address that the resolver answered, in its order."""
    found = ["2606:4700::1", "1.1.1.1"]
    assert (
        await make_guard([], answering(*found)).addresses(parse("https://a.example:8443/")) == found
    )
