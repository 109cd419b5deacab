#!/usr/bin/python3
"""Runs the SQL of files made for mysqltest against Borealis and MySQL and reports where the answers differ.

replay.py --against HOST:PORT [--server HOST:PORT] [--shown N] FILE …      as run_differential.py, with statements that somebody else wrote

What a file says to mysqltest itself (lines of `--`, let, source, connections, loops) is left out, and so are statements that need that
(variables in `$`), stored programs, and statements about the server as a whole. Storage engines other than InnoDB are taken out of the text.
A file's statements build on each other, so one that fails with Borealis alone brings others after it: the first of a file counts most.
"""
import argparse
import dataclasses
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cluster"))
from cluster import Cluster  # noqa: E402
from pair import LOST, Pair  # noqa: E402
from run_differential import address  # noqa: E402

COMMANDS = set("""append_file assert cat_file change_user character_set chmod connect connection copy_file copy_files_wildcard dec delimiter die diff_files
dirty_close disable_abort_on_error disable_async_client disable_connect_log disable_info disable_metadata disable_ps_protocol disable_query_log disable_reconnect
disable_result_log disable_rpl_parse disable_session_track_info disable_testcase disable_warnings disconnect echo enable_abort_on_error enable_async_client
enable_connect_log enable_info enable_metadata enable_ps_protocol enable_query_log enable_reconnect enable_result_log enable_rpl_parse enable_session_track_info
enable_testcase enable_warnings end end_timer error eval exec exec_in_background exit expr file_exists force-cpdir force-rmdir horizontal_results if inc let
list_files list_files_append_file list_files_write_file lowercase_result mkdir move_file output partially_sorted_result perl ping query query_attributes query_get_value
query_horizontal query_vertical real_sleep reap remove_file remove_files_wildcard replace_column replace_numeric_round replace_regex replace_result require
reset_connection result_format rmdir save_master_pos send send_eval send_quit send_shutdown shutdown_server skip skip_if_hypergraph sleep sorted_result source
start_timer sync_slave_with_master sync_with_master use_time vertical_results wait_for_slave_to_stop while write_file""".split())
LEFT_OUT = re.compile(r"""^\s*(\(?\s*EXPLAIN|DESC\s+(SELECT|INSERT|UPDATE|DELETE|FORMAT)|CALL|(CREATE|ALTER|DROP)\s+(DEFINER\s*=\s*\S+\s+)?(AGGREGATE\s+)?
(PROCEDURE|FUNCTION|EVENT|LOGFILE|TABLESPACE|UNDO|SERVER|USER|ROLE|RESOURCE|SPATIAL)|SHOW\s+(CREATE\s+)?(PROCEDURE|FUNCTION|EVENT|STATUS|GLOBAL|SESSION|ENGINE|BINARY|MASTER|
REPLICA|SLAVE|PROCESSLIST|FULL\s+PROCESSLIST|OPEN|PLUGINS|GRANTS|VARIABLES|TABLE\s+STATUS|PROFILE)|SET\s+(@@)?(GLOBAL|PERSIST)|SET\s+@@global|GRANT|REVOKE|RENAME\s+USER|SET\s+(PASSWORD|ROLE|DEFAULT)|FLUSH|
KILL|SHUTDOWN|RESTART|RESET|PURGE|CHANGE|START\s+(REPLICA|SLAVE|GROUP)|STOP|INSTALL|UNINSTALL|HANDLER|CACHE|LOAD\s+INDEX|IMPORT|CLONE|LOCK\s+INSTANCE|XA\b|BINLOG|HELP)""",
                      re.IGNORECASE | re.VERBOSE)
