"""Has pycrdt clients add to sessions that internal/peers/node/honest.mjs has made up.

Requests come as lines of JSON on stdin, {"id": 1, "do": "extend", "frames": base64}; each is answered by one line on stdout,
{"id": 1, "result": {"frames": base64}} or {"id": 1, "error": "..."}. Frames are described in frames.py; the answer has in
each session what was added. The process ends when stdin does.
"""

import base64
import json
import random
import sys
import traceback

from pycrdt import Array, Doc, Map, Text, UndoManager, XmlElement, XmlFragment, XmlText, get_update, merge_updates

from frames import Reader, write_sessions

ROOTS = [("text", Text), ("", Text), ("map", Map), ("array", Array), ("xml", XmlFragment)]
KEYS = ["", "a", "b", "c", "é", "😀", "key with spaces"]
PIECES = ["a", " ", "\n", "word", "\x00", '"', "<", "é", "漢字", "\ufffd", "😀", "👩‍👩‍👧", "x" * 200]
ATTRIBUTES = {
    "bold": [True, None],
    "color": ["red", "blue", None],
    "size": [1, 2.5, None],
    "link": [{"href": "https://example.org/"}, None],
}
SCALARS = [
    None, True, False, "", "text", "é漢😀", 0, 1, -1, 64, 2**31, -(2**31), 2**53 - 1, 2**53 + 1, -(2**63) + 1,
    0.5, -0.1, 1e300, 5e-324, float("inf"), b"", b"\x00\x01\xfe\xff",
]


class Generator(random.Random):
    def chance(self, percent):
        return self.randrange(100) < percent

    def text(self):
        return "".join(self.choices(PIECES, k=self.randint(1, 4)))

    def attributes(self):
        return {name: self.choice(ATTRIBUTES[name]) for name in self.sample(list(ATTRIBUTES), self.randint(1, 2))}

    def value(self, depth=2):
        match self.randrange(8) if depth else 7:
            case 0:
                return [self.value(depth - 1) for _ in range(self.randrange(4))]
            case 1:
                return {self.choice(KEYS): self.value(depth - 1) for _ in range(self.randrange(4))}
            case 2:
                return self.random() * 10 ** self.randint(-20, 20)
            case _:
                return self.choice(SCALARS)

    def embed(self):
        return {"image": self.text(), "width": self.randrange(1000)}

    def shared(self, depth=2):
        def inner():
            return self.shared(depth - 1) if depth and self.chance(40) else self.value()

        match self.randrange(5):
            case 0:
                return Text(self.text())
            case 1:
                return Map({self.choice(KEYS): inner() for _ in range(self.randrange(4))})
            case 2:
                return Doc(guid=f"subdocument {self.getrandbits(32)}")
            case _:
                return Array([inner() for _ in range(self.randrange(4))])

    def xml(self, depth=2):
        if not depth or self.chance(40):
            return XmlText(self.text())
        attributes = {self.choice(KEYS): self.text() for _ in range(self.randrange(3))}
        return XmlElement(self.choice(["p", "h1", "UL"]), attributes, [self.xml(depth - 1) for _ in range(self.randrange(3))])


def offsets(text):
    """The legal offsets into a text: bytes of UTF-8."""
    found, end = [0], 0
    for insert, _ in text.diff():
        for piece in insert if isinstance(insert, str) else [None]:
            end += 1 if piece is None else len(piece.encode())
            found.append(end)
    return found


def edit_text(r, text):
    at = offsets(text)
    start = r.randrange(len(at))
    stop = min(start + r.randint(1, 8), len(at) - 1)
    attributes = r.attributes() if r.chance(30) else None
    kind = r.randrange(100 if start < stop else 45)
    if kind < 35:
        text.insert(at[start], r.text(), attributes)
    elif kind < 45:
        text.insert_embed(at[start], r.embed(), attributes)
    elif kind < 70:
        text.format(at[start], at[stop], r.attributes())
    else:
        del text[at[start] : at[stop]]


def edit_map(r, node):
    key = r.choice(KEYS)
    if r.chance(20) and key in node:
        del node[key]
    else:
        node[key] = r.shared() if r.chance(40) else r.value()


