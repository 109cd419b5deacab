#!/usr/bin/python3
"""SQLAlchemy with a small model over one driver: usage client_sqlalchemy.py DRIVER PORT (DRIVER pymysql or mysqldb)."""
import datetime
import decimal
import enum
import sys

import sqlalchemy as sa
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.orm import Session, declarative_base, foreign, relationship, selectinload

Base = declarative_base()


class Level(enum.Enum):
    bronze = 1
    gold = 2


class Person(Base):
    __tablename__ = "person"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String(50), nullable=False, unique=True, comment="it's unique")
    level = sa.Column(sa.Enum(Level))
    active = sa.Column(sa.Boolean, default=True, nullable=False)
    money = sa.Column(sa.Numeric(10, 2))
    made = sa.Column(sa.DateTime, server_default=sa.func.now())
    picture = sa.Column(sa.LargeBinary)
    facts = sa.Column(sa.JSON)
    score = sa.Column(sa.Float)
    at = sa.Column(sa.Time)
    born = sa.Column(sa.Date)
    text = sa.Column(sa.Text)
    posts = relationship("Post", back_populates="person", primaryjoin=lambda: Person.id == foreign(Post.person_id),
                         cascade="all, delete-orphan")


class Post(Base):
    __tablename__ = "post"
    id = sa.Column(sa.BigInteger, primary_key=True)
    person_id = sa.Column(sa.Integer, nullable=False, index=True)
    title = sa.Column(sa.Unicode(200))
    version = sa.Column(sa.Integer, nullable=False)
    person = relationship("Person", back_populates="posts", primaryjoin=lambda: Person.id == foreign(Post.person_id))
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (sa.Index("ix_title", "person_id", "title"), sa.CheckConstraint("version > 0", name="positive"))


VALUES = dict(name="Ann", level=Level.gold, money=decimal.Decimal("12.30"), picture=b"\0\xff'\"\\%s", facts={"x": [1, None, "é"]},
              score=1.25, at=datetime.time(1, 2, 3), born=datetime.date(2020, 2, 29), text="😀 :not_a_name %s")


def check_values(session):
    ann = Person(posts=[Post(title="p1"), Post(title="p2")], **VALUES)
    session.add(ann)
    session.add_all([Person(name=f"u{i}") for i in range(20)])
    session.commit()
    session.expire_all()
    ann = session.execute(sa.select(Person).where(Person.name == "Ann").options(selectinload(Person.posts))).scalar_one()
    for name, value in VALUES.items():
        assert getattr(ann, name) == value, (name, getattr(ann, name))
    assert ann.active is True and isinstance(ann.made, datetime.datetime)
    assert [p.version for p in ann.posts] == [1, 1]
    ann.posts[0].title = "changed"
    session.commit()
    assert ann.posts[0].version == 2  # the optimistic lock counts matched rows
    # Setting what is already there matches the row, though nothing changes.
    matched = session.execute(sa.update(Post).where(Post.title == "changed").values(title="changed"))
    assert matched.rowcount == 1, matched.rowcount
    session.commit()


def check_queries(session):
    counts = (sa.select(Person.name, sa.func.count(Post.id).label("n")).outerjoin(Post, Post.person_id == Person.id)
              .group_by(Person.id).having(sa.func.count(Post.id) > 0).order_by(sa.desc("n")))
    assert session.execute(counts).all() == [("Ann", 2)]
    names = sa.select(Person.name).where(Person.name.in_(["Ann", "u1"])).order_by(Person.name).limit(1).offset(1)
    assert session.execute(names).scalars().all() == ["u1"]
    assert session.execute(sa.select(sa.exists().where(Person.name == "Ann"))).scalar() == 1
    newest = sa.select(sa.func.max(Post.id)).where(Post.person_id == Person.id).scalar_subquery()
    assert session.execute(sa.select(Person.name, newest).where(Person.name == "Ann")).one()[1] == 2
    few = sa.select(Person.id).where(Person.id < 5).cte("few")
    assert session.execute(sa.select(sa.func.count()).select_from(few)).scalar() == 4
    numbered = sa.select(Person.id, sa.func.row_number().over(order_by=Person.id)).order_by(Person.id).limit(2)
    assert session.execute(numbered).all()[1][1] == 2
    union = sa.union_all(sa.select(Person.name).where(Person.id == 1), sa.select(Post.title).where(Post.id == 2))
    assert sorted(session.execute(union).scalars()) == ["Ann", "p2"]
    assert session.execute(sa.select(Person).with_for_update(skip_locked=True).limit(1)).scalar() is not None
    session.rollback()


