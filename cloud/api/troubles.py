"""How a request that is not done is answered: the field, what is wrong, what to do."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError, OperationalError
from starlette.exceptions import HTTPException

from agreed.words import say
from agreed.wrong_fields import explain
from cloud.office.refusals import ConflictError, ForbiddenError, OfficeError, UnknownError

PREFIX: Final = "/api/"

WHOLE: Final = "body"
"""Stands for a field where the whole of a request cannot be read."""


class Trouble(BaseModel):
    """One thing that is wrong with a request."""

    field: str
    message: str
    remedy: str


class Troubles(BaseModel):
    """Everything that is wrong with a request."""

    errors: list[Trouble]


RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    401: {"model": Troubles, "description": "a token is needed"},
    403: {"model": Troubles, "description": "it is another person's to do"},
    404: {"model": Troubles, "description": "what the request names does not exist"},
    409: {"model": Troubles, "description": "what is there already forbids it"},
    422: {"model": Troubles, "description": "a field does not hold what it may hold"},
    503: {"model": Troubles, "description": "the store does not take it now"},
}

log = structlog.get_logger()


def answer(
    status: int, field: str, message: str, remedy: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Answer with one trouble."""
    trouble = Trouble(field=field, message=message, remedy=remedy)
    return JSONResponse(Troubles(errors=[trouble]).model_dump(), status, headers)


def add_troubles(app: FastAPI) -> None:
    """Answer every refusal in the same form."""

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        remedy = say("Correct this field and send the request again.")
        errors = [_trouble(found, remedy) for found in error.errors()]
        return JSONResponse(Troubles(errors=errors).model_dump(), 422)

    app.add_exception_handler(HTTPException, _not_served)

    @app.exception_handler(OfficeError)
    async def refused(_request: Request, error: OfficeError) -> JSONResponse:
        if isinstance(error, UnknownError):
            remedy = say("Check the name, or create it first.")
            return answer(404, error.field, str(error), remedy)
        if isinstance(error, ForbiddenError):
            return answer(403, error.field, str(error), say("Ask somebody who has that role."))
        if isinstance(error, ConflictError):
            remedy = say("Read what is there and decide again.")
            return answer(409, error.field, str(error), remedy)
        remedy = say("Correct this field and send the request again.")
        return answer(422, error.field, str(error), remedy)

    @app.exception_handler(IntegrityError)
    async def collided(_request: Request, _error: IntegrityError) -> JSONResponse:
        message = say("Somebody else changed the same thing at the same moment.")
        return answer(409, "", message, say("Read what is there and decide again."))

    @app.exception_handler(OperationalError)
    async def unstored(_request: Request, error: OperationalError) -> JSONResponse:
        why = str(error.orig).strip().partition("\n")[0]
        log.error("store refused a request", reason=why)
        message = say("The store of headquarters did not take this ({why}).", why=why)
        remedy = say(
            "Free space on its disk or wait until its database answers; then send it again."
        )
        return answer(503, WHOLE, message, remedy)


def _trouble(found: Mapping[str, Any], remedy: str) -> Trouble:
    """Name the field without saying where in the request it stands."""
    place = ".".join(str(part) for part in found["loc"][1:])
    field, message = explain(found, place, WHOLE)
    return Trouble(field=field, message=message, remedy=remedy)


async def _not_served(_request: Request, error: Any) -> JSONResponse:
    """Answer what no route of ours has taken, or what could not be read at all."""
    if error.status_code == HTTPStatus.NOT_FOUND:
        message = say("There is nothing at this address.")
        return answer(404, "address", message, _see_addresses())
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        message = say("This address does not take this method.")
        return answer(405, "method", message, _see_addresses(), error.headers)
    message = say("The request cannot be read.")
    remedy = say("Correct this field and send the request again.")
    return answer(error.status_code, WHOLE, message, remedy, error.headers)


def _see_addresses() -> str:
    return say("Compare it with /api/openapi.json, which lists every address.")
