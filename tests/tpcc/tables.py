"""TPC-C's nine tables, and their first content (clauses 1.3 and 4.3.3), loaded with multi-row INSERTs by several processes."""
import dataclasses
import datetime
import random

import pymysql

DISTRICTS = 10
UNDELIVERED = 0.3  # of a district's first orders: the newest 900 of 3000

TABLES = {
    "item": "i_id INT PRIMARY KEY, i_im_id INT, i_name VARCHAR(24), i_price DECIMAL(5,2), i_data VARCHAR(50)",
    "warehouse": "w_id INT PRIMARY KEY, w_name VARCHAR(10), w_street_1 VARCHAR(20), w_street_2 VARCHAR(20), w_city VARCHAR(20), w_state CHAR(2), "
                 "w_zip CHAR(9), w_tax DECIMAL(4,4), w_ytd DECIMAL(12,2)",
    "district": "d_id INT, d_w_id INT, d_name VARCHAR(10), d_street_1 VARCHAR(20), d_street_2 VARCHAR(20), d_city VARCHAR(20), d_state CHAR(2), "
                "d_zip CHAR(9), d_tax DECIMAL(4,4), d_ytd DECIMAL(12,2), d_next_o_id INT, PRIMARY KEY (d_w_id, d_id)",
    "customer": "c_id INT, c_d_id INT, c_w_id INT, c_first VARCHAR(16), c_middle CHAR(2), c_last VARCHAR(16), c_street_1 VARCHAR(20), "
                "c_street_2 VARCHAR(20), c_city VARCHAR(20), c_state CHAR(2), c_zip CHAR(9), c_phone CHAR(16), c_since DATETIME, c_credit CHAR(2), "
                "c_credit_lim DECIMAL(12,2), c_discount DECIMAL(4,4), c_balance DECIMAL(12,2), c_ytd_payment DECIMAL(12,2), c_payment_cnt INT, "
                "c_delivery_cnt INT, c_data VARCHAR(500), PRIMARY KEY (c_w_id, c_d_id, c_id), KEY by_name (c_w_id, c_d_id, c_last, c_first)",
    "history": "h_id BIGINT AUTO_INCREMENT PRIMARY KEY, h_c_id INT, h_c_d_id INT, h_c_w_id INT, h_d_id INT, h_w_id INT, h_date DATETIME, "
               "h_amount DECIMAL(6,2), h_data VARCHAR(24), KEY by_customer (h_c_w_id, h_c_d_id, h_c_id)",
    "orders": "o_id INT, o_d_id INT, o_w_id INT, o_c_id INT, o_entry_d DATETIME, o_carrier_id INT, o_ol_cnt INT, o_all_local INT, "
              "PRIMARY KEY (o_w_id, o_d_id, o_id), UNIQUE KEY by_customer (o_w_id, o_d_id, o_c_id, o_id)",
    "new_order": "no_o_id INT, no_d_id INT, no_w_id INT, PRIMARY KEY (no_w_id, no_d_id, no_o_id)",
    "order_line": "ol_o_id INT, ol_d_id INT, ol_w_id INT, ol_number INT, ol_i_id INT, ol_supply_w_id INT, ol_delivery_d DATETIME, ol_quantity INT, "
                  "ol_amount DECIMAL(6,2), ol_dist_info CHAR(24), PRIMARY KEY (ol_w_id, ol_d_id, ol_o_id, ol_number)",
    "stock": "s_i_id INT, s_w_id INT, s_quantity INT, " + ", ".join(f"s_dist_{d:02} CHAR(24)" for d in range(1, DISTRICTS + 1)) +
             ", s_ytd INT, s_order_cnt INT, s_remote_cnt INT, s_data VARCHAR(50), PRIMARY KEY (s_w_id, s_i_id)",
}
SYLLABLES = ("BAR", "OUGHT", "ABLE", "PRI", "PRES", "ESE", "ANTI", "CALLY", "ATION", "EING")


@dataclasses.dataclass
class Scale:
    warehouses: int = 10
    items: int = 100_000
    customers: int = 3000  # of a district; as many orders in the beginning

    @property
    def delivered(self):
        """Of the first orders of a district."""
        return self.customers - int(self.customers * UNDELIVERED)


def last_name(number):
    return SYLLABLES[number // 100] + SYLLABLES[number // 10 % 10] + SYLLABLES[number % 10]


class Chance(random.Random):
    """Random values as clause 4.3.2 and 2.1.6 want them."""
    CONSTANTS = {255: 91, 1023: 517, 8191: 3221}  # C of NURand: for the load; a run has others, within clause 2.1.6.1
    LETTERS = "".join(random.Random(7).choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=1 << 16))

    def __init__(self, seed, running=False):
        super().__init__(seed)
        self.constants = {a: c + 67 if running and a == 255 else c for a, c in self.CONSTANTS.items()}

    def nurand(self, a, low, high):
        return ((self.randint(0, a) | self.randint(low, high)) + self.constants[a]) % (high - low + 1) + low

    def customer(self, scale):
        return self.nurand(1023, 1, scale.customers)

    def item(self, scale):
        return self.nurand(8191, 1, scale.items)

    def name(self, scale):
        return last_name(self.nurand(255, 0, min(999, scale.customers - 1)))

    def text(self, shortest, longest):
        length = self.randint(shortest, longest)
        start = self.randrange(len(self.LETTERS) - length)
        return self.LETTERS[start:start + length]

    def data(self):
        """Every tenth contains ORIGINAL."""
        text = self.text(26, 50)
        if self.random() < 0.1:
            at = self.randint(0, len(text) - 8)
            text = text[:at] + "ORIGINAL" + text[at + 8:]
        return text

    def address(self):
        return f"'{self.text(10, 20)}','{self.text(10, 20)}','{self.text(10, 20)}','{self.text(2, 2)}','{self.randint(0, 9999):04}11111'"

    def tax(self):
        return f"{self.randint(0, 2000) / 10000:.4f}"


