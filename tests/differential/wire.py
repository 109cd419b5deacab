"""One session of a server, and all that an answer of it says.

pymysql makes the connection and the packets; answers are read here, byte for byte, since the driver turns values into Python's and
drops what is compared: SQLSTATEs, flags and collations of columns, the OK packet's text.
"""
import dataclasses
import struct

import pymysql
from pymysql.constants import COMMAND
from pymysql.protocol import FieldDescriptorPacket, MysqlPacket, OKPacketWrapper

MORE_RESULTS = 8  # of the server's status
# Of the status flags those that SQL decides: in a transaction, autocommit, more results, row sent, dropped database, in READ ONLY.
COMPARED_STATUS = 0x0001 | 0x0002 | 0x0008 | 0x0100 | 0x2000
FIXED_SIZES = {1: 1, 2: 2, 3: 4, 4: 4, 5: 8, 8: 8, 9: 4, 13: 2}  # TINY SHORT LONG FLOAT DOUBLE LONGLONG INT24 YEAR
TEMPORALS = {7, 10, 11, 12}  # TIMESTAMP DATE TIME DATETIME


class ServerError(Exception):
    def __init__(self, number, state, message):
        super().__init__(number, state, message)
        self.number, self.state, self.message = number, state, message


class Packet(MysqlPacket):
    def raise_for_error(self):
        raise_error(self._data)


class Field(FieldDescriptorPacket):
    def raise_for_error(self):
        raise_error(self._data)


def raise_error(data):
    number = struct.unpack_from("<H", data, 1)[0]
    raise ServerError(number, data[4:9].decode(), data[9:].decode("utf-8", "backslashreplace"))


@dataclasses.dataclass
class Answer:
    error: tuple = ()  # number, SQLSTATE, message
    columns: list = None  # (name, table, type, flags, length, decimals, collation); None where there is no result set
    prepared_columns: list = None  # as PREPARE announced them
    rows: list = dataclasses.field(default_factory=list)  # tuples of bytes, or None
    affected: int = 0
    insert_id: int = 0
    info: str = ""
    status: int = 0
    warning_count: int = 0
    warnings: list = dataclasses.field(default_factory=list)  # (level, code, message)


class Session:
    def __init__(self, host, port, database=None, timeout_s=20):
        self.connection = pymysql.connect(host=host, port=port, user="root", database=database, autocommit=None, charset="utf8mb4",
                                          connect_timeout=timeout_s, read_timeout=timeout_s)

    def close(self):
        try:
            self.connection.close()
        except pymysql.MySQLError:
            pass

    def run(self, text, prepared=False) -> Answer:
        """The answer to the statement, and its warnings."""
        answer = Answer()
        try:
            if prepared:
                self._run_prepared(text, answer)
            else:
                self.connection._execute_command(COMMAND.COM_QUERY, text)
                self._read_answer(answer, self._text_row)
        except ServerError as error:
            answer.error = (error.number, error.state, error.message)
        if answer.error or answer.warning_count:
            listed = Answer()
            self.connection._execute_command(COMMAND.COM_QUERY, "SHOW WARNINGS")
            self._read_answer(listed, self._text_row)
            answer.warnings = [tuple(value.decode("utf-8", "backslashreplace") for value in row) for row in listed.rows]
        return answer

    def must(self, text):
        answer = self.run(text)
        if answer.error:
            raise RuntimeError(f"{text}: {answer.error}")
        return answer

    def _read_answer(self, answer, read_row):
        packet = self.connection._read_packet(Packet)
        if packet.is_ok_packet():
            ok = OKPacketWrapper(packet)
            answer.affected, answer.insert_id, answer.warning_count = ok.affected_rows, ok.insert_id, ok.warning_count
            answer.status, answer.info = ok.server_status & COMPARED_STATUS, ok.message[1:].decode("utf-8", "backslashreplace")  # its length comes first
            return
        answer.columns = self._read_fields(packet.read_length_encoded_integer())
        while not (packet := self.connection._read_packet(Packet)).is_eof_packet():
            answer.rows.append(read_row(packet, answer.columns))
        packet.advance(1)
        answer.warning_count, status = packet.read_struct("<HH")
        answer.status = status & COMPARED_STATUS

    def _read_fields(self, count):
        columns = []
        for _ in range(count):
            field = self.connection._read_packet(Field)
            columns.append((field.name, field.table_name, field.type_code, field.flags, field.length, field.scale, field.charsetnr))
        if count:
            self.connection._read_packet(Packet)  # EOF
        return columns

    @staticmethod
    def _text_row(packet, columns):
        return tuple(packet.read_length_coded_string() for _ in columns)

    @staticmethod
    def _binary_row(packet, columns):
        packet.advance(1)
        nulls = packet.read((len(columns) + 9) // 8)
        row = []
        for at, column in enumerate(columns, 2):
            if nulls[at // 8] >> (at % 8) & 1:
                row.append(None)
            elif column[2] in FIXED_SIZES:
                row.append(packet.read(FIXED_SIZES[column[2]]))
            elif column[2] in TEMPORALS:
                row.append(packet.read(packet.read_uint8()))
            else:
                row.append(packet.read_length_coded_string())
        return tuple(row)

    def _run_prepared(self, text, answer):
        self.connection._execute_command(COMMAND.COM_STMT_PREPARE, text)
        packet = self.connection._read_packet(Packet)
        statement, columns, parameters = struct.unpack_from("<IHH", packet.get_all_data(), 1)
        self._read_fields(parameters)
        answer.prepared_columns = self._read_fields(columns)
        try:
            self.connection._execute_command(COMMAND.COM_STMT_EXECUTE, struct.pack("<IBI", statement, 0, 1))
            self._read_answer(answer, self._binary_row)
        finally:
            self.connection._execute_command(COMMAND.COM_STMT_CLOSE, struct.pack("<I", statement))
