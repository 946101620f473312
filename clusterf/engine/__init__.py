"""The only Trio in the core: board, supervisor, reconciler, outputs, and the nursery tree.

A change takes this way: a source publishes on the `board`; the `reconciler` takes the services
that changed through the pipeline into the table; each `outputs` runner carries the changed
entries out.
"""
