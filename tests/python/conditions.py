"""Judges cases of conditions with pycond, and writes them with its answers: tests/it/condition/cases.json.

Run by hand when cases are added (`pip install pycond==20230212`): python3 tests/python/conditions.py
The tests read what it has written, and need no Python.
"""

import itertools
import json
import pathlib

import pycond

# A case: the form ("text", "json", "set"), the condition, the data, options of pycond.
cases = []


def case(form, condition, *data, **options):
    for item in data:
        cases.append((form, condition, item, options))


def text(condition, *data, **options):
    case("text", condition, *data, **options)


def structure(condition, *data, **options):
    case("json", condition, *data, **options)


def named(conditions, *data, **options):
    case("set", conditions, *data, **options)


NUMBERS = [0, 1, 2, -3, 42, 2.5, 41.999]
WORDS = ["", "a", "abc", "42", "Hello World"]

# --- every operator with numbers and texts -----------------------------------------------------------------------
for operator in "eq", "ne", "lt", "le", "gt", "ge":
    for literal in "2", "2.5", "-3":
        text(f"n {operator} {literal}", *[{"n": n} for n in NUMBERS[:6]])
    text(f"w {operator} abc", *[{"w": w} for w in WORDS[1:4]])
    text(f"n not {operator} 2", {"n": 1}, {"n": 2}, {"n": 3})
    text(f"n rev {operator} 2", {"n": 1}, {"n": 2}, {"n": 3})
    text(f"n not rev {operator} 2", {"n": 1}, {"n": 3})
    text(f"n rev not {operator} 2", {"n": 1}, {"n": 3})
    structure(["n", operator, 2], {"n": 1}, {"n": 2}, {"n": 3})
    structure(["n", "not", operator, 2.5], {"n": 2}, {"n": 2.5}, {"n": 3})
    structure(["l", operator, [1, 2]], {"l": [1, 2]}, {"l": [1, 3]}, {"l": [1]}, {"l": [0, 9, 9]})
for operator in "eq", "ne":
    for literal in "true", "false", "None":
        text(f"v {operator} {literal}", *[{"v": v} for v in (True, False, None, 0, 1, "true")], {})
    structure(["v", operator, {"a": [1, {"b": None}]}], {"v": {"a": [1, {"b": None}]}}, {"v": {"a": [1]}}, {})

# --- numbers and texts ----------------------------------------------------------------------------------------------
for value in 42, "42", 42.0, 42.5, "x":
    text("a eq 42", {"a": value})
    text('a eq "42"', {"a": value})
    text("a eq '42'", {"a": value})
    text("a eq 42", {"a": value}, autoconv=False)
    structure(["a", "eq", "42"], {"a": value})
    structure(["a", "eq", "str:42"], {"a": value})
for value in "42", 41, "43", 42:
    text("id lt 42", {"id": value}, autoconv_lookups=True)
    text("id eq 42", {"id": value}, autoconv_lookups=True)
text("a eq 100688907740199323", {"a": 100688907740199323}, {"a": 100688907740199324}, {"a": 1.0068890774019933e17})
text("a eq 18446744073709551615", {"a": 18446744073709551615}, {"a": 18446744073709551614})
text("a gt 9007199254740992", {"a": 9007199254740993}, {"a": 9007199254740992.0}, {"a": 9007199254740994.0})
text("a eq 007", {"a": 7}, {"a": "007"})
text("a eq +5", {"a": 5}, {"a": "+5"})
text("a eq .5", {"a": 0.5})
text("a eq 1e-3", {"a": 0.001})
text("a eq nan", {"a": "nan"})
text("a eq inf", {"a": "inf"})
text("a eq 0x10", {"a": 16}, {"a": "0x10"})
text("a eq True", {"a": True}, {"a": "True"})
text("a eq null", {"a": None}, {"a": "null"})
text("a eq 192.168.0.1", {"a": "192.168.0.1"})
text("a eq 2026-11-26", {"a": "2026-11-26"})
text("a lt 2026-11-26", {"a": "2026-11-25"}, {"a": "2027-01-01"})
text("a gt true", {"a": 2}, {"a": 1}, {"a": True})
text("a lt ä", {"a": "z"}, {"a": "ö"})

# --- contains and in ------------------------------------------------------------------------------------------------
for literal in "a", "de", "Hello", "42":
    text(f'w contains "{literal}"', *[{"w": w} for w in WORDS])
