"""What a client can do with an upstream, whatever is spoken on either side: each feature is one function, and one row of the README's table."""

import functools
import sys

import anyio
from harness.clients import Refused, list_all
from harness.deadline import eventually
from harness.schemas import MODERN

sys.path.insert(0, __file__.rsplit("/", 1)[0] + "/upstreams")
import suite  # noqa: E402
import toolset  # noqa: E402

# name: (check, first revision of a client that has it, last one, what it needs of harness/pending.py)
FEATURES = {}


def feature(name, since="2024-11-05", until=MODERN, needs=()):
    def register(check):
        FEATURES[name] = check, since, until, {needs} if isinstance(needs, str) else set(needs)
        return check
    return register


class Bench:
    """A connected client, and the upstream that it reaches."""

    def __init__(self, session, client, upstream, world):
        self.session, self.client, self.upstream, self.world = session, client, upstream, world
        self.revision = session.revision
        self.journal = world.upstreams[upstream].journal
        self.direct = world.gateway is None


def text(result):
    return result["content"][0]["text"]


async def until_announced(changed, trigger):
    """Triggers until the change is announced: a legacy client opens its stream some time after it has connected."""
    for _ in range(20):
        await trigger()
        with anyio.move_on_after(2) as patience:
            await changed()
        if not patience.cancelled_caught:
            return
    raise AssertionError("the change was not announced")


def same(shown, original):
    """Whether a definition arrives with all of its members, of which a client's SDK may know fewer."""
    assert {**original, **shown} == shown, f"{shown} is not {original}"


@feature("tools")
async def tools(bench):
    session = bench.session
    assert "tools" in session.capabilities
    for name in ("échec", "no_such_tool"):
        try:
            await session.call(name)
        except Refused as refused:
            assert refused.code == -32602
        else:
            raise AssertionError(f"{name} was called")
    assert (await session.call("echo", {"text": "hello"}))["content"] == [{"type": "text", "text": "hello"}]
    failed = await session.call("fail", {"message": "no luck"})
    assert failed["isError"] is True and text(failed) == "no luck"
    assert text(await session.call("unicode", {"text": "ж\n\t\0"})) == toolset.UNICODE + "ж\n\t\0"
    assert len(text(await session.call("big"))) == toolset.BIG_BYTES
    if bench.revision == "2024-11-05":  # which has no audio
        mixed = (await session.call("test_multiple_content_types"))["content"]
        assert [part["type"] for part in mixed] == ["text", "image", "resource"] and mixed[1]["data"] == toolset.PIXEL
        return
    pictures = (await session.call("pictures"))["content"]
    assert [part["type"] for part in pictures] == ["text", "image", "audio", "resource"]
    assert pictures[1]["data"] == toolset.PIXEL and pictures[0]["annotations"] == {"audience": ["user"], "priority": 0.5}


@feature("pagination")
async def pagination(bench):
    listed = {tool["name"]: tool for tool in await list_all(bench.session.page, "tools")}
    for wanted in [*suite.TOOLS, *toolset.TOOLS]:
        same(listed[wanted["name"]], wanted)


@feature("structured content, icons, `_meta`")
async def details(bench):
    echoed = await bench.session.call("echo", {"text": "hello"})
    assert echoed["_meta"]["example.com/echoed"] is True
    added = await bench.session.call("add", {"a": 1, "b": 2.5})
    assert text(added) == "3.5"
    if bench.revision >= "2025-06-18":
        assert added["structuredContent"] == {"sum": 3.5}
    listed = {tool["name"]: tool for tool in await list_all(bench.session.page, "tools")}
    echo = next(tool for tool in toolset.TOOLS if tool["name"] == "echo")
    for member in ("title", "icons", "_meta", "annotations"):
        assert listed["echo"][member] == echo[member]


@feature("instructions")
async def instructions(bench):
    assert "For tests only." in bench.session.instructions


@feature("prompts", needs="prompts_and_resources")
async def prompts(bench):
    session = bench.session
    assert "prompts" in session.capabilities
    listed = {prompt["name"]: prompt for prompt in await list_all(session.prompts, "prompts")}
    for wanted in [*toolset.PROMPTS, *suite.PROMPTS]:
        same(listed[wanted["name"]], wanted)
    greeting = await session.prompt("greet", {"who": "Ada"})
    assert greeting["messages"] == [{"role": "user", "content": {"type": "text", "text": "Greet Ada."}}]
    image = await session.prompt("test_prompt_with_image")
    assert image["messages"][0]["content"]["data"] == toolset.PIXEL
    try:
        await session.prompt("no_such_prompt")
    except Refused as refused:
        assert refused.code == -32602
    else:
        raise AssertionError("a prompt that does not exist")


