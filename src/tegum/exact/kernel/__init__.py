"""How the exact loss is computed: compiled functions, from vectors of eight numbers to a minimisation."""
