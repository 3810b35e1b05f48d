"""A site whose pages have one line more: the one that embeds the agent, as a site's own template would have it."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEAD = b"<head>"
REPLACED = {b"content-length", b"etag", b"last-modified"}
"""Headers that are true of the page as it was."""


def watched(site: ASGIApp, line: str) -> ASGIApp:
    """The site, with the line at the beginning of each page's head."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        begun: list[Message] = []
        body = bytearray()

        async def changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                if dict(message["headers"]).get(b"content-type", b"").startswith(b"text/html"):
                    begun.append(message)
                else:
                    await send(message)
            elif not begun:
                await send(message)
            else:
                body.extend(message.get("body", b""))
                if message.get("more_body"):
                    return
                page = bytes(body).replace(HEAD, HEAD + line.encode(), 1)
                kept = [(name, value) for name, value in begun[0]["headers"] if name not in REPLACED]
                await send({**begun[0], "headers": [*kept, (b"content-length", str(len(page)).encode())]})
                await send({"type": "http.response.body", "body": page})

        await site(scope, receive, changed)

    return answer
