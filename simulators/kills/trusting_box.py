"""The control: a real box whose uplink takes the broker's PUBACK for headquarters' word.

python -m simulators.kills.trusting_box run --config box.toml. A campaign with it must lose records.
"""

from typing import Any

import aiomqtt

from agreed.messages import BlocksSent, Message
from agreed.wire import decode_block
from edge import agent
from edge.__main__ import app
from edge.sync import CheckHead, Wanted
from edge.uplink import Uplink


class TrustingUplink(Uplink):
    """Forgets a block once the broker has taken it, as most gateways do."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._trusted = CheckHead(0, bytes(32), is_resend=False)

    async def _publish(self, client: aiomqtt.Client, message: Message) -> None:
        await super()._publish(client, message)
        if isinstance(message, BlocksSent) and not message.is_ahead:
            block = decode_block(message.blocks[-1])
            if block.columns.last_sequence > self._trusted.through:
                last = block.columns.last_sequence
                self._trusted = CheckHead(last, block.hash, is_resend=False)
            await super()._answer(self._trusted)

    async def _answer(self, wanted: Wanted) -> None:
        if isinstance(wanted, CheckHead) and wanted.through <= self._trusted.through:
            wanted = self._trusted
        await super()._answer(wanted)


def main() -> None:
    """Run the box's own command with the other uplink in its place."""
    vars(agent)["Uplink"] = TrustingUplink
    app()


if __name__ == "__main__":
    main()
