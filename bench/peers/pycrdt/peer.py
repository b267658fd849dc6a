"""pycrdt behind the door of the benchmark; ../../DOOR.md describes it."""

import gc
import hashlib
import json
import platform
import sys
from importlib.metadata import version
from time import perf_counter_ns

from pycrdt import Array, Doc, Map, Text, merge_updates

HELLO = {
    "name": "pycrdt",
    "version": f"{version('pycrdt')}, Python {platform.python_version()}",
    "language": "Python",
    # No "utf16": offsets count bytes.
    "features": ["text", "array", "map", "updates", "merge"],
}


def status(name):
    with open("/proc/self/status") as lines:
        for line in lines:
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
    return 0


def forget_peak():
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass  # the peak is that of the process then


class Document:
    def __init__(self, client):
        self.doc = Doc(client_id=client)
        self.text = self.doc.get("text", type=Text)
        self.array = self.doc.get("array", type=Array)
        self.map = self.doc.get("map", type=Map)

    def edit_text(self, op):
        at, deleted, inserted = op
        if deleted == 0:
            self.text.insert(at, inserted)
        elif not inserted:
            del self.text[at : at + deleted]
        else:
            with self.doc.transaction():
                del self.text[at : at + deleted]
                self.text.insert(at, inserted)

    def edit_array(self, op):
        at, values = op
        self.array[at:at] = values

    def edit_map(self, op):
        key, value = op
        self.map[key] = value

    def read(self, on):
        return str(self.text) if on == "text" else getattr(self, on).to_py()


class Run:
    def __init__(self, workload):
        self.workload = workload
        self.log = list(workload["log"])
        self.docs = {}
        self.applying = False
        self.result = {"ns": [], "heard": 0, "encoded": 0}

    def doc(self, number):
        if number not in self.docs:
            self.docs[number] = Document(number + 1)
            if number in self.workload.get("listen", []):
                self.docs[number].doc.observe(self.hear)
        return self.docs[number]

    def hear(self, event):
        update = event.update
        if not self.applying:
            self.log.append(update)
            self.result["heard"] += len(update)

    def range(self, step):
        return self.log[step.get("from", 0) : step.get("to", 0) or None]

    def each(self, doc, step, items, change):
        if step.get("together"):
            with doc.doc.transaction():
                for item in items:
                    change(item)
            return
        for item in items:
            change(item)  # which is a transaction by itself

    def edit(self, step):
        doc = self.doc(step["doc"])
        for name in ("text", "array", "map"):
            if name in step:
                self.each(doc, step, step[name], getattr(doc, "edit_" + name))

    def apply(self, step):
        doc = self.doc(step["doc"])
        self.applying = True
        self.each(doc, step, self.range(step), doc.doc.apply_update)
        self.applying = False

    def encode(self, step):
        self.log.append(self.doc(step["doc"]).doc.get_update())
        self.result["encoded"] = len(self.log[-1])

    def merge(self, step):
        self.log.append(merge_updates(*self.range(step)))

    def read(self, step):
        for _ in range(step.get("times", 1)):
            self.doc(step["doc"]).read(step["on"])

    def run(self):
        gc.collect()
        # Pages of the program itself become resident as they are first used; documents are in anonymous ones.
        held, resident = status("RssAnon"), status("VmRSS")
        forget_peak()
        for part in self.workload["parts"]:
            start = perf_counter_ns()
            for step in part["steps"]:
                getattr(self, step["do"])(step)
            self.result["ns"].append(perf_counter_ns() - start)
        self.result["peak"] = max(status("VmHWM") - resident, 0)
        gc.collect()
        self.result["live"] = max(status("RssAnon") - held, 1)
        place = self.workload["result"]
        content = self.doc(place["doc"]).read(place["on"])
        self.result["hash"] = hashlib.sha256(canonical(content).encode()).hexdigest()
        return self.result


def whole(value):
    """The value with whole numbers as integers: pycrdt has floats only."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    return value


def canonical(content):
    if isinstance(content, str):
        return content
    return json.dumps(whole(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class Peer:
    workload = None

    def hello(self, request):
        return HELLO

    def load(self, request):
        with open(request["path"]) as file:
            self.workload = json.load(file)
        self.workload["log"] = [bytes.fromhex(update) for update in self.workload.get("log", [])]
        return {}

    def run(self, request):
        return Run(self.workload).run()


def main():
    peer = Peer()
    for line in sys.stdin:
        try:
            request = json.loads(line)
            reply = getattr(peer, request["do"])(request)
        except Exception as error:
            reply = {"error": repr(error)}
        print(json.dumps(reply), flush=True)


main()
