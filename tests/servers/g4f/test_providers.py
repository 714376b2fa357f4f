"""Subclasses of their base classes: how each is called, and what its objects become."""

from __future__ import annotations

import asyncio
import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_g4f import (
    ChatG4F,
    ConfigurationError,
    G4FError,
    RateLimitError,
    ServerStreamError,
    StreamInterruptedError,
    g4f_chat_model,
)
from langchain_g4f.core.events import Progress

pytestmark = pytest.mark.g4f

BY_NETWORK = "G4FSpace"
"""A class of the new line that asks its service as soon as it is named."""
ROOT = Path(__file__).parents[3]


def asking(provider: Any, **settings: Any) -> ChatG4F:
    """Return a chat model that asks once."""
    return ChatG4F(provider=provider, **{"max_retries": 0, **settings})


async def both(model: ChatG4F, question: str = "Why?") -> list[AIMessage]:
    """Return the answer, sync and async."""
    return [model.invoke(question), await model.ainvoke(question)]


def written(home: Path, provider: Any) -> bool:
    """Return whether a login of the provider is kept."""
    return any(home.rglob(f"auth_{provider.__name__}.json"))


@pytest.mark.parametrize("name", ["Whole", "Blocking"])
async def test_base_without_a_generator_answers(theirs: Any, name: str) -> None:
    """An AsyncProvider is awaited, what blocks is iterated in a thread."""
    model = asking(getattr(theirs, name), model="small")
    for answer in await both(model):
        assert answer.text == "small: Why?"
    assert "".join([chunk.text async for chunk in model.astream("Why?")]) == "small: Why?"


async def test_objects_of_theirs_become_one_message(theirs: Any) -> None:
    """Each response type that both lines have stands where it belongs."""
    r = theirs.responses
    provider = theirs.told(
        r.ProviderInfo(name="Inner", url="http://127.0.0.1", label="Inner", model="big-1"),
        r.Parameters(temperature=0.5),
        r.TitleGeneration("Sky"),
        r.Reasoning(status="Looking it up"),
        r.Reasoning("Hm, "),
        r.Reasoning("well."),
        "Blue",
        " sky.",
        r.SourceLink("one", "http://127.0.0.1/one"),
        r.Sources([{"url": "http://127.0.0.1/two", "title": "two"}]),
        r.ImageResponse(["http://127.0.0.1/sky.png"], "a sky", {"cookies": {"s": "very-secret"}}),
        r.ImagePreview("http://127.0.0.1/half.png", "half a sky"),
        r.VideoResponse("http://127.0.0.1/sky.mp4", "a film"),
        r.AudioResponse(b"ID3"),
        r.SuggestedFollowups(["And at night?"]),
        r.SynthesizeData("Inner", {"text": "Blue sky."}),
        r.JsonConversation(conversation_id="c1", access_token="very-secret"),
        r.AuthResult(api_key="very-secret"),
        r.DebugResponse("very long"),
        r.Usage(prompt_tokens=3, completion_tokens=2, total_tokens=5),
        r.FinishReason("length"),
    )
    told: list[Progress] = []
    for answer in await both(asking(provider, on_progress=told.append)):
        assert answer.text == "Blue sky. [one](http://127.0.0.1/one)"
        assert answer.additional_kwargs["reasoning_content"] == "Hm, well."
        said = answer.response_metadata
        assert (said["provider"], said["model_name"]) == ("Inner", "big-1")
        assert (said["finish_reason"], said["title"]) == ("length", "Sky")
        assert said["parameters"] == {"temperature": 0.5}
        assert said["images"] == ["http://127.0.0.1/sky.png"]
        assert [each["title"] for each in said["sources"]] == ["one", "two"]
        assert said["suggested_followups"] == ["And at night?"]
        assert said["synthesize"] == {"provider": "Inner", "data": {"text": "Blue sky."}}
        assert said["conversation"] == {"conversation_id": "c1"}
        assert answer.usage_metadata
        assert answer.usage_metadata["total_tokens"] == 5
        kinds = [block["type"] for block in answer.content_blocks]
        assert kinds == ["reasoning", "text", "image", "video", "audio"]
        assert "very-secret" not in str(answer)
    assert [each.kind for each in told] == ["title", "status", "preview"] * 2


