"""Every bound that edge and cloud share, checked against each other at import."""

from typing import Final

TEXT_BYTES_MAX: Final = 64
"""UTF-8 bytes of any text in a record: device, node kind, subject, reference, detail."""

NAME_PATTERN: Final = r"^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$"
"""Company, site, box and device names: they are also MQTT topic levels."""

BLOCK_RECORDS_MAX: Final = 10_000
"""Records in one block: a journal transaction stays below a second on a card."""

BLOCK_RAW_BYTES_MAX: Final = 4 * 1024 * 1024
"""Decompressed payload of one block."""

BLOCK_BYTES_MAX: Final = 1024 * 1024
"""One encoded block: below the smallest message limit of the brokers we support (NATS: 1 MiB)."""

MESSAGE_BYTES_MAX: Final = BLOCK_BYTES_MAX - 3 * 1024
"""One sync message; leaves room for the broker's own framing."""

SENDABLE_BLOCK_BYTES_MAX: Final = MESSAGE_BYTES_MAX - 1024
"""A block that fits into one message, with the message's own head and a signature."""

SIGNATURE_BYTES: Final = 64
"""An Ed25519 signature."""

BURST_BLOCKS_MAX: Final = 1_000
BURST_BYTES_MAX: Final = 256 * 1024
"""Blocks that travel together under one signature; a single larger block travels alone."""

BURST_RAW_BYTES_MAX: Final = 2 * 1024 * 1024
"""The blocks of one message, decompressed."""

TRAIL_PLACES_MAX: Final = 48
"""Places of its chain that a box names so that headquarters finds where two histories part."""

LIVE_BEHIND_RECORDS: Final = 1_000
"""A block with more records than these before it that are not committed is shown ahead of them."""

LIVE_RECORDS_MAX: Final = 10_000
"""Records shown ahead in one message, and kept as such at headquarters for one box."""

CONTROL_BYTES_MAX: Final = 256 * 1024
"""The body of one sync message that is not a block, decompressed."""

DIRECTIVES_PER_MESSAGE_MAX: Final = 200
"""Directives that travel together and are applied in one transaction."""

WINDOW_BYTES_MAX: Final = 4 * 1024 * 1024
"""Once this many bytes are in flight a sender waits; the last item may reach beyond."""

WINDOW_ITEMS_MAX: Final = 64
"""Messages a sender keeps in flight before it waits for an acknowledgement."""

RESEND_MS_MIN: Final = 2_000
RESEND_MS_MAX: Final = 60_000
"""Back-off of a sender that hears nothing, doubled each time and jittered."""

NODES_PER_ORDER_MAX: Final = 32
CODES_PER_ORDER_MAX: Final = 32
AMOUNT_FEN_MAX: Final = 10**15
"""Ten trillion yuan; anything larger is a mistake."""

WALL_MS_MAX: Final = 253_402_300_799_999
"""The end of the year 9999."""

SPAN_MS_MAX: Final = 20 * 366 * 24 * 3_600_000
"""The longest tolerance, hard limit or deviation that is scored exactly: twenty years."""

BASIS_POINTS: Final = 10_000

assert MESSAGE_BYTES_MAX < BLOCK_BYTES_MAX <= 1024 * 1024
assert CONTROL_BYTES_MAX < MESSAGE_BYTES_MAX
assert BURST_BYTES_MAX < SENDABLE_BLOCK_BYTES_MAX < MESSAGE_BYTES_MAX <= BURST_RAW_BYTES_MAX
assert LIVE_BEHIND_RECORDS < LIVE_RECORDS_MAX
assert BLOCK_RECORDS_MAX <= LIVE_RECORDS_MAX
assert BLOCK_BYTES_MAX <= WINDOW_BYTES_MAX
assert RESEND_MS_MIN < RESEND_MS_MAX
assert SPAN_MS_MAX * BASIS_POINTS * 2 < 2**63
