"""Writes pycrdt-<version>/<case>.json: updates as pycrdt sends them, and what a document that has them all holds.

Run it again with

    python3 -m venv build/venv && build/venv/bin/pip install -r internal/peers/python/requirements.txt
    build/venv/bin/python testdata/updates/generate.py

Everything in it is deterministic, but for the order in which maps list their entries.
"""

import base64
import json
import random
import shutil
from importlib.metadata import version
from pathlib import Path

from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText, merge_updates

FOLDER = Path(__file__).parent / f"pycrdt-{version('pycrdt')}"
KINDS = {"text": Text, "map": Map, "array": Array}


class Replica(Doc):
    """A replica that keeps every update it makes itself."""

    def __init__(self, client_id, **options):
        super().__init__(client_id=client_id, guid=f"guid-{client_id}", **options)
        self.sent = []
        self.receiving = False
        self.observe(self.keep)

    def keep(self, event):
        if not self.receiving:
            self.sent.append(event.update)

    def receive(self, *updates):
        self.receiving = True
        for update in updates:
            self.apply_update(update)
        self.receiving = False

    def root(self, kind, name):
        return self.get(name, type=KINDS[kind])


def content(doc, root):
    """What a root such as "text:content" holds, in the JSON of MarshalJSON."""
    kind, name = root.split(":", 1)
    shared = doc.root(kind, name)
    if kind != "text":
        return shared.to_py()
    delta = [{"insert": insert, "attributes": attributes} for insert, attributes in shared.diff()]
    for op in delta:
        if op["attributes"] is None:
            del op["attributes"]
    return {"text": str(shared), "delta": delta}


def encode(value):
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value)} has no JSON")


def golden(name, roots, updates):
    """Writes a case: its updates, and the roots to compare with."""
    doc = Replica(99)
    doc.receive(*updates)
    case = {
        "updates": [base64.b64encode(update).decode() for update in updates],
        "contents": {root: content(doc, root) for root in roots},
    }
    text = json.dumps(case, indent=1, ensure_ascii=False, sort_keys=True, default=encode)
    (FOLDER / f"{name}.json").write_text(text + "\n")


shutil.rmtree(FOLDER, ignore_errors=True)
FOLDER.mkdir()

a, b = Replica(1), Replica(2)
text = a.root("text", "content")
text += "hello 😀 world"
b.receive(*a.sent)
text.insert(3, "é")
b.root("text", "content").insert(5, "!\0")
del b.root("text", "content")[0:2]
golden("text", ["text:content"], [*a.sent, *b.sent])

a, b = Replica(1), Replica(2)
text = a.root("text", "content")
text.insert(0, "formatted text", {"bold": True})
text.format(3, 9, {"italic": {}, "size": 12.5, "list": [1, None, "x"]})
b.receive(*a.sent)
text.format(4, 6, {"bold": None})
b.root("text", "content").insert_embed(2, {"image": "url"}, {"width": 1})
b.root("text", "content").format(0, 5, {"color": "red"})
golden("formatting", ["text:content"], [*a.sent, *b.sent])

VALUES = {
    "null": None, "true": True, "false": False, "int": 7, "negative": -3, "2^31": 2**31, "2^53-1": 2**53 - 1,
    "half": 0.5, "one": 1.0, "large": 1e300, "": "empty key", "k\0": "\0", "😀": "é😀", "bytes": b"\x00\x01\xff",
    "list": [1, "x", None, [[]], {"a": {"b": []}}], "object": {"": None, "k": [0.5]},
}

a, b = Replica(1), Replica(2)
for key, value in VALUES.items():
    a.root("map", "map")[key] = value
a.root("map", "map")["deleted"] = 1
del a.root("map", "map")["deleted"]
b.receive(*a.sent)
a.root("map", "map")["raced"] = "a"
b.root("map", "map")["raced"] = "b"
golden("map", ["map:map"], [*a.sent, *b.sent])

a, b = Replica(1), Replica(2)
a.root("array", "array").extend(list(VALUES.values()))
a.root("array", "array").extend([Map({"k": 1}), Text("nested"), Array([1, Array()])])
b.receive(*a.sent)
del a.root("array", "array")[3:9]
b.root("array", "array").insert(5, "x")
golden("array", ["array:array"], [*a.sent, *b.sent])

a, b = Replica(1), Replica(2)
a.root("map", "root")["inner"] = Map({"list": Array([Text("deep"), Map({"k": Array()})]), "gone": Text("gone")})
b.receive(*a.sent)
inner = b.root("map", "root").get("inner")
inner["list"][0].insert(4, "er", {"bold": True})
inner["list"][1]["k"].append(1)
del a.root("map", "root").get("inner")["gone"]
golden("nested", ["map:root"], [*a.sent, *b.sent])
a.receive(*b.sent)
golden("state", ["map:root"], [a.get_update()])
golden("diff", ["map:root"], [b.sent[0], a.get_update(Doc().get_state())])

a = Replica(1)
fragment = a.get("xml", type=XmlFragment)
fragment.children.append(XmlElement("div", {"class": "x", "n": 7}, [XmlText("plain"), XmlElement("br")]))
fragment.children[0].children[0].insert(0, "rich ", {"b": {}})
del fragment.children[0].attributes["class"]
del fragment.children[0].children[1]
golden("xml", [], a.sent)

a = Replica(1)
a.root("map", "map")["sub"] = Doc({"text": Text("inside")}, guid="sub-1")
golden("subdocument", [], a.sent)

a, b = Replica(1), Replica(2)
for i in range(10):
    a.root("text", "text").insert(i % 4, str(i))
    b.root("array", "array").append(i)
    a.root("map", "map")["k"] = i
sent = [*a.sent, *b.sent]
golden("gaps", ["text:text", "map:map", "array:array"], [merge_updates(*sent[1::2]), merge_updates(*sent[::2])])

pick = random.Random(1)
replicas = [Replica(11), Replica(12), Replica(13)]
for _ in range(300):
    doc = replicas[pick.randrange(3)]
    text, shared_map, array = doc.root("text", "text"), doc.root("map", "map"), doc.root("array", "array")
    match pick.randrange(7):
        case 0 | 1:
            text.insert(0, pick.choice(["x", "é", "word "]))
        case 2:
            del text[0 : min(pick.randrange(3), len(text))]
        case 3:
            shared_map[f"k{pick.randrange(4)}"] = pick.randrange(9)
        case 4:
            shared_map[f"k{pick.randrange(4)}"] = Array([pick.randrange(9)])
        case 5:
            array.insert(pick.randrange(len(array) + 1), Text("t") if pick.randrange(2) else pick.randrange(9))
        case 6 if len(array) > 0:
            del array[pick.randrange(len(array))]
    if pick.randrange(5) == 0:
        doc.receive(replicas[pick.randrange(3)].get_update(doc.get_state()))
golden("random", ["text:text", "map:map", "array:array"], [update for doc in replicas for update in doc.sent])