async def test_objects_of_the_new_line_become_metadata(theirs: Any, line: str) -> None:
    """Searches and speech with its words; the records beside an answer are left out of it."""
    if line == "old":
        assert not hasattr(theirs.responses, "SearchResults")
        return
    r = theirs.responses
    provider = theirs.told(
        r.JsonRequest.from_dict({"model": "big-1"}),
        r.HeadersResponse.from_dict({"x-request-id": "1"}),
        r.JsonResponse.from_dict({"id": "1"}),
        r.SearchResults([{"link": "http://127.0.0.1/a", "title": "a", "snippet": "about a"}]),
        "Found.",
        r.AudioResponse("data:audio/mpeg;base64,SUQz", transcript="Found."),
        r.Usage.from_dict({"inputTokens": 3, "outputTokens": 2}),
        r.PlainTextResponse("raw"),
        r.YouTubeResponse(["abc"]),
    )
    for answer in await both(asking(provider)):
        assert answer.text == "Found."
        found = answer.response_metadata["search_results"]
        assert found == [{"url": "http://127.0.0.1/a", "title": "a", "snippet": "about a"}]
        assert answer.usage_metadata
        assert answer.usage_metadata["total_tokens"] == 5
        assert answer.response_metadata["youtube_ids"] == ["abc"]
        audio = next(block for block in answer.content_blocks if block["type"] == "audio")
        assert audio["extras"] == {"transcript": "Found."}
    for answer in await both(asking(provider, include_raw=True)):
        values = [
            block["value"]["type"]
            for block in answer.content_blocks
            if block["type"] == "non_standard"
        ]
        assert values == ["JsonRequest", "HeadersResponse", "JsonResponse", "PlainTextResponse"]


async def test_conversation_goes_on(theirs: Any) -> None:
    """The provider gets an object as it gave one, and the newest messages alone."""
    provider = theirs.told("Ada.", theirs.responses.JsonConversation(conversation_id="c1"))
    model = asking(provider)
    first = await model.ainvoke("I am Ada.")
    history = [HumanMessage("I am Ada."), first, HumanMessage("Who am I?")]
    for answer in (
        model.invoke(history, conversation=first),
        await model.ainvoke(history, conversation={"conversation_id": "c1"}),
    ):
        assert answer.response_metadata["conversation"] == {"conversation_id": "c1"}
        asked = provider.asked[-1]
        assert asked["conversation"].conversation_id == "c1"
        assert asked["conversation"].get_dict() == {"conversation_id": "c1"}
        assert asked["messages"] == [{"role": "user", "content": "Who am I?"}]


async def test_errors_of_theirs_are_ours(theirs: Any, line: str) -> None:
    """Every error class there is has one of ours, and is its cause."""
    kinds = [
        kind
        for kind in vars(theirs.errors).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
    ]
    assert len(kinds) > (15 if line == "old" else 20)
    for kind in kinds:
        with pytest.raises(G4FError, match="so it is") as raised:
            await asking(theirs.told(kind("so it is"))).ainvoke("Why?")
        assert isinstance(raised.value.__cause__, kind)


async def test_given_up_generator_is_closed(theirs: Any) -> None:
    """Cancelled or left, on this loop or in a thread: the provider's `finally` runs."""
    for settings in ({}, {"run_in_thread": True}):
        before = theirs.Endless.closed
        model = asking(theirs.Endless, **settings)
        task = asyncio.create_task(model.ainvoke("Talk."))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert theirs.Endless.closed == before + 1
        assert (await model.ainvoke("Talk.", stop=["on on"])).text == ""
        assert theirs.Endless.closed == before + 2
        assert model.invoke("Talk.", stop=["on on"]).text == ""
        assert theirs.Endless.closed == before + 3


async def test_login_is_told_and_kept(theirs: Any, line: str, home: Path) -> None:
    """RequestLogin goes to the callback; the file of g4f then spares the next call the login."""
    provider = theirs.authed(f"Member{line}")
    asked: list[str] = []
    model = asking(provider, on_login_required=asked.append)
    if line == "new":
        assert (await model.ainvoke("Hello")).text == "Hello, member."
    else:  # how every login of that line ends
        with pytest.raises(ServerStreamError) as raised:
            await model.ainvoke("Hello")
        assert type(raised.value.__cause__) is AttributeError
        assert raised.value.partial_text == "Hello, member."
    assert asked == ["http://127.0.0.1/login"]
    assert model.invoke("Hello").text == "Hello, member."
    assert len(asked) == 1
    assert written(home, provider)