class Inserter:
    """Rows of a table, many to a statement."""

    def __init__(self, cursor, table, columns="", rows=400):
        self.cursor, self.head, self.most = cursor, f"INSERT INTO {table}{columns} VALUES ", rows
        self.rows = []

    def add(self, row):
        self.rows.append(row)
        if len(self.rows) >= self.most:
            self.flush()

    def flush(self):
        if self.rows:
            self.cursor.execute(self.head + ",".join(self.rows))
            self.rows.clear()


def create(cursor):
    cursor.execute("CREATE DATABASE tpcc")
    for name, columns in TABLES.items():
        cursor.execute(f"CREATE TABLE tpcc.{name} ({columns})")


def load_items(cursor, scale):
    chance, items = Chance(1), Inserter(cursor, "item")
    for i in range(1, scale.items + 1):
        items.add(f"({i},{chance.randint(1, 10000)},'{chance.text(14, 24)}',{chance.randint(100, 10000) / 100:.2f},'{chance.data()}')")
    items.flush()


def load_stock(cursor, scale, warehouse):
    chance, stock = Chance(1000 + warehouse), Inserter(cursor, "stock", rows=200)
    for i in range(1, scale.items + 1):
        districts = ",".join(f"'{chance.text(24, 24)}'" for _ in range(DISTRICTS))
        stock.add(f"({i},{warehouse},{chance.randint(10, 100)},{districts},0,0,0,'{chance.data()}')")
    stock.flush()


def load_warehouse(cursor, scale, warehouse):
    chance = Chance(2000 + warehouse)
    ytd = scale.customers * 10  # as much as its history says
    cursor.execute(f"INSERT INTO warehouse VALUES ({warehouse},'{chance.text(6, 10)}',{chance.address()},{chance.tax()},{ytd * DISTRICTS}.00)")
    for district in range(1, DISTRICTS + 1):
        cursor.execute(f"INSERT INTO district VALUES ({district},{warehouse},'{chance.text(6, 10)}',{chance.address()},{chance.tax()},{ytd}.00,"
                       f"{scale.customers + 1})")
        load_customers(cursor, scale, warehouse, district, chance)
        load_orders(cursor, scale, warehouse, district, chance)


def load_customers(cursor, scale, warehouse, district, chance):
    now = datetime.datetime.now().strftime("%Y-%m-%d %H:%M:%S")
    customers = Inserter(cursor, "customer", rows=200)
    history = Inserter(cursor, "history", " (h_c_id, h_c_d_id, h_c_w_id, h_d_id, h_w_id, h_date, h_amount, h_data)")
    for c in range(1, scale.customers + 1):
        name = last_name(c - 1) if c <= 1000 else chance.name(scale)
        credit = "BC" if chance.random() < 0.1 else "GC"
        customers.add(f"({c},{district},{warehouse},'{chance.text(8, 16)}','OE','{name}',{chance.address()},'{chance.randint(0, 10**16 - 1):016}',"
                      f"'{now}','{credit}',50000.00,{chance.randint(0, 5000) / 10000:.4f},-10.00,10.00,1,0,'{chance.text(300, 500)}')")
        history.add(f"({c},{district},{warehouse},{district},{warehouse},'{now}',10.00,'{chance.text(12, 24)}')")
    customers.flush()
    history.flush()


def load_orders(cursor, scale, warehouse, district, chance):
    now = datetime.datetime.now().strftime("%Y-%m-%d %H:%M:%S")
    orders, lines, new = Inserter(cursor, "orders"), Inserter(cursor, "order_line"), Inserter(cursor, "new_order")
    customers = list(range(1, scale.customers + 1))
    chance.shuffle(customers)
    for o, customer in enumerate(customers, 1):
        delivered, count = o <= scale.delivered, chance.randint(5, 15)
        orders.add(f"({o},{district},{warehouse},{customer},'{now}',{chance.randint(1, 10) if delivered else 'NULL'},{count},1)")
        if not delivered:
            new.add(f"({o},{district},{warehouse})")
        for number in range(1, count + 1):
            amount = "0.00" if delivered else f"{chance.randint(1, 999999) / 100:.2f}"
            when = f"'{now}'" if delivered else "NULL"
            lines.add(f"({o},{district},{warehouse},{number},{chance.randint(1, scale.items)},{warehouse},{when},5,{amount},'{chance.text(24, 24)}')")
    for inserter in (orders, new, lines):
        inserter.flush()


def load_part(host, port, scale, part):
    """One piece of the load; `part` is ("item",), ("stock", warehouse) or ("warehouse", warehouse)."""
    connection = pymysql.connect(host=host, port=port, user="root", database="tpcc", autocommit=True, read_timeout=120)
    with connection, connection.cursor() as cursor:
        if part[0] == "item":
            load_items(cursor, scale)
        elif part[0] == "stock":
            load_stock(cursor, scale, part[1])
        else:
            load_warehouse(cursor, scale, part[1])
    return part


def parts(scale):
    return [("item",)] + [(kind, w) for w in range(1, scale.warehouses + 1) for kind in ("stock", "warehouse")]
