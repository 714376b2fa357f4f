"""The bytes of the answer: how they are cut, coded and shaped makes no difference, or an error."""

from __future__ import annotations

import json

import pytest

from langchain_g4f.errors import MalformedStreamError
from tests.contract.faults import chat_ui_script as hc
from tests.contract.faults.byte_server import Action, Exchange
from tests.contract.faults.harness import ask, closed, fail, texts
from tests.contract.faults.registry import HUGGINGCHAT, STREAMS, Provider, fault

MIB = 1 << 20
WORDS = ("Hello", " there,", " Zażółć", " 😀", " 漢字", "\n", "and more than sixteen characters.")


def raw(provider: Provider, body: bytes) -> Action:
    """Answer with this body, chunked by the test."""

    def act(exchange: Exchange) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {provider.content_type}\r\n"
        exchange.send(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + body)

    return act


def chunked(pieces: list[bytes], extension: bytes = b"") -> bytes:
    """Write chunks, and the end."""
    chunks = [b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces if piece]
    return b"".join(chunks) + b"0\r\n\r\n"


@fault(
    18,
    ways=STREAMS,
    each=True,
    cut=["bytes", "one chunk", "odd sizes", "extensions", "blank lines"],
)
async def test_answer_is_the_same_however_it_is_cut(provider: Provider, way: str, cut: str) -> None:
    """The same pieces come out, one for one, as from the usual chunks."""
    usual = provider.whole(*WORDS)
    whole = b"".join(usual)
    body = {
        "bytes": chunked([whole[i : i + 1] for i in range(len(whole))]),
        "one chunk": chunked([whole]),
        "odd sizes": chunked([whole[i : i + 7] for i in range(0, len(whole), 7)]),
        "extensions": chunked(list(usual), b';note="x"'),
        "blank lines": chunked([piece for each in usual for piece in (each, b"\n", b"\r\n")]),
    }[cut]
    with provider.server(answer=[provider.answering(*usual), raw(provider, body)]) as server:
        model = provider.model(server)
        expected = await texts(model, way)
        assert await texts(provider.model(server), way) == expected
        assert provider.asked(server) == provider.calls(2)
    assert expected == list(WORDS)


@fault(19, ways=STREAMS, at=range(1, 12, 2))
async def test_character_split_across_chunks_stays_whole(
    provider: Provider, way: str, at: int
) -> None:
    """Wherever a chunk ends inside characters of two, three and four bytes, the text is exact."""
    text = "żó漢😀"
    piece = provider.token(text)
    start = piece.index(text.encode()) + at
    pieces = [*provider.start, piece[:start], piece[start:], *provider.end(text)]
    with provider.server(answer=provider.answering(*pieces)) as server:
        assert "".join(await texts(provider.model(server), way)) == text


