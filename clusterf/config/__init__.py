"""TOML text becomes values with positions, then a checked configuration, or problems."""
