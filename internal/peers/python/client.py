"""Holds one pycrdt document, connected to a server by pycrdt's own provider.

Requests come as lines of JSON on stdin, {"id": 1, "do": "name", ...}; each is answered by one line on stdout,
{"id": 1, "result": ...} or {"id": 1, "error": "..."}. The process ends when stdin does.

  open        {"url"}                              connects, and returns when the first sync is complete
  insertText  {"name", "index", "text"}            into a root text
  deleteText  {"name", "index", "length"}
  set         {"name", "key", "value"}             in a root map
  append      {"name", "value"}                    to a root array
  await       {"type", "name", "want", "timeout"}  until the root reads as wanted -> what it reads in the end

Indexes and lengths in a text count bytes of UTF-8, as pycrdt's do. "timeout" is in milliseconds. "type" is text, map or array.
"""

import asyncio
import json
import sys
import traceback
from contextlib import AsyncExitStack

from pycrdt import Array, Doc, Map, Provider, Text
from websockets.asyncio.client import connect

ROOT_TYPES = {"text": Text, "map": Map, "array": Array}


class WebSocketChannel:
    """What pycrdt's provider sends through and receives from."""

    def __init__(self, websocket, path):
        self._websocket = websocket
        self.path = path

    def __aiter__(self):
        return self

    async def __anext__(self):
        return await self.recv()

    async def send(self, message):
        await self._websocket.send(message)

    async def recv(self):
        return await self._websocket.recv()


class Client:
    def __init__(self):
        self._doc = Doc()
        self._changed = asyncio.Event()
        self._doc.observe(lambda _event: self._changed.set())
        self._connection = AsyncExitStack()

    def _root(self, type_name, name):
        return self._doc.get(name, type=ROOT_TYPES[type_name])

    def _read(self, type_name, name):
        root = self._root(type_name, name)
        return str(root) if type_name == "text" else root.to_py()

    async def open(self, url):
        websocket = await self._connection.enter_async_context(connect(url))
        provider = Provider(self._doc, WebSocketChannel(websocket, url))
        await self._connection.enter_async_context(provider)
        await provider.synced.wait()

    async def close(self):
        await self._connection.aclose()

    async def insert_text(self, name, index, text):
        self._root("text", name).insert(index, text)

    async def delete_text(self, name, index, length):
        del self._root("text", name)[index : index + length]

    async def set(self, name, key, value):
        self._root("map", name)[key] = value

    async def append(self, name, value):
        self._root("array", name).append(value)

    async def await_root(self, type, name, want, timeout):
        try:
            async with asyncio.timeout(timeout / 1000):
                while self._read(type, name) != want:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pass
        return self._read(type, name)


HANDLERS = {
    "open": Client.open,
    "insertText": Client.insert_text,
    "deleteText": Client.delete_text,
    "set": Client.set,
    "append": Client.append,
    "await": Client.await_root,
}


async def answer(client, request):
    request_id, handler = request.pop("id"), HANDLERS[request.pop("do")]
    try:
        reply = {"result": await handler(client, **request)}
    except Exception:
        reply = {"error": traceback.format_exc()}
    print(json.dumps({"id": request_id, **reply}), flush=True)


async def main():
    client = Client()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        await answer(client, json.loads(line))
    await client.close()


asyncio.run(main())
