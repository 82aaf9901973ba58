"""Whom we may reach: https, hosts of the list, no address that is not the public internet's."""

from collections.abc import Sequence

import pytest

from shared.outbound import FORBIDDEN, AddressGuard, NotAllowed

HOST = "hooks.insurer.example"
PUBLIC = "93.184.215.14"


def guard(*addresses: str) -> AddressGuard:
    """Make a guard for one host, whose name has these addresses."""

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses or (PUBLIC,)

    return AddressGuard(hosts=[HOST, "other.example:8443"], resolve=resolve)


async def test_an_allowed_host_leads_to_the_address_that_was_checked() -> None:
    target = await guard().target(f"https://{HOST}/lumbar")
    assert (target.host, target.port, target.address, target.netloc) == (HOST, 443, PUBLIC, HOST)


async def test_a_host_with_a_port_is_allowed_with_this_port_only() -> None:
    assert (await guard().target("https://other.example:8443/")).netloc == "other.example:8443"
    with pytest.raises(NotAllowed, match="host"):
        await guard().target("https://other.example/")


@pytest.mark.parametrize(
    "url",
    [
        f"http://{HOST}/",
        f"HTTP://{HOST}/",
        f"ftp://{HOST}/",
        f"//{HOST}/",
        f"https://user@{HOST}/",
        f"https://user:secret@{HOST}/",
        f"https://{HOST}@elsewhere.example/",
        "https://elsewhere.example/",
        f"https://{HOST}.elsewhere.example/",
        f"https://{HOST}:8443/",
        f"https://{PUBLIC}/",
        "https:///lumbar",
    ],
)
async def test_any_other_address_is_refused_before_a_name_is_looked_up(url: str) -> None:
    with pytest.raises(NotAllowed):
        await guard().target(url)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.10",
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::1",
        "2001::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fe80::1%eth0",
        "ff02::1",
        "no address",
    ],
)
async def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    with pytest.raises(NotAllowed, match="forbidden network"):
        await guard(address).target(f"https://{HOST}/")
    with pytest.raises(NotAllowed, match="forbidden network"):
        await guard(PUBLIC, address).target(f"https://{HOST}/")


@pytest.mark.parametrize("address", [PUBLIC, "172.32.0.1", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
async def test_a_public_address_is_reached(address: str) -> None:
    assert (await guard(address).target(f"https://{HOST}/")).address == address


async def test_the_rule_stands_where_nobody_passes_other_networks() -> None:
    assert len(FORBIDDEN) > 20
    with pytest.raises(NotAllowed):
        await AddressGuard(hosts=["localhost"]).target("https://localhost/")
