from pathlib import Path

from cloud.passwords import derived_password, kept_secret


def test_a_secret_is_made_once_and_for_this_user_only(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    made = kept_secret(path)
    assert len(bytes.fromhex(made)) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert kept_secret(path) == made


def test_every_account_and_number_has_its_own_password() -> None:
    names = [("a", "b", "c"), ("a", "bc"), ("ab", "c"), ()]
    made = {derived_password("s", *n, number=k) for n in names for k in (0, 1)}
    made |= {derived_password("t", "a", "b", "c")}
    assert len(made) == 9
    assert all(len(password) == 40 for password in made)
