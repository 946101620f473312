"""ipvsadm(8): the rules that ``ipvsadm -S -n`` prints and ``ipvsadm -R`` reads."""
