"""What box.toml says about a radio that hears badges and beacons."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from agreed.words import say
from firmware_interfaces.errors import KeyFileError
from firmware_interfaces.wiring import DeviceName, Wiring, different

BADGES_COUNT_MAX = 256
KEY_HEX_LENGTH = 32
SCANS_COUNT_MIN = 3  # a badge that is there is missed in a scan now and then

Prefix = Annotated[str, Field(pattern=r"^(ibeacon|uid):[0-9a-f:-]{1,80}$")]


class EphemeralBadge(BaseModel):
    """A badge or beacon whose name changes (Eddystone-EID).

    Attributes:
        name: what it is called here; a card of headquarters is called "eid:" and this.
        key: its identity key, 32 hexadecimal characters.
        key_file: a file with that key in its first line, instead of `key`.
        exponent: it changes its name every 2**exponent seconds.
        began_s: when its time counter was 0, seconds since the epoch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: DeviceName
    key: SecretStr | None = None
    key_file: Path | None = None
    exponent: int = Field(default=10, ge=0, le=15)
    began_s: int = Field(ge=0, lt=2**40)

    @field_validator("key")
    @classmethod
    def _is_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None:
            _key_of(key.get_secret_value())
        return key

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if (self.key is None) == (self.key_file is None):
            raise ValueError(say("give exactly one of key and key_file"))
        return self

    def read_key(self) -> bytes:
        """Give the 16 bytes of the key, from its file if it has one.

        Raises:
            KeyFileError: the file cannot be read or holds no key.
        """
        if self.key is not None:
            return _key_of(self.key.get_secret_value())
        assert self.key_file is not None, "checked with the settings"
        try:
            return _key_of(self.key_file.read_text("ascii").splitlines()[0].strip())
        except (OSError, ValueError, IndexError) as error:
            raise KeyFileError(
                f"badge {self.name}: {self.key_file} holds no key; "
                "put its 32 hexadecimal characters there"
            ) from error


def _key_of(text: str) -> bytes:
    if len(text) != KEY_HEX_LENGTH:
        raise ValueError(say("an identity key is 32 hexadecimal characters"))
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError(say("an identity key is 32 hexadecimal characters")) from None


class Radio(BaseModel):
    """One radio, which is one place.

    Attributes:
        near_dbm: heard at least so strongly, a badge is near.
        far_dbm: weaker than this it is far; between the two nothing changes.
        away_s: far or unheard for so long, it has left.
        prefixes: whom to heed, for example "ibeacon:UUID" or "uid:NAMESPACE"; all if left out.
        badges: whose names change.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: DeviceName
    near_dbm: int = Field(default=-70, ge=-110, le=0)
    far_dbm: int = Field(default=-80, ge=-120, le=0)
    away_s: int = Field(default=45, ge=3, le=3_600)
    prefixes: tuple[Prefix, ...] = Field(default=(), max_length=32)
    badges: tuple[EphemeralBadge, ...] = Field(default=(), max_length=BADGES_COUNT_MAX)

    @model_validator(mode="after")
    def _hysteresis(self) -> Self:
        if self.far_dbm >= self.near_dbm:
            raise ValueError(say("far_dbm must be less than near_dbm"))
        different("name", [badge.name for badge in self.badges])
        return self


class BleLine(Wiring):
    """A `[[line]]` of family ble; its port is ble:// and the adapter, for example ble://hci0.

    Attributes:
        scan_s: how long a scan lasts before the next begins; what does not change is heard of once
            a scan, and a dead adapter is noticed at its end.
    """

    family: Literal["ble"]
    scan_s: int = Field(default=5, ge=1, le=60)
    devices: tuple[Radio] = Field(min_length=1, max_length=1)

    @model_validator(mode="after")
    def _patient(self) -> Self:
        if self.devices[0].away_s < SCANS_COUNT_MIN * self.scan_s:
            raise ValueError(say("away_s must be at least three times scan_s"))
        return self
