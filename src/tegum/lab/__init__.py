"""The live lab: a page on which toy models of superposition move, with their exact loss.

>>> import tegum as tg
>>> tg.lab.link(tg.nets.ReluOutput(5, 2), tg.features.Independent(5, density=0.05), page="lab.html")
'lab.html#v=1&n=5&m=2&p=0.05'
"""

from tegum.lab.address import Setting, link, read

__all__ = ["Setting", "link", "read"]