text("w contains W", {"w": "Hello World"}, {"w": "hello world"})
text('w contains ""', {"w": ""}, {"w": "x"})
text("l contains b", {"l": ["a", "b"]}, {"l": ["ab"]}, {"l": []})
text("l contains 2", {"l": [1, 2]}, {"l": [2.0]}, {"l": ["2"]}, {"l": []})
text("l contains true", {"l": [1]}, {"l": [True]}, {"l": [0]})
text("l contains None", {"l": [None]}, {"l": [0]})
text("o contains b", {"o": {"b": 0}}, {"o": {"a": "b"}}, {"o": {}})
text("l not contains b", {"l": ["a", "b"]}, {"l": ["a"]})
text("w rev contains abc", {"w": "b"}, {"w": "x"}, {"w": "abc"}, {"w": ""})
text("w not rev contains abc", {"w": "b"}, {"w": "x"})
text("w in abc", {"w": "b"}, {"w": "ac"}, {"w": ""})
text("w in [a b c]", {"w": "b"}, {"w": "x"}, {})
text("w not in [a b c]", {"w": "b"}, {"w": "x"}, {})
text("l rev in a", {"l": ["a", "b"]}, {"l": ["b"]})
text("w rev in a", {"w": "abc"}, {"w": "xyz"})
structure(["c", "in", ["foo", "bar"]], {"c": "foo"}, {"c": "baz"}, {"c": None}, {})
structure(["c", "in", [1, 2.5, True, None]], {"c": 1}, {"c": 2.5}, {"c": 2}, {"c": False}, {"c": None}, {})
structure(["c", "in", ["1", "2"]], {"c": 1}, {"c": "1"})
structure(["c", "in", {"k": 1}], {"c": "k"}, {"c": "x"})
structure(["c", "not", "in", ["foo"]], {"c": "foo"}, {"c": 1})
structure(["l", "contains", [1]], {"l": [[1], 2]}, {"l": [1, 2]})
structure(["l", "rev", "contains", ["a", "b"]], {"l": "a"}, {"l": "c"})
structure(["email", "contains", ".de"], {"email": "joe@doe.de"}, {"email": "joe@doe.com"})

# --- keys alone, not ------------------------------------------------------------------------------------------------
FALSE = [None, False, 0, 0.0, "", [], {}]
TRUE = [True, 1, -1, 0.1, "x", "false", "0", [0], {"a": None}]
for value in FALSE + TRUE:
    text("foo", {"foo": value})
    text("not foo", {"foo": value})
text("foo", {})
text("not foo", {})
structure(["foo"], {"foo": 1}, {})
structure(["not", "foo"], {"foo": 1}, {})
text("foo truthy 0", {"foo": 1}, {"foo": 0}, {})
text("foo falsy 0", {"foo": 1}, {"foo": 0}, {})
text("foo not truthy 0", {"foo": 1}, {"foo": 0}, {})
structure(["foo", "falsy", None], {"foo": "x"}, {"foo": ""})
text("foo eq None", {}, {"foo": None}, {"foo": 0})
text("foo ne 1", {}, {"foo": 1})
text("foo is_ None", {}, {"foo": None}, {"foo": 0})
text("foo is_not None", {}, {"foo": None}, {"foo": 0})
text("foo is_ true", {"foo": True}, {"foo": 1}, {"foo": "true"})

# --- operators that calculate ---------------------------------------------------------------------------------------
PAIRS = list(itertools.product([0, 1, 4, 7, -3], [1, 2, 3]))
for operator in "mod", "add", "sub", "mul", "truediv", "floordiv", "pow", "and_", "or_", "lshift", "rshift":
    for number, literal in PAIRS[::2]:
        text(f"i {operator} {literal}", {"i": number})
    text(f"i not {operator} 2", {"i": 1}, {"i": 2})
for operator in "mod", "add", "sub", "mul", "truediv", "floordiv":
    text(f"i {operator} 2.5", {"i": 5}, {"i": -2.5}, {"i": 1})
text("i rev mod 10", {"i": 5}, {"i": 3})
text("w add x", {"w": "a"}, {"w": ""})
text("w concat x", {"w": "a"}, {"w": ""})
text("w mul 0", {"w": "a"})
text("w mul 2", {"w": "a"}, {"w": ""})
text("l countOf x", {"l": ["x"]}, {"l": ["y"]}, {"l": "xyz"})
text("l indexOf x", {"l": ["x"]}, {"l": ["y", "x"]})
text("l length_hint 0", {"l": []}, {"l": ["y", "x"]}, {"l": ""}, {"l": "x"}, {"l": {}}, {"l": 5})

# --- joins: each binds all that follows ---------------------------------------------------------------------------
STATES = [dict(zip("abc", bits)) for bits in itertools.product([0, 1], repeat=3)]
JOINS = "and", "or", "and not", "or not", "xor"
for first in JOINS:
    text(f"a {first} b", *STATES[::2])
    for second in JOINS:
        text(f"a {first} b {second} c", *STATES)
        text(f"[a {first} b] {second} c", *STATES[::3])
