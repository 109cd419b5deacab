"""The consistency conditions of clause 3.3.2, and what clients were told, against one snapshot of the tables.

A condition is a query that gives the rows which break it. Condition 11 is the specification's for the first content; here it counts what has
been delivered since as well.
"""
import contextlib

from tables import DISTRICTS, TABLES


def conditions(scale):
    by_district_lines = "SELECT ol_w_id, ol_d_id, ol_o_id, COUNT(*) n, COUNT(ol_delivery_d) delivered FROM order_line GROUP BY ol_w_id, ol_d_id, ol_o_id"
    by_customer = ("SELECT c_w_id, c_d_id, c_id, c_balance, c_ytd_payment, COALESCE(arrived.amount, 0) delivered FROM customer LEFT JOIN "
                   "(SELECT o_w_id, o_d_id, o_c_id, SUM(ol_amount) amount FROM orders JOIN order_line "
                   "ON ol_w_id = o_w_id AND ol_d_id = o_d_id AND ol_o_id = o_id WHERE ol_delivery_d IS NOT NULL GROUP BY o_w_id, o_d_id, o_c_id) arrived "
                   "ON o_w_id = c_w_id AND o_d_id = c_d_id AND o_c_id = c_id")
    return {
        "1: w_ytd = sum of d_ytd":
            "SELECT w_id, w_ytd, SUM(d_ytd) FROM warehouse JOIN district ON d_w_id = w_id GROUP BY w_id, w_ytd HAVING w_ytd <> SUM(d_ytd)",
        "2: d_next_o_id - 1 = highest order = highest new order":
            "SELECT d_w_id, d_id, d_next_o_id, o.high, n.high FROM district "
            "LEFT JOIN (SELECT o_w_id, o_d_id, MAX(o_id) high FROM orders GROUP BY o_w_id, o_d_id) o ON o_w_id = d_w_id AND o_d_id = d_id "
            "LEFT JOIN (SELECT no_w_id, no_d_id, MAX(no_o_id) high FROM new_order GROUP BY no_w_id, no_d_id) n ON no_w_id = d_w_id AND no_d_id = d_id "
            "WHERE o.high IS NULL OR d_next_o_id - 1 <> o.high OR n.high IS NOT NULL AND n.high <> o.high",
        "3: new orders without gaps":
            "SELECT no_w_id, no_d_id, MIN(no_o_id), MAX(no_o_id), COUNT(*) FROM new_order GROUP BY no_w_id, no_d_id "
            "HAVING MAX(no_o_id) - MIN(no_o_id) + 1 <> COUNT(*)",
        "4: sum of o_ol_cnt = order lines of a district":
            "SELECT o.w, o.d, o.n, l.n FROM (SELECT o_w_id w, o_d_id d, SUM(o_ol_cnt) n FROM orders GROUP BY o_w_id, o_d_id) o "
            "LEFT JOIN (SELECT ol_w_id w, ol_d_id d, COUNT(*) n FROM order_line GROUP BY ol_w_id, ol_d_id) l ON l.w = o.w AND l.d = o.d "
            "WHERE l.n IS NULL OR o.n <> l.n",
        "5: no carrier if and only if a new order":
            "SELECT o_w_id, o_d_id, o_id, o_carrier_id, no_o_id FROM orders LEFT JOIN new_order "
            "ON no_w_id = o_w_id AND no_d_id = o_d_id AND no_o_id = o_id WHERE (o_carrier_id IS NULL) <> (no_o_id IS NOT NULL)",
        "6: o_ol_cnt = order lines of an order":
            f"SELECT o_w_id, o_d_id, o_id, o_ol_cnt, l.n FROM orders LEFT JOIN ({by_district_lines}) l "
            "ON ol_w_id = o_w_id AND ol_d_id = o_d_id AND ol_o_id = o_id WHERE l.n IS NULL OR o_ol_cnt <> l.n",
        "7: delivered lines if and only if there is a carrier":
            f"SELECT o_w_id, o_d_id, o_id, o_carrier_id, l.n, l.delivered FROM orders JOIN ({by_district_lines}) l "
            "ON ol_w_id = o_w_id AND ol_d_id = o_d_id AND ol_o_id = o_id WHERE l.delivered <> IF(o_carrier_id IS NULL, 0, l.n)",
        "8: w_ytd = sum of its history":
            "SELECT w_id, w_ytd, h.amount FROM warehouse LEFT JOIN (SELECT h_w_id, SUM(h_amount) amount FROM history GROUP BY h_w_id) h "
            "ON h_w_id = w_id WHERE h.amount IS NULL OR w_ytd <> h.amount",
        "9: d_ytd = sum of its history":
            "SELECT d_w_id, d_id, d_ytd, h.amount FROM district LEFT JOIN "
            "(SELECT h_w_id, h_d_id, SUM(h_amount) amount FROM history GROUP BY h_w_id, h_d_id) h "
            "ON h_w_id = d_w_id AND h_d_id = d_id WHERE h.amount IS NULL OR d_ytd <> h.amount",
        "10: c_balance = delivered lines - history":
            f"SELECT c.c_w_id, c.c_d_id, c.c_id, c_balance, delivered, h.amount FROM ({by_customer}) c LEFT JOIN "
            "(SELECT h_c_w_id, h_c_d_id, h_c_id, SUM(h_amount) amount FROM history GROUP BY h_c_w_id, h_c_d_id, h_c_id) h "
            "ON h_c_w_id = c.c_w_id AND h_c_d_id = c.c_d_id AND h_c_id = c.c_id WHERE h.amount IS NULL OR c_balance <> delivered - h.amount",
        "11: orders - new orders = delivered at first and since":
            "SELECT o.w, o.d, o.n, n.n, c.n FROM (SELECT o_w_id w, o_d_id d, COUNT(*) n FROM orders GROUP BY o_w_id, o_d_id) o "
            "LEFT JOIN (SELECT no_w_id w, no_d_id d, COUNT(*) n FROM new_order GROUP BY no_w_id, no_d_id) n ON n.w = o.w AND n.d = o.d "
            "JOIN (SELECT c_w_id w, c_d_id d, SUM(c_delivery_cnt) n FROM customer GROUP BY c_w_id, c_d_id) c ON c.w = o.w AND c.d = o.d "
            f"WHERE o.n - COALESCE(n.n, 0) <> {scale.delivered} + c.n",
        "12: c_balance + c_ytd_payment = delivered lines":
            f"SELECT c_w_id, c_d_id, c_id, c_balance, c_ytd_payment, delivered FROM ({by_customer}) c WHERE c_balance + c_ytd_payment <> delivered",
    }


