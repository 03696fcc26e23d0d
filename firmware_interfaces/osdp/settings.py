"""What box.toml says about a line of OSDP readers."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from agreed.words import marked, say
from firmware_interfaces.errors import KeyFileError
from firmware_interfaces.wiring import DeviceName, Wiring, different

READERS_COUNT_MAX = 8  # more on one line makes every tap slow
KEY_BYTES = 16
KEY_TEXT_LENGTH_MAX = 256

_ONE_KEY = marked("give exactly one of key and key_file")
_NO_KEY = marked(
    'mode = "listen" has no use for a key: the secure channel belongs to the controller'
)

# The key that the standard gives every reader in its installation mode; anybody knows it.
DEFAULT_KEY = bytes(range(0x30, 0x40))


def _key_of(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(say("a secure-channel key is 32 hexadecimal characters"))
    if not is_own_key(key):
        raise ValueError(say("this key is publicly known; give the reader a key of its own"))
    return key


def new_key_file(key_file: Path) -> Path:
    """Name the file of a key that a reader is being given; it stays until one of both is sure."""
    return key_file.with_name(key_file.name + ".new")


def is_own_key(key: bytes) -> bool:
    """Whether a key can be a reader's own: not the one of the standard, not one repeated byte."""
    return len(key) == KEY_BYTES and key != DEFAULT_KEY and len(set(key)) > 1


def _checked(secret: SecretStr) -> SecretStr:
    _key_of(secret.get_secret_value())
    return secret


KeyHex = Annotated[SecretStr, AfterValidator(_checked)]

ReaderText = Annotated[str, Field(pattern=r"^[ -~]{0,32}$")]


class OsdpReader(BaseModel):
    """One reader on the line.

    Attributes:
        address: 0 to 126, as set on the reader.
        key: secure-channel base key (SCBK), 32 hexadecimal characters.
        key_file: a file that holds the same 32 characters; exactly one of the two.
        output: number of the output that moves the gate.
        text_admitted, text_refused: shown with an answer by readers that have a display; ASCII.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: DeviceName
    address: int = Field(ge=0, le=126)
    key: KeyHex | None = None
    key_file: Path | None = None
    output: int = Field(default=0, ge=0, le=15)
    text_admitted: ReaderText = ""
    text_refused: ReaderText = ""

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if self.key is not None and self.key_file is not None:
            raise ValueError(say(_ONE_KEY))
        return self

    def read_key(self) -> bytes:
        """Give the reader's key, reading its file if it has one.

        Raises:
            KeyFileError: the file is missing, unreadable or holds no usable key.
        """
        if self.key is not None:
            return _key_of(self.key.get_secret_value())
        assert self.key_file is not None
        return self._read(self.key_file)

    def read_keys(self) -> list[bytes]:
        """Give the keys that the reader may have: its key, and one it was being given; or none.

        Raises:
            KeyFileError: as `read_key`.
        """
        if self.key is None and self.key_file is None:
            return []
        keys = [self.read_key()]
        if self.key_file is not None and (fresh := new_key_file(self.key_file)).exists():
            keys.append(self._read(fresh))
        return keys

    def _read(self, path: Path) -> bytes:
        try:
            with path.open(encoding="ascii") as file:
                return _key_of(file.read(KEY_TEXT_LENGTH_MAX).strip())
        except (OSError, ValueError) as error:
            raise KeyFileError(f"reader {self.name}: {path}: {error}") from error


class OsdpLine(Wiring):
    """A `[[line]]` of family osdp.

    Attributes:
        mode: control: the box is the master; listen: a door controller is, and the box only hears.
    """

    family: Literal["osdp"]
    mode: Literal["control", "listen"] = "control"
    devices: tuple[OsdpReader, ...] = Field(min_length=1, max_length=READERS_COUNT_MAX)

    @model_validator(mode="after")
    def _different(self) -> Self:
        different("name", [device.name for device in self.devices])
        different("address", [device.address for device in self.devices])
        for device in self.devices:
            has_key = device.key is not None or device.key_file is not None
            if has_key != (self.mode == "control"):
                wrong = _ONE_KEY if self.mode == "control" else _NO_KEY
                raise ValueError(say(wrong))
        return self
