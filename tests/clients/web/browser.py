"""What every web application's test needs: its PHP served on a loopback port, and a headless Chromium that drives its pages.

A page that shows an error of PHP or of the database fails the test where it is opened, unless the test says which error it expects;
so does anything that PHP logged. A page that is not what a step waits for is kept as text and picture in the test's directory.
"""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "cluster"))
from cluster import free_port  # noqa: E402

# What no page of a healthy application shows; that a test's machine cannot reach wordpress.org is no trouble.
TROUBLE = re.compile(r"(#[1-9]\d{3} - .*|MySQL said|Fatal error|Parse error:|Uncaught \w*(Error|Exception)|WordPress database error|"
                     r"Error establishing a database connection|Error [1-9]\d{3}: |Database error|Internal error|"
                     r"mysqli_sql_exception|SQLSTATE\[|(Warning|Notice|Deprecated): (?!.*WordPress\.org).* on line \d+)")
# Lines of PHP's own log that are errors; Debian's applications are older than its PHP, so deprecations are none.
PHP_TROUBLE = re.compile(r"PHP (Fatal|Parse|Warning|Notice|Recoverable)(?!.*WordPress\.org)|WordPress database error|Failed loading")
SECONDS = 60


class Site:
    """One application: a directory for its files, `php -S` in front of it, a browser. Used as a context manager."""

    def __init__(self, name, trouble=TROUBLE):
        self.name, self.trouble = name, trouble
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=f"borealis-web-{name}-"))
        self.root, self.environment = self.directory / "site", {}
        self.root.mkdir()
        self.downloads = self.directory / "downloads"
        self.downloads.mkdir()
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.server, self.driver = None, None

    def copy(self, source):
        """The package's files, where the application may write into them."""
        subprocess.run(["cp", "-rL", f"{source}/.", str(self.root)], capture_output=True, check=False)  # a link may lead nowhere

    @staticmethod
    def user():
        """Whom PHP runs as: never root, as some applications refuse that."""
        return "www-data" if os.geteuid() == 0 else None

    def start(self, *settings):
        log = open(self.directory / "php.log", "w")
        words = ["php", "-d", "display_errors=1", "-d", "log_errors=1", "-d", "error_log=/dev/stderr", "-d", "memory_limit=512M", "-d", "opcache.enable_cli=1",
                 "-d", "error_reporting=E_ALL & ~E_DEPRECATED & ~E_STRICT",
                 "-d", f"session.save_path={self.directory}", "-d", f"upload_tmp_dir={self.directory}"]
        for setting in settings:
            words += ["-d", setting]
        words += ["-S", f"127.0.0.1:{self.port}", "-t", str(self.root)]
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", "www-data:", str(self.directory)], check=True)
        self.server = subprocess.Popen(words, cwd=self.root, stdout=log, stderr=log, start_new_session=True, user=self.user(),
                                       env={**os.environ, **self.environment, "PHP_CLI_SERVER_WORKERS": "4"})
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except ConnectionRefusedError:
                assert self.server.poll() is None and time.monotonic() < deadline, (self.directory / "php.log").read_text()
                time.sleep(0.05)
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1600,2400", "--lang=en-US",
                     "--no-first-run", "--disable-background-networking", "--disable-component-update", f"--user-data-dir={self.directory}/chromium"):
            options.add_argument(word)
        options.add_experimental_option("prefs", {"download.default_directory": str(self.downloads), "download.prompt_for_download": False,
                                                  "credentials_enable_service": False, "profile.password_manager_leak_detection": False})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.set_page_load_timeout(SECONDS)

    def __enter__(self):
        return self

    def __exit__(self, failure, value, trace):
        kept = failure is not None
        try:
            if failure and self.driver:
                (self.directory / "page.txt").write_text(f"{self.driver.current_url}\n{self.text()}")
                (self.directory / "page.html").write_text(self.driver.page_source)
                self.driver.save_screenshot(str(self.directory / "page.png"))
        except WebDriverException as problem:
            print(f"the page could not be kept: {problem.msg}")
        finally:
            if self.driver:
                self.driver.quit()
            if self.server:
                os.killpg(self.server.pid, signal.SIGTERM)
                self.server.wait(SECONDS)
            if kept:
                print(f"{self.name}: the page that failed and PHP's log are in {self.directory}")
            else:
                shutil.rmtree(self.directory, ignore_errors=True)

    def log_trouble(self):
        """What PHP and the application complained of since the start."""
        return [line for line in (self.directory / "php.log").read_text(errors="replace").splitlines() if PHP_TROUBLE.search(line)]

    # The page

    def text(self):
        return self.driver.execute_script("return document.body ? document.body.innerText : ''")

    def check(self, expect=None):
        """Fails when the page shows an error; with `expect`, when it does not show that one."""
        text = self.text()
        found = self.trouble.search(text)
        if expect is None:
            assert not found, f"{self.driver.current_url}: {text[max(0, found.start() - 600):found.end() + 600]}"
        else:
            assert expect in text, f"{self.driver.current_url}: {expect!r} is not in {text[:3000]}"

    def open(self, path, *, expect=None):
        self.driver.get(path if path.startswith("http") else f"{self.address}/{path}")
        self.settle()
        self.check(expect)
        return self

    def settle(self):
        """Waits until the page is complete and its requests in the background have ended, or a while for those that do not end."""
        self.wait(lambda: self.run("return document.readyState === 'complete'"), "the page to be complete")
        try:
            self.wait(lambda: self.run("return !(window.jQuery && window.jQuery.active)"), "the page to settle", 20)
        except AssertionError:
            pass  # a step waits for its own outcome; this only keeps it from being early

    def wait(self, condition, what, seconds=SECONDS):
        def met(_):
            try:
                return condition()
            except StaleElementReferenceException:
                return False
        try:
            return WebDriverWait(self.driver, seconds, poll_frequency=0.05).until(met)
        except TimeoutException:
            raise AssertionError(f"{self.driver.current_url}: not within {seconds} s: {what}\n{self.text()[:3000]}") from None

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        """The first visible element of that selector; waits for it."""
        return self.wait(lambda: next((e for e in self.all(selector) if e.is_displayed()), None), selector)

    def hidden(self, selector):
        """The first element of that selector, seen or not: a file's input, or what a script of the page hides."""
        return self.wait(lambda: next(iter(self.all(selector)), None), selector)

    def fill(self, selector, text):
        element = self.one(selector)
        element.clear()
        element.send_keys(text)
        return self

    def choose(self, selector, value):
        """The option of that value, which is its text where it has none."""
        option = self.wait(lambda: next((o for o in Select(self.one(selector)).options if o.get_attribute("value") == value), None),
                           f"{value} in {selector}")
        option.click()
        return self

    def tick(self, selector, on=True):
        element = self.one(selector)
        if element.is_selected() != on:
            self.press(element)
        return self

    def press(self, target):
        """A click, scrolled to first; what floats above the element does not catch it."""
        element = self.one(target) if isinstance(target, str) else target
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        try:
            element.click()
        except WebDriverException:
            self.driver.execute_script("arguments[0].click()", element)
        return self

    def link(self, words):
        """Presses the visible link or button with these words."""
        def match():
            for element in self.all("a, button, input[type=submit], input[type=button]"):
                label = (element.text or element.get_attribute("value") or "").strip()
                if label == words and element.is_displayed():
                    return element
            return None
        return self.press(self.wait(match, f"a link or button {words!r}"))

    def shows(self, words, seconds=SECONDS):
        """Waits until the page shows these words, and checks it."""
        self.wait(lambda: words in self.text() or self.trouble.search(self.text()), repr(words), seconds)
        self.check()
        assert words in self.text(), f"{self.driver.current_url}: {words!r} is not in {self.text()[:3000]}"
        return self

    def run(self, script, *values):
        return self.driver.execute_script(script, *values)
