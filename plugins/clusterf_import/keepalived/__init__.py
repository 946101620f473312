"""keepalived.conf(5): its syntax, what its virtual servers mean, and what becomes of them here.

``lines`` and ``expansion`` make the lines that keepalived sees, ``blocks`` their tree, ``servers``
and ``groups`` the virtual servers in it, ``mapping`` our services.
"""
