"""The walk over a Python syntax tree, room by room: names, expressions, definitions.

Each room is a class on top of the one before; `facts.python` puts the statements on top of all.
"""
