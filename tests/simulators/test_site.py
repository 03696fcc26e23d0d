"""The site: its settings are what a box accepts."""

import asyncio
import stat
from pathlib import Path

from edge.config import BoxSettings, read_settings
from edge.opening import check_ports
from simulators.cast import COMPARTMENTS, GATES, KIOSK, LOCKER
from simulators.site import SimulatedSite


def test_the_box_accepts_the_settings_of_the_site(tmp_path: Path) -> None:
    async def play() -> BoxSettings:
        async with SimulatedSite(tmp_path / "box", 1) as site:
            site.write_settings("mqtt://127.0.0.1:1883", "hexin/yuhuayuan/box-1", "secret")
            settings = read_settings(site.settings)
            check_ports(settings)
            assert not site.is_online()
            assert site.emitted() == []
            return settings

    settings = asyncio.run(play())
    assert [gate.reader for gate in settings.gate] == list(GATES)
    assert [(kiosk.scanner, kiosk.bank) for kiosk in settings.kiosk] == [(KIOSK, LOCKER)]
    assert settings.banks() == {LOCKER: COMPARTMENTS}
    assert settings.headquarters.read_password() == "secret"
    for name in GATES:
        key = tmp_path / "box" / f"{name}.key"
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_broker_without_accounts_needs_no_password(tmp_path: Path) -> None:
    async def play() -> BoxSettings:
        async with SimulatedSite(tmp_path / "box", 1) as site:
            site.write_settings("mqtt://127.0.0.1:1883", "", "")
            return read_settings(site.settings)

    assert asyncio.run(play()).headquarters.user == ""
