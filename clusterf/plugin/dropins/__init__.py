"""Drop-ins: files and packages in a plugin directory, found, judged, and then imported.

`finding` says which there are, `trust` who can change them, `versions` which API they were written
for, without running them; `importing` runs them, and `explaining` says kindly what went wrong.
`provided` is what they may import.
"""
