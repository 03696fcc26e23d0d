"""The service may write wherever the settings that the pages advise make the box write."""

import re
from configparser import RawConfigParser
from pathlib import Path

import pytest

from edge.config import BoxSettings, read_settings
from firmware_interfaces.permission import SERIAL_GROUP, usual_group

UNIT = Path("deploy/duifu-edge.service")
STATE = Path("/var/lib")
PAGES = {name: Path(f"docs/{name}.md").read_text("utf-8") for name in ("box", "devices", "pi")}


def service() -> dict[str, str]:
    parser = RawConfigParser(strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as systemd reads them
    parser.read(UNIT, "utf-8")
    return dict(parser["Service"])


def writable() -> list[Path]:
    """Where a process of the unit can write. Source: systemd.exec(5)."""
    unit = service()
    assert unit["ProtectSystem"] == "strict"
    states = [STATE / name for name in unit["StateDirectory"].split()]
    more = [Path(name.lstrip("-")) for name in unit.get("ReadWritePaths", "").split()]
    return states + more


def advised(tmp_path: Path) -> BoxSettings:
    """The example of box.md with data and keys where pi.md and devices.md put them."""
    data = re.search(r'`data = "(/[^"]+)"`', PAGES["pi"])
    key = re.search(r'^key_file = "(/[^"]+)"', PAGES["devices"], re.MULTILINE)
    example = re.search(r"```toml\n(.*?)```", PAGES["box"], re.DOTALL)
    assert data
    assert key
    assert example
    folder = Path(key[1]).parent
    text = example[1].replace('data = "data"', f'data = "{data[1]}"')
    text = text.replace('key_file = "keys/', f'key_file = "{folder}/')
    path = tmp_path / "box.toml"
    path.write_text(text, "utf-8")
    return read_settings(path)


def test_what_the_box_writes_it_may_write(tmp_path: Path) -> None:
    written = advised(tmp_path).written()
    assert written == {Path("/var/lib/duifu"), Path("/var/lib/duifu/keys")}
    for folder in written:
        assert any(folder.is_relative_to(place) for place in writable()), folder


def test_every_key_that_the_pages_write_is_where_the_box_may_replace_it() -> None:
    said = [path for page in PAGES.values() for path in re.findall(r"reader key (/\S+)", page)]
    assert said
    for path in said:
        assert any(Path(path).is_relative_to(place) for place in writable()), path


def test_the_settings_are_only_read() -> None:
    config = re.search(r"--config (\S+)", service()["ExecStart"])
    assert config is not None
    assert not any(Path(config[1]).is_relative_to(place) for place in writable())


@pytest.mark.parametrize("port", ["/dev/ttyUSB0", "/dev/input/event0"])
def test_the_unit_has_the_groups_that_every_debian_has(port: str) -> None:
    assert usual_group(port) in service()["SupplementaryGroups"].split()
    assert SERIAL_GROUP in service()["SupplementaryGroups"].split()
