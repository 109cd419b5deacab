#!/usr/bin/python3
"""phpMyAdmin in a browser: what its pages make, change, list, export and drop. usage: phpmyadmin.py PORT"""
import decimal
import hashlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from browser import Site  # noqa: E402
from database import PORT, sql  # noqa: E402

DATABASE = "pma_shop"
CONFIGURATION = """<?php
$cfg['blowfish_secret'] = '0123456789abcdef0123456789abcdef';
$cfg['Servers'][1] = ['auth_type' => 'cookie', 'host' => '127.0.0.1', 'port' => '%d', 'connect_type' => 'tcp'];
$cfg['SendErrorReports'] = 'never';
$cfg['ConsoleEnterExecutes'] = false;
$cfg['Console']['Mode'] = 'collapse';
"""


def prepare(site):
    for statement in (f"DROP DATABASE IF EXISTS {DATABASE}", "DROP DATABASE IF EXISTS phpmyadmin", f"DROP DATABASE IF EXISTS {DATABASE}_copy",
                      "DROP USER IF EXISTS web_admin, clerk", "CREATE USER web_admin IDENTIFIED BY 'S3cret!word'",
                      "GRANT ALL PRIVILEGES ON *.* TO web_admin WITH GRANT OPTION"):
        sql(statement)
    site.copy("/usr/share/phpmyadmin")
    (site.root / "config.inc.php").write_text(CONFIGURATION % PORT)
    vendor = site.root / "libraries/vendor_config.php"
    text = vendor.read_text().replace("'/etc/phpmyadmin/config.inc.php'", "ROOT_PATH . 'config.inc.php'")
    (site.directory / "tmp").mkdir()
    vendor.write_text(text.replace("'/var/lib/phpmyadmin/tmp/'", f"'{site.directory}/tmp/'"))
    site.start()


def page(site, route, **more):
    """A page as phpMyAdmin's own links load it: its script asks for it and replaces the content."""
    query = "".join(f"&{name}={value}" for name, value in more.items())
    site.settle()  # what the last step began may still replace the page

    def follow():
        site.run("""window.confirm = () => true;  // leaves forms that were filled
                    document.querySelector('#page_content').innerHTML = '';
                    const link = document.createElement('a'); link.href = arguments[0]; document.body.append(link); link.click(); link.remove();""",
                 f"index.php?route={route}{query}")

    def loaded():
        return site.run("return document.querySelector('#page_content')?.innerText.trim() !== ''")

    follow()
    try:
        site.wait(loaded, f"the page {route}", 20)
    except AssertionError:  # the script was still busy with the page before, and does not follow two links
        follow()
        site.wait(loaded, f"the page {route}")
    site.settle()
    site.check()
    return site


def log_in(site):
    site.open("index.php")
    site.fill("#input_username", "web_admin").fill("#input_password", "wrong").press("#input_go")
    site.settle()
    site.wait(lambda: "Access denied for user" in site.text(), "the refusal of a wrong password")
    site.fill("#input_username", "web_admin").fill("#input_password", "S3cret!word").press("#input_go")
    site.shows("Server charset:")
    assert "8.0." in site.text(), site.text()


def sent(site, words):
    """Waits for the message of a form that a script of the page has sent."""
    site.wait(lambda: words in site.text() or site.trouble.search(site.text()), repr(words))
    site.settle()
    site.check()


def confirm(site):
    """OK in the dialog that asks whether it is meant."""
    site.press(".ui-dialog .submitOK")
    site.settle()


def submit(site, form, field):
    """Presses the button of a form that has this field."""
    site.press(f"{form} {field}")
    site.settle()
    site.check()


def run_sql(site, text, **where):
    page(site, "/table/sql" if "table" in where else "/database/sql" if "db" in where else "/server/sql", **where)
    site.wait(lambda: site.run("return typeof codeMirrorEditor === 'object' && codeMirrorEditor !== null"), "the editor")
    site.run("codeMirrorEditor.setValue(arguments[0])", text)
    site.press("#button_submit_query")
    site.settle()


