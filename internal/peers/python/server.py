"""The server of pycrdt-websocket, on an address of this machine: server.py <host> <port>."""

import asyncio
import sys
from contextlib import suppress

from pycrdt import Channel
from pycrdt.websocket import WebsocketServer
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed


class Connection(Channel):
    """A WebSocket as pycrdt-websocket wants it."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket

    @property
    def path(self) -> str:
        return self.socket.request.path

    async def __anext__(self) -> bytes:
        try:
            return await self.recv()
        except ConnectionClosed:
            raise StopAsyncIteration from None

    async def send(self, message: bytes) -> None:
        # The server sends to clients that have just left, and an exception of one connection ends the whole server.
        with suppress(ConnectionClosed):
            await self.socket.send(message)

    async def recv(self) -> bytes:
        return bytes(await self.socket.recv())


async def main(host: str, port: int) -> None:
    async with WebsocketServer(auto_clean_rooms=False) as server:
        async with serve(lambda socket: server.serve(Connection(socket)), host, port) as listening:
            await listening.serve_forever()


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