for condition in (
    "a and [b or c]",
    "[[a and b] or [b and c]] and not [a and c]",
    "not a and b",
    "a or not not b",
    "a and_not b",
    "a or_not b and c",
    "[ a and b and not c]",
    "[[[a]]]",
    "a eq 1 and b eq 0 or c eq 1",
    "[a eq 1 and b eq 0] or c eq 1",
    "[[a eq 1] and b]",
    "[ [ a eq 1 ] and b ]",
    "a eq 1 xor b eq 1 xor c eq 1",
    "a gt 0 and b lt 3 and not c gt 4",
):
    text(condition, *STATES)
text("[a eq b and [c lt 42 or foo eq bar]]", {"a": "b", "c": 1, "foo": 42}, {"a": "not b", "c": 1}, {"a": "b", "c": 50, "foo": "bar"})
text("email contains .de and gender eq Male or last_name eq Scott",
     {"email": "x@y.de", "gender": "Male", "last_name": "M"}, {"email": "x@y.de", "gender": "Female", "last_name": "Scott"},
     {"email": "x@y.com", "gender": "Male", "last_name": "Scott"})
text("[a eq b] or foo eq bar and baz eq bar", {"foo": 42}, {"foo": "bar", "baz": "bar"}, {"a": "b"})
text("[[a eq b] or foo eq bar] and baz eq bar", {"a": "b", "baz": "bar"}, {"a": "b"})
structure(["a", "and", "b"], *STATES[::2])
structure(["a", "or", "b", "and", "c"], *STATES)
structure([["a", "eq", 1], "and_not", ["b", "eq", 1], "or", ["c"]], *STATES)
structure([["a"], "xor", [["b"], "or", ["c"]]], *STATES)
structure(["a", "eq", 1, "or", "b", "eq", 1], *STATES[::2])
structure([["a", "eq", "b"], "or", ["c", "in", ["foo", "bar"]]], {"a": "b"}, {"c": "foo"}, {"c": "x"})
structure(["foo", "and", ["bar", "eq", 1]], {"foo": 1}, {"foo": 1, "bar": 1})
structure(["foo", "and", [True, "or", ["bar", "eq", 1]]], {"foo": 1}, {})
structure(["foo", "and", [False, "or", ["bar", "eq", 1]]], {"foo": 1}, {"foo": 1, "bar": 1})
structure([True], {})
structure([False], {})
structure([True, "and", "a"], {"a": 1}, {})
structure(["a", "or", True], {})
structure(["not", "a", "and", "b"], *STATES[::2])
structure(["a", "not", "rev", "gt", 3, "or", "b", "rev", "not", "gt", 3], {"a": 1, "b": 9}, {"a": 9, "b": 9}, {"a": 1, "b": 1})
text(json.dumps([["a", "eq", "b"], "or", ["c", "in", ["foo", "bar"]]]), {"a": "b"}, {"c": "bar"}, {})

# --- quotes, escapes, other separators --------------------------------------------------------------------------
text('a eq "Hello World"', {"a": "Hello World"}, {"a": "Hello"})
text("a eq 'Hello World'", {"a": "Hello World"}, {"a": "Hello"})
text("b eq Hello\\ World", {"b": "Hello World"}, {"b": "Hello"})
text('a eq "it\'s"', {"a": "it's"})
text("a eq '[x] \\ y'", {"a": "[x] \\ y"})
text('a eq "true"', {"a": "true"}, {"a": True})
text('a eq "None"', {"a": "None"}, {"a": None})
text('a eq ""', {"a": ""}, {"a": None})
text("a eq b\\]", {"a": "b]"}, {"a": "b"})
text('a eq \\"x', {"a": '"x'})
text('a eq "and"', {"a": "and"}, {"a": ""})
text("a eq not", {"a": "not"}, {"a": ""})
text("a eq [x y]", {"a": ["x", "y"]}, {"a": ["x"]})
text("a eq []", {"a": []}, {"a": [1]})
text("a\\ b eq 1", {"a b": 1}, {"a": 1})
text("größe gt 3", {"größe": 4}, {"größe": 3})
text("a eq 日本", {"a": "日本"}, {"a": "日"})
text("a.eq.42", {"a": 42}, {"a": 41}, sep=".")
text("a|eq|b c|and|d", {"a": "b c", "d": 1}, {"a": "b c"}, sep="|")
text("(a eq b) and (c or d)", {"a": "b", "d": 1}, {"a": "b"}, brkts="()")
text("{a eq b} and {c or d}", {"a": "b", "d": 1}, {"a": "b"}, brkts="{}")

