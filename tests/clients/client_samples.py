#!/usr/bin/python3
"""Sample schemas of the shape of sakila, world and employees: loaded, dumped, restored, dumped again, asked. usage: client_samples.py PORT

The definitions have every form that the public ones have (ENUM, SET, YEAR, UNSIGNED, ON UPDATE, composite keys, cascades both ways, views
on views with GROUP_CONCAT and window functions); the rows are generated, so Python knows the answers. Where BOREALIS_SAMPLES names a
directory, its files *.sql (the public ones, as mysql's client loads them) go the same way from load to second dump.
"""
import collections
import datetime
import decimal
import os
import pathlib
import random
import subprocess
import sys

import pymysql

PORT = sys.argv[1]
SERVER = ["-h127.0.0.1", f"-P{PORT}", "-uroot"]
RANDOM = random.Random(7)
CITIES, CUSTOMERS, FILMS, RENTALS, EMPLOYEES = 80, 200, 150, 5000, 1000

SCHEMA = """
DROP DATABASE IF EXISTS samples;
CREATE DATABASE samples DEFAULT CHARACTER SET utf8mb4;
USE samples;
SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0;
SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0;
SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='TRADITIONAL';
CREATE TABLE country (code CHAR(3) NOT NULL DEFAULT '', name CHAR(52) NOT NULL DEFAULT '', continent ENUM('Asia','Europe','North America','Africa') NOT NULL
  DEFAULT 'Asia', surface DECIMAL(10,2) NOT NULL DEFAULT '0.00', independent SMALLINT DEFAULT NULL, life FLOAT(3,1) DEFAULT NULL, PRIMARY KEY (code));
CREATE TABLE city (id INT NOT NULL AUTO_INCREMENT, name VARCHAR(35) NOT NULL DEFAULT '', country_code CHAR(3) NOT NULL DEFAULT '', population INT NOT NULL
  DEFAULT '0', PRIMARY KEY (id), KEY by_country (country_code), CONSTRAINT city_country FOREIGN KEY (country_code) REFERENCES country (code));
CREATE TABLE language (country_code CHAR(3) NOT NULL, language CHAR(30) NOT NULL, official ENUM('T','F') NOT NULL DEFAULT 'F', percentage DECIMAL(4,1)
  NOT NULL DEFAULT '0.0', PRIMARY KEY (country_code, language), FOREIGN KEY (country_code) REFERENCES country (code) ON DELETE CASCADE);
CREATE TABLE customer (id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT, store TINYINT UNSIGNED NOT NULL, first_name VARCHAR(45) NOT NULL, last_name VARCHAR(45)
  NOT NULL, email VARCHAR(50) DEFAULT NULL, city INT NOT NULL, active BOOLEAN NOT NULL DEFAULT TRUE, created DATETIME NOT NULL, last_update TIMESTAMP
  DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, PRIMARY KEY (id), KEY by_name (last_name, first_name(10)), KEY by_city (city),
  CONSTRAINT customer_city FOREIGN KEY (city) REFERENCES city (id) ON DELETE RESTRICT ON UPDATE CASCADE);
CREATE TABLE film (id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT, title VARCHAR(128) NOT NULL, description TEXT DEFAULT NULL, released YEAR DEFAULT NULL,
  rate DECIMAL(4,2) NOT NULL DEFAULT 4.99, length SMALLINT UNSIGNED DEFAULT NULL, rating ENUM('G','PG','PG-13','R','NC-17') DEFAULT 'G',
  extras SET('Trailers','Commentaries','Deleted Scenes','Behind the Scenes') DEFAULT NULL, cover BLOB DEFAULT NULL, PRIMARY KEY (id), KEY by_title (title));
CREATE TABLE category (id TINYINT UNSIGNED NOT NULL AUTO_INCREMENT, name VARCHAR(25) NOT NULL, PRIMARY KEY (id), UNIQUE KEY (name));
CREATE TABLE film_category (film SMALLINT UNSIGNED NOT NULL, category TINYINT UNSIGNED NOT NULL, PRIMARY KEY (film, category),
  CONSTRAINT of_film FOREIGN KEY (film) REFERENCES film (id) ON DELETE CASCADE ON UPDATE CASCADE, CONSTRAINT of_category FOREIGN KEY (category) REFERENCES category (id));
CREATE TABLE rental (id INT NOT NULL AUTO_INCREMENT, rented DATETIME NOT NULL, film SMALLINT UNSIGNED NOT NULL, customer SMALLINT UNSIGNED NOT NULL,
  returned DATETIME DEFAULT NULL, amount DECIMAL(5,2) NOT NULL, PRIMARY KEY (id), UNIQUE KEY (rented, film, customer), KEY by_film (film), KEY by_customer (customer),
  CONSTRAINT rental_film FOREIGN KEY (film) REFERENCES film (id) ON UPDATE CASCADE, CONSTRAINT rental_customer FOREIGN KEY (customer) REFERENCES customer (id));
CREATE TABLE employee (emp_no INT NOT NULL, birth_date DATE NOT NULL, name VARCHAR(30) NOT NULL, gender ENUM('M','F') NOT NULL, hired DATE NOT NULL, PRIMARY KEY (emp_no));
CREATE TABLE department (dept_no CHAR(4) NOT NULL, name VARCHAR(40) NOT NULL, PRIMARY KEY (dept_no), UNIQUE KEY (name));
CREATE TABLE dept_emp (emp_no INT NOT NULL, dept_no CHAR(4) NOT NULL, from_date DATE NOT NULL, to_date DATE NOT NULL, PRIMARY KEY (emp_no, dept_no), KEY (dept_no),
  FOREIGN KEY (emp_no) REFERENCES employee (emp_no) ON DELETE CASCADE, FOREIGN KEY (dept_no) REFERENCES department (dept_no) ON DELETE CASCADE);
CREATE TABLE salary (emp_no INT NOT NULL, salary INT NOT NULL, from_date DATE NOT NULL, to_date DATE NOT NULL, PRIMARY KEY (emp_no, from_date),
  FOREIGN KEY (emp_no) REFERENCES employee (emp_no) ON DELETE CASCADE);
CREATE VIEW customer_list AS SELECT c.id AS ID, CONCAT(c.first_name, _utf8' ', c.last_name) AS name, t.name AS town, n.name AS country,
  IF(c.active, _utf8'active', _utf8'') AS notes FROM customer AS c JOIN city AS t ON c.city = t.id JOIN country n ON t.country_code = n.code;
CREATE VIEW film_list AS SELECT f.id AS FID, CONCAT(UCASE(SUBSTRING(f.title, 1, 1)), LCASE(SUBSTRING(f.title, 2, LENGTH(f.title)))) AS title,
  GROUP_CONCAT(c.name ORDER BY c.name SEPARATOR ', ') AS categories, f.rating AS rating FROM film f LEFT JOIN film_category fc ON fc.film = f.id
  LEFT JOIN category c ON c.id = fc.category GROUP BY f.id;
CREATE VIEW sales_by_category AS SELECT c.name AS category, SUM(r.amount) AS total_sales FROM rental r JOIN film_category fc ON fc.film = r.film
  JOIN category c ON c.id = fc.category GROUP BY c.name ORDER BY total_sales DESC;
CREATE OR REPLACE VIEW latest_dept AS SELECT emp_no, MAX(from_date) AS from_date, MAX(to_date) AS to_date FROM dept_emp GROUP BY emp_no;
CREATE OR REPLACE SQL SECURITY INVOKER VIEW current_dept AS SELECT l.emp_no, d.dept_no, l.from_date, l.to_date FROM dept_emp d
  INNER JOIN latest_dept l ON d.emp_no = l.emp_no AND d.from_date = l.from_date AND l.to_date = d.to_date;
SET SQL_MODE=@OLD_SQL_MODE, FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS, UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS;
"""


