# /// script
# requires-python = ">=3.13"
# dependencies = ["uvicorn==0.54.0", "httptools==0.9.0"]
# ///
"""The limit of uvicorn: an endpoint that reads the body and always gives the same answer.

Not done: knows no model.
"""

from collections.abc import Awaitable, Callable

import uvicorn

ANSWER = b'{"predicted_class_index":0}'


async def app(
    scope: dict,
    receive: Callable[[], Awaitable[dict]],
    send: Callable[[dict], Awaitable[None]],
) -> None:
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(ANSWER))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


if __name__ == "__main__":
    uvicorn.run(app, host="0.0.0.0", port=8000, access_log=False)