# --- deep -----------------------------------------------------------------------------------------------------------
DEEP = {"a": {"b": [{"c": 1}, {"c": "x"}]}, "s": "text", "n": 5}
for condition in (
    "a.b.0.c", "a.b.1.c", "a.b.2.c", "a.b.0.c eq 1", "a.b.1.c eq x", "a.b.-1.c eq x", "a.b.0.c gt 0 and a.b.1.c contains x",
    "a.x.y", "not a.x.y", "x.y.z eq None", "a.b", "a.b.0", "a.b.x eq None", "n.x eq None", "s.x eq None", "a.0 eq None",
    "a.b.0.c not eq 2", "a.b contains 7", "a eq None",
):
    text(condition, DEEP, deep=".")
    text("deep: " + condition, DEEP)
structure([["a", "b", 0, "c"], "eq", 1], DEEP)
structure([["a", "b", 1, "c"], "eq", 1], DEEP)
structure([[["a", "b", 0, "c"], "eq", 1], "and", "s"], DEEP)
structure([[["a", "b", 0, "c"]], "and", ["n", "eq", 5]], DEEP)
structure([["a", "b", 5, "c"], "eq", None], DEEP)
structure([["a", "b"]], DEEP)
structure([["a", "x"]], DEEP)
text("b.0.c", {"payload": {"b": [{"c": 1}], "id": 123}}, {"payload": {"b": []}}, deep=".", prefix="payload")
text("id gt 100", {"payload": {"id": 123}}, {"payload": {"id": 12}}, prefix="payload")

# --- sets -------------------------------------------------------------------------------------------------------------
for conditions in (
    "one: a gt 10, two: a gt 10 or foo eq bar",
    {"one": "a gt 10", "two": "a gt 10 or foo eq bar"},
    {"one": ["a", "gt", 10], "two": ["a", "gt", 10, "or", "foo", "eq", "bar"]},
    [["one", ["a", "gt", 10]], ["two", [["a", "gt", 10], "or", ["foo", "eq", "bar"]]]],
):
    named(conditions, {"foo": "bar", "a": 0}, {"foo": "x", "a": 11}, {"foo": "x", "a": 1})
SET = {
    "thrd": ["k", "or", ":first"],
    "listed": [["foo"], ["c", "eq", "foo"]],
    "zero": [["x", "eq", 1], "or", ":thrd"],
    "first": ["a", "eq", "b"],
    "last": True,
}
named(SET, {"a": "b"}, {"c": "foo", "x": 1}, {"k": 1}, {})
named([[key, [value] if value is True else value] for key, value in SET.items() if key != "listed"], {"a": "b"}, {"x": 1}, {})
named([True, False], {"a": 1})
named([[1, ["a", "eq", 1]], [2, ["b", "eq", 42]]], {"a": 1}, {"b": 42}, {})
named([["i", "mod", 2], ["i", "mod", 3]], *[{"i": i} for i in range(1, 7)])
named({"a": ["x", "gt", 5], "b": [":a", "eq", True], "c": [":a", "not", "eq", True], "d": ["y"]}, {"x": 9}, {"x": 1, "y": 1})
named({"big": "sum ge 100", "vip": "vip eq true", "both": ":big and :vip", "none": "not :big and not :vip"},
      {"sum": 100, "vip": True}, {"sum": 100}, {"sum": 1, "vip": True}, {"sum": 1})


def plain(value):
    """The truth of a result; sets by name, with the conditions of a list as name.0, name.1."""
    if not isinstance(value, dict):
        return bool(value)
    flat = {}
    for name, result in value.items():
        if isinstance(result, list):
            flat.update({f"{name}.{at}": bool(one) for at, one in enumerate(result)})
        else:
            flat[str(name)] = bool(result)
    return flat


def judged(form, condition, data, options):
    copies = json.loads(json.dumps([condition, data]))
    if form == "set":
        return plain(pycond.qualify(copies[0], **options)(copies[1]))
    return plain(pycond.pycond(copies[0], **options)(state=copies[1]))


lines, failed, seen = [], 0, set()
for form, condition, data, options in cases:
    shown = json.dumps([form, condition, data, options], sort_keys=True)
    if shown in seen:
        continue
    seen.add(shown)
    try:
        result = judged(form, condition, data, options)
    except Exception as error:  # where pycond gives up there is nothing to compare
        failed += 1
        print(f"left out: {condition!r} on {data!r}: {type(error).__name__}: {error}")
        continue
    entry = {"form": form, "condition": condition, "data": data, "result": result}
    if options:
        entry["options"] = options
    lines.append(json.dumps(entry, ensure_ascii=False))
target = pathlib.Path(__file__).parent.parent / "it" / "condition" / "cases.json"
target.parent.mkdir(exist_ok=True)
target.write_text("[\n" + ",\n".join(lines) + "\n]\n")
print(f"{len(lines)} cases, {failed} left out")
