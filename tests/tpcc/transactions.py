"""TPC-C's five transactions (clauses 2.4 to 2.8), at REPEATABLE READ, and the terminals that run them.

What a transaction reads to change it is read with FOR UPDATE: at this level a plain read may be old. A terminal runs its deck of cards
(clause 5.2.4.2: ten New-Order, ten Payment, one of each other) without keying and think times.
"""
import datetime
import pickle
import threading
import time

import pymysql

from cluster import hang_up
from tables import DISTRICTS, Chance

NAMES = ("New-Order", "Payment", "Order-Status", "Delivery", "Stock-Level")
DECK = (0,) * 10 + (1,) * 10 + (2, 3, 4)
DEADLOCK, LOCK_WAIT_TIMEOUT, READ_ONLY = 1213, 1205, 1290


class UnusedItem(Exception):
    """Of one New-Order in a hundred: it is rolled back (clause 2.4.1.4)."""


class Counts:
    """What all terminals together were told, by district; shared by processes."""
    KINDS = ("orders", "orders_in_doubt", "payments", "payments_in_doubt", "deliveries", "newest_order")

    def __init__(self, context, scale):
        self.by_kind = {kind: context.Array("q", scale.warehouses * DISTRICTS) for kind in self.KINDS}
        self.done = context.Array("q", len(NAMES))
        self.retried = context.Value("q", 0)

    def add(self, kind, warehouse, district, count=1):
        array = self.by_kind[kind]
        with array.get_lock():
            array[(warehouse - 1) * DISTRICTS + district - 1] += count

    def saw_order(self, warehouse, district, order):
        array, at = self.by_kind["newest_order"], (warehouse - 1) * DISTRICTS + district - 1
        with array.get_lock():
            array[at] = max(array[at], order)

    def copy(self):
        return {kind: list(array) for kind, array in self.by_kind.items()}


