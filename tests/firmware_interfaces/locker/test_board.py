from firmware_interfaces.locker.board import MISSES_COUNT_MAX, Board
from firmware_interfaces.locker.codec import BoardStatus


def board(locked_bit: int = 1, locks_count: int = 16) -> Board:
    return Board(0, part_first=1, locks_count=locks_count, locked_bit=locked_bit)


def heard_twice(one: Board, hooks: int) -> list[tuple[int, bool]] | None:
    assert one.heard(BoardStatus(0, hooks)) is None
    return one.heard(BoardStatus(0, hooks))


def test_the_first_picture_says_only_what_stands_open() -> None:
    assert heard_twice(board(), 0xFFFF) == []
    assert heard_twice(board(), 0xFFFE) == [(1, True)]


def test_a_picture_that_is_seen_once_is_not_believed() -> None:
    one = board()
    heard_twice(one, 0xFFFF)
    assert one.heard(BoardStatus(0, 0xFFFE)) is None
    assert one.heard(BoardStatus(0, 0xFFFF)) == []
    assert one.heard(BoardStatus(0, 0xFFFE)) is None
    assert one.heard(BoardStatus(0, 0x7FFF)) is None
    assert one.heard(BoardStatus(0, 0x7FFF)) == [(16, True)]


def test_changes_are_said_in_order() -> None:
    one = board()
    heard_twice(one, 0xFFFE)
    assert heard_twice(one, 0xFFF9) == [(1, False), (2, True), (3, True)]
    assert one.is_open(2)
    assert not one.is_open(1)


def test_the_other_polarity() -> None:
    one = board(locked_bit=0)
    assert heard_twice(one, 0x0002) == [(2, True)]


def test_locks_that_are_not_wired_are_not_looked_at() -> None:
    assert heard_twice(board(locks_count=8), 0x00FF) == []


def test_it_is_lost_after_so_many_misses_once() -> None:
    one = board()
    heard_twice(one, 0xFFFF)
    assert [one.missed() for _ in range(MISSES_COUNT_MAX * 2)].count(True) == 1
    assert one.is_lost
    assert one.open_mask is None


def test_an_answer_in_between_starts_the_count_again() -> None:
    one = board()
    heard_twice(one, 0xFFFF)
    for _ in range(3):
        for _ in range(MISSES_COUNT_MAX - 1):
            assert not one.missed()
        one.heard(BoardStatus(0, 0xFFFF))
    assert not one.is_lost


def test_after_a_loss_open_doors_are_said_again_and_closed_ones_if_they_were_open() -> None:
    one = board()
    heard_twice(one, 0xFFFC)  # 1 and 2 open
    one.forget()
    one.forget()
    assert heard_twice(one, 0xFFFD) == [(1, False), (2, True)]
    assert not one.is_lost


def test_a_board_that_tells_of_one_lock_at_a_time_is_known_when_all_were_told() -> None:
    one = Board(1, part_first=1, locks_count=2, locked_bit=1, questions_count=16)
    first, second = BoardStatus(1, 0, told=1), BoardStatus(1, 2, told=2)
    assert one.answers(first)
    assert not one.answers(second)
    assert one.heard(first) is None
    assert one.heard(first) == [(1, True)]
    known_before = one.open_mask
    assert one.answers(second)
    assert one.heard(second) is None
    assert one.heard(second) == []
    assert (known_before, one.open_mask) == (None, 1)
    one.ask_about(2)
    assert one.question == 1


def test_what_a_board_says_unasked_answers_nothing() -> None:
    assert not board().answers(BoardStatus(0, 0, is_unasked=True))
    assert not board().answers(BoardStatus(1, 0))
