#!/usr/bin/python3
"""Django with a model: migrations with the schema editor, the ORM's queries, introspection. usage: client_django.py PORT"""
import datetime
import decimal
import os
import sys
import types

import MySQLdb
import django
from django.conf import settings

PORT = int(sys.argv[1])
server = MySQLdb.connect(host="127.0.0.1", port=PORT, user="root")
server.cursor().execute("DROP DATABASE IF EXISTS django")
server.cursor().execute("CREATE DATABASE django CHARACTER SET utf8mb4")

application = types.ModuleType("library")  # the models below
application.__file__ = __file__
sys.modules["library"] = application
settings.configure(
    USE_TZ=True, SECRET_KEY="a test", DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    # Without foreign key constraints: what Borealis does not have it refuses (1235).
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.sessions", "library"],
    DATABASES={"default": {"ENGINE": "django.db.backends.mysql", "NAME": "django", "USER": "root", "HOST": "127.0.0.1", "PORT": PORT,
                           "OPTIONS": {"charset": "utf8mb4"}}})
django.setup()

from django.contrib.contenttypes.models import ContentType  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import IntegrityError, connection, models, transaction  # noqa: E402
from django.db.models import Count, Exists, F, OuterRef, Q, Sum, Window  # noqa: E402
from django.db.models.functions import Length, RowNumber, TruncDay  # noqa: E402


class Author(models.Model):
    name = models.CharField(max_length=80, unique=True)
    email = models.EmailField(null=True, blank=True)
    balance = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    active = models.BooleanField(default=True, db_index=True)
    made = models.DateTimeField(auto_now_add=True)
    facts = models.JSONField(default=dict)
    key = models.UUIDField(null=True)
    took = models.DurationField(null=True)

    class Meta:
        app_label = "library"
        constraints = [models.CheckConstraint(check=Q(balance__gte=-100), name="not_too_poor")]


class Book(models.Model):
    author = models.ForeignKey(Author, on_delete=models.CASCADE, db_constraint=False, related_name="books")
    title = models.CharField(max_length=200)
    pages = models.PositiveIntegerField()
    published = models.DateField(null=True)
    cover = models.BinaryField(null=True)

    class Meta:
        app_label = "library"
        indexes = [models.Index(fields=["title", "-pages"], name="by_title")]
        unique_together = [("author", "title")]


def check_schema():
    call_command("migrate", verbosity=0)
    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        editor.create_model(Author)
        editor.create_model(Book)
    with connection.schema_editor() as editor:
        field = models.CharField(max_length=30, default="en", null=False)
        field.set_attributes_from_name("language")
        editor.add_field(Book, field)
        longer = models.CharField(max_length=60, null=True)
        longer.set_attributes_from_name("language")
        editor.alter_field(Book, field, longer)
        editor.remove_field(Book, longer)
        editor.add_index(Book, models.Index(fields=["published"], name="by_date"))
    with connection.cursor() as cursor:
        tables = {t.name for t in connection.introspection.get_table_list(cursor)}
        assert {"django_migrations", "django_content_type", "library_author", "library_book"} <= tables, tables
        names = [c.name for c in connection.introspection.get_table_description(cursor, "library_book")]
        assert names == ["id", "author_id", "title", "pages", "published", "cover"], names
        constraints = connection.introspection.get_constraints(cursor, "library_book")
        assert constraints["by_title"]["columns"] == ["title", "pages"] and constraints["by_title"]["orders"] == ["ASC", "DESC"]
        assert constraints["PRIMARY"]["primary_key"] and constraints["by_date"]["index"]
        assert any(c["check"] for c in connection.introspection.get_constraints(cursor, "library_author").values())
        assert connection.introspection.get_sequences(cursor, "library_book")
    call_command("inspectdb", stdout=open(os.devnull, "w"))