@fault(
    19,
    each=True,
    invalid=[b"\xff", b"\xc3\x28", b"\xe6\xbc", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"],
)
async def test_invalid_utf8_is_malformed_and_never_replaced(
    provider: Provider, way: str, invalid: bytes
) -> None:
    """No replacement character is passed off as what the model said."""
    broken = provider.token("x@x").replace(b"@", invalid)
    pieces = [*provider.start, provider.token("Fine."), broken, *provider.end("x")]
    with provider.server(answer=provider.answering(*pieces)) as server:
        error = await fail(provider.model(server), way, MalformedStreamError, host=None)
        assert provider.asked(server) == (*provider.good_call, *provider.abort)
        assert await closed(provider, server, provider.answer)
    assert error.partial_text == "Fine."
    assert "\ufffd" not in str(error)


@fault(20, each=True, odd=["\u2028", "\u2029", "\u0085", "\v", "\f", "\x1c", "\r"])
async def test_odd_line_ends_inside_strings_are_text(
    provider: Provider, way: str, odd: str
) -> None:
    """Only LF ends a line; these are characters of the answer."""
    text = f"one{odd}two"
    written = provider.token(text)
    if odd in "\u2028\u2029\u0085":
        assert odd.encode() in written, "as the server sends it, not escaped"
    pieces = [*provider.start, written, *provider.end(text)]
    with provider.server(answer=provider.answering(*pieces)) as server:
        answer = await ask(provider.model(server), way)
    assert answer.text == text


@fault(20)
async def test_cr_between_lines_is_padding(provider: Provider, way: str) -> None:
    """Lines that end in CR LF, and a lone CR between values, are the same lines."""
    pieces = [b"\r" + piece.replace(b"\n", b"\r\n") for piece in provider.whole("Hi", " there")]
    with provider.server(answer=provider.answering(*pieces)) as server:
        assert (await ask(provider.model(server), way)).text == "Hi there"


BROKEN = {
    "truncated": b'{"type":"stream","token":"He',
    "no JSON": b"Internal Server Error",
    "HTML": b"<html><body>Bad gateway</body></html>",
    "two objects": b'{"type":"stream","token":"a"}{"type":"stream","token":"b"}',
    "single quotes": b"{'type':'stream','token':'a'}",
    "half a pair": b'{"type":"stream","token":"\\ud83d"}',
    "very deep": b"[" * 100_000,
}


@fault(22, line=BROKEN, each=True)
async def test_broken_line_is_malformed_and_never_skipped(
    provider: Provider, way: str, line: bytes
) -> None:
    """The error says at which byte; the caller does not get an answer with a hole."""
    before = [*provider.start, provider.token("Hello")]
    pieces = [*before, provider.line(line), *provider.end("Hello")]
    with provider.server(answer=provider.answering(*pieces)) as server:
        error = await fail(provider.model(server), way, MalformedStreamError, host=None)
        assert await closed(provider, server, provider.answer)
        assert provider.asked(server) == (*provider.good_call, *provider.abort)
    assert error.partial_text == "Hello"
    assert not error.is_retryable
    assert f"byte {len(b''.join(before))}" in str(error)


@fault(22, 23)
async def test_piece_of_text_that_is_no_text_is_malformed(provider: Provider, way: str) -> None:
    """Nor is it passed off as what the model said."""
    text = "sixteen letters."  # so many are not padded
    broken = provider.token(text).replace(f'"{text}"'.encode(), b"NaN")
    assert broken != provider.token(text)
    pieces = [*provider.start, provider.token("Hello"), broken, *provider.end("Hello")]
    with provider.server(answer=provider.answering(*pieces)) as server:
        error = await fail(provider.model(server), way, MalformedStreamError, host=None)
        assert await closed(provider, server, provider.answer)
    assert error.partial_text == "Hello"


SHAPES = {
    "a list": (b"[]", "list"),
    "null": (b"null", "NoneType"),
    "a string": (b'"text"', "str"),
    "a number": (b"17", "int"),
    "no type": (b"{}", "'type'"),
    "type null": (b'{"type":null}', "'type'"),
    "type number": (b'{"type":1}', "'type'"),
    "no token": (b'{"type":"stream"}', "'token'"),
    "token null": (b'{"type":"stream","token":null}', "'token'"),
    "token number": (b'{"type":"stream","token":17}', "'token'"),
    "token list": (b'{"type":"stream","token":["a"]}', "'token'"),
    "no text": (b'{"type":"finalAnswer","interrupted":false}', "'text'"),
    "text number": (b'{"type":"finalAnswer","text":17,"interrupted":false}', "'text'"),
    "interrupted text": (
        b'{"type":"finalAnswer","text":"","interrupted":"no"}',
        "'interrupted'",
    ),
    "no status": (b'{"type":"status"}', "'status'"),
    "status number": (b'{"type":"status","status":200}', "'status'"),
    "title null": (b'{"type":"title","title":null}', "'title'"),
    "statusCode text": (
        b'{"type":"status","status":"error","statusCode":"429"}',
        "'statusCode'",
    ),
    "model list": (b'{"type":"routerMetadata","model":[]}', "'model'"),
}


@fault(23, only="HC", ways=STREAMS, case=SHAPES)
async def test_wrong_shape_is_malformed_and_names_the_key(
    provider: Provider, way: str, case: tuple[bytes, str]
) -> None:
    """Valid JSON that is not what was agreed is an error of ours, with the key in it."""
    line, named = case
    pieces = [hc.STARTED, hc.token("Hello"), line + b"\n", hc.final("Hello"), hc.FINISHED]
    with provider.server(send=provider.answering(*pieces)) as server:
        error = await fail(provider.model(server), way, MalformedStreamError, host=None)
        assert await closed(HUGGINGCHAT, server, "send")
    assert named in str(error)
    assert error.partial_text == "Hello"


CREATED: dict[str, tuple[object, str]] = {
    "a list": ([], "conversationId"),
    "null": (None, "conversationId"),
    "no id": ({"conversation": "{}"}, "conversationId"),
    "id number": ({"conversationId": 1, "conversation": "{}"}, "conversationId"),
}


@fault(23, only="HC", ways=STREAMS, case=CREATED)
async def test_created_conversation_of_a_wrong_shape_is_malformed(
    provider: Provider, way: str, case: tuple[object, str]
) -> None:
    """Nothing is sent to a conversation whose id is not known."""
    body, named = case
    create = json.dumps(body).encode()
    with provider.server(create=lambda x: x.respond(200, create)) as server:
        error = await fail(provider.model(server), way, MalformedStreamError, host=None)
        assert provider.asked(server) == ("create",)
    assert named in str(error)


@fault(24)
async def test_unknown_kinds_of_events_are_skipped(
    provider: Provider, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A service may say more than we know of; the answer goes on, and a log counts them."""
    caplog.set_level("DEBUG", logger="langchain_g4f")
    known = provider.whole("Hello", " there")
    pieces = [piece for each in known for piece in (provider.unknown, each)]
    with provider.server(answer=provider.answering(*pieces)) as server:
        answer = await ask(provider.model(server), way)
        assert provider.asked(server) == provider.good_call
    assert answer.text == "Hello there"
    assert answer.response_metadata["finish_reason"] == provider.finish_reason
    assert f"{provider.name}: skipped" in caplog.text


@fault(24, only="HC", ways=STREAMS)
async def test_unknown_kinds_of_known_events_are_skipped(provider: Provider, way: str) -> None:
    """So is what is new inside a kind that we know."""
    odd = [
        {"type": "status", "status": "pondering"},
        {"type": "tool", "subtype": "telepathy", "uuid": "1"},
        {"type": "reasoning", "subtype": "status", "status": "Thinking"},
        {"type": "elicitation", "subtype": "resolved", "elicitationId": "1"},
        {"type": "title", "title": "T", "new": {"key": [1]}},
    ]
    pieces = [hc.STARTED, *map(hc.line, odd), hc.token("Hi"), hc.final("Hi"), hc.FINISHED]
    with provider.server(send=provider.answering(*pieces)) as server:
        assert await texts(provider.model(server), way) == ["Hi"]


PADDED = ["a", "fifteen letters", "sixteen letters.", "seventeen letters", "a\0b", "😀" * 8, " "]


@fault(21, only="HC", ways=STREAMS, text=PADDED)
async def test_nul_padding_is_stripped(provider: Provider, way: str, text: str) -> None:
    """The text is the original, whether its token was padded or not."""
    pieces = [hc.STARTED, hc.token(text), hc.token("!"), hc.final(f"{text}!"), hc.FINISHED]
    with provider.server(send=provider.answering(*pieces)) as server:
        assert await texts(provider.model(server), way) == [text, "!"]