def connect():
    return pymysql.connect(host="127.0.0.1", port=int(PORT), user="root", database="samples", charset="utf8mb4", autocommit=False)


def day(first, span):
    return first + datetime.timedelta(days=RANDOM.randrange(span))


def generate():
    """The tables' rows, by table; parents first."""
    rows = collections.OrderedDict()
    codes = [f"{a}{b}X" for a in "ABCDE" for b in "KLMN"]
    rows["country"] = [(c, f"Land {c} ñ", RANDOM.choice(["Asia", "Europe", "North America", "Africa"]), decimal.Decimal(RANDOM.randrange(10**7)) / 100,
                        RANDOM.choice([None, RANDOM.randrange(-1000, 2000)]), RANDOM.choice([None, 71.5, 80.2])) for c in codes]
    rows["city"] = [(i, f"City {i}", RANDOM.choice(codes), RANDOM.randrange(10**7)) for i in range(1, CITIES + 1)]
    rows["language"] = [(c, name, RANDOM.choice("TF"), decimal.Decimal(RANDOM.randrange(1000)) / 10) for c in codes for name in ("Nordic", "Suomi 😀")]
    rows["customer"] = [(i, RANDOM.choice((1, 2)), f"FIRST{i % 50}", f"O'LAST{i % 37}", RANDOM.choice([None, f"c{i}@example.org"]), RANDOM.randrange(1, CITIES + 1),
                         RANDOM.random() < 0.9, datetime.datetime(2006, 2, 14, 22, 4, 36), datetime.datetime(2006, 2, 15, 4, 57, 20)) for i in range(1, CUSTOMERS + 1)]
    rows["film"] = [(i, f"FILM {i} \\ AND MORE", f"A tale of {i}\n\tand \"others\"" if i % 7 else None, 1990 + i % 30, decimal.Decimal(RANDOM.choice(("0.99", "2.99", "4.99"))),
                     RANDOM.randrange(46, 186), RANDOM.choice(["G", "PG", "PG-13", "R", "NC-17"]), RANDOM.choice([None, "", "Trailers", "Trailers,Deleted Scenes"]),
                     bytes(range(256)) if i % 50 == 0 else None) for i in range(1, FILMS + 1)]
    names = ["Action", "Animation", "Children", "Classics", "Comedy"]
    rows["category"] = list(enumerate(names, 1))
    rows["film_category"] = [(film, category) for film in range(1, FILMS + 1) for category in RANDOM.sample(range(1, 6), RANDOM.randrange(0, 3))]
    start = datetime.datetime(2005, 5, 24, 22, 53, 30)
    rows["rental"] = [(i, start + datetime.timedelta(minutes=i), RANDOM.randrange(1, FILMS + 1), RANDOM.randrange(1, CUSTOMERS + 1),
                       RANDOM.choice([None, start + datetime.timedelta(minutes=i, days=RANDOM.randrange(1, 10))]), decimal.Decimal(RANDOM.choice(("0.99", "2.99", "7.99"))))
                      for i in range(1, RENTALS + 1)]
    first = datetime.date(1985, 1, 1)
    rows["employee"] = [(10000 + i, day(datetime.date(1952, 2, 1), 5000), f"Worker {i}", RANDOM.choice("MF"), day(first, 4000)) for i in range(1, EMPLOYEES + 1)]
    rows["department"] = [(f"d{i:03}", f"Department {i}") for i in range(1, 10)]
    rows["dept_emp"], rows["salary"] = [], []
    for number, *_, hired in rows["employee"]:
        departments = RANDOM.sample(rows["department"], RANDOM.choice((1, 1, 1, 2)))
        for i, (department, _) in enumerate(departments):
            last = i == len(departments) - 1
            rows["dept_emp"].append((number, department, hired + datetime.timedelta(days=400 * i), datetime.date(9999, 1, 1) if last else hired + datetime.timedelta(days=400)))
        for year in range(RANDOM.randrange(1, 6)):
            rows["salary"].append((number, RANDOM.randrange(40000, 90000), hired + datetime.timedelta(days=365 * year), hired + datetime.timedelta(days=365 * (year + 1))))
    return rows