def check_rows():
    ann = Author.objects.create(name="Ann", balance=decimal.Decimal("1.25"), facts={"likes": ["tea", "é"], "n": 3},
                                took=datetime.timedelta(hours=30, microseconds=5))
    bob = Author.objects.create(name="Bob", active=False)
    Book.objects.bulk_create([Book(author=ann if i % 3 else bob, title=f"Title {i}", pages=10 * i, cover=bytes(range(256)),
                                   published=datetime.date(2020, 1 + i % 12, 1)) for i in range(30)])
    ann.refresh_from_db()
    assert (ann.balance, ann.facts, ann.took) == (decimal.Decimal("1.25"), {"likes": ["tea", "é"], "n": 3},
                                                  datetime.timedelta(hours=30, microseconds=5))
    assert bytes(Book.objects.first().cover) == bytes(range(256))
    assert Author.objects.get_or_create(name="Ann")[1] is False
    assert Author.objects.update_or_create(name="Cid", defaults={"balance": 7})[1] is True
    assert Author.objects.filter(name="Ann").update(name="Ann") == 1  # matched, not changed
    Author.objects.filter(name="Ann").update(balance=F("balance") + 1)
    assert Author.objects.get(name="Ann").balance == decimal.Decimal("2.25")
    Author.objects.bulk_create([Author(name="Ann")], ignore_conflicts=True)
    try:
        with transaction.atomic():
            Author.objects.create(name="Bob")
        raise AssertionError("a second Bob")
    except IntegrityError as error:
        assert error.args[0] == 1062
    with transaction.atomic():
        Author.objects.select_for_update().get(name="Ann")
        try:
            with transaction.atomic():  # a savepoint
                Author.objects.create(name="Gone")
                raise KeyError
        except KeyError:
            pass
    assert not Author.objects.filter(name="Gone").exists()
    books = list(Book.objects.all())
    for book in books:
        book.pages += 1
    Book.objects.bulk_update(books, ["pages"], batch_size=10)


def check_queries():
    counted = Author.objects.annotate(n=Count("books"), total=Sum("books__pages")).filter(n__gt=0).order_by("-n")
    assert [(a.name, a.n) for a in counted] == [("Ann", 20), ("Bob", 10)]
    assert Book.objects.filter(author__name__startswith="A", title__icontains="TITLE 1").count() == 8
    assert Book.objects.filter(Q(title__iexact="title 2") | Q(pages__in=[1, 31])).count() == 3
    assert Book.objects.filter(title__regex=r"^Title [0-3]$").count() == 4
    assert Author.objects.filter(Exists(Book.objects.filter(author=OuterRef("pk"), pages__gt=280))).count() == 1
    assert Book.objects.filter(published__year=2020, published__month=3).count() == 3
    assert Author.objects.annotate(day=TruncDay("made")).values("day").annotate(n=Count("pk")).get()["n"] == 3
    ranked = Book.objects.annotate(rank=Window(RowNumber(), partition_by=F("author"), order_by=F("pages").desc()))
    assert {(b.author_id, b.pages) for b in ranked if b.rank == 1} == {(1, 291), (2, 271)}
    assert Book.objects.annotate(n=Length("title")).aggregate(Sum("n"))["n__sum"] == 10 * 7 + 20 * 8
    assert [b.title for b in Book.objects.select_related("author").order_by("author__name", "-pages")[:2]] == ["Title 29", "Title 28"]
    page = Author.objects.prefetch_related("books").order_by("name")
    assert [len(a.books.all()) for a in page] == [20, 10, 0]
    assert Book.objects.values_list("author_id").distinct().count() == 2
    assert list(Book.objects.dates("published", "month"))[0] == datetime.date(2020, 1, 1)
    assert Book.objects.filter(pages__gt=100).union(Book.objects.filter(pages__lt=20)).count() == 22
    assert Book.objects.filter(title="Title 5").explain()
    Author.objects.filter(name="Bob").delete()
    assert Book.objects.count() == 20


def check_contributed_applications():
    assert ContentType.objects.count() > 0
    session = SessionStore()
    session["cart"] = [1, 2]
    session.save()
    assert SessionStore(session.session_key)["cart"] == [1, 2]
    call_command("clearsessions")
    call_command("flush", verbosity=0, interactive=False)
    assert Author.objects.count() == 0


check_schema()
check_rows()
check_queries()
check_contributed_applications()