@feature("resources, `ui://` among them", needs="prompts_and_resources")
async def resources(bench):
    session = bench.session
    assert "resources" in session.capabilities
    listed = {resource["uri"]: resource for resource in await list_all(session.resources, "resources")}
    for wanted in suite.RESOURCES:
        same(listed[wanted["uri"]], wanted)
    content, = (await session.read("test://static-text"))["contents"]
    assert (content["uri"], content["mimeType"], content["text"]) == ("test://static-text", "text/plain", "static text")
    assert (await session.read("test://static-binary"))["contents"][0]["blob"] == toolset.PIXEL
    panel, = (await session.read(suite.PANEL))["contents"]
    assert panel["mimeType"] == "text/html;profile=mcp-app" and panel["_meta"] == {"ui": {"csp": {}}}
    try:
        await session.read("test://no-such-thing")
    except Refused as refused:
        assert refused.code == (-32602 if bench.revision == MODERN else -32002)
        assert refused.data["uri"] == "test://no-such-thing"
    else:
        raise AssertionError("a resource that does not exist")


@feature("resource templates", needs="prompts_and_resources")
async def templates(bench):
    listed = {template["uriTemplate"]: template for template in await list_all(bench.session.templates, "resourceTemplates")}
    for wanted in suite.TEMPLATES:
        same(listed[wanted["uriTemplate"]], wanted)
    assert (await bench.session.read("test://item/7"))["contents"][0]["text"] == "item 7"
    assert '"123"' in (await bench.session.read("test://template/123/data"))["contents"][0]["text"]


@feature("completion", needs="prompts_and_resources")
async def completion(bench):
    session = bench.session
    if bench.revision >= "2025-03-26":
        assert "completions" in session.capabilities
    # What was chosen before is told since 2025-06-18.
    known = {"arg2": "x"} if bench.revision >= "2025-06-18" else None
    of_prompt = await session.complete({"type": "ref/prompt", "name": "test_prompt_with_arguments"}, {"name": "arg1", "value": "par"}, known)
    assert of_prompt["completion"]["values"] == ["paris", "park", "party"]
    of_template = await session.complete({"type": "ref/resource", "uri": "test://item/{id}"}, {"name": "id", "value": "party"})
    assert of_template["completion"]["values"] == ["party"]
    heard = bench.journal.entries(event="complete")[-2:]
    assert [entry["ref"] for entry in heard] == ["test_prompt_with_arguments", "test://item/{id}"]
    assert heard[0]["known"] == known


@feature("log messages and levels")
async def logging(bench):
    session, lines = bench.session, ["Tool execution started", "Tool processing data", "Tool execution completed"]

    def said():
        return [params["data"] for params in session.traffic.notified("notifications/message") if params["data"] in lines]

    await session.level("info")
    await session.call("test_tool_with_logging")
    await session.traffic.until(lambda _: said() == lines)
    if bench.revision != MODERN and not bench.direct:
        await session.level("error")
        await session.call("test_tool_with_logging")
        await session.call("echo", {"text": "after"})
        assert said() == lines


@feature("progress")
async def progress(bench):
    session, steps = bench.session, []

    async def step(done, total, message):
        steps.append((done, total, message))

    assert text(await session.call("slow", {"steps": 3}, on_progress=step)) == "3 steps"
    if bench.revision >= "2025-03-26":
        assert steps == [(1, 3, "step 1"), (2, 3, "step 2"), (3, 3, "step 3")]
    else:
        assert [(done, total) for done, total, _ in steps] == [(1, 3), (2, 3), (3, 3)]

    # It arrives while the call runs.
    gate = f"{bench.client}-progress"

    async def release(done, total, message):
        if done == 1:
            group.start_soon(functools.partial(session.call, "release", {"gate": gate}))

    async with anyio.create_task_group() as group:
        with anyio.fail_after(20):
            assert text(await session.call("gated", {"gate": gate}, on_progress=release)) == "released"


@feature("cancellation")
async def cancellation(bench):
    session, gate = bench.session, f"{bench.client}-cancel-{bench.upstream}"
    async with anyio.create_task_group() as group:

        async def stop(done, total, message):
            group.cancel_scope.cancel()

        group.start_soon(functools.partial(session.call, "gated", {"gate": gate}, on_progress=stop))
    await anyio.to_thread.run_sync(lambda: eventually(
        lambda: bench.journal.entries(event="cancelled", arguments={"gate": gate}), what=f"{bench.upstream} hears of the cancellation"))
    # The connection is as good as before.
    assert text(await session.call("echo", {"text": "after"})) == "after"


