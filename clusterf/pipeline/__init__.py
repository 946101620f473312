"""The verbs: pure functions over the model. Read merge, decide, resolve, plan in this order."""
