import asyncio
from contextlib import suppress

import httpx
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from cloud.opening import listen
from cloud.web import Web


def test_an_open_stream_does_not_hold_up_the_end() -> None:
    app = FastAPI()

    async def endless() -> StreamingResponse:
        async def drip() -> object:
            while True:
                yield b"data: 1\n\n"
                await asyncio.sleep(0.05)

        return StreamingResponse(drip())  # type: ignore[arg-type]

    app.add_api_route("/", endless)

    async def scenario() -> float:
        listening = listen("127.0.0.1", 0)
        web = Web(app)
        serving = asyncio.create_task(web.serve(sockets=[listening]))
        await web.is_ready.wait()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        async with httpx.AsyncClient() as client, client.stream("GET", url) as response:
            assert (await anext(response.aiter_bytes())).startswith(b"data")
            started = asyncio.get_running_loop().time()
            await web.stop(serving)
        return asyncio.get_running_loop().time() - started

    # The stream is cut: that is how it ends.
    with suppress(httpx.RemoteProtocolError):
        assert asyncio.run(scenario()) < 60
