"""OpenAI's SDK for Python at our audio endpoints; a recording comes in, what it sees goes out as one JSON object."""
import base64
import json
import os
import sys

import openai

client = openai.OpenAI(base_url=os.environ["DOOR_URL"], api_key=os.environ["DOOR_KEY"], max_retries=0)
sound = ("speech.wav", sys.stdin.buffer.read(), "audio/wav")


def error_of(call):
    try:
        call()
        return "none"
    except openai.APIStatusError as error:
        return f"{type(error).__name__}:{error.code}"


verbose = client.audio.transcriptions.create(file=sound, model="whisper-1", response_format="verbose_json", timestamp_granularities=["word"])
stream = client.audio.transcriptions.create(file=sound, model="gpt-4o-mini-transcribe", stream=True)
with client.audio.speech.with_streaming_response.create(model="tts-1", voice="nova", input="Good night.", response_format="pcm") as response:
    speech = b"".join(response.iter_bytes())
stranger = openai.OpenAI(base_url=os.environ["DOOR_URL"], api_key="si_unknown", max_retries=0)
print(json.dumps({
    "text": client.audio.transcriptions.create(file=sound, model="companion").text,
    "words": " ".join(word.word for word in verbose.words),
    "streamed": [event.text for event in stream if event.type == "transcript.text.done"][0],
    "speech": base64.b64encode(speech).decode(),
    "errors": [
        error_of(lambda: client.audio.speech.create(model="tts-9", voice="alloy", input="x")),
        error_of(lambda: stranger.audio.speech.create(model="tts-1", voice="alloy", input="x")),
    ],
}))
