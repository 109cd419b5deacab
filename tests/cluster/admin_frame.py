"""The one message that a drill sends past control: "be the writer", as a control on the other side of a partition would.

Frames are described in base/net/frame.h, the message in control/messages.proto (AssumeRole).
"""
import socket
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


def order_to_be_writer(admin_port: int, instance: str):
    body = text_field(1, "writer") + text_field(4, instance)
    head = struct.pack("<4sHHQII", b"BORA", ASSUME_ROLE, 0, 1, len(body), 0)
    with socket.create_connection(("127.0.0.1", admin_port), timeout=5) as connection:
        connection.sendall(head + struct.pack("<I", crc32c(head + body)) + body)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)  # until the other side has read it all and closes