def check_changes(session):
    upsert = insert(Person).values([dict(name="u1", score=9.5), dict(name="new", score=2)])
    done = session.execute(upsert.on_duplicate_key_update(score=upsert.inserted.score))
    assert done.rowcount == 3, done.rowcount  # one updated (2), one inserted (1)
    session.commit()
    assert session.execute(sa.select(Person.score).where(Person.name == "u1")).scalar() == 9.5
    try:
        with session.begin_nested():
            session.add(Person(name="Ann"))
            session.flush()
        raise AssertionError("a second Ann")
    except sa.exc.IntegrityError as error:
        assert error.orig.args[0] == 1062, error
    session.execute(sa.update(Person).where(Person.name.like("u%")).values(money=Person.score + 1)
                    .execution_options(synchronize_session=False))
    session.execute(sa.delete(Person).where(Person.name == "u2"))
    session.commit()
    session.delete(session.get(Person, 1))
    session.commit()
    assert session.execute(sa.select(sa.func.count(Post.id))).scalar() == 0


def check_inspection(engine):
    inspector = sa.inspect(engine)
    assert inspector.get_table_names() == ["person", "post"]
    assert "orm" in inspector.get_schema_names() and inspector.get_view_names() == []
    columns = {c["name"]: c for c in inspector.get_columns("person")}
    assert columns["name"]["comment"] == "it's unique" and columns["name"]["nullable"] is False
    assert columns["name"]["type"].length == 50 and columns["money"]["type"].scale == 2
    assert columns["level"]["type"].enums == ["bronze", "gold"] and columns["id"]["autoincrement"] is True
    assert isinstance(columns["facts"]["type"], sa.JSON), columns["facts"]
    assert inspector.get_pk_constraint("post")["constrained_columns"] == ["id"]
    assert [u["column_names"] for u in inspector.get_unique_constraints("person")] == [["name"]]
    assert {i["name"]: i["column_names"] for i in inspector.get_indexes("post")}["ix_title"] == ["person_id", "title"]
    assert [c["name"] for c in inspector.get_check_constraints("post")] == ["positive"]
    assert inspector.get_table_options("post")["mysql_engine"] == "InnoDB"
    metadata = sa.MetaData()
    metadata.reflect(engine)
    assert set(metadata.tables) == {"person", "post"}


def check_isolation_levels(engine):
    for level in ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE", "READ UNCOMMITTED", "AUTOCOMMIT"):
        with engine.connect().execution_options(isolation_level=level) as connection:
            assert connection.execute(sa.text("SELECT :a + 1, :b"), dict(a=1, b="x%")).one() == (2, "x%")
            assert level == "AUTOCOMMIT" or connection.get_isolation_level() == level


def main():
    driver, port = sys.argv[1:]
    server = f"mysql+{driver}://root@127.0.0.1:{port}/"
    with sa.create_engine(server).connect() as connection:
        connection.execute(sa.text("DROP DATABASE IF EXISTS orm"))
        connection.execute(sa.text("CREATE DATABASE orm"))
    engine = sa.create_engine(server + "orm?charset=utf8mb4", pool_pre_ping=True)
    Base.metadata.create_all(engine)
    Base.metadata.create_all(engine)  # finds that all is there
    with Session(engine) as session:
        check_values(session)
        check_queries(session)
        check_changes(session)
    check_inspection(engine)
    check_isolation_levels(engine)
    Base.metadata.drop_all(engine)
    assert sa.inspect(engine).get_table_names() == []


main()
