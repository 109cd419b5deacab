"""Data in the form of TPC-H's: same tables, keys, ranges and correlations, from a generator of our own.

It is not dbgen: texts and the order of random numbers differ, so the published answers do not apply; two servers loaded with it can be
compared. The same scale always gives the same bytes.
"""
import datetime
import pathlib
import random

REGIONS = ["AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"]
NATIONS = [("ALGERIA", 0), ("ARGENTINA", 1), ("BRAZIL", 1), ("CANADA", 1), ("EGYPT", 4), ("ETHIOPIA", 0), ("FRANCE", 3), ("GERMANY", 3),
           ("INDIA", 2), ("INDONESIA", 2), ("IRAN", 4), ("IRAQ", 4), ("JAPAN", 2), ("JORDAN", 4), ("KENYA", 0), ("MOROCCO", 0),
           ("MOZAMBIQUE", 0), ("PERU", 1), ("CHINA", 2), ("ROMANIA", 3), ("SAUDI ARABIA", 4), ("VIETNAM", 2), ("RUSSIA", 3),
           ("UNITED KINGDOM", 3), ("UNITED STATES", 1)]
SEGMENTS = ["AUTOMOBILE", "BUILDING", "FURNITURE", "MACHINERY", "HOUSEHOLD"]
PRIORITIES = ["1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"]
INSTRUCTIONS = ["DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"]
MODES = ["REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"]
TYPES = (["STANDARD", "SMALL", "MEDIUM", "LARGE", "ECONOMY", "PROMO"], ["ANODIZED", "BURNISHED", "PLATED", "POLISHED", "BRUSHED"],
         ["TIN", "NICKEL", "BRASS", "STEEL", "COPPER"])
CONTAINERS = (["SM", "LG", "MED", "JUMBO", "WRAP"], ["CASE", "BOX", "BAG", "JAR", "PKG", "PACK", "CAN", "DRUM"])
COLORS = ("almond antique aquamarine azure beige bisque black blanched blue blush brown burlywood burnished chartreuse chiffon chocolate coral "
          "cornflower cornsilk cream cyan dark deep dim dodger drab firebrick floral forest frosted gainsboro ghost goldenrod green grey honeydew "
          "hot indian ivory khaki lace lavender lawn lemon light lime linen magenta maroon medium metallic midnight mint misty moccasin navajo "
          "navy olive orange orchid pale papaya peach peru pink plum powder puff purple red rose rosy royal saddle salmon sandy seashell sienna "
          "sky slate smoke snow spring steel tan thistle tomato turquoise violet wheat white yellow").split()
WORDS = ("furiously quickly carefully slyly blithely final ironic regular express special pending bold even silent unusual accounts requests "
         "packages deposits foxes ideas theodolites pinto beans instructions dependencies excuses platelets asymptotes courts dolphins sleep wake "
         "haggle nag use boost detect integrate among above after against along about").split()
FIRST_DAY, LAST_DAY = datetime.date(1992, 1, 1), datetime.date(1998, 12, 31)
CURRENT_DAY = datetime.date(1995, 6, 17)
DAY = datetime.timedelta(days=1)


class Writer:
    """Rows of one table into a file that LOAD DATA reads with its defaults."""

    def __init__(self, directory, table):
        self.file = open(pathlib.Path(directory) / f"{table}.tsv", "w")

    def row(self, *values):
        self.file.write("\t".join(map(str, values)) + "\n")


