"""A distant link: delay.py PORT_FILE PORT MILLISECONDS passes bytes between its own port and PORT on loopback.

Every byte arrives half of MILLISECONDS after it was sent, in each direction, so that a request and its answer take
MILLISECONDS longer. Nothing is lost or reordered and the rate is not limited: the benchmark measures how a sender uses a
server with a long round trip, not a slow line.
"""
import asyncio
import socket
import sys
from pathlib import Path


async def carry(reader, writer, delay):
    """Passes bytes on, each piece at its due time."""
    loop, pieces = asyncio.get_running_loop(), asyncio.Queue()

    async def hand_over():
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(due - loop.time())
            if not piece:
                writer.close()
                return
            writer.write(piece)
            await writer.drain()

    handing = asyncio.create_task(hand_over())
    try:
        while piece := await reader.read(1 << 18):
            pieces.put_nowait((loop.time() + delay, piece))
    except OSError:
        pass
    pieces.put_nowait((loop.time() + delay, b""))
    try:
        await handing
    except OSError:
        writer.close()


async def serve(port_file, port, delay):
    async def connected(reader, writer):
        there, back = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
        for end in (writer, back):
            end.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.gather(carry(reader, back, delay), carry(there, writer, delay))

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=1 << 22)
    port_file.with_suffix(".tmp").write_text(str(server.sockets[0].getsockname()[1]))
    port_file.with_suffix(".tmp").rename(port_file)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) / 2000))