def edit_array(r, node):
    size = len(node)
    if size and r.chance(30):
        start = r.randrange(size)
        del node[start : min(size, start + r.randint(1, 3))]
    else:
        node.insert(r.randint(0, size), r.shared() if r.chance(40) else r.value())


def edit_xml(r, node):
    if isinstance(node, XmlElement) and r.chance(40):
        key = r.choice(KEYS)
        if r.chance(30) and key in node.attributes:
            del node.attributes[key]
        else:
            node.attributes[key] = r.text()
        return
    size = len(node.children)
    if size and r.chance(30):
        start = r.randrange(size)
        del node.children[start : min(size, start + r.randint(1, 2))]
    else:
        node.children.insert(r.randint(0, size), r.xml())


def walk(node, found, depth=0):
    """Collects a shared type and those nested in it, but for those so deep that nothing more fits in."""
    if depth > 110:
        return
    if isinstance(node, Text | XmlText):
        found.append((edit_text, node))
        return
    if isinstance(node, Map):
        found.append((edit_map, node))
        children = list(node.values())
    elif isinstance(node, Array):
        found.append((edit_array, node))
        children = list(node)
    elif isinstance(node, XmlFragment | XmlElement):
        found.append((edit_xml, node))
        children = list(node.children)
    else:
        return
    for child in children:
        walk(child, found, depth + 1)


class Client:
    def __init__(self, r):
        self._r = r
        self.doc = Doc(client_id=r.getrandbits(53 if r.chance(10) else 32), skip_gc=r.chance(25))
        self.made = []
        self._editing = False
        self._roots = [self.doc.get(name, type=kind) for name, kind in ROOTS]
        self._undo = UndoManager(scopes=self._roots, capture_timeout_millis=0, timestamp=lambda: 0) if r.chance(40) else None
        self._subscription = self.doc.observe(self._on_transaction)

    def _on_transaction(self, event):
        if self._editing or self._r.chance(10):
            self.made.append(("pycrdt edit" if self._editing else "pycrdt relay", event.update))

    def apply(self, updates):
        for update in updates:
            self.doc.apply_update(update)

    def edit(self):
        self._editing = True
        if self._undo and self._r.chance(25):
            if self._r.chance(60):
                self._undo.undo()
            else:
                self._undo.redo()
        else:
            found = []
            for root in self._roots:
                walk(root, found)
            with self.doc.transaction():
                edit, node = self._r.choice(found)
                edit(self._r, node)
        self._editing = False


def merge(updates):
    """Merges updates, eight at a time: of twenty or more pycrdt panics while it sorts them, if there are different structs
    at the same clock."""
    updates = list(updates)
    while len(updates) > 8:
        updates = [merge_updates(*updates[at : at + 8]) for at in range(0, len(updates), 8)]
    return merge_updates(*updates)


def extend(seed, updates):
    """Returns what two clients add who have heard some of the updates at first, and of all in the end."""
    r = Generator(seed)
    clients = [Client(r), Client(r)]
    heard = [r.randint(0, len(updates)) for _ in clients]
    for client, count in zip(clients, heard):
        client.apply(updates[:count])
        client.edit()
    for client, count in zip(clients, heard):
        client.apply(updates[count:])
        client.edit()
    first, second = clients
    if r.chance(50):
        second.apply(update for _, update in list(first.made))
        second.edit()
    added = first.made + second.made
    state = second.doc.get_state()
    match r.randrange(4):
        case 0:
            added.append(("pycrdt state", first.doc.get_update()))
        case 1:
            added.append(("pycrdt diff", first.doc.get_update(state)))
        case 2:
            added.append(("pycrdt merge", merge(update for _, update in r.sample(added, len(added)))))
        case 3:
            added.append(("pycrdt merge", get_update(merge(updates), state)))
    return added


def answer(request):
    try:
        sessions = Reader(base64.b64decode(request["frames"])).sessions()
        # pycrdt fails on updates of exotic sessions.
        frames = write_sessions(
            [(seed, exotic, [] if exotic else extend(seed, updates)) for seed, exotic, updates in sessions]
        )
        reply = {"result": {"frames": base64.b64encode(frames).decode()}}
    except BaseException:  # a panic of pycrdt is no Exception
        reply = {"error": traceback.format_exc()}
    print(json.dumps({"id": request["id"], **reply}), flush=True)


for line in sys.stdin:
    answer(json.loads(line))