def check_database_and_table(site):
    page(site, "/server/databases")
    site.fill("#text_create_db", DATABASE).choose("#create_database_form [name=db_collation]", "utf8mb4_unicode_ci").press("#buttonGo")
    site.wait(lambda: sql("SHOW DATABASES LIKE %s", DATABASE), "the database")
    assert sql("SELECT default_collation_name FROM information_schema.schemata WHERE schema_name = %s", DATABASE) == (("utf8mb4_unicode_ci",),)
    page(site, "/database/structure", db=DATABASE)
    site.fill("#createTableNameInput", "products").fill("#createTableNumFieldsInput", "6")
    submit(site, "#createTableMinimalForm", "[type=submit]")
    site.wait(lambda: site.all("[name='field_name[5]']"), "the columns' form")
    columns = [("id", "INT", "", ""), ("name", "VARCHAR", "80", ""), ("price", "DECIMAL", "10,2", ""), ("added", "TIMESTAMP", "", "CURRENT_TIMESTAMP"),
               ("kind", "ENUM", "'book','map'", ""), ("notes", "TEXT", "", "NULL")]
    for i, (name, kind, length, default) in enumerate(columns):
        site.fill(f"[name='field_name[{i}]']", name).choose(f"[name='field_type[{i}]']", kind)
        if length:
            site.fill(f"[name='field_length[{i}]']", length)
        if default:
            site.choose(f"[name='field_default_type[{i}]']", default)
    site.tick("[name='field_extra[0]']")
    if not site.run("return document.querySelector(\"[name='field_key[0]']\").value.startsWith('primary')"):
        # The page's own script, which makes it the primary key, came later than the tick.
        site.settle()
        site.tick("[name='field_extra[0]']", on=False).tick("[name='field_extra[0]']")
    site.wait(lambda: site.run("return document.querySelector(\"[name='field_key[0]']\").value.startsWith('primary')"), "the primary key")
    site.fill("form.create_table_form [name=comment]", "what's sold").choose("form.create_table_form [name=tbl_collation]", "utf8mb4_unicode_ci")
    site.press("form.create_table_form [name=do_save_data]")
    site.wait(lambda: sql(f"SHOW TABLES FROM {DATABASE}") or site.trouble.search(site.text()), "the table")
    site.settle()
    site.check()
    assert sql("SELECT column_name, column_type, is_nullable, column_key, extra FROM information_schema.columns WHERE table_schema = %s "
               "ORDER BY ordinal_position", DATABASE) == (
        ("id", "int", "NO", "PRI", "auto_increment"), ("name", "varchar(80)", "NO", "", ""), ("price", "decimal(10,2)", "NO", "", ""),
        ("added", "timestamp", "NO", "", "DEFAULT_GENERATED"), ("kind", "enum('book','map')", "NO", "", ""), ("notes", "text", "YES", "", ""))


def field(name):
    return f"[name='fields[multi_edit][0][{hashlib.md5(name.encode()).hexdigest()}]']"


def check_rows(site):
    page(site, "/table/change", db=DATABASE, table="products")
    site.fill(field("name"), "Atlas \"of\" O'Neill \\ 😀").fill(field("price"), "19.90")
    site.run("document.querySelectorAll(arguments[0])[1].checked = true", field("kind"))
    submit(site, "#insertForm", "#buttonYes")
    sent(site, "1 row inserted")
    run_sql(site, "INSERT INTO products (name, price, kind) VALUES ('Bible', 5, 'book'), ('Chart', 7.5, 'map');\n"
                  "INSERT INTO products (name, price, kind, notes) SELECT CONCAT('Copy ', n), n, 'book', REPEAT('x', n) FROM "
                  "(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 60) SELECT n FROM s) q;", db=DATABASE)
    sent(site, "60 rows inserted")
    assert sql(f"SELECT name, price, kind, notes FROM {DATABASE}.products WHERE id = 1") == (
        ("Atlas \"of\" O'Neill \\ 😀", decimal.Decimal("19.90"), "map", None),)
    page(site, "/sql", db=DATABASE, table="products", pos=0)
    assert "Showing rows 0 - 24 (63 total" in site.text() and "Atlas" in site.text(), site.text()[:3000]
    site.press("input[name=navig]")
    site.settle()
    site.shows("Showing rows 25 - 49 (63 total")
    page(site, "/sql", db=DATABASE, table="products", pos=0)
    site.press(next(link for link in site.all("th.column_heading a.sortlink") if link.text.strip() == "price"))
    site.settle()
    site.check()
    site.press(next(link for link in site.all(".edit_row_anchor a") if link.is_displayed()))
    site.wait(lambda: site.all(field("price")), "the form to edit")
    site.fill(field("price"), "0.75")
    submit(site, "#insertForm", "#buttonYes")
    sent(site, "1 row affected")
    assert sql(f"SELECT COUNT(*) FROM {DATABASE}.products WHERE price = 0.75") == ((1,),)
    page(site, "/sql", db=DATABASE, table="products", pos=0)
    site.press(next(link for link in site.all("a.delete_row") if link.is_displayed()))
    confirm(site)
    site.wait(lambda: sql(f"SELECT COUNT(*) FROM {DATABASE}.products") == ((62,),), "the row to be deleted")


