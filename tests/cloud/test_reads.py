from cloud import reads


def test_everything_named_is_there() -> None:
    assert [name for name in reads.__all__ if not callable(getattr(reads, name))] == []
    assert sorted(reads.__all__) == reads.__all__
