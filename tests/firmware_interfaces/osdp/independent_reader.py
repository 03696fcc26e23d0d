"""A reader written from the standard alone: a witness that shares no code with libosdp.

Source: IEC 60839-11-5, annex D (secure channel): session keys, cryptograms, MAC chain, padding. Its
cryptography is checked against the worked examples of the standard's annex E before it is believed.
"""

from collections import deque
from collections.abc import Iterator

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB

from firmware_interfaces.osdp.codec import crc16

BLOCK = 16
MAC_SENT = 4
POLL, ID, CAP, KEYSET, CHALLENGE, SERVER_CRYPTOGRAM = 0x60, 0x61, 0x62, 0x75, 0x76, 0x77
ACK, PDID, PDCAP, CLIENT_CRYPTOGRAM, FIRST_MAC = 0x40, 0x45, 0x46, 0x76, 0x78
WHO = bytes.fromhex("000ee3101000007497230606")
# Function, compliance, items: card data, LED, buzzer, output, check by CRC, AES-128.
HAS = bytes.fromhex("030101040101050101020401080100090101")


def encrypted(key: bytes, block: bytes) -> bytes:
    """One block of AES-128."""
    run = Cipher(AES(key), ECB()).encryptor()  # the standard's own use of one block
    return run.update(block) + run.finalize()


class Session:
    """The keys of one secure channel, and its chain of MACs."""

    def __init__(self, scbk: bytes, panel_random: bytes, reader_random: bytes) -> None:
        begin = panel_random[:6]
        self.s_enc = encrypted(scbk, b"\x01\x82" + begin + bytes(8))
        self.s_mac1 = encrypted(scbk, b"\x01\x01" + begin + bytes(8))
        self.s_mac2 = encrypted(scbk, b"\x01\x02" + begin + bytes(8))
        self.reader_cryptogram = encrypted(self.s_enc, panel_random + reader_random)
        self.panel_cryptogram = encrypted(self.s_enc, reader_random + panel_random)
        self.first_mac = encrypted(self.s_mac2, encrypted(self.s_mac1, self.panel_cryptogram))
        self.command_mac = b""
        self.reply_mac = self.first_mac

    def mac(self, frame: bytes, chained: bytes) -> bytes:
        """CBC over the padded frame: the first key for all blocks, the second for the last one."""
        padded = frame if len(frame) % BLOCK == 0 else pad(frame)
        for at in range(0, len(padded), BLOCK):
            block = padded[at : at + BLOCK]
            key = self.s_mac2 if at + BLOCK == len(padded) else self.s_mac1
            chained = encrypted(key, bytes(a ^ b for a, b in zip(block, chained, strict=True)))
        return chained

    def hidden(self, data: bytes, chained: bytes) -> bytes:
        """Encrypt data with the other side's last MAC, inverted, as its beginning."""
        run = Cipher(AES(self.s_enc), CBC(inverted(chained))).encryptor()
        return run.update(pad(data)) + run.finalize()

    def shown(self, data: bytes, chained: bytes) -> bytes:
        """Decrypt data, and take its padding off."""
        run = Cipher(AES(self.s_enc), CBC(inverted(chained))).decryptor()
        return (run.update(data) + run.finalize()).rstrip(b"\0").removesuffix(b"\x80")


def pad(data: bytes) -> bytes:
    """Write 80 and zeros up to a whole block."""
    padded = data + b"\x80"
    return padded + bytes(-len(padded) % BLOCK)


def inverted(block: bytes) -> bytes:
    """Every bit turned."""
    return bytes(byte ^ 0xFF for byte in block)


class IndependentReader:
    """One reader of address 0 with a key of its own.

    Attributes:
        told: (code, data in plain text) of every command under the secure channel.
        says: (code, data) that it will answer polls with, oldest first.
        faults: what it refused to believe, in words.
    """

    def __init__(self, scbk: bytes, random: bytes) -> None:
        self.told: list[tuple[int, bytes]] = []
        self.says: deque[tuple[int, bytes]] = deque()
        self.faults: list[str] = []
        self._scbk = scbk
        self._random = random
        self._session: Session | None = None

    def hear(self, command: bytes) -> bytes:
        """Answer one whole command; b"" where the standard wants silence."""
        frame = command.removeprefix(b"\xff")
        if frame[1] != 0 or crc16(frame[:-2]).to_bytes(2, "little") != frame[-2:]:
            return b""
        block = frame[6 : 5 + frame[5]] if frame[4] & 0x08 else b""
        at = 5 + (len(block) + 1 if block else 0)
        sequence, code = frame[4] & 3, frame[at]
        if block[:1] in {b"\x15", b"\x17"}:
            return self._secured(frame, at, block[0])
        replies = dict(self._beginning(code, frame[at + 1 : -2]))
        reply_code, (reply_block, data) = next(iter(replies.items()))
        return written(sequence, reply_block, reply_code, data)

    def _beginning(self, code: int, data: bytes) -> Iterator[tuple[int, tuple[bytes, bytes]]]:
        """What is said before the channel stands: code, security block, data."""
        if code == ID:
            yield PDID, (b"", WHO)
        elif code == CAP:
            yield PDCAP, (b"", HAS)
        elif code == CHALLENGE:
            self._session = Session(self._scbk, data[:8], self._random)
            mine = bytes(8) + self._random + self._session.reader_cryptogram
            yield CLIENT_CRYPTOGRAM, (b"\x12\x01", mine)
        elif code == SERVER_CRYPTOGRAM and self._session is not None:
            is_right = data == self._session.panel_cryptogram
            if not is_right:
                self.faults.append("panel's cryptogram")
            yield FIRST_MAC, (b"\x14" + bytes([is_right]), self._session.first_mac)
        else:
            yield ACK, (b"", b"")

    def _secured(self, frame: bytes, at: int, kind: int) -> bytes:
        session = self._session
        if session is None:
            self.faults.append("secured before a session")
            return b""
        mac = session.mac(frame[: -2 - MAC_SENT], session.reply_mac)
        if mac[:MAC_SENT] != frame[-2 - MAC_SENT : -2]:
            self.faults.append("MAC of a command")
            return b""
        data = frame[at + 1 : -2 - MAC_SENT]
        code = frame[at]
        plain = session.shown(data, session.reply_mac) if kind == 0x17 else data
        session.command_mac = mac
        if code != POLL:
            self.told.append((code, plain))
        reply_code, said = self.says.popleft() if code == POLL and self.says else (ACK, b"")
        reply_block = b"\x18" if said else b"\x16"
        hidden = session.hidden(said, session.command_mac) if said else b""
        body = begun(frame[4] & 3, reply_block, reply_code, hidden, MAC_SENT)
        session.reply_mac = session.mac(body, session.command_mac)
        whole = body + session.reply_mac[:MAC_SENT]
        return whole + crc16(whole).to_bytes(2, "little")


def begun(sequence: int, block: bytes, code: int, data: bytes, more_bytes: int) -> bytes:
    """A reply up to its MAC or CRC; `block` is a security block without its length."""
    security = bytes([len(block) + 1]) + block if block else b""
    length = 5 + len(security) + 1 + len(data) + more_bytes + 2
    control = sequence | 0x04 | (0x08 if block else 0)
    head = bytes([0x53, 0x80]) + length.to_bytes(2, "little") + bytes([control])
    return head + security + bytes([code]) + data


def written(sequence: int, block: bytes, code: int, data: bytes) -> bytes:
    """A whole reply without a MAC."""
    body = begun(sequence, block, code, data, 0)
    return body + crc16(body).to_bytes(2, "little")
