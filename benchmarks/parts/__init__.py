"""The parts of the table; each can be measured alone. `benchmarks.table` puts them together."""
