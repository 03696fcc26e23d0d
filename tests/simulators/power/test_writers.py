import os
from pathlib import Path
from typing import Never

from simulators.power.writers import Kind, Pipe, forked


def test_what_a_writer_says_is_heard_after_its_end(tmp_path: Path) -> None:
    pipe = Pipe()

    def write() -> Never:
        pipe.say(Kind.RECORD, 7)
        pipe.say(Kind.BLOCK, 9)
        raise RuntimeError("last words")

    os.waitpid(forked(write, tmp_path / "log"), 0)
    pipe.wait(1.0)
    heard = pipe.heard()
    assert [(said.kind, said.number) for said in heard] == [(Kind.RECORD, 7), (Kind.BLOCK, 9)]
    assert heard[0].mono_ns <= heard[1].mono_ns
    assert "last words" in (tmp_path / "log").read_text()
