"""What simulated boxes sign is signed as the real one does."""

from agreed.messages import Hello
from agreed.signing import end_statement, hello_statement, is_signed
from simulators.signing import key_of, signed_blocks, signed_hello
from tests.cloud.world import T0, Chain, alive


def test_blocks_and_greetings_are_signed_by_the_key_of_the_name() -> None:
    key, block = key_of("east-gate"), Chain().block(alive(T0))
    burst = signed_blocks(key, block)
    assert is_signed(key.public, end_statement(block), burst.signature)
    assert key_of("west-gate").public != key.public == key_of("east-gate").public
    names = ("acme", "north", "east-gate")
    hello = signed_hello(
        key,
        names,
        Hello(epoch="ab" * 16, head_sequence=1, directive_stream="00" * 16, applied_through=0),
    )
    statement = hello_statement(names, hello.signed_part())
    assert is_signed(bytes.fromhex(hello.key), statement, bytes.fromhex(hello.signature))