@feature("batches", since="2025-03-26", until="2025-03-26")
async def batches(bench):
    if bench.direct:  # the SDKs have none
        return
    echo = {"name": "echo", "arguments": {"text": "in a batch"}}
    answers = await bench.session.batch(("tools/call", echo), ("ping", {}), ("tools/list", {}), ("tools/call", {**echo, "name": "no_such_tool"}))
    assert text(answers[0]["result"]) == "in a batch" and answers[1]["result"] == {} and answers[2]["result"]["tools"]
    assert answers[3]["error"]["code"] == -32602


@feature("announcements of changed tools")
async def changed_tools(bench):
    await list_changes(bench, "tools", bench.session.page, "name")


@feature("announcements of changed prompts and resources", needs="prompts_and_resources")
async def changed_lists(bench):
    await list_changes(bench, "prompts", bench.session.prompts, "name")
    await list_changes(bench, "resources", bench.session.resources, "uri")


async def list_changes(bench, what, page, key):
    async def names():
        return {entry[key] for entry in await list_all(page, what)}

    async def trigger():
        nonlocal before
        before = await names()
        await bench.session.call(f"test_trigger_{what.removesuffix('s')}_change")

    # A child of this client's own may be, in the beginning, what the last one announced: the first change is none then.
    before = None
    async with bench.session.watching(what) as changed:
        await until_announced(changed, trigger)
    dynamic = "test://dynamic" if key == "uri" else "test_dynamic"
    with anyio.fail_after(15):
        while await names() != before ^ {dynamic}:
            await anyio.lowlevel.checkpoint()


@feature("resource updates", needs="prompts_and_resources")
async def updates(bench):
    uri = "test://watched-resource"
    async with bench.session.watching(uri=uri) as changed:
        await until_announced(changed, lambda: bench.session.call("test_touch_resource", {"uri": uri}))
    heard = [params["uri"] for params in bench.session.traffic.notified("notifications/resources/updated")]
    assert heard and set(heard) == {uri}


async def asked(bench, name, arguments=None):
    """The result of a tool that asks, and what it asked; a person reads which upstream it is that asks."""
    before = len(bench.session.traffic.questions)
    result = await bench.session.call(name, arguments or {})
    questions = bench.session.traffic.questions[before:]
    assert questions and not result.get("isError"), result
    for question in questions:
        if question["method"] == "elicitation/create" and not bench.direct:
            assert question["params"]["message"].lstrip('["').startswith(bench.upstream), question
    return text(result), questions


@feature("elicitation by form", since="2025-06-18", needs="questions")
async def forms(bench):
    answer, (question,) = await asked(bench, "test_elicitation", {"message": "Who are you?"})
    assert question["params"]["message"].endswith("Who are you?")
    assert set(question["params"]["requestedSchema"]["properties"]) == {"username", "email"}
    assert "my username" in answer and "my email" in answer
    answer, questions = await asked(bench, "test_input_required_result_multi_round")
    assert len(questions) == 2 and "my name" in answer and "my color" in answer


@feature("elicitation by address", since="2025-11-25", needs="questions")
async def addresses(bench):
    answer, (question,) = await asked(bench, "test_url_elicitation")
    assert (question["params"]["mode"], question["params"]["url"]) == ("url", suite.ADDRESS["params"]["url"])
    assert ("elicitationId" in question["params"]) == (bench.revision != MODERN)
    assert '"accept"' in answer


@feature("sampling", needs="questions")
async def sampling(bench):
    answer, (question,) = await asked(bench, "test_sampling", {"prompt": "What is the capital of France?"})
    assert question["params"]["messages"][0]["content"]["text"] == "What is the capital of France?" and question["params"]["maxTokens"] == 100
    assert answer == "LLM response: This is a test response"
    if bench.revision >= "2025-11-25":
        answer, (question,) = await asked(bench, "test_sampling_with_tools")
        assert question["params"]["tools"][0]["name"] == "weather" and question["params"]["toolChoice"] == {"mode": "auto"}


@feature("roots", needs="questions")
async def roots(bench):
    answer, (question,) = await asked(bench, "test_input_required_result_list_roots")
    assert question["method"] == "roots/list" and "file:///test/root" in answer


@feature("several questions at once", since="2025-06-18", needs="questions")
async def several_questions(bench):
    answer, questions = await asked(bench, "test_input_required_result_multiple_inputs")
    assert sorted(question["method"] for question in questions) == ["elicitation/create", "roots/list", "sampling/createMessage"]
    assert "my name" in answer and "This is a test response" in answer and "file:///test/root" in answer


@feature("questions while a prompt is made", since="2025-06-18", needs=["prompts_and_resources", "questions"])
async def asking_prompts(bench):
    before = len(bench.session.traffic.questions)
    result = await bench.session.prompt("test_input_required_result_prompt")
    assert len(bench.session.traffic.questions) == before + 1
    assert "my context" in result["messages"][0]["content"]["text"]
