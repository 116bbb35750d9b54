# SPDX-License-Identifier: MIT
"""Faults that nobody chose: one operator, constant or statement of a line of code is another, or gone."""
import glob
import os
import random
import re

# What is replaced, by what. Blanks around an operator keep templates, references and shifts in text apart from it.
OPERATORS = [(" == ", " != "), (" != ", " == "), (" < ", " <= "), (" > ", " >= "), (" <= ", " < "), (" >= ", " > "),
             (" && ", " || "), (" || ", " && "), (" + 1", ""), (" - 1", ""), (" | ", " & "), (" << ", " >> "),
             ("true", "false"), ("false", "true"), ("!", "")]
NO_CODE = re.compile(r"\s*(//|#|template|requires|using|concept|static_assert|for )|.*(assert|requires|= default)", re.I)
STATEMENT = re.compile(r"\s+[a-z_.>()\[\]*-]+(\(.*\)| [|&+-]?= .*);$")


class RandomFault:

  def __init__(self, path, tree, room, begin, end, new, line):
    self.file, self.room = os.path.relpath(path, tree), room
    self.begin, self.end, self.new = begin, end, new
    with open(path) as file:
      whole = file.read()
    self.old = whole[begin:end]
    self.promise = "what stands there: " + line.strip()
    self.name = "line %d of" % (whole.count("\n", 0, begin) + 1)
    self.equivalent = False

  def text_with_fault(self, text):
    return text[:self.begin] + self.new + text[self.end:]


def sites(path):
  """(begin, end, what stands there instead, the line) for each place of the file that could be wrong."""
  begin = 0
  with open(path) as file:
    lines = file.read().split("\n")
  for line in lines:
    code = line.split("//")[0]
    if not NO_CODE.match(line):
      for old, new in OPERATORS:
        word = old.isalpha()
        for at in re.finditer((r"\b%s\b" if word else "%s") % re.escape(old), code):
          if old != "!" or code[at.end():at.end() + 1].isalpha():
            yield begin + at.start(), begin + at.end(), new, line
      if STATEMENT.match(code) and "return" not in code and "const" not in code:
        yield begin, begin + len(line), "", line
    begin += len(line) + 1


def random_faults(tree, rooms, room_of, count, seed):
  """`count` faults below the folders `rooms`, the same for the same seed and tree."""
  places = []
  for room in rooms:
    for extension in ("hpp", "cpp"):
      for path in sorted(glob.glob(os.path.join(tree, room, "**", "*." + extension), recursive=True)):
        home = room_of(os.path.relpath(path, tree))
        if home:
          places += [(path, tree, home) + site for site in sites(path)]
  chosen = random.Random(seed).sample(places, min(count, len(places)))
  return [RandomFault(*place) for place in chosen]
