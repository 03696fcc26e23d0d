"""One simulated site: two gates, a locker bank and a kiosk on PTYs, and the box's settings."""

import contextlib
import random
from pathlib import Path
from typing import Final, Self

from simulators.cast import BOX, COMPANY, COMPARTMENTS, GATES, KIOSK, LOCKER, SITE
from simulators.devices.far_device import Emission, FarDevice
from simulators.devices.gate_reader import GateReader
from simulators.devices.locker_bank import LockerBank
from simulators.devices.scanner import Scanner
from simulators.devices.wire import PtyWire

READER_BAUD: Final = 115_200
LOCKER_BAUD: Final = 19_200
SCANNER_BAUD: Final = 9_600


_SCANNER: Final = 'ends = "cr", beeps = "honeywell", idle_ms = 2000'
"""A busy machine pauses in the middle of a code, which no UART does: wait for its end."""


class SimulatedSite:
    """The far end of every wire of one box, and the files that the box starts from.

    Attributes:
        gates: the readers by name.
        bank: the locker bank.
        kiosk: the scanner.
        settings: path of box.toml.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._keys = {name: random.Random(f"{seed} {name}").randbytes(16) for name in GATES}
        self._wires = contextlib.AsyncExitStack()
        self._ports: dict[str, str] = {}
        self.gates = {name: GateReader(name, key=self._keys[name]) for name in GATES}
        self.bank = LockerBank(LOCKER, compartments=COMPARTMENTS)
        self.kiosk = Scanner(KIOSK)
        self.settings = folder / "box.toml"

    async def __aenter__(self) -> Self:
        """Plug every wire in."""
        self._folder.mkdir(parents=True, exist_ok=True)
        bauds = {**dict.fromkeys(GATES, READER_BAUD), LOCKER: LOCKER_BAUD, KIOSK: SCANNER_BAUD}
        for device in self.devices():
            link = self._folder / f"tty-{device.name}"
            wire = PtyWire([device], link, baud=bauds[device.name])
            await self._wires.enter_async_context(wire)
            self._ports[device.name] = wire.url
        return self

    async def __aexit__(self, *_: object) -> None:
        """Unplug every wire."""
        await self._wires.aclose()

    def devices(self) -> list[FarDevice]:
        """All devices."""
        return [*self.gates.values(), self.bank, self.kiosk]

    def emitted(self) -> list[Emission]:
        """Give everything that really crossed a wire to the box, in order of time."""
        emissions = [emission for device in self.devices() for emission in device.emitted]
        return sorted(emissions, key=lambda emission: emission.mono_ns)

    def is_online(self) -> bool:
        """Whether the box talks to both gates and has looked at the doors."""
        return all(gate.is_online for gate in self.gates.values())

    def write_settings(self, broker_url: str, user: str, password: str) -> None:
        """Write box.toml and the files it names."""
        (self._folder / "hq.password").write_text(password + "\n")
        for name, key in self._keys.items():
            (self._folder / f"{name}.key").write_text(key.hex() + "\n")
        for secret in self._folder.glob("*.key"):
            secret.chmod(0o600)
        (self._folder / "hq.password").chmod(0o600)
        self.settings.write_text(self._settings_text(broker_url, user))

    def _settings_text(self, broker_url: str, user: str) -> str:
        account = f'user = "{user}"\npassword_file = "hq.password"\n' if user else ""
        parts = [
            f'company = "{COMPANY}"\nsite = "{SITE}"\nbox = "{BOX}"\n',
            'data = "data"\nalive_s = 300\n',
            f'[headquarters]\nurl = "{broker_url}"\n{account}reconnect_s_max = 1\n',
            *(f'[[gate]]\nreader = "{name}"\n' for name in GATES),
            f'[[kiosk]]\nscanner = "{KIOSK}"\nbank = "{LOCKER}"\n',
            *(self._line(name, "osdp", READER_BAUD, f'key_file = "{name}.key"') for name in GATES),
            self._line(LOCKER, "locker_cu16", LOCKER_BAUD, f"compartments = {COMPARTMENTS}"),
            self._line(KIOSK, "scanner", SCANNER_BAUD, _SCANNER),
        ]
        return "".join(parts)

    def _line(self, name: str, family: str, baud: int, more: str) -> str:
        address = "" if family == "scanner" else "address = 0, "
        return (
            f'[[line]]\nfamily = "{family}"\nport = "{self._ports[name]}"\nbaud = {baud}\n'
            f'devices = [{{ name = "{name}", {address}{more} }}]\n'
        )