class Terminal:
    def __init__(self, number, host, port, scale, counts):
        self.number, self.host, self.port, self.scale, self.counts = number, host, port, scale, counts
        self.chance = Chance(number * 7919 + 1, running=True)
        self.warehouse = number % scale.warehouses + 1
        self.took = [[] for _ in NAMES]  # seconds, by transaction
        self.errors = {}
        self.connection, self.failure = None, None

    def run(self, stopping):
        deck = []
        while not stopping.is_set():
            if not deck:
                deck = list(DECK)
                self.chance.shuffle(deck)
            self._card(deck.pop(), stopping)
        if self.connection is not None:
            self.connection.close()

    def _card(self, kind, stopping):
        """Runs a transaction until it is done, with the same input after a deadlock or a lost connection."""
        begin = (self._new_order, self._payment, self._order_status, self._delivery, self._stock_level)[kind]
        work, started = begin(), time.monotonic()
        while not stopping.is_set():
            told, sent = None, False
            try:
                if self.connection is None:
                    self.connection = pymysql.connect(host=self.host, port=self.port, user="root", database="tpcc", autocommit=True,
                                                      connect_timeout=10, read_timeout=60)
                with self.connection.cursor() as cursor:
                    cursor.execute("BEGIN")
                    told = work(cursor)
                    sent = True
                    cursor.execute("COMMIT")
                self._note(told, in_doubt=False)
                break
            except UnusedItem:
                self.connection.rollback()
                break
            except pymysql.MySQLError as error:
                code = error.args[0] if error.args else 0
                self.errors[code] = self.errors.get(code, 0) + 1
                if sent:
                    self._note(told, in_doubt=True)
                if not self._go_on_after(code) or sent:
                    self._hang_up()
                if sent:
                    return  # nobody knows; a second time would be another transaction
        else:
            return
        self.took[kind].append(time.monotonic() - started)
        with self.counts.done.get_lock():
            self.counts.done[kind] += 1

    def _go_on_after(self, code):
        with self.counts.retried.get_lock():
            self.counts.retried.value += 1
        if code in (DEADLOCK, LOCK_WAIT_TIMEOUT):
            try:
                self.connection.rollback()
                return True
            except pymysql.MySQLError:
                return False
        time.sleep(0.05)
        return False

    def _hang_up(self):
        hang_up(self.connection)
        self.connection = None

    def _note(self, told, in_doubt):
        for kind, warehouse, district, *order in told or ():
            if not in_doubt:
                self.counts.add(kind, warehouse, district)
                if order:
                    self.counts.saw_order(warehouse, district, order[0])
            elif kind != "deliveries":
                self.counts.add(kind + "_in_doubt", warehouse, district)

    @staticmethod
    def _one(cursor, text):
        cursor.execute(text)
        return cursor.fetchone()

    def _now(self):
        return datetime.datetime.now().strftime("%Y-%m-%d %H:%M:%S")

    def _other_warehouse(self):
        other = self.chance.randint(1, self.scale.warehouses - 1)
        return other if other < self.warehouse else other + 1

    # --- the transactions: input first, then the work, which gives what is to be counted ---

    def _new_order(self):
        chance, w = self.chance, self.warehouse
        d, c = chance.randint(1, DISTRICTS), chance.customer(self.scale)
        lines = []
        for _ in range(chance.randint(5, 15)):
            remote = self.scale.warehouses > 1 and chance.random() < 0.01
            lines.append([chance.item(self.scale), self._other_warehouse() if remote else w, chance.randint(1, 10)])
        if chance.random() < 0.01:
            lines[-1][0] = self.scale.items + 1
        return lambda cursor: self._do_new_order(cursor, w, d, c, lines)

    def _do_new_order(self, cursor, w, d, c, lines):
        self._one(cursor, f"SELECT c_discount, c_last, c_credit, w_tax FROM customer JOIN warehouse ON w_id = c_w_id "
                          f"WHERE c_w_id = {w} AND c_d_id = {d} AND c_id = {c}")
        o, _ = self._one(cursor, f"SELECT d_next_o_id, d_tax FROM district WHERE d_w_id = {w} AND d_id = {d} FOR UPDATE")
        cursor.execute(f"UPDATE district SET d_next_o_id = d_next_o_id + 1 WHERE d_w_id = {w} AND d_id = {d}")
        all_local = int(all(supply == w for _, supply, _ in lines))
        cursor.execute(f"INSERT INTO orders VALUES ({o},{d},{w},{c},'{self._now()}',NULL,{len(lines)},{all_local})")
        cursor.execute(f"INSERT INTO new_order VALUES ({o},{d},{w})")
        cursor.execute(f"SELECT i_id, i_price, i_name, i_data FROM item WHERE i_id IN ({','.join(str(i) for i, _, _ in lines)})")
        prices = {row[0]: row[1] for row in cursor.fetchall()}
        if any(i not in prices for i, _, _ in lines):
            raise UnusedItem
        infos = {}
        for supply in sorted({supply for _, supply, _ in lines}):
            items = ",".join(str(i) for i in sorted({i for i, s, _ in lines if s == supply}))
            cursor.execute(f"SELECT s_i_id, s_dist_{d:02}, s_quantity, s_data FROM stock WHERE s_w_id = {supply} AND s_i_id IN ({items}) FOR UPDATE")
            infos.update({(supply, row[0]): row[1] for row in cursor.fetchall()})
        rows = []
        for number, (i, supply, quantity) in enumerate(lines, 1):
            cursor.execute(f"UPDATE stock SET s_quantity = IF(s_quantity >= {quantity} + 10, s_quantity - {quantity}, s_quantity - {quantity} + 91), "
                           f"s_ytd = s_ytd + {quantity}, s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + {int(supply != w)} "
                           f"WHERE s_w_id = {supply} AND s_i_id = {i}")
            rows.append(f"({o},{d},{w},{number},{i},{supply},NULL,{quantity},{prices[i] * quantity},'{infos[supply, i]}')")
        cursor.execute("INSERT INTO order_line VALUES " + ",".join(rows))
        return [("orders", w, d, o)]

    def _customer(self, w, d):
        """How a customer is found: 60 of 100 times by name (clauses 2.5.1.2, 2.6.1.2)."""
        if self.chance.random() < 0.6:
            name = self.chance.name(self.scale)
            return lambda cursor: self._by_name(cursor, w, d, name)
        c = self.chance.customer(self.scale)
        return lambda cursor: c

    def _by_name(self, cursor, w, d, name):
        cursor.execute(f"SELECT c_id FROM customer WHERE c_w_id = {w} AND c_d_id = {d} AND c_last = '{name}' ORDER BY c_first")
        found = cursor.fetchall()
        return found[(len(found) - 1) // 2][0]

    def _payment(self):
        chance, w = self.chance, self.warehouse
        d, amount = chance.randint(1, DISTRICTS), f"{chance.randint(100, 500000) / 100:.2f}"
        c_w, c_d = w, d
        if self.scale.warehouses > 1 and chance.random() < 0.15:
            c_w, c_d = self._other_warehouse(), chance.randint(1, DISTRICTS)
        customer = self._customer(c_w, c_d)
        return lambda cursor: self._do_payment(cursor, w, d, c_w, c_d, customer, amount)

    def _do_payment(self, cursor, w, d, c_w, c_d, customer, amount):
        cursor.execute(f"UPDATE warehouse SET w_ytd = w_ytd + {amount} WHERE w_id = {w}")
        w_name, *_ = self._one(cursor, f"SELECT w_name, w_street_1, w_city, w_state, w_zip FROM warehouse WHERE w_id = {w}")
        cursor.execute(f"UPDATE district SET d_ytd = d_ytd + {amount} WHERE d_w_id = {w} AND d_id = {d}")
        d_name, *_ = self._one(cursor, f"SELECT d_name, d_street_1, d_city, d_state, d_zip FROM district WHERE d_w_id = {w} AND d_id = {d}")
        c = customer(cursor)
        here = f"WHERE c_w_id = {c_w} AND c_d_id = {c_d} AND c_id = {c}"
        credit, data = self._one(cursor, f"SELECT c_credit, c_data FROM customer {here} FOR UPDATE")
        new_data = f", c_data = '{f'{c},{c_d},{c_w},{d},{w},{amount}|{data}'[:500]}'" if credit == "BC" else ""
        cursor.execute(f"UPDATE customer SET c_balance = c_balance - {amount}, c_ytd_payment = c_ytd_payment + {amount}, "
                       f"c_payment_cnt = c_payment_cnt + 1{new_data} {here}")
        cursor.execute(f"INSERT INTO history (h_c_id, h_c_d_id, h_c_w_id, h_d_id, h_w_id, h_date, h_amount, h_data) "
                       f"VALUES ({c},{c_d},{c_w},{d},{w},'{self._now()}',{amount},'{w_name}    {d_name}')")
        return [("payments", w, d)]

    def _order_status(self):
        w, d = self.warehouse, self.chance.randint(1, DISTRICTS)
        customer = self._customer(w, d)
        return lambda cursor: self._do_order_status(cursor, w, d, customer)

    def _do_order_status(self, cursor, w, d, customer):
        c = customer(cursor)
        self._one(cursor, f"SELECT c_balance, c_first, c_middle, c_last FROM customer WHERE c_w_id = {w} AND c_d_id = {d} AND c_id = {c}")
        order = self._one(cursor, f"SELECT o_id, o_carrier_id, o_entry_d, o_ol_cnt FROM orders WHERE o_w_id = {w} AND o_d_id = {d} AND o_c_id = {c} "
                                  "ORDER BY o_id DESC LIMIT 1")
        cursor.execute(f"SELECT ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_delivery_d FROM order_line "
                       f"WHERE ol_w_id = {w} AND ol_d_id = {d} AND ol_o_id = {order[0]}")
        assert len(cursor.fetchall()) == order[3], f"order {w}, {d}, {order[0]} has not {order[3]} lines"

    def _delivery(self):
        w, carrier = self.warehouse, self.chance.randint(1, 10)
        return lambda cursor: self._do_delivery(cursor, w, carrier)

    def _do_delivery(self, cursor, w, carrier):
        delivered = []
        for d in range(1, DISTRICTS + 1):
            oldest = self._one(cursor, f"SELECT no_o_id FROM new_order WHERE no_w_id = {w} AND no_d_id = {d} ORDER BY no_o_id LIMIT 1 FOR UPDATE")
            if oldest is None:
                continue
            o = oldest[0]
            cursor.execute(f"DELETE FROM new_order WHERE no_w_id = {w} AND no_d_id = {d} AND no_o_id = {o}")
            c, = self._one(cursor, f"SELECT o_c_id FROM orders WHERE o_w_id = {w} AND o_d_id = {d} AND o_id = {o} FOR UPDATE")
            cursor.execute(f"UPDATE orders SET o_carrier_id = {carrier} WHERE o_w_id = {w} AND o_d_id = {d} AND o_id = {o}")
            lines = f"WHERE ol_w_id = {w} AND ol_d_id = {d} AND ol_o_id = {o}"
            cursor.execute(f"UPDATE order_line SET ol_delivery_d = '{self._now()}' {lines}")
            total, = self._one(cursor, f"SELECT SUM(ol_amount) FROM order_line {lines}")
            cursor.execute(f"UPDATE customer SET c_balance = c_balance + {total}, c_delivery_cnt = c_delivery_cnt + 1 "
                           f"WHERE c_w_id = {w} AND c_d_id = {d} AND c_id = {c}")
            delivered.append(("deliveries", w, d))
        return delivered

    def _stock_level(self):
        w, d, threshold = self.warehouse, self.number % DISTRICTS + 1, self.chance.randint(10, 20)
        return lambda cursor: self._do_stock_level(cursor, w, d, threshold)

    def _do_stock_level(self, cursor, w, d, threshold):
        o, = self._one(cursor, f"SELECT d_next_o_id FROM district WHERE d_w_id = {w} AND d_id = {d}")
        self._one(cursor, f"SELECT COUNT(DISTINCT s_i_id) FROM order_line JOIN stock ON s_w_id = {w} AND s_i_id = ol_i_id "
                          f"WHERE ol_w_id = {w} AND ol_d_id = {d} AND ol_o_id >= {o - 20} AND ol_o_id < {o} AND s_quantity < {threshold}")


def run_process(numbers, host, port, scale, counts, stopping, path):
    """The body of a process of terminals; what they measured goes to the file `path`."""
    terminals = [Terminal(number, host, port, scale, counts) for number in numbers]

    def run(terminal):
        try:
            terminal.run(stopping)
        except Exception as failure:
            terminal.failure = f"terminal {terminal.number}: {failure!r}"
    threads = [threading.Thread(target=run, args=(terminal,)) for terminal in terminals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with open(path, "wb") as out:
        pickle.dump([(t.took, t.errors, t.failure) for t in terminals], out)
