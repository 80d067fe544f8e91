"""OpenAI's SDK for Python at our door; prints what it sees as one JSON object."""
import json
import os

import openai

client = openai.OpenAI(base_url=os.environ["DOOR_URL"], api_key=os.environ["DOOR_KEY"], max_retries=0)


def say(content, **more):
    return client.chat.completions.create(model=more.pop("model", "companion"), messages=[{"role": "user", "content": content}], **more)


def error_of(call):
    try:
        call()
        return "none"
    except openai.APIStatusError as error:
        return f"{type(error).__name__}:{error.code}"


answer = say("door-python words=2")
chunks = list(say("door-python words=3", stream=True, stream_options={"include_usage": True}))
stranger = openai.OpenAI(base_url=os.environ["DOOR_URL"], api_key="si_unknown", max_retries=0)
print(json.dumps({
    "models": "companion" in [model.id for model in client.models.list()],
    "text": answer.choices[0].message.content,
    "streamed": "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices),
    "finish": answer.choices[0].finish_reason,
    "usage": chunks[-1].usage.total_tokens > 0,
    "errors": [
        error_of(lambda: say("x", model="gpt-0")),
        error_of(lambda: say("x", tools=[{"type": "function", "function": {"name": "f"}}])),
        error_of(stranger.models.list),
    ],
}))