def check_search(site):
    page(site, "/database/search", db=DATABASE)
    site.fill("#criteriaSearchString", "Chart").press("#select_all").press("#buttonGo")
    sent(site, "1 match")
    page(site, "/table/search", db=DATABASE, table="products")
    site.choose("#ColumnOperator1", "LIKE %...%").fill("#fieldID_1", "Copy 5").press("#tbl_search_form [name=submit]")
    sent(site, "(11 total")
    page(site, "/table/find-replace", db=DATABASE, table="products")
    site.fill("[name=find]", "Chart").fill("[name=replaceWith]", "Plan").choose("[name=columnIndex]", "1").press("#find_replace_form [type=submit], [name=submit]")
    site.wait(lambda: site.all("[name=replace]"), "the preview")
    site.press("[name=replace]")
    site.wait(lambda: sql(f"SELECT COUNT(*) FROM {DATABASE}.products WHERE name = 'Plan'") == ((1,),), "the replacement")
    page(site, "/table/zoom-search", db=DATABASE, table="products")


def check_structure(site):
    page(site, "/table/structure", db=DATABASE, table="products")
    site.press("form#addColumns [type=submit]")
    site.wait(lambda: site.all("[name='field_name[0]']"), "the new column's form")
    site.fill("[name='field_name[0]']", "weight").choose("[name='field_type[0]']", "DOUBLE").tick("[name='field_null[0]']")
    site.press("form.append_fields_form [name=do_save_data]")
    site.wait(lambda: sql(f"SHOW COLUMNS FROM {DATABASE}.products LIKE 'weight'"), "the column")
    site.settle()
    site.check()
    page(site, "/table/structure", db=DATABASE, table="products")
    site.press(site.run("return document.querySelector('[name=create_index]').closest('form').querySelector('[type=submit]')"))
    site.fill("#input_index_name", "by_name").choose("#select_index_choice", "UNIQUE").choose("[name='index[columns][names][]']", "name")
    site.press("#indexDialogModalGoButton")
    site.wait(lambda: sql(f"SHOW INDEX FROM {DATABASE}.products WHERE Key_name = 'by_name' AND Non_unique = 0"), "the index")
    run_sql(site, "CREATE TABLE sales (id INT PRIMARY KEY AUTO_INCREMENT, product INT, amount INT, KEY (product))", db=DATABASE)
    page(site, "/table/relation", db=DATABASE, table="sales")
    site.fill("[name='constraint_name[0]']", "sold").choose("[name='on_delete[0]']", "CASCADE")
    site.choose("[name='foreign_key_fields_name[0][]']", "product").choose("[name='destination_foreign_db[0]']", DATABASE)
    site.settle()
    site.wait(lambda: site.all("[name='destination_foreign_table[0]'] option[value=products]"), "the tables to refer to")
    site.choose("[name='destination_foreign_table[0]']", "products")
    site.wait(lambda: site.all("[name='destination_foreign_column[0][]'] option[value=id]"), "the columns to refer to")
    site.choose("[name='destination_foreign_column[0][]']", "id")
    submit(site, "form[action*='table/relation']", "[type=submit].btn-primary, input[value=Save]")
    site.wait(lambda: sql("SELECT constraint_name, delete_rule FROM information_schema.referential_constraints WHERE constraint_schema = %s",
                          DATABASE) == (("sold", "CASCADE"),), "the foreign key")
    run_sql(site, "INSERT INTO sales (product, amount) VALUES (2, 3), (3, 1);\nSELECT p.name, SUM(s.amount) AS sold FROM sales s JOIN products p "
                  "ON p.id = s.product GROUP BY p.name WITH ROLLUP;", db=DATABASE)
    sent(site, "(3 total")
    run_sql(site, "SELEC 1", db=DATABASE)
    site.wait(lambda: "#1064" in site.text(), "MySQL's error")
    run_sql(site, "EXPLAIN SELECT * FROM products WHERE name = 'Plan'", db=DATABASE)
    sent(site, "by_name")