ENGINE = re.compile(r"(?<![\w'])(ENGINE|TYPE)\s*=?\s*'?(MyISAM|MEMORY|HEAP|MERGE|MRG_MYISAM|CSV|ARCHIVE|BLACKHOLE|InnoDB|\$\w+)'?(?![\w'])", re.IGNORECASE)
READS = re.compile(r"^\s*\(*\s*(SELECT|SHOW|WITH|TABLE|VALUES|DESC|CHECK|ANALYZE)", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Read:
    """A statement as comparison.py wants it."""
    text: str
    line: int
    ordered: bool = False
    prepared: bool = False

    @property
    def only_reads(self):
        return READS.match(self.text) is not None


def statements(path):
    """The statements of a file, in its order; those in a block are taken once."""
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    delimiter, at, size = ";", 0, len(text)
    while at < size:
        if text[at] in " \t\r\n{}":
            at += 1
            continue
        end_of_line = text.find("\n", at) if "\n" in text[at:] else size
        line = text[at:end_of_line]
        if line.startswith("#"):
            at = end_of_line
            continue
        if line.startswith("--"):
            command = line[2:].strip()
            at = end_of_line
            word = re.match(r"[\w-]*", command)[0].lower()
            if word == "delimiter":
                delimiter = command.split(None, 1)[1].strip()
            at = _after_text(text, at, word, command)
            continue
        word = re.match(r"[\w-]*", line)[0].lower()
        if word in ("if", "while"):
            at = end_of_line
            continue
        started, at, body = text.count("\n", 0, at) + 1, *_until(text, at, delimiter)
        if word == "delimiter":
            delimiter = body.split(None, 1)[1].strip()
        elif word in COMMANDS:
            at = _after_text(text, at, word, body)
        else:
            yield Read(body, started)


def _after_text(text, at, word, command):
    """Behind what follows a command that takes text up to EOF or a mark of its own."""
    if word not in ("perl", "write_file", "append_file"):
        return at
    parts = command.split()
    mark = parts[-1] if len(parts) > (1 if word == "perl" else 2) else "EOF"
    found = re.compile(r"^" + re.escape(mark.rstrip(";")) + r"\s*$", re.MULTILINE).search(text, at)
    return found.end() if found else len(text)


def _until(text, at, delimiter):
    """The position behind the next delimiter that is not in quotes or a comment, and what is before it, without lines of `#`."""
    begin, quote, kept = at, "", []
    while at < len(text):
        c = text[at]
        if quote:
            if c == "\\" and quote != "`":
                at += 1
            elif c == quote:
                quote = ""
        elif text.startswith(delimiter, at):
            kept.append(text[begin:at])
            return at + len(delimiter), "".join(kept).strip()
        elif c in "'\"`":
            quote = c
        elif c == "#" or text.startswith("-- ", at):
            kept.append(text[begin:at])
            at = begin = text.find("\n", at) if "\n" in text[at:] else len(text)
            continue
        at += 1
    return len(text), ("".join(kept) + text[begin:]).strip()


def asked(read):
    """The statement as it is asked, or None."""
    if not read.text or LEFT_OUT.match(read.text) or re.search(r"\$\w", read.text):
        return None
    return dataclasses.replace(read, text=ENGINE.sub("", read.text).encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def replay(pair, path, shown):
    pair.begin()
    asked_of, found = 0, 0
    for read in filter(None, map(asked, statements(path))):
        asked_of += 1
        try:
            difference = pair.run(read)
        except LOST as lost:
            print(f"{path.name}:{read.line}: MySQL: {lost}", flush=True)
            difference = None
            pair.begin()
        if difference is None:
            continue
        found += 1
        if found <= shown:
            print(f"{path.name}:{read.line}: {difference}\n    {read.text[:600]}", flush=True)
        if difference.aspect == "connection":
            break
    print(f"== {path.name}: {asked_of} statements, {found} differences", flush=True)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=address, required=True, metavar="HOST:PORT")
    parser.add_argument("--server", type=address, metavar="HOST:PORT")
    parser.add_argument("--shown", type=int, default=20)
    parser.add_argument("--aspects", default="")
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    given = parser.parse_args()

    def run(ours):
        with Pair(ours, given.against, "test", given.aspects) as pair:
            return sum([replay(pair, path, given.shown) for path in given.files])

    if given.server:
        return run(given.server) > 0
    with Cluster(readers=0) as cluster:
        return run(("127.0.0.1", cluster.port)) > 0


if __name__ == "__main__":
    sys.exit(main())
