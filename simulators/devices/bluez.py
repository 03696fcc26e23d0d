"""A small stand-in for BlueZ on a D-Bus of its own: one adapter, and beacons around it.

    python -m simulators.devices.bluez unix:path=/…

Commands come as JSON, one a line, on stdin; see `Bluez.obey`. What BlueZ does that matters here: it
tells of advertisements only while somebody scans and the adapter has power; it tells a change of
strength from 8 dB on; it forgets strengths when a scan ends; without power it ends scans silently.
"""

import asyncio
import json
import sys
from typing import Any, Final

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

SERVICE: Final = "org.bluez"
ADAPTER: Final = "/org/bluez/hci0"
ADAPTER_1: Final = "org.bluez.Adapter1"
DEVICE_1: Final = "org.bluez.Device1"
OBJECTS: Final = "org.freedesktop.DBus.ObjectManager"
PROPERTIES: Final = "org.freedesktop.DBus.Properties"
RSSI_STEP_DB: Final = 8
DEVICES_COUNT_MAX: Final = 1_000


class Bluez:
    """One adapter.

    Attributes:
        is_powered: whether the adapter has power.
        scans_count: scans that were begun.
    """

    def __init__(self) -> None:
        self.is_powered = True
        self.scans_count = 0
        self._is_scanning = False
        self._bus: MessageBus | None = None
        self._devices: dict[str, dict[str, Variant]] = {}

    async def serve(self, address: str) -> None:
        """Own the name of BlueZ on a bus."""
        self._bus = bus = await MessageBus(bus_address=address).connect()
        bus.add_message_handler(self._called)
        await bus.request_name(SERVICE)

    def obey(self, command: dict[str, Any]) -> None:
        """Do one thing: {"power": bool} or {"advertise": address, "rssi": .., "apple"|"eddystone"}.

        The last two are the bytes of the advertisement as hexadecimal digits.
        """
        if "power" in command:
            self.power(is_on=command["power"])
        if "advertise" in command:
            data = {name: bytes.fromhex(command.get(name, "")) for name in ("apple", "eddystone")}
            self.advertise(command["advertise"], command["rssi"], **data)

    def power(self, *, is_on: bool) -> None:
        """Switch the adapter; off, it ends every scan without telling anybody."""
        self.is_powered = is_on
        self._is_scanning = False
        self._changed(ADAPTER, ADAPTER_1, {"Powered": Variant("b", is_on)})

    def advertise(self, address: str, rssi: int, apple: bytes, eddystone: bytes) -> None:
        """Let one beacon be heard."""
        if not self._is_scanning:
            return
        path = f"{ADAPTER}/dev_{address.replace(':', '_')}"
        fresh: dict[str, Variant] = {"RSSI": Variant("n", rssi)}
        if apple:
            fresh["ManufacturerData"] = Variant("a{qv}", {0x004C: Variant("ay", apple)})
        if eddystone:
            uuid = "0000feaa-0000-1000-8000-00805f9b34fb"
            fresh["ServiceData"] = Variant("a{sv}", {uuid: Variant("ay", eddystone)})
        known = self._devices.get(path)
        if known is None:
            self._add(path, address, fresh)
            return
        changed = {
            name: value for name, value in fresh.items() if self._is_news(known, name, value)
        }
        known.update(changed)
        if changed:
            self._changed(path, DEVICE_1, changed)

    @staticmethod
    def _is_news(known: dict[str, Variant], name: str, value: Variant) -> bool:
        if name not in known:
            return True
        if name == "RSSI":
            return bool(abs(known[name].value - value.value) >= RSSI_STEP_DB)
        return known[name] != value

    def _add(self, path: str, address: str, fresh: dict[str, Variant]) -> None:
        if len(self._devices) >= DEVICES_COUNT_MAX:
            del self._devices[next(iter(self._devices))]
        properties = fresh | {
            "Address": Variant("s", address),
            "AddressType": Variant("s", "random"),
            "Alias": Variant("s", address.replace(":", "-")),
            "Adapter": Variant("o", ADAPTER),
            "Paired": Variant("b", False),
            "Connected": Variant("b", False),
            "ServicesResolved": Variant("b", False),
        }
        self._devices[path] = properties
        self._signal("/", OBJECTS, "InterfacesAdded", "oa{sa{sv}}", [path, {DEVICE_1: properties}])

    def _adapter(self) -> dict[str, Variant]:
        return {
            "Address": Variant("s", "02:00:00:00:00:01"),
            "Name": Variant("s", "stand-in"),
            "Alias": Variant("s", "stand-in"),
            "Powered": Variant("b", self.is_powered),
            "Discovering": Variant("b", self._is_scanning),
            "Roles": Variant("as", ["central", "peripheral"]),
            "UUIDs": Variant("as", []),
        }

    def _called(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        if message.member == "GetManagedObjects":
            objects = {ADAPTER: {ADAPTER_1: self._adapter()}}
            objects |= {path: {DEVICE_1: known} for path, known in self._devices.items()}
            return Message.new_method_return(message, "a{oa{sa{sv}}}", [objects])
        if message.interface != ADAPTER_1:
            return None
        fault = self._obeyed(message.member or "")
        if fault:
            return Message.new_error(message, f"org.bluez.Error.{fault}", "not possible now")
        return Message.new_method_return(message)

    def _obeyed(self, member: str) -> str:
        """Do what a program asks of the adapter; gives the name of the error, "" where none."""
        if member == "StartDiscovery":
            self._is_scanning = self.is_powered
            self.scans_count += self.is_powered
            return "" if self.is_powered else "NotReady"
        if member == "StopDiscovery":
            was_scanning = self._is_scanning
            self._forget_strengths()
            return "" if was_scanning else "Failed"
        return "" if member == "SetDiscoveryFilter" else "NotSupported"

    def _forget_strengths(self) -> None:
        self._is_scanning = False
        for path, known in self._devices.items():
            if known.pop("RSSI", None) is not None:
                body = [DEVICE_1, {}, ["RSSI"]]
                self._signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", body)

    def _changed(self, path: str, interface: str, changed: dict[str, Variant]) -> None:
        body = [interface, changed, []]
        self._signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", body)

    def _signal(
        self, path: str, interface: str, member: str, signature: str, body: list[Any]
    ) -> None:
        if self._bus is not None:
            _ = self._bus.send(Message.new_signal(path, interface, member, signature, body))


async def main(address: str) -> None:
    """Serve until stdin ends."""
    bluez = Bluez()
    await bluez.serve(address)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        bluez.obey(json.loads(line))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
