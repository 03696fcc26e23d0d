from cloud.office.refusals import ConflictError, InvalidError, OfficeError, UnknownError


def test_every_refusal_names_its_field() -> None:
    for kind in (UnknownError, ConflictError, InvalidError):
        error = kind("site", "no such site")
        assert isinstance(error, OfficeError)
        assert (error.field, str(error)) == ("site", "no such site")
