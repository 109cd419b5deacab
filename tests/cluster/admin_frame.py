"""Talks to a process of a cluster past control and the operator's commands: the handshake, and frames.

The handshake is described in docs/formats/handshake.md, frames in base/net/frame.h. Drills use it for the one message that a
control on the other side of a partition would send ("be the writer"), and for what a stranger would try.
"""
import hashlib
import hmac
import os
import pathlib
import socket
import ssl
import struct

ASSUME_ROLE = 42


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def text_field(number: int, text: str) -> bytes:
    return bytes([number << 3 | 2, len(text)]) + text.encode()


def frame(kind: int, body: bytes, request_id=1) -> bytes:
    head = struct.pack("<4sHHQII", b"BORA", kind, 0, request_id, len(body), 0)
    return head + struct.pack("<I", crc32c(head + body)) + body


def receive(connection, size: int) -> bytes:
    got = b""
    while len(got) < size:
        more = connection.recv(size - len(got))
        if not more:
            raise ConnectionError(f"closed after {len(got)} of {size} bytes")
        got += more
    return got


def read_frame(connection):
    """The next frame's kind and body."""
    head = receive(connection, 28)
    magic, kind, attachments, _, body_size, attached = struct.unpack("<4sHHQII", head[:24])
    assert magic == b"BORA", head
    rest = receive(connection, 4 * attachments + body_size + attached)
    return kind, rest[4 * attachments:4 * attachments + body_size]


def open_with_secret(port: int, secret: bytes):
    """A connection to the process at `port` after the handshake; raises when either side is not believed."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=5)
    own = os.urandom(32)
    connection.sendall(b"BORH\x01\0\0\0" + own)
    hello = receive(connection, 40)
    assert hello[:8] == b"BORH\x01\0\0\0", hello

    def proof(side):
        return hmac.new(secret, b"borealis handshake 1" + side + own + hello[8:] + f"127.0.0.1:{port}".encode(), hashlib.sha256).digest()

    connection.sendall(proof(b"D"))
    assert receive(connection, 32) == proof(b"L"), "the listener does not know the secret"
    return connection


def open_with_tls(port: int, directory: str, name="operator"):
    """The same for a cluster made with --secure, as the process `name`."""
    tls = pathlib.Path(directory) / "tls"
    context = ssl.create_default_context(cafile=str(tls / "ca-cert.pem"))
    context.check_hostname = False
    context.load_cert_chain(tls / f"{name}-cert.pem", tls / f"{name}-key.pem")
    connection = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=5))
    assert connection.version() == "TLSv1.3" and receive(connection, 1) == b"W"
    return connection


def open_to(port: int, directory: str):
    if (pathlib.Path(directory) / "tls").exists():
        return open_with_tls(port, directory)
    return open_with_secret(port, (pathlib.Path(directory) / "secret").read_bytes())


def order_to_be_writer(directory: str, admin_port: int, instance: str):
    with open_to(admin_port, directory) as connection:
        connection.sendall(frame(ASSUME_ROLE, text_field(1, "writer") + text_field(4, instance)))
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)  # until the other side has read it all and closes
