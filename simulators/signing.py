"""Signs what simulated and borrowed boxes say, with the box's own functions."""

from agreed.messages import BlocksSent, Hello
from agreed.signing import end_statement, hello_statement
from edge.key import BoxKey, make_key


def key_of(name: str) -> BoxKey:
    """Give the key of a simulated box: the same name has the same one, in every run."""
    return make_key(name.encode().ljust(32, b".")[:32])


def signed_blocks(key: BoxKey, *blocks: bytes) -> BlocksSent:
    """Put consecutive blocks under one signature."""
    return BlocksSent(blocks=list(blocks), signature=key.sign(end_statement(blocks[-1])))


def signed_hello(key: BoxKey, names: tuple[str, str, str], hello: Hello) -> Hello:
    """Sign a greeting, whatever it says."""
    named = hello.model_copy(update={"key": key.public.hex()})
    signature = key.sign(hello_statement(names, named.signed_part()))
    return named.model_copy(update={"signature": signature.hex()})