def text(chance, longest):
    words = " ".join(chance.choice(WORDS) for _ in range(longest // 7))
    return words[:chance.randint(longest // 3, longest)].rstrip()


def money(cents):
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"


def phone(chance, nation):
    return f"{nation + 10}-{chance.randint(100, 999)}-{chance.randint(100, 999)}-{chance.randint(1000, 9999)}"


def retail_cents(part):
    return 90000 + (part // 10) % 20001 + 100 * (part % 1000)


def supplier_of(part, which, suppliers):
    """The `which`-th (0 to 3) of a part's suppliers."""
    return (part + which * (suppliers // 4 + (part - 1) // suppliers)) % suppliers + 1


def write_places(directory, chance):
    regions, nations = Writer(directory, "region"), Writer(directory, "nation")
    for key, name in enumerate(REGIONS):
        regions.row(key, name, text(chance, 115))
    for key, (name, region) in enumerate(NATIONS):
        nations.row(key, name, region, text(chance, 114))


def write_suppliers(directory, chance, count):
    out = Writer(directory, "supplier")
    complaining = set(chance.sample(range(1, count + 1), max(2, count // 2000)))
    for key in range(1, count + 1):
        nation = chance.randrange(25)
        comment = text(chance, 60)
        if key in complaining:
            comment = f"{comment[:20]}Customer {comment[20:40]}Complaints"
        out.row(key, f"Supplier#{key:09}", text(chance, 40), nation, phone(chance, nation), money(chance.randint(-99999, 999999)), comment)


def write_customers(directory, chance, count):
    out = Writer(directory, "customer")
    for key in range(1, count + 1):
        nation = chance.randrange(25)
        out.row(key, f"Customer#{key:09}", text(chance, 40), nation, phone(chance, nation), money(chance.randint(-99999, 999999)),
                chance.choice(SEGMENTS), text(chance, 116))


def write_parts(directory, chance, count, suppliers):
    parts, offers = Writer(directory, "part"), Writer(directory, "partsupp")
    for key in range(1, count + 1):
        maker = chance.randint(1, 5)
        parts.row(key, " ".join(chance.sample(COLORS, 5)), f"Manufacturer#{maker}", f"Brand#{maker}{chance.randint(1, 5)}",
                  " ".join(map(chance.choice, TYPES)), chance.randint(1, 50), " ".join(map(chance.choice, CONTAINERS)), money(retail_cents(key)),
                  text(chance, 22))
        for which in range(4):
            offers.row(key, supplier_of(key, which, suppliers), chance.randint(1, 9999), money(chance.randint(100, 100000)), text(chance, 198))


def write_orders(directory, chance, count, customers, parts, suppliers):
    orders, items = Writer(directory, "orders"), Writer(directory, "lineitem")
    days = (LAST_DAY - FIRST_DAY).days - 151
    for number in range(count):
        key = number // 8 * 32 + number % 8 + 1
        customer = chance.randint(1, customers)
        while customer % 3 == 0:  # a third of the customers never orders
            customer = chance.randint(1, customers)
        ordered = FIRST_DAY + DAY * chance.randint(0, days)
        total, statuses = 0, set()
        for line in range(1, chance.randint(1, 7) + 1):
            part = chance.randint(1, parts)
            quantity, discount, tax = chance.randint(1, 50), chance.randint(0, 10), chance.randint(0, 8)
            price = quantity * retail_cents(part)
            shipped = ordered + DAY * chance.randint(1, 121)
            received = shipped + DAY * chance.randint(1, 30)
            status = "O" if shipped > CURRENT_DAY else "F"
            statuses.add(status)
            total += price * (100 + tax) * (100 - discount) // 10000
            items.row(key, part, supplier_of(part, chance.randrange(4), suppliers), line, f"{quantity}.00", money(price), f"0.{discount:02}",
                      f"0.{tax:02}", chance.choice("RA") if received <= CURRENT_DAY else "N", status, shipped,
                      ordered + DAY * chance.randint(30, 90), received, chance.choice(INSTRUCTIONS), chance.choice(MODES), text(chance, 43))
        comment = text(chance, 78)
        if chance.random() < 0.01:
            comment = f"{comment[:30]} special {comment[30:45]} requests"
        orders.row(key, customer, statuses.pop() if len(statuses) == 1 else "P", money(total), ordered, chance.choice(PRIORITIES),
                   f"Clerk#{chance.randint(1, max(1, count // 1500)):09}", 0, comment)


def write(directory, scale):
    """Makes a file TABLE.tsv for each table in `directory`. Scale 1 is a gigabyte."""
    chance = random.Random(1)
    customers, parts, suppliers = int(150_000 * scale), int(200_000 * scale), max(10, int(10_000 * scale))
    write_places(directory, chance)
    write_suppliers(directory, chance, suppliers)
    write_customers(directory, chance, customers)
    write_parts(directory, chance, parts, suppliers)
    write_orders(directory, chance, int(1_500_000 * scale), customers, parts, suppliers)
