#!/usr/bin/python3
"""What needs no server: one seed is one script, and shrinking ends with the least that still differs."""
import dataclasses
import unittest

import known_differences
from comparison import Difference
from script import make_script, statement
from shrinking import shrink
from tree import Expression, Many, Matrix, Node, Optional


class GeneratorTest(unittest.TestCase):
    def test_a_seed_is_one_script(self):
        for seed in range(50):
            once, again = ([dataclasses.astuple(dataclasses.replace(s, tree=s.text)) for s in make_script(seed)] for _ in range(2))
            self.assertEqual(once, again)

    def test_seeds_differ(self):
        texts = {"\n".join(s.text for s in make_script(seed)) for seed in range(50)}
        self.assertEqual(len(texts), 50)

    def test_every_kind_of_statement_comes(self):
        words = {s.text.split()[0] for seed in range(300) for s in make_script(seed)}
        wanted = "CREATE SELECT WITH INSERT REPLACE UPDATE DELETE ALTER BEGIN ROLLBACK COMMIT SAVEPOINT SET SHOW"
        self.assertLessEqual(set(wanted.split()), words)

    def test_variants_are_statements_of_their_own(self):
        for each in make_script(5):
            before = each.text
            for tree in each.tree.variants():
                self.assertIsInstance(tree.text(), str)
            self.assertEqual(each.text, before)


class ShrinkingTest(unittest.TestCase):
    def test_what_does_not_matter_goes(self):
        value = Expression("CONCAT(", Expression("UPPER(", Expression("'wanted'"), ")"), ", ", Expression("'more'"), ")")
        script = [
            statement("definition", "CREATE TABLE other (a INT)"),
            statement("definition", Node("CREATE TABLE t (", Many(["a INT", Optional("b INT"), "c INT"]), ")")),
            statement("query", "SELECT * FROM t"),
            statement("change", Node("INSERT INTO t ", Matrix(["a", "b"], [[Node("1"), Node("2")], [Node("3"), Node("4")], [Node("5"), Node("6")]]))),
            statement("query", Node("SELECT ", Many([Expression("1"), value, Expression("2")]), Optional(" FROM t"))),
        ]

        def differs(statements):
            text = "\n".join(each.text for each in statements)
            return "it" if all(word in text for word in ("CREATE TABLE t", "'wanted'", "c INT", "3")) else None

        small = shrink(script, "it", differs, seconds=20)
        self.assertEqual([each.text for each in small], ["CREATE TABLE t (c INT)", "INSERT INTO t (a) VALUES (3)", "SELECT 'wanted'"])


class KnownDifferencesTest(unittest.TestCase):
    def test_every_entry_has_a_reason_and_none_takes_in_everything(self):
        strange = Difference("strange", "a", "b", ("strange",))
        for entry in known_differences.ACCEPTED + known_differences.OPEN:
            self.assertTrue(entry.reason and entry.aspect)
            self.assertFalse(entry.holds("SELECT 1", strange))


if __name__ == "__main__":
    unittest.main()
