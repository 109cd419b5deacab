"""What a test asks the database itself, past the application: as root, a connection for each statement."""
import sys

import pymysql

PORT = int(sys.argv[1])


def sql(statement, *values):
    server = pymysql.connect(host="127.0.0.1", port=PORT, user="root", autocommit=True, charset="utf8mb4")
    try:
        with server.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall()
    finally:
        server.close()