def check_views_and_users(site):
    run_sql(site, "CREATE VIEW cheap AS SELECT name, price FROM products WHERE price < 10 WITH CASCADED CHECK OPTION", db=DATABASE)
    page(site, "/view/create", db=DATABASE)
    site.fill("[name='view[name]']", "maps")
    site.run("const area = document.querySelector('#view_as'); if (window.codeMirrorEditor) { codeMirrorEditor.setValue(arguments[0]) }; "
             "document.querySelectorAll('.CodeMirror').forEach(e => e.CodeMirror.setValue(arguments[0])); area.value = arguments[0]",
             "SELECT id, name FROM products WHERE kind = 'map'")
    site.press("form[action*='view/create'] [type=submit].btn-primary, #createViewModalGoButton")
    site.wait(lambda: sql("SELECT table_name FROM information_schema.views WHERE table_schema = %s ORDER BY 1", DATABASE) == (("cheap",), ("maps",)),
              "the two views")
    page(site, "/sql", db=DATABASE, table="cheap", pos=0)
    page(site, "/table/structure", db=DATABASE, table="maps")
    page(site, "/database/structure", db=DATABASE)
    site.shows("cheap")
    page(site, "/server/privileges", adduser=1)
    site.fill("#pma_username", "clerk").fill("#text_pma_pw", "S3cret!word").fill("#text_pma_pw2", "S3cret!word")
    site.press("#adduser_submit")
    site.wait(lambda: sql("SELECT host FROM mysql.user WHERE user = 'clerk'"), "the account")
    site.settle()
    site.check()
    page(site, "/server/privileges", username="clerk", hostname="%25", dbname=DATABASE)
    for privilege in ("Select", "Insert", "Update"):
        site.tick(f"[name={privilege}_priv]")
    site.press(site.run("return document.querySelector('[name=Select_priv]').closest('form').querySelector('[type=submit]')"))
    site.wait(lambda: sql("SELECT Select_priv, Insert_priv, Update_priv, Delete_priv FROM mysql.db WHERE User = 'clerk' AND Db LIKE 'pma%%shop'")
              == (("Y", "Y", "Y", "N"),), "the privileges")
    for where in ({"viewing_mode": "server"}, {"db": DATABASE, "checkprivsdb": DATABASE, "viewing_mode": "db"},
                  {"db": DATABASE, "table": "products", "checkprivsdb": DATABASE, "checkprivstable": "products", "viewing_mode": "table"}):
        page(site, "/server/privileges", **where)
        site.shows("clerk")


def tables():
    """Rows and definitions. A collation that an import has written is shown with its character set, one that was the table's without."""
    definitions = [sql(f"SHOW CREATE TABLE {DATABASE}.{table}")[0][1].replace(" CHARACTER SET utf8mb4 COLLATE", " COLLATE") for table in ("products", "sales")]
    return sql(f"SELECT * FROM {DATABASE}.products ORDER BY id"), definitions


def check_export_and_import(site):
    before = tables()
    page(site, "/database/export", db=DATABASE)
    site.press("#buttonGo")
    file = site.downloads / f"{DATABASE}.sql"
    site.wait(file.exists, "the dump")
    dump = file.read_text()
    for words in ("CREATE TABLE `products`", "ADD UNIQUE KEY `by_name`", "ADD CONSTRAINT `sold` FOREIGN KEY", "VIEW `maps`"):
        assert words in dump, dump[:5000]
    page(site, "/table/export", db=DATABASE, table="products")
    site.choose("#plugins", "csv").press("#buttonGo")
    site.wait((site.downloads / "products.csv").exists, "the CSV file")
    assert len((site.downloads / "products.csv").read_text().splitlines()) == len(before[0]) + 1
    sql(f"DROP DATABASE {DATABASE}")
    sql(f"CREATE DATABASE {DATABASE} COLLATE utf8mb4_unicode_ci")
    page(site, "/database/import", db=DATABASE)
    site.hidden("#input_import_file").send_keys(str(file))
    site.press("#buttonGo")
    sent(site, "Import has been successfully finished")
    after = tables()
    assert after == before, (before, after)
    assert sql(f"SELECT COUNT(*) FROM {DATABASE}.cheap")[0][0] > 0