def check(connection, scale, counts=None) -> list:
    """What is not as it must be, in one snapshot. `counts`: what terminals had been told before this was called."""
    findings = []
    with connection.cursor() as cursor:
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        for name, query in conditions(scale).items():
            cursor.execute(query)
            broken = cursor.fetchall()
            if broken:
                findings.append(f"condition {name}: {len(broken)} do not hold: {broken[:3]}")
        if counts:
            findings += check_told(cursor, scale, counts)
        cursor.execute("COMMIT")
    return findings


def _by_district(cursor, scale, query):
    cursor.execute(query)
    found = {(w, d): int(n) for w, d, n in cursor.fetchall()}
    return [found.get((w, d), 0) for w in range(1, scale.warehouses + 1) for d in range(1, DISTRICTS + 1)]


def check_told(cursor, scale, counts) -> list:
    """Nothing that was acknowledged is gone."""
    there = {
        "orders": [n - scale.customers for n in
                   _by_district(cursor, scale, "SELECT o_w_id, o_d_id, COUNT(*) FROM orders GROUP BY o_w_id, o_d_id")],
        "payments": [n - scale.customers for n in
                     _by_district(cursor, scale, "SELECT h_w_id, h_d_id, COUNT(*) FROM history GROUP BY h_w_id, h_d_id")],
        "deliveries": _by_district(cursor, scale, "SELECT c_w_id, c_d_id, SUM(c_delivery_cnt) FROM customer GROUP BY c_w_id, c_d_id"),
        "newest_order": _by_district(cursor, scale, "SELECT o_w_id, o_d_id, MAX(o_id) FROM orders GROUP BY o_w_id, o_d_id"),
    }
    findings = []
    for kind, numbers in there.items():
        for at, (number, told) in enumerate(zip(numbers, counts[kind])):
            if number < told:
                findings.append(f"{kind} of warehouse {at // DISTRICTS + 1}, district {at % DISTRICTS + 1}: {told} acknowledged, {number} there")
    return findings


def check_no_more(connection, scale, counts) -> list:
    """When all is quiet: nothing is there that nobody was told of, or may have happened."""
    findings = []
    with connection.cursor() as cursor:
        for kind, query in (("orders", "SELECT o_w_id, o_d_id, COUNT(*) FROM orders GROUP BY o_w_id, o_d_id"),
                            ("payments", "SELECT h_w_id, h_d_id, COUNT(*) FROM history GROUP BY h_w_id, h_d_id")):
            for at, number in enumerate(_by_district(cursor, scale, query)):
                most = scale.customers + counts[kind][at] + counts[kind + "_in_doubt"][at]
                if number > most:
                    findings.append(f"{kind} of warehouse {at // DISTRICTS + 1}, district {at % DISTRICTS + 1}: {number} there, {most} at most done")
    return findings


def check_tables(connection) -> list:
    """Every index against its table."""
    findings = []
    with contextlib.closing(connection.cursor()) as cursor:
        for table in TABLES:
            cursor.execute(f"CHECK TABLE {table}")
            answer = [row[2:] for row in cursor.fetchall()]
            if answer != [("status", "OK")]:
                findings.append(f"CHECK TABLE {table}: {answer}")
    return findings
