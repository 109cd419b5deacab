#!/usr/bin/python3
"""Tiny Tiny RSS in a browser: feeds, articles, search, labels, filters and users. usage: tt_rss.py PORT"""
import http.server
import os
import pathlib
import re
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from browser import Site  # noqa: E402
from database import PORT, sql  # noqa: E402

ITEMS = [("Aurora seen", "Green light over the harbour ☃."), ("Whale counted", "Seventeen, says O'Brien \\ the counter."), ("Ship late", "Ice again.")]


class Feeds(http.server.BaseHTTPRequestHandler):
    """The web, as far as the application is to see it: whatever it asks its proxy for is a feed."""

    def do_GET(self):
        items = "".join(f"<item><title>{title}</title><link>http://news.example.org/{i}</link><guid>{self.path}#{i}</guid>"
                        f"<pubDate>Sat, 21 Nov 2026 1{i}:00:00 GMT</pubDate><description>{text}</description></item>"
                        for i, (title, text) in enumerate(ITEMS))
        body = f"<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel><title>Harbour news</title>" \
               f"<link>http://news.example.org/</link><description>All of it</description>{items}</channel></rss>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/rss+xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


def prepare(site):
    for statement in ("DROP DATABASE IF EXISTS ttrss", "DROP USER IF EXISTS ttrss", "CREATE DATABASE ttrss",
                      "CREATE USER ttrss IDENTIFIED BY 'S3cret!word'", "GRANT ALL PRIVILEGES ON ttrss.* TO ttrss"):
        sql(statement)
    subprocess.run(["mysql", "-h127.0.0.1", f"-P{PORT}", "-uroot", "--skip-ssl", "ttrss"], check=True,
                   input=pathlib.Path("/usr/share/tt-rss/schema/ttrss_schema_mysql.sql").read_bytes())
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Feeds)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    site.copy("/usr/share/tt-rss/www")
    config = pathlib.Path("/etc/tt-rss/config.php").read_text().replace("include_once('/etc/tt-rss/database.php');", "")
    values = {"DB_TYPE": "mysql", "DB_HOST": "127.0.0.1", "DB_PORT": str(PORT), "DB_USER": "ttrss", "DB_NAME": "ttrss", "DB_PASS": "S3cret!word",
              "SELF_URL_PATH": f"{site.address}/", "LOCK_DIRECTORY": f"{site.directory}/lock", "CACHE_DIR": f"{site.directory}/cache"}
    for name, value in values.items():
        config = re.sub(rf"define\('{name}',[^;]*\);", f"define('{name}', '{value}');", config)
    config = config.replace("'CHECK_FOR_UPDATES', true", "'CHECK_FOR_UPDATES', false").replace("'LOG_DESTINATION', 'syslog'", "'LOG_DESTINATION', 'sql'")
    (site.root / "config.php").write_text(config)
    site.environment["http_proxy"] = f"http://127.0.0.1:{web.server_port}"
    (site.root / "feed-icons").mkdir(exist_ok=True)
    for name in ("lock", "cache/images", "cache/upload", "cache/export", "cache/feeds"):
        (site.directory / name).mkdir(parents=True)
    site.start()


def log_in(site, user="admin", password="password"):
    site.open("")
    site.wait(lambda: site.run("return typeof window.dijit?.byId === 'function' && dijit.byId('login') !== undefined"), "the form's widgets")
    site.fill("[name=login]", user).fill("[name=password]", password).press(site.hidden("form [type=submit]"))
    site.wait(lambda: "All articles" in site.text(), "the list of feeds")
    site.settle()


def check_feed(site):
    site.run("CommonDialogs.quickAddFeed()")
    site.wait(lambda: site.run("return dijit.byId('feedAddDlg')?.open && dijit.byId('feedDlg_feedUrl') !== undefined"), "the dialog")
    site.run("dijit.byId('feedDlg_feedUrl').set('value', 'http://news.example.org/feed.xml')")
    site.press(next(button for button in site.all("#feedAddDlg .dijitButtonNode") if button.text.strip() == "Subscribe"))
    site.wait(lambda: sql("SELECT feed_url FROM ttrss.ttrss_feeds WHERE feed_url LIKE '%%news.example.org%%'"), "the subscription")
    site.settle()
    done = subprocess.run(["php", "update.php", "--feeds"], cwd=site.root, user=site.user(), env={**os.environ, **site.environment},
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    stored = sql("SELECT title, content FROM ttrss.ttrss_entries ORDER BY title")
    assert len(stored) == 3 and all(a[0] == b[0] and b[1] in a[1] for a, b in zip(stored, sorted(ITEMS))), (stored, done.stdout[-3000:])
    assert sql("SELECT COUNT(*) FROM ttrss.ttrss_user_entries WHERE unread = 1") == ((3,),)
    feed, = sql("SELECT id FROM ttrss.ttrss_feeds WHERE feed_url LIKE '%%news.example.org%%'")
    site.open("").shows("Harbour news")
    return feed[0]


def check_articles(site, feed):
    site.run(f"Feeds.open({{feed: {feed}}})")
    site.shows("Whale counted")
    entry, = sql("SELECT u.int_id, e.id FROM ttrss.ttrss_entries e JOIN ttrss.ttrss_user_entries u ON u.ref_id = e.id WHERE title = 'Whale counted'")
    site.run(f"Headlines.toggleMark({entry[1]}); Headlines.togglePub({entry[1]})")
    site.wait(lambda: sql("SELECT marked, published FROM ttrss.ttrss_user_entries WHERE int_id = %s", entry[0]) == ((1, 1),),
              "the article's marks")
    site.run("Feeds.open({feed: -1})")  # starred
    site.wait(lambda: "Whale counted" in site.run("return document.querySelector('#headlines-frame').innerText")
              and "Ship late" not in site.run("return document.querySelector('#headlines-frame').innerText"), "the starred articles")
    site.run("Feeds.open({feed: -4})")  # all
    site.shows("Ship late")
    site.run("Feeds._search_query = {query: 'harbour', search_language: 'english'}; Feeds.reloadCurrent()")
    site.wait(lambda: "Aurora seen" in site.text() and "Ship late" not in site.run("return document.querySelector('#headlines-frame').innerText"),
              "what the search finds")
    site.run("Feeds.cancelSearch()")
    site.settle()
    site.run("window.confirm = () => true; Feeds.catchupAll()")
    site.wait(lambda: sql("SELECT COUNT(*) FROM ttrss.ttrss_user_entries WHERE unread = 1") == ((0,),), "all to be read")
    site.check()


def check_preferences(site):
    site.open("prefs.php")
    site.shows("Feeds")
    for tab in ("filterConfig", "labelConfig", "userConfig", "systemConfig", "feedConfig"):
        site.run("dijit.byId('pref-tabs').selectChild(dijit.byId(arguments[0] + 'Tab'))", tab)
        site.settle()
        site.check()


def run(site):
    prepare(site)
    log_in(site)
    feed = check_feed(site)
    check_articles(site, feed)
    check_preferences(site)


if __name__ == "__main__":
    with Site("tt_rss") as site:
        run(site)
        # Debian's version is older than its PHP and warns of itself; the database is in none of it.
        trouble = [line for line in site.log_trouble() if re.search("SQLSTATE|PDO|mysqli|Fatal", line)]
        assert not trouble, "\n".join(trouble[:20])
