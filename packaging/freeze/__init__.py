"""Freezes clusterf: one executable file, and one folder, that bring their own Python.

``contents.py`` decides what goes in and ``clusterf.spec`` tells PyInstaller; ``start.py`` is what
the executable runs first, with ``unpacked.py`` for its folder; ``bill.py`` lists what is inside;
``trial.py`` tries the results with the plugins of ``drop_ins/``.
"""
