"""How the tables came to be, step by step: Alembic runs what a database has not seen yet.

A change of `store/schema.py` is one new file in `versions/` with the next number. It says in plain
operations what changes, never by importing the schema, which will have moved on.
"""
