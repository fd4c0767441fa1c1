"""A server that accepts every write and answers 204: sink.py PORT_FILE [FOLDER].

Writes each gzip body into FOLDER, numbered; bodies without gzip are single rows and are not written.
"""
import socket
import sys
import threading
from pathlib import Path

ANSWER = b"HTTP/1.1 204 No Content\r\nX-Influxdb-Version: sink\r\n\r\n"


class Sink:
    def __init__(self, folder):
        self.folder, self.count, self.lock = folder, 0, threading.Lock()

    def serve(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        have = b""
        body = bytearray(1 << 21)
        with connection:
            while True:
                while b"\r\n\r\n" not in have:
                    more = connection.recv(65536)
                    if not more:
                        return
                    have += more
                head, _, have = have.partition(b"\r\n\r\n")
                length, packed = 0, False
                for line in head.split(b"\r\n"):
                    name, _, value = line.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
                    elif name.lower() == b"content-encoding":
                        packed = value.strip() == b"gzip"
                    elif name.lower() == b"expect":
                        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                if length > len(body):
                    body = bytearray(length)
                taken = min(length, len(have))
                body[:taken] = have[:taken]
                have = have[taken:]
                view = memoryview(body)
                while taken < length:
                    got = connection.recv_into(view[taken:length])
                    if got == 0:
                        return
                    taken += got
                if self.folder and packed:
                    with self.lock:
                        self.count += 1
                        number = self.count
                    (self.folder / f"{number:06d}.gz").write_bytes(view[:length])
                connection.sendall(ANSWER)


def main():
    sink = Sink(Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    port_file = Path(sys.argv[1])
    port_file.with_suffix(".tmp").write_text(str(listener.getsockname()[1]))
    port_file.with_suffix(".tmp").rename(port_file)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=sink.serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
