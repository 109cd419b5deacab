"""Tables that fill protection groups, and a way to tell that every byte of them is still there."""
import random

ROWS_PER_STATEMENT = 64
ROWS_PER_READ = 4096


class Bulk:
    def __init__(self, cluster, megabytes, seed=1):
        self.cluster, self.megabytes, self.seed = cluster, megabytes, seed
        self.digest = None

    def load(self):
        """Rows of about 8 KB that do not compress, so that pages, groups and layers are really filled."""
        chance = random.Random(self.seed)
        connection = self.cluster.connect()
        with connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE bulk")
            cursor.execute("CREATE TABLE bulk.filler (id INT PRIMARY KEY, body VARBINARY(8000) NOT NULL)")
            rows = self.megabytes * 2**20 // 8192
            for first in range(0, rows, ROWS_PER_STATEMENT):
                values = ",".join(f"({i},0x{chance.randbytes(7900).hex()})" for i in range(first, min(first + ROWS_PER_STATEMENT, rows)))
                cursor.execute("INSERT INTO bulk.filler VALUES " + values)
        connection.close()
        self.digest = self.read()

    def read(self, port=None) -> list:
        """Reads every page of the table, in parts: on a busy machine no statement takes long."""
        rows = self.megabytes * 2**20 // 8192
        return [self.cluster.query("SELECT COUNT(*), SUM(id), SUM(CRC32(body)) FROM bulk.filler "
                                   f"WHERE id BETWEEN {first} AND {first + ROWS_PER_READ - 1}", port)[0]
                for first in range(0, rows, ROWS_PER_READ)]

    def check(self, port=None):
        found = self.read(port)
        assert found == self.digest, f"the bulk data was {self.digest}, is {found}"
        assert sum(part[0] for part in found) == self.megabytes * 2**20 // 8192
