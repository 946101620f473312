"""clusterf: load balancing for clusters of Docker hosts with Linux IPVS.

The packages below import in one direction only:
``cli -> control, engine -> config, plugin -> pipeline -> model``.
"""

__version__ = "0.1.0"
