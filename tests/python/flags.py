"""OpenFeature's SDK for Python with its OFREP provider; prints what it sees as one JSON object."""
import json
import os

from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext

api.set_provider(OFREPProvider(os.environ["FLAGS_URL"], headers_factory=lambda: {"x-api-key": os.environ["FLAGS_KEY"]}))
flags = api.get_client()


def person(key, **attributes):
    return EvaluationContext(targeting_key=key, attributes=attributes)


crisis = flags.get_string_details("LLM_MODEL.model", "", person("user-1", crisisLevel=3))
missing = flags.get_string_details("NOTHING", "kept", person("user-1"))
print(json.dumps({
    "models": {f"user-{n}": flags.get_object_details("LLM_MODEL", {}, person(f"user-{n}")).variant for n in range(10)},
    "size": flags.get_integer_value("STARTER_POOL_SIZE.size", 0, person("user-1")),
    "temperature": flags.get_float_value("LLM_MODEL.temperature", 0.0, person("user-1")),
    "crisis": [crisis.value, str(crisis.reason), crisis.flag_metadata["crisisOverride"]],
    "missing": [missing.value, str(missing.error_code.value)],
}))