def check_operations(site):
    page(site, "/table/operations", db=DATABASE, table="products")
    site.fill("#copyTable [name=new_name]", "products_too").press("#copyTable [name=submit_copy]")
    site.wait(lambda: sql(f"SHOW TABLES FROM {DATABASE} LIKE 'products_too'"), "the copy")
    site.settle()
    site.check()
    assert sql(f"SELECT COUNT(*) FROM {DATABASE}.products_too") == sql(f"SELECT COUNT(*) FROM {DATABASE}.products")
    page(site, "/table/operations", db=DATABASE, table="products_too")
    site.fill("#renameTableInput", "goods").fill("#tableCommentsInput", "a copy").press("#tableOptionsForm [type=submit]")
    site.wait(lambda: sql("SELECT table_comment FROM information_schema.tables WHERE table_schema = %s AND table_name = 'goods'", DATABASE)
              == (("a copy",),), "the new name")
    for verb in ("analyze", "check", "optimize"):
        page(site, "/table/operations", db=DATABASE, table="goods")
        site.press(site.hidden(f"#tbl_maintenance a[href*='maintenance/{verb}']"))
        sent(site, "Status OK")
    page(site, "/table/operations", db=DATABASE, table="goods")
    site.press(site.hidden("#truncate_tbl_anchor"))
    confirm(site)
    site.wait(lambda: sql(f"SELECT COUNT(*) FROM {DATABASE}.goods") == ((0,),), "the table to be empty")
    page(site, "/table/operations", db=DATABASE, table="goods")
    site.press(site.hidden("#drop_tbl_anchor"))
    confirm(site)
    site.wait(lambda: not sql(f"SHOW TABLES FROM {DATABASE} LIKE 'goods'"), "the table to be gone")
    page(site, "/database/operations", db=DATABASE)
    site.fill("#renameDbNameInput", f"{DATABASE}_copy").press("#copy_db_form [name=submit_copy]")
    site.wait(lambda: sql(f"SHOW DATABASES LIKE '{DATABASE}\\_copy'") and len(sql(f"SHOW TABLES FROM {DATABASE}_copy")) == 4, "the database's copy")
    site.settle()
    site.check()
    assert sql(f"SELECT * FROM {DATABASE}_copy.products ORDER BY id") == sql(f"SELECT * FROM {DATABASE}.products ORDER BY id")
    page(site, "/database/operations", db=f"{DATABASE}_copy")
    site.press("#drop_db_anchor")
    confirm(site)
    site.wait(lambda: not sql(f"SHOW DATABASES LIKE '{DATABASE}\\_copy'"), "the copy to be gone")


# What shows and changes nothing.
SERVER_PAGES = ["/", "/server/databases", "/server/status", "/server/status/processes", "/server/status/queries", "/server/status/variables",
                "/server/status/monitor", "/server/status/advisor", "/server/variables", "/server/collations", "/server/engines",
                "/server/engines/InnoDB", "/server/engines/InnoDB/Status", "/server/engines/InnoDB/Bufferpool", "/server/plugins",
                "/server/binlog", "/server/replication", "/server/user-groups", "/server/export", "/server/import", "/server/sql",
                "/transformation/overview", "/preferences/manage", "/check-relations"]
DATABASE_PAGES = ["structure", "sql", "search", "multi-table-query", "qbe", "export", "import", "operations", "routines", "events", "triggers",
                  "tracking", "central-columns", "data-dictionary", "designer"]
TABLE_PAGES = ["structure", "sql", "search", "zoom-search", "find-replace", "change", "export", "import", "operations", "tracking", "triggers",
               "relation", "structure/partitioning", "gis-visualization"]


def check_pages(site):
    """All pages that only show, with phpMyAdmin's own tables made before, as its page offers."""
    page(site, "/check-relations")
    site.press("a[href*='create_pmadb'], a[href*='fixall_pmadb'], a[href*='fix_pmadb'], a[data-post*='create_pmadb']")
    site.wait(lambda: sql("SHOW TABLES FROM phpmyadmin LIKE 'pma\\_\\_favorite'") if sql("SHOW DATABASES LIKE 'phpmyadmin'") else None,
              "phpMyAdmin's own tables")
    site.settle()
    site.check()
    page(site, "/server/databases", statistics=1)
    for route in SERVER_PAGES:
        page(site, route)
    for route in DATABASE_PAGES[:-1]:
        page(site, f"/database/{route}", db=DATABASE)
    for table in ("products", "sales"):
        for route in TABLE_PAGES[:-2]:
            page(site, f"/table/{route}", db=DATABASE, table=table)
    page(site, "/sql", db=DATABASE, table="maps", pos=0)
    page(site, "/user-password")
    site.open(f"index.php?route=/database/designer&db={DATABASE}")


def run(site):
    prepare(site)
    log_in(site)
    check_database_and_table(site)
    check_rows(site)
    check_search(site)
    check_structure(site)
    check_views_and_users(site)
    check_export_and_import(site)
    check_operations(site)
    check_pages(site)


if __name__ == "__main__":
    with Site("phpmyadmin") as site:
        run(site)
        assert not site.log_trouble(), "\n".join(site.log_trouble()[:20])
