"""The type checker that the tests run tegum under: an int is a float, a float a complex, as in Python itself."""

from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
