#!/usr/bin/python3
"""Peewee: models, its migrator, relations with prefetch, transactions and savepoints, introspection, a failover.
usage: client_peewee.py PORT"""
import datetime
import decimal
import os
import subprocess
import sys

import peewee
import pymysql
from peewee import fn
from playhouse.migrate import MySQLMigrator, migrate
from playhouse.mysql_ext import JSONField
from playhouse.reflection import Introspector

PORT = int(sys.argv[1])
db = peewee.MySQLDatabase("peewee", host="127.0.0.1", port=PORT, user="root", password="", charset="utf8mb4")


class Base(peewee.Model):
    class Meta:
        database = db


class Author(Base):
    name = peewee.CharField(60, unique=True)
    born = peewee.DateField(null=True)
    score = peewee.DecimalField(8, 2, default=0)
    settings = JSONField(null=True)
    active = peewee.BooleanField(default=True)


class Book(Base):
    key = peewee.UUIDField(primary_key=True)
    author = peewee.ForeignKeyField(Author, backref="books", on_delete="CASCADE")
    title = peewee.CharField(index=True)
    at = peewee.DateTimeField(default=lambda: datetime.datetime(2024, 2, 29, 1, 2, 3))
    cover = peewee.BlobField(null=True)

    class Meta:
        indexes = ((("author", "title"), True),)
        constraints = [peewee.Check("char_length(title) > 0")]


def refused(number, action):
    try:
        action()
    except peewee.PeeweeException as error:
        assert error.args[0] == number, error
        return
    raise AssertionError(f"not refused with {number}")


def write():
    import uuid
    ann = Author.create(name="Ann", born=datetime.date(1990, 2, 3), score="1.50", settings={"a": [1, "x"]})
    assert ann.id == 1
    Author.insert_many([{"name": "Bob"}, {"name": "Zoë 😀"}]).execute()
    assert Author.insert(name="Bob", score=7).on_conflict(update={Author.score: Author.score + 9}).execute() is not None
    assert not Author.get_or_create(name="Bob")[1]
    for i in range(3):
        Book.create(force_insert=True, key=uuid.UUID(int=i), author=ann, title=f"Book {i}", cover=b"\0\xff")
    with db.atomic() as transaction:
        Author.update(score=99).execute()
        try:
            with db.atomic():
                Book.delete().execute()
                raise KeyError
        except KeyError:
            pass
        assert Book.select().count() == 3
        transaction.rollback()
    with db.atomic():
        bob = Author.select().where(Author.name == "Bob").for_update().get()
        bob.active = False
        bob.save()


def read():
    rows = [(a.name, a.score, [b.title for b in a.books]) for a in peewee.prefetch(Author.select().order_by(Author.name), Book.select().order_by(Book.title))]
    assert rows == [("Ann", decimal.Decimal("1.50"), ["Book 0", "Book 1", "Book 2"]), ("Bob", decimal.Decimal("9.00"), []), ("Zoë 😀", decimal.Decimal("0.00"), [])], rows
    grouped = Author.select(Author.name, fn.COUNT(Book.key).alias("n")).join(Book, peewee.JOIN.LEFT_OUTER).group_by(Author.id).order_by(peewee.SQL("n").desc(), Author.name)
    assert list(grouped.tuples()) == [("Ann", 3), ("Bob", 0), ("Zoë 😀", 0)]
    assert Author.get(fn.JSON_EXTRACT(Author.settings, "$.a[1]") == "x").name == "Ann"
    assert Author.get_by_id(1).settings == {"a": [1, "x"]}
    assert list(Author.select(Author.name.concat("!")).where(Author.id == 2).tuples()) == [("Bob!",)]  # || under PIPES_AS_CONCAT
    assert Author.select().where(Author.name.contains("o") & ~Author.active).count() == 1
    ranked = Book.select(Book.title, fn.ROW_NUMBER().over(partition_by=[Book.author], order_by=[Book.title.desc()]).alias("place"))
    assert sorted(ranked.tuples())[0] == ("Book 0", 3)


def introspect():
    migrator = MySQLMigrator(db)
    migrate(migrator.add_column("author", "email", peewee.CharField(default="-", max_length=50)), migrator.add_index("author", ("email", "name"), False),
            migrator.rename_column("author", "email", "mail"), migrator.drop_not_null("author", "mail"), migrator.add_not_null("author", "mail"),
            migrator.drop_index("author", "author_email_name"), migrator.drop_column("author", "mail"), migrator.rename_table("author", "writer"),
            migrator.rename_table("writer", "author"))
    assert sorted(db.get_tables()) == ["author", "book"]
    assert sorted((c.name, c.data_type, c.null, c.primary_key) for c in db.get_columns("author")) == [
        ("active", "tinyint", False, False), ("born", "date", True, False), ("id", "int", False, True), ("name", "varchar", False, False),
        ("score", "decimal", False, False), ("settings", "json", True, False)], db.get_columns("author")
    assert [(k.column, k.dest_table, k.dest_column) for k in db.get_foreign_keys("book")] == [("author_id", "author", "id")]
    assert sorted((i.name, i.columns, i.unique) for i in db.get_indexes("book")) == [
        ("PRIMARY", ["key"], True), ("book_author_id", ["author_id"], False), ("book_author_id_title", ["author_id", "title"], True), ("book_title", ["title"], False)]
    found = Introspector.from_database(db).generate_models()
    assert found["book"].select().count() == 3 and found["book"].author.rel_model is found["author"]


def main():
    admin = pymysql.connect(host="127.0.0.1", port=PORT, user="root", autocommit=True)
    admin.cursor().execute("DROP DATABASE IF EXISTS peewee")
    admin.cursor().execute("CREATE DATABASE peewee")
    db.connect()
    db.create_tables([Author, Book])
    db.create_tables([Author, Book])
    write()
    read()
    introspect()
    refused(1062, lambda: Author.create(name="Ann"))
    refused(1452, lambda: Book.create(force_insert=True, key="12345678123456781234567812345678", author=99, title="x"))
    refused(3819, lambda: Book.create(force_insert=True, key="12345678123456781234567812345678", author=1, title=""))
    if os.environ.get("FAILOVER"):
        subprocess.run(os.environ["FAILOVER"], shell=True, check=True, stdout=subprocess.DEVNULL)
        db.close()
        db.connect()
        assert [a.name for a in Author.select().order_by(Author.id)] == ["Ann", "Bob", "Zoë 😀"]
    db.drop_tables([Book, Author])


main()
