"""tavern-card, another reader of character cards, on what we export; prints what it sees as one JSON object."""
import json
import pathlib
import sys

from tavern_card import parse_card, parse_png_card, write_png_card

folder = pathlib.Path(sys.argv[1])
seen = {
    "png": parse_png_card((folder / "twin.png").read_bytes()),
    "v2": parse_card((folder / "v2.json").read_text()),
    "v3": parse_card((folder / "v3.json").read_text()),
}
# And the other way: a card that it writes, which we have to read.
(folder / "theirs.png").write_bytes(write_png_card(seen["v2"]))
print(json.dumps(seen))