async def test_login_that_is_given_writes_nothing(theirs: Any, line: str, home: Path) -> None:
    """With `auth_result` or `cookies` the provider's cycle and its file are left out."""
    provider = theirs.authed(f"Given{line}")
    for answer in await both(asking(provider, auth_result={"token": "very-secret"})):
        assert answer.text == "Hello, member."
    with pytest.raises(G4FError, match="not logged in"):
        await asking(provider, cookies={"session": "very-secret"}).ainvoke("Hello")
    assert not written(home, provider)


async def test_login_amid_an_answer_is_a_restart(theirs: Any, line: str) -> None:
    """Their cycle starts again and repeats the text: an error, unless it is to be marked."""
    provider = theirs.authed(f"Late{line}", part="Hm. ")
    with pytest.raises(StreamInterruptedError, match="started again") as raised:
        await asking(provider).ainvoke("Hello")
    assert raised.value.partial_text == "Hm. "


@pytest.mark.filterwarnings("ignore:RetryProvider says of itself")
async def test_first_that_answers_of_a_list_counts(theirs: Any) -> None:
    """An error of an earlier candidate is no part of the answer; who answered is said."""
    late = theirs.errors.RateLimitError("Response 429: later")
    for name in ("IterListProvider", "RetryProvider", "RotatedProvider"):
        family = getattr(theirs.families, name, None)
        if family is None:
            continue
        for way in ("invoke", "ainvoke"):
            candidates = [theirs.told(late, name="Busy"), theirs.told("Yes.", name="Free")]
            model = asking(family(candidates, shuffle=False), model="small")
            found = getattr(model, way)("Why?")
            answer = await found if way == "ainvoke" else found
            assert answer.text == "Yes."
            assert answer.response_metadata["provider"] == "Free"
            assert answer.response_metadata["model_name"] == "small"
            assert model.last_model == "small"


async def test_failure_of_a_whole_list_has_a_cause(theirs: Any) -> None:
    """One candidate's error is that of the call; of several, theirs lists them."""
    late = theirs.errors.RateLimitError("Response 429: later")
    two = [theirs.told(late, name="Busy"), theirs.told(late, name="Busier")]
    with pytest.raises(G4FError, match="Busier") as raised:
        await asking(theirs.families.IterListProvider(two, shuffle=False)).ainvoke("Why?")
    assert type(raised.value.__cause__).__name__ == "RetryProviderError"
    with pytest.raises(G4FError) as alone:
        asking(theirs.families.IterListProvider(two[:1], shuffle=False)).invoke("Why?")
    assert "later" in str(alone.value)


async def test_candidate_that_breaks_off_ends_the_answer(theirs: Any) -> None:
    """After a part of the answer the next candidate is not asked, and the part is kept."""
    broken = theirs.told("Ray", theirs.errors.ResponseError("gone"), name="Broken")
    other = theirs.told("Yes.", name="Free")
    family = theirs.families.IterListProvider([broken, other], shuffle=False)
    with pytest.raises(G4FError, match="gone") as raised:
        await asking(family).ainvoke("Why?")
    assert raised.value.partial_text == "Ray"  # type: ignore[attr-defined]
    assert other.asked == []


async def test_models_fall_back_on_each_other(theirs: Any) -> None:
    """LangChain's fallbacks take the next chat model on an error of ours."""
    busy = asking(theirs.told(theirs.errors.RateLimitError("Response 429: later")))
    with pytest.raises(RateLimitError):
        await busy.ainvoke("Why?")
    free = asking(theirs.told("Yes."))
    assert (await busy.with_fallbacks([free]).ainvoke("Why?")).text == "Yes."


def test_every_provider_of_theirs_can_be_named(theirs: Any, line: str) -> None:
    """Each provider class g4f has makes a chat model, by its name, without a network."""
    if line == "old":
        found = theirs.providers.ProviderUtils.convert
        names = [name for name, each in found.items() if hasattr(each, "create_completion")]
    else:  # it loads a class when it is asked for
        names = [name for name in theirs.providers.ProviderLoader.names if name != BY_NETWORK]
    assert len(names) > 60
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # many say of themselves that they do not work
        for name in names:
            model = g4f_chat_model(name)
            assert isinstance(model, ChatG4F)
            assert json.dumps(model.get_parameters(as_json=True))
            assert model.params
        with pytest.raises(ConfigurationError, match=names[-1]):
            g4f_chat_model("Nobody")
    assert not (ROOT / "har_and_cookies").exists()