def load(rows):
    subprocess.run(["mariadb", *SERVER], input=SCHEMA.encode(), check=True)
    server = connect()
    with server.cursor() as cursor:
        for table, values in rows.items():
            cursor.executemany(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(values[0]))})", values)
    server.commit()
    server.close()


def dump(database):
    done = subprocess.run(["mariadb-dump", *SERVER, "--single-transaction", "--hex-blob", "--skip-comments", "--default-character-set=utf8mb4", database],
                          capture_output=True, check=True, timeout=300)
    return done.stdout


def check_dump(database):
    first = dump(database)
    subprocess.run(["mariadb", *SERVER, "-e", "DROP DATABASE IF EXISTS restored; CREATE DATABASE restored"], check=True)
    subprocess.run(["mariadb", *SERVER, "--default-character-set=utf8mb4", "restored"], input=first, check=True, timeout=600)
    second = dump("restored").replace(b"`restored`.", f"`{database}`.".encode())
    for a, b in zip(first.splitlines(), second.splitlines()):
        assert a == b, (a[:500], b[:500])
    assert len(first) == len(second)
    subprocess.run(["mariadb", *SERVER, "-e", "DROP DATABASE restored"], check=True)


def check_answers(rows):
    server = connect()

    def ask(text):
        with server.cursor() as cursor:
            cursor.execute(text)
            return list(cursor.fetchall())

    for table, values in rows.items():
        assert ask(f"SELECT COUNT(*) FROM {table}") == [(len(values),)], table
    category = dict(rows["category"])
    of_film = collections.defaultdict(list)
    for film, number in rows["film_category"]:
        of_film[film].append(category[number])
    sales = collections.Counter()
    for _, _, film, _, _, amount in rows["rental"]:
        for name in of_film[film]:
            sales[name] += amount
    assert sorted(ask("SELECT * FROM sales_by_category")) == sorted(sales.items())
    assert ask("SELECT categories FROM film_list ORDER BY FID") == [(", ".join(sorted(of_film[f])) or None,) for f in range(1, FILMS + 1)]
    assert ask("SELECT title FROM film_list WHERE FID = 5") == [("Film 5 \\ and more",)]
    spent = collections.Counter()
    for _, _, _, customer, _, amount in rows["rental"]:
        spent[customer] += amount
    best = sorted(spent.items(), key=lambda item: (-item[1], item[0]))[:10]
    assert ask("SELECT l.ID, SUM(r.amount) total FROM customer_list l JOIN rental r ON r.customer = l.ID GROUP BY l.ID ORDER BY total DESC, l.ID LIMIT 10") == best
    assert ask("SELECT customer, total, RANK() OVER (ORDER BY total DESC) FROM (SELECT customer, SUM(amount) total FROM rental GROUP BY customer) q "
               "ORDER BY total DESC, customer LIMIT 3") == [(c, t, 1 + sum(1 for v in spent.values() if v > t)) for c, t in best[:3]]
    out = sum(1 for row in rows["rental"] if row[4] is None)
    assert ask("SELECT COUNT(*) FROM rental WHERE returned IS NULL") == [(out,)]
    biggest = collections.defaultdict(int)
    for _, _, code, population in rows["city"]:
        biggest[code] = max(biggest[code], population)
    assert ask("SELECT country_code, population FROM city a WHERE population = (SELECT MAX(population) FROM city b WHERE b.country_code = a.country_code) "
               "ORDER BY country_code") == sorted(biggest.items())
    trailers = sum(1 for row in rows["film"] if row[7] and "Trailers" in row[7])
    assert ask("SELECT COUNT(*) FROM film WHERE FIND_IN_SET('Trailers', extras)") == [(trailers,)]
    ratings = collections.Counter(row[6] for row in rows["film"])
    order = ["G", "PG", "PG-13", "R", "NC-17"]
    assert ask("SELECT rating, COUNT(*) FROM film GROUP BY rating WITH ROLLUP") == [(r, ratings[r]) for r in order if ratings[r]] + [(None, FILMS)]
    now = collections.Counter(row[1] for row in rows["dept_emp"] if row[3].year == 9999)
    assert ask("SELECT dept_no, COUNT(*) FROM current_dept GROUP BY dept_no ORDER BY dept_no") == sorted(now.items())
    pay = collections.defaultdict(list)
    department = {row[0]: row[1] for row in rows["dept_emp"] if row[3].year == 9999}
    for number, salary, *_ in rows["salary"]:
        pay[department[number]].append(salary)
    got = ask("SELECT c.dept_no, MAX(s.salary), SUM(s.salary) FROM salary s JOIN current_dept c USING (emp_no) GROUP BY c.dept_no ORDER BY c.dept_no")
    assert [(d, m, int(t)) for d, m, t in got] == [(d, max(v), sum(v)) for d, v in sorted(pay.items())]
    with server.cursor() as cursor:  # cascades, and what they leave
        cursor.execute("DELETE FROM employee WHERE emp_no <= 10100")
        cursor.execute("UPDATE film SET id = 5000 WHERE id = 1")
    assert ask("SELECT COUNT(*) FROM salary") == [(sum(1 for row in rows["salary"] if row[0] > 10100),)]
    assert ask("SELECT COUNT(*) FROM rental WHERE film = 5000") == [(sum(1 for row in rows["rental"] if row[2] == 1),)]
    try:
        ask("DELETE FROM customer WHERE id = 1")
        raise AssertionError("a customer with rentals was deleted")
    except pymysql.err.IntegrityError as problem:
        assert problem.args[0] == 1451, problem
    server.rollback()
    server.close()


def check_public():
    """The public files, where somebody put them: each database that they make is dumped and restored."""
    directory = os.environ.get("BOREALIS_SAMPLES")
    for file in sorted(pathlib.Path(directory).glob("*.sql")) if directory else []:
        before = subprocess.run(["mariadb", *SERVER, "-N", "-e", "SHOW DATABASES"], capture_output=True, text=True, check=True).stdout.split()
        subprocess.run(["mariadb", *SERVER], stdin=file.open("rb"), cwd=directory, check=True, timeout=900)
        after = subprocess.run(["mariadb", *SERVER, "-N", "-e", "SHOW DATABASES"], capture_output=True, text=True, check=True).stdout.split()
        for database in set(after) - set(before):
            check_dump(database)


rows = generate()
load(rows)
check_answers(rows)
check_dump("samples")
check_public()
